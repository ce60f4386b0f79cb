with

items as (

    select * from {{ ref('stg_park_reports__items') }}

),

ranked as (

    select
        *,
        rank() over (
            partition by park_code, year
            order by reported_date desc
        ) as report_rank
    from items

),

reported as (

    select * from ranked
    where report_rank = 1

)

select * from reported
