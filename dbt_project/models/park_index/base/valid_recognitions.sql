-- Recognitions of members that are valid on 31 December, on the lists that the methodology counts.
with

editions as (

    select * from {{ ref('evaluated_editions') }}

),

members as (

    select * from {{ ref('year_end_members') }}

),

recognitions as (

    select * from {{ ref('recognitions') }}

),

kinds as (

    select * from {{ source('methodology', 'recognition_kinds') }}
    where methodology_sha256 = '{{ var("methodology_sha256") }}'

),

valid_recognitions as (

    select
        ---------- ids
        members.park_code,
        members.enterprise_id_uscc,

        ---------- texts
        members.enterprise_name,
        recognitions.recognition_kind,
        recognitions.document_number,
        kinds.counted_in,

        ---------- numerics
        editions.edition,
        kinds.points,

        ---------- dates
        recognitions.valid_from,

        ---------- lineage
        recognitions.source_batch_id,
        recognitions.source_file,
        recognitions.source_row
    from editions
    inner join members
        on editions.edition = members.year
    inner join recognitions
        on
            members.enterprise_id_uscc = recognitions.enterprise_id_uscc
            and editions.last_day >= recognitions.valid_from
            and (recognitions.last_valid_day is null or editions.last_day <= recognitions.last_valid_day)
    inner join kinds
        on recognitions.recognition_kind = kinds.recognition_kind

)

select * from valid_recognitions
