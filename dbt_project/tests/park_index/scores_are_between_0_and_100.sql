with

scores as (

    select score from {{ ref('indicator_scores') }}
    union all
    select score from {{ ref('area_scores') }}
    union all
    select score from {{ ref('park_ranking') }}

),

violations as (

    select * from scores
    where score < 0 or score > 100

)

select * from violations
