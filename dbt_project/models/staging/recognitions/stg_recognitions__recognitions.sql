with

delivered as (

    select
        *,
        row_number() over (
            partition by recognition_kind, document_number, enterprise_name_key
            order by {{ known_last() }}
        ) as known_rank
    from {{ source('recognitions', 'recognitions_v1') }}
    where {{ is_known('recognitions_v1') }}

),

renamed as (

    select
        ---------- ids
        uscc_key as enterprise_id_uscc,
        document_number,

        ---------- texts
        recognition_kind,
        enterprise_name,
        enterprise_name_key,

        ---------- dates
        valid_from,
        valid_to as last_valid_day,

        ---------- lineage
        {{ lineage() }}
    from delivered
    where known_rank = 1

)

select * from renamed
