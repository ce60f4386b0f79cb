-- D7 professionally operated floor share, % = floor run by a professional operator ÷ carrier floor × 100
with

items as (

    select * from {{ ref('self_reported_items') }}

),

contributions as (

    {{ contributions_of_items('items', 'D7') }}

)

select * from contributions
