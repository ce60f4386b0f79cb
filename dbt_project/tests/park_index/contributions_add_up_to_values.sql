-- The rows behind a value add up to its numerator, and to its denominator where that is a sum.
with

contributions as (

    select * from {{ ref('contributions') }}

),

rules as (

    select * from {{ ref('indicator_rules') }}

),

sums as (

    select
        park_code,
        indicator_code,
        sum(case when side = 'numerator' then amount else 0 end) as numerator,
        sum(case when side = 'denominator' then amount else 0 end) as denominator,
        count(*) as evidence_count
    from contributions
    group by park_code, indicator_code

),

violations as (

    select
        indicator_values.park_code,
        indicator_values.indicator_code
    from {{ ref('indicator_values') }} as indicator_values
    inner join rules
        on indicator_values.indicator_code = rules.indicator_code
    left join sums
        on
            indicator_values.park_code = sums.park_code
            and indicator_values.indicator_code = sums.indicator_code
    where
        indicator_values.obs_status = 'normal'
        and (
            indicator_values.numerator <> {{ kept('coalesce(sums.numerator, 0)') }}
            or (
                rules.denominator_kind in ('summed', 'enterprises', 'employees')
                and indicator_values.denominator <> {{ kept('coalesce(sums.denominator, 0)') }}
            )
            or indicator_values.evidence_count <> coalesce(sums.evidence_count, 0)
        )

)

select * from violations
