-- Every park × indicator of the framework has exactly one row: a value, or a reason why not.
with

expected as (

    select
        parks.park_code,
        indicators.indicator_code
    from {{ ref('parks') }} as parks
    cross join {{ ref('indicators') }} as indicators

),

found as (

    select
        park_code,
        indicator_code,
        count(*) as rows_count,
        sum(case when (value is null) = (reason is null) then 1 else 0 end) as unexplained_count
    from {{ ref('indicator_scores') }}
    group by park_code, indicator_code

),

violations as (

    select
        expected.park_code,
        expected.indicator_code,
        found.rows_count,
        found.unexplained_count
    from expected
    full outer join found
        on
            expected.park_code = found.park_code
            and expected.indicator_code = found.indicator_code
    where
        expected.park_code is null
        or found.park_code is null
        or found.rows_count <> 1
        or found.unexplained_count > 0

)

select * from violations
