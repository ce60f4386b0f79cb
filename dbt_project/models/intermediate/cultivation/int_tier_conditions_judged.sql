-- Every condition of the rules in force on 31 December, met (2), not known (1) or unmet (0) by what the feeds tell.
with

members as (

    select * from {{ ref('int_park_members_dated') }}

),

conditions as (

    select * from {{ ref('tier_conditions_required') }}

),

measures as (

    select * from {{ ref('int_enterprise_measures_listed') }}

),

asked as (

    select
        members.park_code,
        members.enterprise_id_uscc,
        members.year,
        conditions.tier,
        conditions.rule_version,
        conditions.requirement,
        conditions.alternative,
        conditions.position,
        conditions.measure,
        conditions.operator,
        cast(conditions.threshold as numeric(38, 9)) as threshold
    from members
    inner join conditions
        on
            members.last_day >= conditions.valid_from
            and (conditions.last_valid_day is null or members.last_day <= conditions.last_valid_day)
    where conditions.measure <> 'on_list'

),

judged as (

    select
        asked.*,
        measures.value_low,
        measures.value_high,
        case
            when asked.operator = '>=' and measures.value_low >= asked.threshold then 2
            when asked.operator = '>=' and measures.value_high < asked.threshold then 0
            when asked.operator = '>' and measures.value_low > asked.threshold then 2
            when asked.operator = '>' and measures.value_high <= asked.threshold then 0
            when asked.operator = '<=' and measures.value_high <= asked.threshold then 2
            when asked.operator = '<=' and measures.value_low > asked.threshold then 0
            when asked.operator = '<' and measures.value_high < asked.threshold then 2
            when asked.operator = '<' and measures.value_low >= asked.threshold then 0
            else 1
        end as truth
    from asked
    left join measures
        on
            asked.enterprise_id_uscc = measures.enterprise_id_uscc
            and asked.year = measures.year
            and asked.measure = measures.measure

)

select * from judged
