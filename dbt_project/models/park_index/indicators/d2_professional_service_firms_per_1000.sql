-- D2 professional-service firms per 1,000 = members in a class of set SERVICE ÷ members × 1,000
with

members as (

    select * from {{ ref('year_end_members') }}

),

contributions as (

    select
        year as edition,
        park_code,
        'D2' as indicator_code,
        'numerator' as side,
        enterprise_id_uscc,
        enterprise_name as subject,
        1 as amount,
        'enterprise_registry' as source_feed,
        source_batch_id,
        source_file,
        source_row
    from members
    where is_professional_service

)

select * from contributions
