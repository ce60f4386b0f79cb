-- A5 unicorns and hidden champions, enterprises = distinct members on a list counted in A5 that is valid on 31 December
with

recognitions as (

    select * from {{ ref('valid_recognitions') }}

),

recognised as (

    -- an enterprise on two lists counts once: by the list first valid
    select
        *,
        row_number() over (
            partition by edition, enterprise_id_uscc
            order by valid_from, recognition_kind, document_number, source_file, source_row
        ) as list_rank
    from recognitions
    where counted_in = 'A5'

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
