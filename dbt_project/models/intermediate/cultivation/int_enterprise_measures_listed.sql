-- The measures of a member's year one below the other, each with the least and the greatest value it can have; null
-- at an end is "not known". A measure that is not listed is carried by no feed.
with

measured as (

    select * from {{ ref('int_enterprise_years_measured') }}

),

scored as (

    select * from {{ ref('int_small_technology_enterprises_scored') }}

),

{%- set measures = {
    'age_years': ['age_years', 'age_years'],
    'employees_count': ['employees_count', 'employees_count'],
    'revenue_cny': ['revenue_cny', 'revenue_cny'],
    'total_assets_cny': ['total_assets_cny', 'total_assets_cny'],
    'rd_expenditure_cny': ['rd_expenditure_cny', 'rd_expenditure_cny'],
    'rd_revenue_share': ['rd_revenue_share', 'rd_revenue_share'],
    'rd_revenue_share_3y': ['rd_revenue_share_3y', 'rd_revenue_share_3y'],
    'rd_revenue_share_least_2y': [
        'case when rd_revenue_share_before is not null then least(rd_revenue_share, rd_revenue_share_before) end',
        'least(rd_revenue_share, rd_revenue_share_before)',
    ],
    'revenue_growth_2y': [
        'revenue_cny / nullif(revenue_earlier_cny, 0)', 'revenue_cny / nullif(revenue_earlier_cny, 0)'
    ],
    'rd_sum_2y_cny': ['rd_expenditure_cny + rd_before_cny', 'rd_expenditure_cny + rd_before_cny'],
    'rd_mean_2y_cny': ['(rd_expenditure_cny + rd_before_cny) / 2', '(rd_expenditure_cny + rd_before_cny) / 2'],
    'equity_2y_cny': ['equity_low_cny', 'equity_high_cny'],
    'class_one_rights_count': ['class_one_rights_count', 'class_one_rights_count'],
    'intellectual_property_count': ['class_one_rights_count + class_two_rights_count', 'null'],
    'on_high_tech_list': ['on_high_tech_list', 'on_high_tech_list'],
    'on_specialised_list': ['on_specialised_list', 'on_specialised_list'],
    'science_staff_share': ['science_staff_share', 'science_staff_share'],
    'niche_years': ['null', 'age_years'],
} %}

listed as (

    {% for measure, ends in measures.items() %}
        select
            enterprise_id_uscc,
            year,
            '{{ measure }}' as measure,
            cast({{ ends[0] }} as numeric(38, 9)) as value_low,
            cast({{ ends[1] }} as numeric(38, 9)) as value_high
        from measured

        union all

    {% endfor %}
    select
        enterprise_id_uscc,
        year,
        'sme_score' as measure,
        cast(score_low as numeric(38, 9)) as value_low,
        cast(score_high as numeric(38, 9)) as value_high
    from scored

    union all

    select
        enterprise_id_uscc,
        year,
        'sme_staff_score' as measure,
        cast(staff_low as numeric(38, 9)) as value_low,
        cast(staff_high as numeric(38, 9)) as value_high
    from scored

)

select * from listed
