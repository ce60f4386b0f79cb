-- Weighted means inside the areas; what is missing leaves its weight to the rest
-- (docs/method/scores.md, steps 2, 3 and 8).
with

indicator_scores as (

    select * from {{ ref('indicator_scores_evaluated') }}

),

areas as (

    select * from {{ ref('areas') }}

),

rules as (

    select * from {{ ref('rules') }}

),

sums as (

    select
        edition,
        park_code,
        area_code,
        coalesce(sum(case when score is not null then framework_weight end), 0) as available_weight,
        sum(framework_weight * score) as weighted_score
    from indicator_scores
    group by edition, park_code, area_code

),

shared as (

    select
        sums.edition,
        sums.park_code,
        areas.area_code,
        areas.area_name_zh,
        areas.area_name_en,
        areas.is_computed,
        areas.computed_weight,
        sums.available_weight,
        case
            when areas.is_computed then {{ kept('sums.available_weight / areas.computed_weight', 20) }}
            else 0
        end as weight_share,
        case
            when
                sums.available_weight > 0
                and sums.available_weight >= rules.area_min_share * areas.computed_weight
                then {{ kept('sums.weighted_score / sums.available_weight', 20) }}
        end as score
    from sums
    inner join areas
        on sums.area_code = areas.area_code
    cross join rules

),

area_scores as (

    select
        *,
        case
            when not is_computed then 'not_computed'
            when score is null then 'no_data'
            else 'normal'
        end as obs_status,
        case
            when score is not null
                then cast(rank() over (partition by edition, area_code order by score desc nulls last) as integer)
        end as rank
    from shared

)

select * from area_scores
