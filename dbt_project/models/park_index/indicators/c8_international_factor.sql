-- C8 international factor, ‰ = (Σ foreign staff, twelve-month mean + returned from study abroad) ÷ Σ employees × 1,000
with

member_headcounts as (

    select * from {{ ref('member_headcounts') }}

),

items as (

    select * from {{ ref('self_reported_items') }}

),

contributions as (

    select
        year as edition,
        park_code,
        'C8' as indicator_code,
        'numerator' as side,
        enterprise_id_uscc,
        enterprise_name as subject,
        foreign_count / 12.0 as amount,
        'headcounts' as source_feed,
        source_batch_id,
        source_file,
        source_row
    from member_headcounts
    where foreign_count > 0

    union all

    {{ contributions_of_items('items', 'C8') }}

)

select * from contributions
