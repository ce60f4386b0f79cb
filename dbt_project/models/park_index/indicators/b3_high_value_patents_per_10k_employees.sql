-- B3 high-value invention patents per 10,000 employees
-- = valid invention patents of high value held by members ÷ Σ employees × 10,000
with

held_patents as (

    select * from {{ ref('held_patents') }}

),

contributions as (

    select
        edition,
        park_code,
        'B3' as indicator_code,
        'numerator' as side,
        enterprise_id_uscc,
        application_number as subject,
        1 as amount,
        'patents' as source_feed,
        source_batch_id,
        source_file,
        source_row
    from held_patents
    where is_high_value

)

select * from contributions
