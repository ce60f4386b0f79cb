{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ forget_patents() }}",
) }}

with

patents_attributed as (

    select * from {{ ref('int_patents_attributed') }}
    where {{ only_changed('patents', ['publication_number', 'kind']) }}

),

patents as (

    select
        ---------- ids
        publication_number,
        application_number,
        attributed_enterprise_id_uscc as first_applicant_enterprise_id_uscc,

        ---------- texts
        kind,
        title,
        first_applicant_name,
        link_method,
        applicant_names,
        ipc_main,
        ipc_codes,

        ---------- numerics
        applicant_count,

        ---------- dates
        application_date,
        publication_date,

        ---------- lineage
        source_batch_id,
        source_file,
        source_row,
        known_at
    from patents_attributed

)

select * from patents
