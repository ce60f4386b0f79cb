{{ config(materialized='view') }}

with

park_scores_evaluated as (

    select * from {{ ref('park_scores_evaluated') }}

),

park_ranks_evaluated as (

    select * from {{ ref('park_ranks_evaluated') }}

),

park_scores as (

    select
        park_scores_evaluated.edition,
        park_scores_evaluated.park_code,
        park_scores_evaluated.score,
        park_ranks_evaluated.rounded_score,
        park_ranks_evaluated.rank,
        park_ranks_evaluated.is_tied,
        park_ranks_evaluated.tier,
        park_scores_evaluated.obs_status,
        park_scores_evaluated.reason
    from park_scores_evaluated
    left join park_ranks_evaluated
        on
            park_scores_evaluated.edition = park_ranks_evaluated.edition
            and park_scores_evaluated.park_code = park_ranks_evaluated.park_code
    where park_scores_evaluated.edition = {{ var('edition') }}

)

select * from park_scores
