-- C6 first-use scenes and first-release products = reported with evidence
with

items as (

    select * from {{ ref('self_reported_items') }}

),

contributions as (

    {{ contributions_of_items('items', 'C6') }}

)

select * from contributions
