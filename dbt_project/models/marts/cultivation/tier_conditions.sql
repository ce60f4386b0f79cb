with

judged as (

    select * from {{ ref('int_tier_conditions_judged') }}

),

tier_conditions as (

    select
        ---------- ids
        enterprise_id_uscc,
        park_code,

        ---------- texts
        tier,
        rule_version,
        measure,
        operator,
        case truth when 2 then 'met' when 1 then 'unknown' else 'unmet' end as outcome,

        ---------- numerics
        year,
        position,
        requirement,
        alternative,
        threshold,
        value_low,
        value_high
    from judged

)

select * from tier_conditions
