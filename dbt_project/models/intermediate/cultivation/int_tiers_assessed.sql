-- Lists and rules side by side: a tier's requirements must all hold, each by one of its alternatives (Kleene's logic:
-- least of the requirements, greatest of the alternatives, least of their conditions).
with

members as (

    select * from {{ ref('int_park_members_dated') }}

),

conditions as (

    select * from {{ ref('tier_conditions_required') }}

),

judged as (

    select * from {{ ref('int_tier_conditions_judged') }}

),

recognitions as (

    select * from {{ ref('int_recognitions_attributed') }}

),

tiers as (

    select
        tier,
        rule_version,
        valid_from,
        last_valid_day,
        max(case when measure = 'on_list' then 1 else 0 end) = 1 as is_list_only
    from conditions
    group by tier, rule_version, valid_from, last_valid_day

),

alternatives as (

    select
        enterprise_id_uscc,
        year,
        tier,
        rule_version,
        requirement,
        alternative,
        min(truth) as truth
    from judged
    group by enterprise_id_uscc, year, tier, rule_version, requirement, alternative

),

requirements as (

    select
        enterprise_id_uscc,
        year,
        tier,
        rule_version,
        requirement,
        max(truth) as truth
    from alternatives
    group by enterprise_id_uscc, year, tier, rule_version, requirement

),

verdicts as (

    select
        enterprise_id_uscc,
        year,
        tier,
        min(truth) as truth,
        sum(case when truth = 0 then 1 else 0 end) as unmet_requirements_count,
        sum(case when truth = 1 then 1 else 0 end) as unknown_requirements_count,
        min(case when truth = 0 then requirement end) as first_unmet_requirement
    from requirements
    group by enterprise_id_uscc, year, tier

),

listed as (

    select
        members.enterprise_id_uscc,
        members.year,
        recognitions.recognition_kind as tier,
        min(recognitions.valid_from) as listed_from
    from members
    inner join recognitions
        on
            members.enterprise_id_uscc = recognitions.attributed_enterprise_id_uscc
            and members.last_day >= recognitions.valid_from
            and (recognitions.last_valid_day is null or members.last_day <= recognitions.last_valid_day)
    group by members.enterprise_id_uscc, members.year, recognitions.recognition_kind

),

joined as (

    select
        members.park_code,
        members.enterprise_id_uscc,
        members.year,
        tiers.tier,
        tiers.rule_version,
        listed.listed_from,
        listed.tier is not null as is_listed,
        case
            when tiers.is_list_only then 'list_only'
            when verdicts.truth = 2 then 'eligible'
            when verdicts.truth = 0 then 'not_eligible'
            else 'unknown'
        end as eligibility,
        coalesce(verdicts.unmet_requirements_count, 0) as unmet_requirements_count,
        coalesce(verdicts.unknown_requirements_count, 0) as unknown_requirements_count,
        verdicts.first_unmet_requirement
    from members
    inner join tiers
        on
            members.last_day >= tiers.valid_from
            and (tiers.last_valid_day is null or members.last_day <= tiers.last_valid_day)
    left join verdicts
        on
            members.enterprise_id_uscc = verdicts.enterprise_id_uscc
            and members.year = verdicts.year
            and tiers.tier = verdicts.tier
    left join listed
        on
            members.enterprise_id_uscc = listed.enterprise_id_uscc
            and members.year = listed.year
            and tiers.tier = listed.tier

),

assessed as (

    select
        *,
        case
            when eligibility = 'list_only' then 'list_only'
            when is_listed and eligibility = 'not_eligible' then 'listed_against_rule'
            when is_listed and eligibility = 'eligible' then 'listed_and_eligible'
            when is_listed then 'listed_rule_not_known'
            when eligibility = 'eligible' then 'eligible_not_listed'
            when eligibility = 'not_eligible' then 'neither'
            else 'not_listed_rule_not_known'
        end as agreement
    from joined

)

select * from assessed
