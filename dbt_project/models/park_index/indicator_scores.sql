with

indicator_scores_evaluated as (

    select * from {{ ref('indicator_scores_evaluated') }}
    where edition = {{ var('edition') }}

),

area_scores_evaluated as (

    select * from {{ ref('area_scores_evaluated') }}

),

park_scores_evaluated as (

    select * from {{ ref('park_scores_evaluated') }}

),

weighted as (

    -- effective weights exist where they add up to something: in a park with a total (docs/method/scores.md, step 5)
    select
        indicator_scores_evaluated.*,
        case
            when
                indicator_scores_evaluated.score is not null
                and park_scores_evaluated.score is not null
                and area_scores_evaluated.is_computed
                then
                    {{ kept(
                        '100 * area_scores_evaluated.computed_weight * indicator_scores_evaluated.framework_weight'
                        ' / (park_scores_evaluated.computed_weight * area_scores_evaluated.available_weight)', 20
                    ) }}
        end as weight
    from indicator_scores_evaluated
    inner join area_scores_evaluated
        on
            indicator_scores_evaluated.edition = area_scores_evaluated.edition
            and indicator_scores_evaluated.park_code = area_scores_evaluated.park_code
            and indicator_scores_evaluated.area_code = area_scores_evaluated.area_code
    inner join park_scores_evaluated
        on
            indicator_scores_evaluated.edition = park_scores_evaluated.edition
            and indicator_scores_evaluated.park_code = park_scores_evaluated.park_code

),

indicator_scores as (

    select
        edition,
        park_code,
        indicator_code,
        value,
        unit,
        numerator,
        denominator,
        data_year,
        evidence_count,
        obs_status,
        reason,
        bound_low,
        bound_high,
        score,
        weight,
        {{ kept('weight / 100 * score', 20) }} as contribution,
        rank
    from weighted

)

select * from indicator_scores
