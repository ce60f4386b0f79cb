with

recognitions_attributed as (

    select * from {{ ref('int_recognitions_attributed') }}

),

recognitions as (

    select
        ---------- ids
        attributed_enterprise_id_uscc as enterprise_id_uscc,
        document_number,

        ---------- texts
        recognition_kind,
        enterprise_name,
        link_method,

        ---------- dates
        valid_from,
        last_valid_day,

        ---------- lineage
        source_batch_id,
        source_file,
        source_row,
        known_at
    from recognitions_attributed

)

select * from recognitions
