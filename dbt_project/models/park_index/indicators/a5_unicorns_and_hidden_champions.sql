-- A5 unicorns and hidden champions, enterprises = distinct members recognised as 独角兽 or 隐形冠军 and valid on 31 December
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

recognised as (

    -- an enterprise on two lists counts once: by the list first valid
    select
        editions.edition,
        members.park_code,
        members.enterprise_id_uscc,
        members.enterprise_name,
        recognitions.source_batch_id,
        recognitions.source_file,
        recognitions.source_row,
        row_number() over (
            partition by editions.edition, members.enterprise_id_uscc
            order by recognitions.valid_from, recognitions.recognition_kind, recognitions.document_number
        ) as list_rank
    from editions
    inner join members
        on editions.edition = members.year
    inner join recognitions
        on
            members.enterprise_id_uscc = recognitions.enterprise_id_uscc
            and editions.last_day >= recognitions.valid_from
            and (recognitions.last_valid_day is null or editions.last_day <= recognitions.last_valid_day)
    where recognitions.recognition_kind in ('独角兽', '隐形冠军')

),

contributions as (

    select
        edition,
        park_code,
        'A5' as indicator_code,
        'numerator' as side,
        enterprise_id_uscc,
        enterprise_name as subject,
        1 as amount,
        'recognitions' as source_feed,
        source_batch_id,
        source_file,
        source_row
    from recognised
    where list_rank = 1

)

select * from contributions
