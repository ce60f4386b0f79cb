-- D3 mean classified incubator score = Σ score × incubatees ÷ Σ incubatees, over the three types of incubators
with

items as (

    select * from {{ ref('self_reported_items') }}

),

contributions as (

    {{ contributions_of_items('items', 'D3') }}

)

select * from contributions
