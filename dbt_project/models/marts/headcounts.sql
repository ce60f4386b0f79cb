{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ forget_as('headcounts', ['enterprise_id_uscc', 'headcount_month']) }}",
) }}

with

headcounts_dated as (

    select * from {{ ref('int_headcounts_dated') }}
    where
        {{ only_changed('headcounts', ['enterprise_id_uscc', 'headcount_month']) }}

),

headcounts as (

    select
        ---------- ids
        enterprise_id_uscc,

        ---------- numerics
        year,
        insured_count,
        bachelor_count,
        master_count,
        doctor_count,
        foreign_count,

        ---------- dates
        headcount_month,

        ---------- lineage
        source_batch_id,
        source_file,
        source_row,
        known_at
    from headcounts_dated

)

select * from headcounts
