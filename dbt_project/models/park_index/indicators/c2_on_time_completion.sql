-- C2 on-time completion, % = cases closed within the promised limit ÷ cases closed × 100
with

items as (

    select * from {{ ref('self_reported_items') }}

),

contributions as (

    {{ contributions_of_items('items', 'C2') }}

)

select * from contributions
