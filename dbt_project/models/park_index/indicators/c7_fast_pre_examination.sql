-- C7 fast pre-examination share, % = applications that passed it ÷ invention applications filed × 100
with

items as (

    select * from {{ ref('self_reported_items') }}

),

contributions as (

    {{ contributions_of_items('items', 'C7') }}

)

select * from contributions
