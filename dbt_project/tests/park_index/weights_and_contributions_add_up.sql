-- In a park with a total the effective weights add up to 100 and the contributions to the total; elsewhere there are
-- none. Rounding to 12 decimals, once per number, leaves less than 1e-9.
with

sums as (

    select
        park_code,
        sum(weight) as weight,
        sum(contribution) as contribution
    from {{ ref('indicator_scores') }}
    group by park_code

),

area_sums as (

    select
        park_code,
        sum(weight) as weight
    from {{ ref('area_scores') }}
    group by park_code

),

violations as (

    select ranking.park_code
    from {{ ref('park_ranking') }} as ranking
    left join sums
        on ranking.park_code = sums.park_code
    left join area_sums
        on ranking.park_code = area_sums.park_code
    where
        (ranking.score is null) <> (sums.weight is null)
        or (ranking.score is null) <> (area_sums.weight is null)
        or abs(sums.weight - 100) > 0.000000001
        or abs(area_sums.weight - 100) > 0.000000001
        or abs(sums.contribution - ranking.score) > 0.000000001

)

select * from violations
