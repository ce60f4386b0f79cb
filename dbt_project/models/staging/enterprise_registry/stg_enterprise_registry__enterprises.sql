{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ forget_delivered_registrations() }}",
) }}

with

delivered as (

    select
        *,
        row_number() over (
            partition by uscc_key, coalesce(effective_date, registered_date)
            order by {{ known_last() }}
        ) as known_rank
    from {{ source('enterprise_registry', 'enterprise_registry_v1') }}
    where
        {{ is_known('enterprise_registry_v1') }}
        and {{ only_changed('registrations', ['enterprise_id_uscc'], ['uscc_key']) }}

),

renamed as (

    select
        ---------- ids
        uscc_key as enterprise_id_uscc,

        ---------- texts
        enterprise_name,
        enterprise_name_key,
        enterprise_type,
        district,
        address,
        address_key,
        industry_code,
        industry_standard,
        status as registration_status,
        registered_capital_currency,

        ---------- numerics
        registered_capital_amount,
        longitude as longitude_degrees,
        latitude as latitude_degrees,

        ---------- dates
        coalesce(effective_date, registered_date) as effective_date,
        registered_date,
        ended_date,

        ---------- lineage
        {{ lineage() }}
    from delivered
    where known_rank = 1

)

select * from renamed
