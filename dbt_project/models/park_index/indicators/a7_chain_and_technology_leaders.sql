-- A7 chain leaders, technology leaders and innovation consortia
-- = members on each of the lists counted in A7 + consortia that the park reports
with

recognitions as (

    select * from {{ ref('valid_recognitions') }}

),

items as (

    select * from {{ ref('self_reported_items') }}

),

leaders as (

    -- two documents of one list are one recognition
    select
        *,
        row_number() over (
            partition by edition, enterprise_id_uscc, recognition_kind
            order by valid_from, document_number, source_file, source_row
        ) as document_rank
    from recognitions
    where counted_in = 'A7'

),

contributions as (

    select
        edition,
        park_code,
        'A7' as indicator_code,
        'numerator' as side,
        enterprise_id_uscc,
        enterprise_name as subject,
        1 as amount,
        'recognitions' as source_feed,
        source_batch_id,
        source_file,
        source_row
    from leaders
    where document_rank = 1

    union all

    {{ contributions_of_items('items', 'A7') }}

)

select * from contributions
