with

bounded as (

    select * from {{ ref('int_park_leading_industries_bounded') }}

),

park_leading_industries as (

    select
        ---------- ids
        park_code,
        set_code,

        ---------- numerics
        year,
        enterprises_low_count,
        enterprises_listed_count,
        enterprises_high_count,
        unclassified_enterprises_count,
        revenue_low_cny,
        revenue_listed_cny,
        revenue_high_cny
    from bounded

)

select * from park_leading_industries
