-- Ranks and tiers of the rounded totals; equal totals share the best rank (docs/method/scores.md, steps 6 and 7).
with

park_scores as (

    select * from {{ ref('park_scores_evaluated') }}
    where score is not null

),

rules as (

    select * from {{ ref('rules') }}

),

tiers as (

    select * from {{ source('methodology', 'tiers') }}
    where methodology_sha256 = '{{ var("methodology_sha256") }}'

),

rounded as (

    select
        park_scores.edition,
        park_scores.park_code,
        round(park_scores.score, rules.rank_decimals) as rounded_score
    from park_scores
    cross join rules

),

ranked as (

    select
        edition,
        park_code,
        rounded_score,
        cast(rank() over (partition by edition order by rounded_score desc) as integer) as rank,
        count(*) over (partition by edition, rounded_score) > 1 as is_tied
    from rounded

),

park_ranks as (

    select
        ranked.edition,
        ranked.park_code,
        ranked.rounded_score,
        ranked.rank,
        ranked.is_tied,
        tiers.tier
    from ranked
    left join tiers
        on ranked.rank between tiers.rank_from and tiers.rank_to

)

select * from park_ranks
