{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ forget_as('registrations', ['enterprise_id_uscc']) }}",
    post_hook="{{ analyzed(this) }}",
) }}

with

registrations as (

    select * from {{ ref('stg_enterprise_registry__enterprises') }}
    where {{ only_changed('registrations', ['enterprise_id_uscc']) }}

),

dated as (

    select
        *,
        effective_date as valid_from,
        lead(effective_date) over (
            partition by enterprise_id_uscc
            order by effective_date
        ) as valid_to,
        -- a code means what its standard says; 221 codes of 2011 mean something else in 2017
        case when industry_standard = 'GB/T 4754-2017' then industry_code end as industry_code_gbt4754_2017
    from registrations

)

select * from dated
