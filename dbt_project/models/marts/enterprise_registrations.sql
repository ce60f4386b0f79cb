{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ forget_as('registrations', ['enterprise_id_uscc']) }}",
) }}

with

enterprise_registrations_dated as (

    select * from {{ ref('int_enterprise_registrations_dated') }}
    where {{ only_changed('registrations', ['enterprise_id_uscc']) }}

),

enterprise_registrations as (

    select
        ---------- ids
        enterprise_id_uscc,

        ---------- texts
        enterprise_name,
        registration_status,
        district,
        address,
        industry_code,
        industry_standard,
        industry_code_gbt4754_2017,

        ---------- numerics
        longitude_degrees,
        latitude_degrees,

        ---------- dates
        valid_from,
        valid_to,

        ---------- lineage
        source_batch_id,
        source_file,
        source_row,
        known_at
    from enterprise_registrations_dated

)

select * from enterprise_registrations
