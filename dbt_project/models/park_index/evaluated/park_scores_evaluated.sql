-- The total needs every computed area; weights are never re-scaled across areas (docs/method/scores.md, step 4).
with

area_scores as (

    select * from {{ ref('area_scores_evaluated') }}
    where is_computed

),

sums as (

    select
        edition,
        park_code,
        sum(computed_weight) as computed_weight,
        sum(computed_weight * score) as weighted_score,
        count(*) - count(score) as missing_areas_count,
        max(case when score is null and area_code = 'A' then 'A ' else '' end)
        || max(case when score is null and area_code = 'B' then 'B ' else '' end)
        || max(case when score is null and area_code = 'C' then 'C ' else '' end)
        || max(case when score is null and area_code = 'D' then 'D ' else '' end) as missing_areas
    from area_scores
    group by edition, park_code

),

park_scores as (

    select
        ---------- ids
        park_code,

        ---------- texts
        case when missing_areas_count = 0 then 'normal' else 'not_ranked' end as obs_status,
        case
            when missing_areas_count > 0 then 'too little data to score area ' || trim(missing_areas)
        end as reason,

        ---------- numerics
        edition,
        computed_weight,
        case when missing_areas_count = 0 then {{ kept('weighted_score / computed_weight', 20) }} end as score
    from sums

)

select * from park_scores
