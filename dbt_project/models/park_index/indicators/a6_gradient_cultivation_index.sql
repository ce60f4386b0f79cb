-- A6 gradient-cultivation index, points per 1,000 = Σ points of the highest list each member is on ÷ members × 1,000
with

recognitions as (

    select * from {{ ref('valid_recognitions') }}

),

highest as (

    select
        *,
        row_number() over (
            partition by edition, enterprise_id_uscc
            order by
                points desc, valid_from asc, recognition_kind asc, document_number asc, source_file asc, source_row asc
        ) as points_rank
    from recognitions
    where points is not null

),

contributions as (

    select
        edition,
        park_code,
        'A6' as indicator_code,
        'numerator' as side,
        enterprise_id_uscc,
        enterprise_name as subject,
        points as amount,
        'recognitions' as source_feed,
        source_batch_id,
        source_file,
        source_row
    from highest
    where points_rank = 1

)

select * from contributions
