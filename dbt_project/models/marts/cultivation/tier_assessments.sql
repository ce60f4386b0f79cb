with

tiers_assessed as (

    select * from {{ ref('int_tiers_assessed') }}

),

tier_assessments as (

    select
        ---------- ids
        enterprise_id_uscc,
        park_code,

        ---------- texts
        tier,
        rule_version,
        eligibility,
        agreement,

        ---------- numerics
        year,
        unmet_requirements_count,
        unknown_requirements_count,
        first_unmet_requirement,

        ---------- booleans
        is_listed,

        ---------- dates
        listed_from
    from tiers_assessed

)

select * from tier_assessments
