-- The policy text's goals for 2025, on the basis that the methodology states for each.
with

targets as (

    select * from {{ source('methodology', 'zone_targets') }}
    where methodology_sha256 = '{{ var("methodology_sha256") }}'

),

indicator_values as (

    select * from {{ ref('indicator_values') }}

),

declared_industries as (

    select * from {{ ref('park_declared_industries') }}

),

parks as (

    select * from {{ ref('parks') }}

),

sums as (

    -- a zone's sum needs every park's value
    select
        case indicator_code
            when 'A5' then 'T1'
            when 'B10' then 'T4'
            when 'B5' then 'T6'
        end as target_code,
        case when count(*) = count(value) then sum(value) end as value,
        count(*) - count(value) as parks_without_value_count
    from indicator_values
    where indicator_code in ('A5', 'B10', 'B5')
    group by indicator_code

),

trillion_parks as (

    -- Σ revenue is the denominator of B1; a park whose enterprises report nothing cannot be counted in or out
    select
        'T3' as target_code,
        case when count(denominator) = count(*) then sum(case when denominator >= 1000000000000 then 1 else 0 end) end
            as value,
        count(*) - count(denominator) as parks_without_value_count
    from indicator_values
    where indicator_code = 'B1'

),

declared_counts as (

    select
        parks.park_code,
        count(distinct declared_industries.industry_name) as industries_count
    from parks
    left join declared_industries
        on
            parks.park_code = declared_industries.park_code
            and declared_industries.year = {{ var('edition') }}
    group by parks.park_code

),

most_industries as (

    select
        'T7' as target_code,
        case when min(industries_count) > 0 then max(industries_count) end as value,
        sum(case when industries_count = 0 then 1 else 0 end) as parks_without_value_count
    from declared_counts

),

measured as (

    select * from sums
    union all
    select * from trillion_parks
    union all
    select * from most_industries

),

zone_targets as (

    select
        {{ var('edition') }} as edition,
        targets.target_code,
        targets.name_zh,
        targets.name_en,
        {{ kept('measured.value') }} as value,
        case targets.operator
            when 'range'
                then {{ plain_number('targets.goal_low') }} || '–' || {{ plain_number('targets.goal_high') }}
            when '>=' then '≥ ' || {{ plain_number('targets.goal_low') }}
            when '<=' then '≤ ' || {{ plain_number('targets.goal_low') }}
            else targets.operator || ' ' || {{ plain_number('targets.goal_low') }}
        end as goal,
        targets.unit,
        targets.basis,
        case
            when measured.value is null then null
            when targets.operator = '>' then measured.value > targets.goal_low
            when targets.operator = '>=' then measured.value >= targets.goal_low
            when targets.operator = '<=' then measured.value <= targets.goal_low
            when targets.operator = 'range' then measured.value between targets.goal_low and targets.goal_high
        end as met,
        case
            when measured.target_code is null then 'not_computed'
            when measured.value is null then 'no_data'
            else 'normal'
        end as obs_status,
        case
            when measured.target_code is null then targets.basis
            when measured.value is null then measured.parks_without_value_count || ' park(s) have no value'
        end as reason
    from targets
    left join measured
        on targets.target_code = measured.target_code

)

select * from zone_targets
