{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ forget_delivered_headcounts() }}",
) }}

with

delivered as (

    select
        *,
        row_number() over (
            partition by uscc_key, month
            order by {{ known_last() }}
        ) as known_rank
    from {{ source('headcounts', 'headcounts_v1') }}
    where
        {{ is_known('headcounts_v1') }}
        and {{ only_changed('headcounts', ['enterprise_id_uscc', 'headcount_month'], ['uscc_key', 'month']) }}

),

renamed as (

    select
        ---------- ids
        uscc_key as enterprise_id_uscc,

        ---------- numerics
        insured_count,
        bachelor_count,
        master_count,
        doctor_count,
        foreign_count,

        ---------- dates
        month as headcount_month,

        ---------- lineage
        {{ lineage() }}
    from delivered
    where known_rank = 1

)

select * from renamed
