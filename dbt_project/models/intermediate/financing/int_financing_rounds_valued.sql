-- Rounds in CNY at the rate of their day, repeated reports told apart, and what B7 asks of the company.
{{ config(materialized='table', post_hook="{{ analyzed(this) }}") }}

with

rounds as (

    select * from {{ ref('int_financing_rounds_attributed') }}

),

equity_rounds as (

    select * from {{ source('methodology', 'equity_rounds') }}
    where methodology_sha256 = '{{ var("methodology_sha256") }}'

),

exchange_rates as (

    select * from {{ source('methodology', 'exchange_rates') }}
    where methodology_sha256 = '{{ var("methodology_sha256") }}'

),

hard_classes as (

    select industry_code from {{ source('methodology', 'industry_sets') }}
    where
        methodology_sha256 = '{{ var("methodology_sha256") }}'
        and industry_standard = 'GB/T 4754-2017'
        and set_code = 'HARD'

),

registrations as (

    select * from {{ ref('int_enterprise_registrations_dated') }}

),

holdings as (

    select * from {{ ref('int_patent_holdings_dated') }}
    where patent_kind = 'invention'

),

headcounts as (

    select * from {{ ref('int_headcounts_dated') }}

),

accounts as (

    select * from {{ ref('int_enterprise_accounts_reported') }}

),

staff as (

    select
        enterprise_id_uscc,
        year,
        sum(insured_count) as insured_months
    from headcounts
    group by enterprise_id_uscc, year

),

holders as (

    select distinct
        rounds.attributed_enterprise_id_uscc as enterprise_id_uscc,
        {{ year_of('rounds.round_date') }} as year
    from rounds
    inner join holdings
        on
            rounds.attributed_enterprise_id_uscc = holdings.holder_enterprise_id_uscc
            and {{ last_day(year_of('rounds.round_date')) }} >= holdings.valid_from
            and (holdings.valid_to is null or {{ last_day(year_of('rounds.round_date')) }} < holdings.valid_to)

),

priced as (

    select
        rounds.*,
        {{ year_of('rounds.round_date') }} as year,
        coalesce(rounds.attributed_enterprise_id_uscc, rounds.company_name_key) as company,
        case
            when rounds.amount_currency = 'CNY' then 1
            else exchange_rates.cny_per_unit
        end as cny_per_unit,
        equity_rounds.round is not null as is_equity,
        coalesce(equity_rounds.is_early, false) as is_early
    from rounds
    left join equity_rounds
        on rounds.round_name = equity_rounds.round
    left join exchange_rates
        on
            rounds.amount_currency = exchange_rates.currency
            and rounds.round_date between exchange_rates.valid_from and exchange_rates.valid_to

),

followed as (

    select
        *,
        cast(amount_exact * cny_per_unit as numeric(24, 4)) as amount_cny,
        lag(round_date) over (
            partition by company, round_name
            order by round_date, {{ bytewise('brand_name') }}
        ) as previous_date,
        lag(amount_exact * cny_per_unit) over (
            partition by company, round_name
            order by round_date, {{ bytewise('brand_name') }}
        ) as previous_amount_cny
    from priced

),

valued as (

    -- assumed: one company, one round name, at most 31 days apart, and no two amounts that differ: one round told twice
    select
        followed.*,
        coalesce(
            followed.round_date <= {{ days_after('followed.previous_date', 31) }}
            and (
                followed.previous_amount_cny is null
                or followed.amount_cny is null
                or followed.previous_amount_cny = followed.amount_cny
            ),
            false
        ) as is_duplicate,
        case
            when followed.attributed_enterprise_id_uscc is not null
                then
                    coalesce(staff.insured_months, 0) <= 12 * {{ rule_value('small_max_employees') }}
                    and coalesce(accounts.revenue_cny <= {{ rule_value('small_max_revenue_cny') }}, true)
                    and coalesce(accounts.total_assets_cny <= {{ rule_value('small_max_assets_cny') }}, true)
        end as is_small_company,
        case
            when followed.attributed_enterprise_id_uscc is not null
                then hard_classes.industry_code is not null or holders.enterprise_id_uscc is not null
        end as is_hard_technology_company
    from followed
    left join staff
        on
            followed.attributed_enterprise_id_uscc = staff.enterprise_id_uscc
            and followed.year = staff.year
    left join accounts
        on
            followed.attributed_enterprise_id_uscc = accounts.enterprise_id_uscc
            and followed.year = accounts.year
    left join registrations
        on
            followed.attributed_enterprise_id_uscc = registrations.enterprise_id_uscc
            and {{ last_day('followed.year') }} >= registrations.valid_from
            and (registrations.valid_to is null or {{ last_day('followed.year') }} < registrations.valid_to)
    left join hard_classes
        on registrations.industry_code_gbt4754_2017 = hard_classes.industry_code
    left join holders
        on
            followed.attributed_enterprise_id_uscc = holders.enterprise_id_uscc
            and followed.year = holders.year

)

select * from valued
