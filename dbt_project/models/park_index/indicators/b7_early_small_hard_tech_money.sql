-- B7 early, small and hard-tech share of equity money, %
-- = Σ CNY of early rounds of small hard-tech members ÷ Σ CNY of all their equity rounds of t with an exact amount × 100
with

members as (

    select * from {{ ref('year_end_members') }}

),

member_accounts as (

    select * from {{ ref('member_accounts') }}

),

member_headcounts as (

    select * from {{ ref('member_headcounts') }}

),

held_patents as (

    select * from {{ ref('held_patents') }}

),

rounds as (

    select * from {{ ref('financing_rounds') }}

),

equity_rounds as (

    select * from {{ ref('equity_round_names') }}

),

rules as (

    select * from {{ ref('rules') }}

),

exchange_rates as (

    select * from {{ source('methodology', 'exchange_rates') }}
    where methodology_sha256 = '{{ var("methodology_sha256") }}'

),

staff as (

    select
        year,
        enterprise_id_uscc,
        sum(insured_count) as insured_months
    from member_headcounts
    group by year, enterprise_id_uscc

),

patent_holders as (

    select distinct
        edition,
        enterprise_id_uscc
    from held_patents

),

priced as (

    -- an amount that is not exact, or in a currency without a rate on that day, is on neither side
    select
        members.year as edition,
        members.park_code,
        members.enterprise_id_uscc,
        members.enterprise_name,
        rounds.amount_exact * coalesce(exchange_rates.cny_per_unit, 1) as amount_cny,
        equity_rounds.is_early,
        members.is_hard_technology or patent_holders.enterprise_id_uscc is not null as is_hard_technology,
        coalesce(staff.insured_months, 0) <= 12 * rules.small_max_employees
        and coalesce(member_accounts.revenue_cny <= rules.small_max_revenue_cny, true)
        and coalesce(member_accounts.total_assets_cny <= rules.small_max_assets_cny, true) as is_small,
        rounds.source_batch_id,
        rounds.source_file,
        rounds.source_row
    from members
    cross join rules
    inner join rounds
        on
            members.enterprise_id_uscc = rounds.enterprise_id_uscc
            and members.year = {{ year_of('rounds.round_date') }}
    inner join equity_rounds
        on rounds.round_name = equity_rounds.round_name
    left join exchange_rates
        on
            rounds.amount_currency = exchange_rates.currency
            and rounds.round_date between exchange_rates.valid_from and exchange_rates.valid_to
    left join member_accounts
        on
            members.year = member_accounts.year
            and members.enterprise_id_uscc = member_accounts.enterprise_id_uscc
    left join staff
        on
            members.year = staff.year
            and members.enterprise_id_uscc = staff.enterprise_id_uscc
    left join patent_holders
        on
            members.year = patent_holders.edition
            and members.enterprise_id_uscc = patent_holders.enterprise_id_uscc
    where
        rounds.amount_exact is not null
        and (rounds.amount_currency = 'CNY' or exchange_rates.currency is not null)

),

contributions as (

    select
        edition,
        park_code,
        'B7' as indicator_code,
        'numerator' as side,
        enterprise_id_uscc,
        enterprise_name as subject,
        amount_cny as amount,
        'financing_rounds' as source_feed,
        source_batch_id,
        source_file,
        source_row
    from priced
    where is_early and is_small and is_hard_technology

    union all

    select
        edition,
        park_code,
        'B7' as indicator_code,
        'denominator' as side,
        enterprise_id_uscc,
        enterprise_name as subject,
        amount_cny as amount,
        'financing_rounds' as source_feed,
        source_batch_id,
        source_file,
        source_row
    from priced

)

select * from contributions
