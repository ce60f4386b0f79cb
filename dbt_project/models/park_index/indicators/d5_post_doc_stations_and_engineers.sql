-- D5 post-doc stations and engineers in training per 10,000 employees
-- = Σ reported numbers × their points ÷ Σ employees × 10,000
with

items as (

    select * from {{ ref('self_reported_items') }}

),

contributions as (

    {{ contributions_of_items('items', 'D5') }}

)

select * from contributions
