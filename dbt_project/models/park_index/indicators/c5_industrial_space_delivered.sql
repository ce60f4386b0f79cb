-- C5 industrial space delivered, % = land and floor delivered ÷ promised for the year × 100, at most 100
with

items as (

    select * from {{ ref('self_reported_items') }}

),

contributions as (

    {{ contributions_of_items('items', 'C5') }}

)

select * from contributions
