-- 不超过3个 (policy text 三(一)): industries that a park declares as 主导 count against the limit; 特色 and 未来 are told.
with

declared as (

    select * from {{ ref('int_declared_industries_reported') }}

),

counted as (

    select
        park_code,
        year,
        max(reported_date) as reported_date,
        count(distinct case when declared_type = '主导' then industry_name end) as leading_industries_count,
        count(distinct case when declared_type = '特色' then industry_name end) as characteristic_industries_count,
        count(distinct case when declared_type = '未来' then industry_name end) as future_industries_count,
        count(distinct industry_name) as industries_count,
        count(distinct industry_code) as classes_count
    from declared
    group by park_code, year

),

park_industry_declarations as (

    select
        ---------- ids
        park_code,

        ---------- numerics
        year,
        leading_industries_count,
        characteristic_industries_count,
        future_industries_count,
        industries_count,
        classes_count,
        cast({{ target_value('T7') }} as integer) as leading_industries_limit,

        ---------- booleans
        leading_industries_count <= {{ target_value('T7') }} as is_within_limit,

        ---------- dates
        reported_date
    from counted

)

select * from park_industry_declarations
