-- 科技型中小企业 (国科发政〔2017〕115号): staff 20, R&D 50 by the better of two scales, intellectual property 30. A scale whose
-- number no feed carries gives 0 at the lower and its full points at the upper end.
with

measured as (

    select * from {{ ref('int_enterprise_years_measured') }}

),

most_points as (

    select
        max(case when scale = 'science_staff_share' then points end) as most_staff_points,
        max(case when scale = 'rd_cost_share' then points end) as most_cost_points
    from {{ ref('score_bands') }}

),

points as (

    select
        measured.enterprise_id_uscc,
        measured.year,
        {{ band_points('science_staff_share', 'measured.science_staff_share') }} as staff_points,
        {{ band_points('rd_revenue_share', 'measured.rd_revenue_share') }} as revenue_points,
        {{ band_points('rd_cost_share', 'measured.rd_cost_share') }} as cost_points,
        greatest(
            {{ band_points('class_one_rights_count', 'measured.class_one_rights_count') }},
            {{ band_points('class_two_rights_count', 'measured.class_two_rights_count') }}
        ) as rights_points,
        case when measured.rd_expenditure_cny = 0 then 0 else most_points.most_cost_points end as most_cost_points,
        most_points.most_staff_points
    from measured
    cross join most_points

),

scored as (

    select
        enterprise_id_uscc,
        year,
        rights_points,
        coalesce(staff_points, 0) as staff_low,
        coalesce(staff_points, most_staff_points) as staff_high,
        greatest(coalesce(revenue_points, 0), coalesce(cost_points, 0)) as rd_low,
        greatest(coalesce(revenue_points, 0), coalesce(cost_points, most_cost_points)) as rd_high,
        coalesce(staff_points, 0)
        + greatest(coalesce(revenue_points, 0), coalesce(cost_points, 0)) + rights_points as score_low,
        coalesce(staff_points, most_staff_points)
        + greatest(coalesce(revenue_points, 0), coalesce(cost_points, most_cost_points)) + rights_points as score_high
    from points

)

select * from scored
