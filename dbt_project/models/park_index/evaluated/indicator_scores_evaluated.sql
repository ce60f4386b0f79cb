-- Goalposts: where a value stands between its bounds, 0 to 100 (docs/method/scores.md, steps 1, 5 and 8).
with

indicator_values as (

    select * from {{ ref('indicator_values_evaluated') }}

),

indicators as (

    select * from {{ ref('indicators') }}

),

placed as (

    select
        indicator_values.*,
        indicators.direction,
        indicators.weight as framework_weight,
        indicators.bound_low,
        indicators.bound_high,
        (indicator_values.value - indicators.bound_low) / (indicators.bound_high - indicators.bound_low) as position
    from indicator_values
    inner join indicators
        on indicator_values.indicator_code = indicators.indicator_code

),

clipped as (

    select
        *,
        case
            when position < 0 then 0
            when position > 1 then 1
            else position
        end as clipped_position
    from placed

),

scored as (

    select
        *,
        {{ kept('100 * case when direction = 1 then clipped_position else 1 - clipped_position end', 20) }} as score
    from clipped

),

indicator_scores as (

    select
        ---------- ids
        park_code,
        indicator_code,
        area_code,

        ---------- texts
        unit,
        obs_status,
        reason,

        ---------- numerics
        edition,
        value,
        numerator,
        denominator,
        data_year,
        evidence_count,
        bound_low,
        bound_high,
        framework_weight,
        score,
        case
            when score is not null
                then cast(rank() over (partition by edition, indicator_code order by score desc nulls last) as integer)
        end as rank
    from scored

)

select * from indicator_scores
