-- B9 technology-contract value per employee, 万元 = reported value ÷ Σ employees
with

items as (

    select * from {{ ref('self_reported_items') }}

),

contributions as (

    {{ contributions_of_items('items', 'B9') }}

)

select * from contributions
