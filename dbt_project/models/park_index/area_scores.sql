with

area_scores_evaluated as (

    select * from {{ ref('area_scores_evaluated') }}
    where edition = {{ var('edition') }}

),

park_scores_evaluated as (

    select * from {{ ref('park_scores_evaluated') }}

),

area_scores as (

    select
        area_scores_evaluated.edition,
        area_scores_evaluated.park_code,
        area_scores_evaluated.area_code,
        area_scores_evaluated.area_name_zh,
        area_scores_evaluated.area_name_en,
        area_scores_evaluated.score,
        case
            when area_scores_evaluated.score is not null and park_scores_evaluated.score is not null
                then
                    {{ kept(
                        '100 * area_scores_evaluated.computed_weight / park_scores_evaluated.computed_weight', 20
                    ) }}
        end as weight,
        area_scores_evaluated.weight_share,
        area_scores_evaluated.rank,
        area_scores_evaluated.obs_status
    from area_scores_evaluated
    inner join park_scores_evaluated
        on
            area_scores_evaluated.edition = park_scores_evaluated.edition
            and area_scores_evaluated.park_code = park_scores_evaluated.park_code

)

select * from area_scores
