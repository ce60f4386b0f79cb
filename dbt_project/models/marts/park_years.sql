with

parks as (

    select * from {{ ref('parks') }}

),

members as (

    select * from {{ ref('int_park_members_dated') }}

),

accounts as (

    select * from {{ ref('enterprise_accounts') }}

),

headcounts as (

    select * from {{ ref('headcounts') }}

),

holdings as (

    select * from {{ ref('patent_holdings') }}

),

shares as (

    select * from {{ ref('patent_shares') }}

),

rounds as (

    select * from {{ ref('financing_rounds') }}
    where is_equity and not is_duplicate

),

assessments as (

    select * from {{ ref('tier_assessments') }}

),

years as (

    select distinct year from accounts

),

economic as (

    select
        members.year,
        members.park_code,
        count(*) as enterprises_count,
        count(accounts.enterprise_id_uscc) as reporting_enterprises_count,
        sum(accounts.revenue_cny) as revenue_cny,
        sum(accounts.rd_expenditure_cny) as rd_expenditure_cny,
        sum(accounts.value_added_cny) as value_added_cny,
        sum(accounts.total_assets_cny) as total_assets_cny
    from members
    left join accounts
        on
            members.enterprise_id_uscc = accounts.enterprise_id_uscc
            and members.year = accounts.year
    group by members.year, members.park_code

),

staffed as (

    select
        members.year,
        members.park_code,
        cast(sum(headcounts.insured_count) / 12.0 as numeric(18, 6)) as employees_count
    from members
    inner join headcounts
        on
            members.enterprise_id_uscc = headcounts.enterprise_id_uscc
            and members.year = headcounts.year
    group by members.year, members.park_code

),

granted as (

    select
        members.year,
        members.park_code,
        sum(shares.first_applicant_count) as inventions_granted_count,
        sum(shares.fractional_count) as inventions_granted_fractional_count
    from members
    inner join shares
        on
            members.enterprise_id_uscc = shares.enterprise_id_uscc
            and members.year = {{ year_of('shares.granted_date') }}
    where shares.patent_kind = 'invention'
    group by members.year, members.park_code

),

held as (

    select
        members.year,
        members.park_code,
        count(*) as inventions_held_count,
        sum(
            case when holdings.high_value_from <= members.last_day then 1 else 0 end
        ) as high_value_inventions_held_count
    from members
    inner join holdings
        on
            members.enterprise_id_uscc = holdings.holder_enterprise_id_uscc
            and members.last_day >= holdings.valid_from
            and (holdings.valid_to is null or members.last_day < holdings.valid_to)
    where holdings.patent_kind = 'invention'
    group by members.year, members.park_code

),

funded as (

    select
        members.year,
        members.park_code,
        count(*) as equity_rounds_count,
        count(rounds.amount_cny) as priced_equity_rounds_count,
        sum(rounds.amount_cny) as equity_cny,
        sum(
            case
                when rounds.is_early and rounds.is_small_company and rounds.is_hard_technology_company
                    then rounds.amount_cny
            end
        ) as early_small_hard_equity_cny
    from members
    inner join rounds
        on
            members.enterprise_id_uscc = rounds.enterprise_id_uscc
            and members.year = {{ year_of('rounds.round_date') }}
    group by members.year, members.park_code

),

cultivated as (

    select
        year,
        park_code,
        sum(case when is_listed then 1 else 0 end) as tier_listings_count,
        sum(case when agreement = 'listed_against_rule' then 1 else 0 end) as listings_against_rule_count,
        sum(case when agreement = 'eligible_not_listed' then 1 else 0 end) as eligible_not_listed_count
    from assessments
    group by year, park_code

),

park_years as (

    -- no enterprise in a park is a count of 0; no accounts is no revenue known, not a revenue of 0
    select
        ---------- ids
        parks.park_code,

        ---------- numerics
        years.year,
        coalesce(economic.enterprises_count, 0) as enterprises_count,
        coalesce(economic.reporting_enterprises_count, 0) as reporting_enterprises_count,
        economic.revenue_cny,
        economic.rd_expenditure_cny,
        economic.value_added_cny,
        economic.total_assets_cny,
        staffed.employees_count,
        coalesce(granted.inventions_granted_count, 0) as inventions_granted_count,
        coalesce(granted.inventions_granted_fractional_count, 0) as inventions_granted_fractional_count,
        coalesce(held.inventions_held_count, 0) as inventions_held_count,
        coalesce(held.high_value_inventions_held_count, 0) as high_value_inventions_held_count,
        coalesce(funded.equity_rounds_count, 0) as equity_rounds_count,
        coalesce(funded.priced_equity_rounds_count, 0) as priced_equity_rounds_count,
        funded.equity_cny,
        funded.early_small_hard_equity_cny,
        coalesce(cultivated.tier_listings_count, 0) as tier_listings_count,
        coalesce(cultivated.listings_against_rule_count, 0) as listings_against_rule_count,
        coalesce(cultivated.eligible_not_listed_count, 0) as eligible_not_listed_count
    from parks
    cross join years
    left join economic
        on
            parks.park_code = economic.park_code
            and years.year = economic.year
    left join staffed
        on
            parks.park_code = staffed.park_code
            and years.year = staffed.year
    left join granted
        on
            parks.park_code = granted.park_code
            and years.year = granted.year
    left join held
        on
            parks.park_code = held.park_code
            and years.year = held.year
    left join funded
        on
            parks.park_code = funded.park_code
            and years.year = funded.year
    left join cultivated
        on
            parks.park_code = cultivated.park_code
            and years.year = cultivated.year

)

select * from park_years
