-- The rows behind a value add up to its numerator, and to its denominator where that is a sum. Values and rows are put
-- together and added up in one pass, so that no plan can add the rows up once for every value.
with

contributions as (

    select * from {{ ref('contributions') }}

),

indicator_values as (

    select * from {{ ref('indicator_values') }}

),

rules as (

    select * from {{ ref('indicator_rules') }}

),

stated_and_found as (

    select
        park_code,
        indicator_code,
        obs_status,
        numerator as stated_numerator,
        denominator as stated_denominator,
        evidence_count as stated_count,
        0 as numerator,
        0 as denominator,
        0 as found_count
    from indicator_values

    union all

    select
        park_code,
        indicator_code,
        null as obs_status,
        null as stated_numerator,
        null as stated_denominator,
        null as stated_count,
        case when side = 'numerator' then amount else 0 end as numerator,
        case when side = 'denominator' then amount else 0 end as denominator,
        1 as found_count
    from contributions

),

sums as (

    select
        park_code,
        indicator_code,
        max(obs_status) as obs_status,
        max(stated_numerator) as stated_numerator,
        max(stated_denominator) as stated_denominator,
        max(stated_count) as stated_count,
        sum(numerator) as numerator,
        sum(denominator) as denominator,
        sum(found_count) as found_count
    from stated_and_found
    group by park_code, indicator_code

),

violations as (

    select
        sums.park_code,
        sums.indicator_code
    from sums
    inner join rules
        on sums.indicator_code = rules.indicator_code
    where
        sums.obs_status = 'normal'
        and (
            sums.stated_numerator <> {{ kept('sums.numerator') }}
            or (
                rules.denominator_kind in ('summed', 'enterprises', 'employees')
                and sums.stated_denominator <> {{ kept('sums.denominator') }}
            )
            or sums.stated_count <> sums.found_count
        )

)

select * from violations
