{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ forget_enterprises() }}",
) }}

with

enterprises_dated as (

    select * from {{ ref('int_enterprises_dated') }}
    where {{ only_changed('enterprises', ['enterprise_id_uscc']) }}

),

enterprises as (

    select
        ---------- ids
        enterprise_id_uscc,
        registered_park_code,
        ended_park_code,

        ---------- texts
        enterprise_name,
        enterprise_type,
        registration_status,
        district,
        address,
        industry_code_gbt4754_2017,
        registered_industry_code,
        registered_capital_currency,

        ---------- numerics
        registered_capital_amount,

        ---------- dates
        registered_date,
        ended_date,

        ---------- lineage
        source_batch_id,
        source_file,
        source_row,
        known_at
    from enterprises_dated

)

select * from enterprises
