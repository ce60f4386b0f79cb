-- in(e, p, t) of docs/method/indicators.md for every year with accounts: active on 31 December, and in the park.
{{ config(materialized='table', post_hook="{{ analyzed(this) }}") }}

with

stays as (

    select * from {{ ref('int_enterprises_placed') }}
    where park_code is not null

),

enterprises as (

    select * from {{ ref('int_enterprises_dated') }}

),

accounts as (

    select * from {{ ref('int_enterprise_accounts_reported') }}

),

years as (

    select distinct
        year,
        {{ last_day('year') }} as last_day
    from accounts

),

members as (

    select
        years.year,
        years.last_day,
        stays.park_code,
        stays.enterprise_id_uscc,
        enterprises.registered_date
    from years
    inner join stays
        on
            years.last_day >= stays.valid_from
            and (stays.valid_to is null or years.last_day < stays.valid_to)
    inner join enterprises
        on
            stays.enterprise_id_uscc = enterprises.enterprise_id_uscc
            and years.last_day >= enterprises.registered_date
            and (enterprises.ended_date is null or years.last_day < enterprises.ended_date)

)

select * from members
