{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ forget_delivered_publications() }}",
) }}

with

delivered as (

    select
        *,
        row_number() over (
            partition by publication_number, kind
            order by {{ known_last() }}
        ) as known_rank
    from {{ source('patents', 'patents_v1') }}
    where
        {{ is_known('patents_v1') }}
        and {{ only_changed('publications', ['publication_number', 'kind']) }}

),

renamed as (

    select
        ---------- ids
        publication_number,
        application_number_key as application_number,

        ---------- texts
        kind,
        title,
        first_applicant_name,
        first_applicant_name_key,
        first_applicant_address,
        applicant_names,
        ipc_main,
        ipc_codes,

        ---------- numerics
        applicant_count,

        ---------- dates
        application_date,
        publication_date,

        ---------- lineage
        {{ lineage() }}
    from delivered
    where known_rank = 1

)

select * from renamed
