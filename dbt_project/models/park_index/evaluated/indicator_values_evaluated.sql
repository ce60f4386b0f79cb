-- One value, or one reason, for every park of the register × indicator of the framework.
with

editions as (

    select * from {{ ref('evaluated_editions') }}

),

parks as (

    select * from {{ ref('parks') }}

),

indicators as (

    select * from {{ ref('indicators') }}

),

contributions as (

    select * from {{ ref('contributions_evaluated') }}

),

shared_denominators as (

    select * from {{ ref('shared_denominators') }}

),

rules as (

    select * from {{ ref('indicator_rules') }}

),

data_gaps as (

    select * from {{ ref('data_gaps') }}

),

register as (

    select
        editions.edition,
        editions.days_count,
        parks.park_code,
        indicators.indicator_code,
        indicators.area_code,
        indicators.unit,
        indicators.state,
        rules.denominator_kind,
        rules.scale,
        rules.highest_value,
        rules.no_denominator_reason
    from editions
    cross join parks
    cross join indicators
    left join rules
        on indicators.indicator_code = rules.indicator_code

),

sums as (

    select
        edition,
        park_code,
        indicator_code,
        sum(case when side = 'numerator' then amount else 0 end) as numerator,
        sum(case when side = 'denominator' then amount else 0 end) as summed_denominator,
        count(*) as evidence_count
    from contributions
    group by edition, park_code, indicator_code

),

shared_sums as (

    select
        edition,
        park_code,
        denominator_kind,
        sum(amount) as denominator,
        count(*) as evidence_count
    from shared_denominators
    group by edition, park_code, denominator_kind

),

measured as (

    select
        register.edition,
        register.park_code,
        register.indicator_code,
        register.area_code,
        register.unit,
        register.state,
        register.denominator_kind,
        register.scale,
        register.highest_value,
        register.no_denominator_reason,
        data_gaps.reason as gap_reason,
        coalesce(sums.numerator, 0) as numerator,
        case register.denominator_kind
            when 'summed' then coalesce(sums.summed_denominator, 0)
            when 'hundred_million' then 100000000
            when 'days_of_year' then register.days_count
            when 'enterprises' then coalesce(shared_sums.denominator, 0)
            when 'employees' then coalesce(shared_sums.denominator, 0)
        end as denominator,
        coalesce(sums.evidence_count, 0) + coalesce(shared_sums.evidence_count, 0) as evidence_count
    from register
    left join sums
        on
            register.edition = sums.edition
            and register.park_code = sums.park_code
            and register.indicator_code = sums.indicator_code
    left join shared_sums
        on
            register.edition = shared_sums.edition
            and register.park_code = shared_sums.park_code
            and register.denominator_kind = shared_sums.denominator_kind
    left join data_gaps
        on
            register.edition = data_gaps.edition
            and register.park_code = data_gaps.park_code
            and register.indicator_code = data_gaps.indicator_code

),

judged as (

    select
        *,
        case
            when state <> 'computed' then 'not_computed'
            when gap_reason is not null or denominator = 0 then 'no_data'
            else 'normal'
        end as obs_status
    from measured

),

indicator_values as (

    select
        ---------- ids
        park_code,
        indicator_code,
        area_code,

        ---------- texts
        unit,
        obs_status,
        case obs_status
            when 'not_computed' then 'not computed in this version of parkindex'
            when 'no_data' then coalesce(gap_reason, no_denominator_reason)
        end as reason,

        ---------- numerics
        edition,
        case
            when obs_status = 'normal' and denominator_kind = 'none' then {{ kept('numerator * scale') }}
            when obs_status = 'normal' and numerator * scale > highest_value * denominator
                then {{ kept('highest_value') }}
            when obs_status = 'normal' then {{ kept('numerator * scale / denominator') }}
        end as value,
        case when obs_status = 'normal' then {{ kept('numerator') }} end as numerator,
        case when obs_status = 'normal' then {{ kept('denominator') }} end as denominator,
        case when obs_status = 'normal' then edition end as data_year,
        case when obs_status = 'normal' then evidence_count else 0 end as evidence_count
    from judged

)

select * from indicator_values
