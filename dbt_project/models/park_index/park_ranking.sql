{{ config(materialized='view') }}

with

parks as (

    select * from {{ ref('parks') }}

),

park_scores as (

    select * from {{ ref('park_scores') }}

),

park_ranks_evaluated as (

    select * from {{ ref('park_ranks_evaluated') }}

),

park_status as (

    select * from {{ ref('park_status') }}

),

rank_intervals as (

    select * from {{ source('robustness', 'rank_intervals') }}

),

ranks_before as (

    -- by this edition's rules and from the same inputs (docs/decisions/0008)
    select * from park_ranks_evaluated
    where edition = {{ var('edition') }} - 1

),

park_ranking as (

    select
        park_scores.edition,
        parks.park_code,
        parks.park_name_zh,
        parks.park_name_en,
        park_scores.rank,
        coalesce(park_scores.is_tied, false) as is_tied,
        park_scores.score,
        park_scores.tier,
        park_status.status,
        rank_intervals.rank_low,
        rank_intervals.rank_high,
        rank_intervals.tier_share,
        ranks_before.rank as rank_previous,
        ranks_before.rank - park_scores.rank as rank_change,
        park_scores.obs_status
    from parks
    inner join park_scores
        on parks.park_code = park_scores.park_code
    inner join park_status
        on parks.park_code = park_status.park_code
    left join rank_intervals
        on parks.park_code = rank_intervals.park_code
    left join ranks_before
        on parks.park_code = ranks_before.park_code

)

select * from park_ranking
