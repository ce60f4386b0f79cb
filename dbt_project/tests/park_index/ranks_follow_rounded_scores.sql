-- A rank is one more than the number of parks with a greater rounded score; whoever has no score has no rank.
with

ranking as (

    select * from {{ ref('park_scores') }}

),

counted as (

    select
        one.park_code,
        one.score,
        one.rank,
        one.is_tied,
        one.tier,
        1 + count(case when other.rounded_score > one.rounded_score then 1 end) as expected_rank,
        count(case when other.rounded_score = one.rounded_score then 1 end) > 0 as expected_tie
    from ranking as one
    left join ranking as other
        on one.park_code <> other.park_code
    group by one.park_code, one.score, one.rank, one.is_tied, one.tier

),

violations as (

    select * from counted
    where
        (score is null) <> (rank is null)
        or (score is not null and (rank <> expected_rank or is_tied <> expected_tie or tier is null))

)

select * from violations
