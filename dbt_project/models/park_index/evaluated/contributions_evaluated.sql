-- Every indicator's contributions, for the edition that is evaluated and the one before it.
with

all_contributions as (

    select * from {{ ref('a1_leading_industry_concentration') }}
    union all
    select * from {{ ref('a2_leading_industries_revenue') }}
    union all
    select * from {{ ref('a3_net_revenue_added') }}
    union all
    select * from {{ ref('a4_revenue_per_built_up_km2') }}
    union all
    select * from {{ ref('a5_unicorns_and_hidden_champions') }}
    union all
    select * from {{ ref('b1_rd_intensity') }}
    union all
    select * from {{ ref('b2_invention_patents_per_10k_employees') }}
    union all
    select * from {{ ref('b5_new_technology_enterprises_per_day') }}
    union all
    select * from {{ ref('b6_enterprises_with_equity_round_per_1000') }}
    union all
    select * from {{ ref('b10_talent_in_leading_industries') }}
    union all
    select * from {{ ref('c3_net_entry_rate') }}
    union all
    select * from {{ ref('c4_three_year_survival') }}

),

contributions_evaluated as (

    select
        edition,
        park_code,
        indicator_code,
        side,
        enterprise_id_uscc,
        subject,
        amount,
        source_feed,
        source_batch_id,
        source_file,
        source_row
    from all_contributions
    where
        edition in ({{ var('edition') }}, {{ var('edition') }} - 1)
        and park_code is not null

)

select * from contributions_evaluated
