-- B8 incubators and new incubatees, points = Σ reported numbers × their points
with

items as (

    select * from {{ ref('self_reported_items') }}

),

contributions as (

    {{ contributions_of_items('items', 'B8') }}

)

select * from contributions
