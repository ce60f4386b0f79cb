-- D1 open technical platforms per 1,000 = platforms with outside customers ÷ members × 1,000
with

items as (

    select * from {{ ref('self_reported_items') }}

),

contributions as (

    {{ contributions_of_items('items', 'D1') }}

)

select * from contributions
