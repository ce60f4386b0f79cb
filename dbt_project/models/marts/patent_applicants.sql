with

patent_applicants_attributed as (

    select * from {{ ref('int_patent_applicants_attributed') }}

),

patent_applicants as (

    select
        ---------- ids
        publication_number,
        application_number,
        enterprise_id_uscc,

        ---------- texts
        kind,

        ---------- numerics
        position,

        ---------- dates
        publication_date,

        ---------- lineage
        source_batch_id,
        source_file,
        source_row,
        known_at
    from patent_applicants_attributed

)

select * from patent_applicants
