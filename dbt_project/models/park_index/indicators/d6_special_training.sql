-- D6 special training per 10,000 employees = participants ÷ Σ employees × 10,000
with

items as (

    select * from {{ ref('self_reported_items') }}

),

contributions as (

    {{ contributions_of_items('items', 'D6') }}

)

select * from contributions
