-- Lower bound: members whose class is core to the set. Upper bound: core and partial, and every member whose class is
-- not known, or is reached from 2011 only by one of several classes, where one of them is in the set.
with

members as (

    select * from {{ ref('int_park_members_dated') }}

),

accounts as (

    select * from {{ ref('int_enterprise_accounts_reported') }}

),

classified as (

    select * from {{ ref('int_enterprise_industries_classified') }}

),

memberships as (

    select * from {{ ref('int_leading_sets_classed') }}

),

set_codes as (

    select distinct set_code from memberships

),

classed as (

    select
        members.year,
        members.park_code,
        members.enterprise_id_uscc,
        set_codes.set_code,
        min(case when memberships.membership = 'core' then 1 else 0 end) as is_core,
        max(case when memberships.membership is not null then 1 else 0 end) as is_core_or_partial,
        max(case when classified.class_2017 is null then 1 else 0 end) as is_unclassified
    from members
    inner join classified
        on
            members.enterprise_id_uscc = classified.enterprise_id_uscc
            and members.last_day >= classified.valid_from
            and (classified.valid_to is null or members.last_day < classified.valid_to)
    cross join set_codes
    left join memberships
        on
            set_codes.set_code = memberships.set_code
            and classified.class_2017 = memberships.industry_code
    group by members.year, members.park_code, members.enterprise_id_uscc, set_codes.set_code

),

bounded as (

    select
        classed.year,
        classed.park_code,
        classed.set_code,
        sum(classed.is_core) as enterprises_low_count,
        sum(classed.is_core_or_partial) as enterprises_listed_count,
        sum(greatest(classed.is_core_or_partial, classed.is_unclassified)) as enterprises_high_count,
        sum(classed.is_unclassified) as unclassified_enterprises_count,
        sum(classed.is_core * accounts.revenue_cny) as revenue_low_cny,
        sum(classed.is_core_or_partial * accounts.revenue_cny) as revenue_listed_cny,
        sum(
            greatest(classed.is_core_or_partial, classed.is_unclassified) * accounts.revenue_cny
        ) as revenue_high_cny
    from classed
    left join accounts
        on
            classed.enterprise_id_uscc = accounts.enterprise_id_uscc
            and classed.year = accounts.year
    group by classed.year, classed.park_code, classed.set_code

)

select * from bounded
