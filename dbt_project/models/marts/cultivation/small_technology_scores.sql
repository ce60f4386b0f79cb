with

scored as (

    select * from {{ ref('int_small_technology_enterprises_scored') }}

),

small_technology_scores as (

    select
        ---------- ids
        enterprise_id_uscc,

        ---------- numerics
        year,
        staff_low as staff_points_low,
        staff_high as staff_points_high,
        rd_low as rd_points_low,
        rd_high as rd_points_high,
        rights_points,
        score_low,
        score_high
    from scored

)

select * from small_technology_scores
