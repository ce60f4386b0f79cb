with

declared_industries as (

    select * from {{ ref('stg_park_reports__declared_industries') }}

),

ranked as (

    -- a re-report replaces the whole list of a park and year: only the rows of its last reporting date count
    select
        *,
        rank() over (
            partition by park_code, year
            order by reported_date desc
        ) as report_rank
    from declared_industries

),

reported as (

    select * from ranked
    where report_rank = 1

)

select * from reported
