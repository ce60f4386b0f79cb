with

accounts as (

    select * from {{ ref('stg_enterprise_accounts__accounts') }}

),

ranked as (

    select
        *,
        row_number() over (
            partition by enterprise_id_uscc, year
            order by reported_date desc
        ) as report_rank
    from accounts

),

reported as (

    select * from ranked
    where report_rank = 1

)

select * from reported
