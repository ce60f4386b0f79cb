-- What the feeds tell of a member in a year, as the rules of tiers ask for it. A measure that no feed carries is null
-- at both ends: unknown, never 0.
{{ config(materialized='table', post_hook="{{ analyzed(this) }}") }}

with

members as (

    select * from {{ ref('int_park_members_dated') }}

),

accounts as (

    select * from {{ ref('int_enterprise_accounts_reported') }}

),

headcounts as (

    select * from {{ ref('int_headcounts_dated') }}

),

recognitions as (

    select * from {{ ref('int_recognitions_attributed') }}

),

holdings as (

    select * from {{ ref('int_patent_holdings_dated') }}

),

rounds as (

    select * from {{ ref('int_financing_rounds_valued') }}
    where is_equity and not is_duplicate

),

staff as (

    select
        enterprise_id_uscc,
        year,
        cast(sum(insured_count) / 12.0 as numeric(18, 6)) as employees_count
    from headcounts
    group by enterprise_id_uscc, year

),

listed as (

    select
        members.year,
        members.enterprise_id_uscc,
        max(case when recognitions.recognition_kind = '高新技术企业' then 1 else 0 end) as on_high_tech_list,
        max(case when recognitions.recognition_kind = '专精特新中小企业' then 1 else 0 end) as on_specialised_list
    from members
    inner join recognitions
        on
            members.enterprise_id_uscc = recognitions.attributed_enterprise_id_uscc
            and members.last_day >= recognitions.valid_from
            and (recognitions.last_valid_day is null or members.last_day <= recognitions.last_valid_day)
    group by members.year, members.enterprise_id_uscc

),

rights as (

    select
        members.year,
        members.enterprise_id_uscc,
        sum(case when holdings.patent_kind = 'invention' then 1 else 0 end) as class_one_rights_count,
        sum(case when holdings.patent_kind <> 'invention' then 1 else 0 end) as class_two_rights_count
    from members
    inner join holdings
        on
            members.enterprise_id_uscc = holdings.holder_enterprise_id_uscc
            and members.last_day >= holdings.valid_from
            and (holdings.valid_to is null or members.last_day < holdings.valid_to)
    group by members.year, members.enterprise_id_uscc

),

equity as (

    -- an undisclosed amount leaves the upper end open
    select
        members.year,
        members.enterprise_id_uscc,
        coalesce(sum(rounds.amount_cny), 0) as equity_low_cny,
        case when count(*) = count(rounds.amount_cny) then sum(rounds.amount_cny) end as equity_high_cny
    from members
    inner join rounds
        on
            members.enterprise_id_uscc = rounds.attributed_enterprise_id_uscc
            and {{ year_of('rounds.round_date') }} between members.year - 1 and members.year
    group by members.year, members.enterprise_id_uscc

),

joined as (

    select
        members.year,
        members.last_day,
        members.park_code,
        members.enterprise_id_uscc,
        members.year - {{ year_of('members.registered_date') }} as age_years,
        coalesce(this_year.reported_employees_count, staff.employees_count) as employees_count,
        this_year.revenue_cny,
        this_year.total_assets_cny,
        this_year.rd_expenditure_cny,
        year_before.rd_expenditure_cny as rd_before_cny,
        year_before.revenue_cny as revenue_before_cny,
        earlier.rd_expenditure_cny as rd_earlier_cny,
        earlier.revenue_cny as revenue_earlier_cny,
        coalesce(listed.on_high_tech_list, 0) as on_high_tech_list,
        coalesce(listed.on_specialised_list, 0) as on_specialised_list,
        coalesce(rights.class_one_rights_count, 0) as class_one_rights_count,
        coalesce(rights.class_two_rights_count, 0) as class_two_rights_count,
        case when equity.enterprise_id_uscc is null then 0 else equity.equity_low_cny end as equity_low_cny,
        case when equity.enterprise_id_uscc is null then 0 else equity.equity_high_cny end as equity_high_cny,
        cast(null as numeric(9, 6)) as science_staff_share,
        cast(null as numeric(9, 6)) as rd_cost_share
    from members
    left join accounts as this_year
        on
            members.enterprise_id_uscc = this_year.enterprise_id_uscc
            and members.year = this_year.year
    left join accounts as year_before
        on
            members.enterprise_id_uscc = year_before.enterprise_id_uscc
            and members.year - 1 = year_before.year
    left join accounts as earlier
        on
            members.enterprise_id_uscc = earlier.enterprise_id_uscc
            and members.year - 2 = earlier.year
    left join staff
        on
            members.enterprise_id_uscc = staff.enterprise_id_uscc
            and members.year = staff.year
    left join listed
        on
            members.enterprise_id_uscc = listed.enterprise_id_uscc
            and members.year = listed.year
    left join rights
        on
            members.enterprise_id_uscc = rights.enterprise_id_uscc
            and members.year = rights.year
    left join equity
        on
            members.enterprise_id_uscc = equity.enterprise_id_uscc
            and members.year = equity.year

),

measured as (

    select
        *,
        rd_expenditure_cny / nullif(revenue_cny, 0) as rd_revenue_share,
        rd_before_cny / nullif(revenue_before_cny, 0) as rd_revenue_share_before,
        (rd_expenditure_cny + rd_before_cny + rd_earlier_cny)
        / nullif(revenue_cny + revenue_before_cny + revenue_earlier_cny, 0) as rd_revenue_share_3y
    from joined

)

select * from measured
