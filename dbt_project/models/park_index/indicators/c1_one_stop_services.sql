-- C1 one-stop government services available, %
-- = services that can be completed in the park ÷ services on the list × 100
with

items as (

    select * from {{ ref('self_reported_items') }}

),

contributions as (

    {{ contributions_of_items('items', 'C1') }}

)

select * from contributions
