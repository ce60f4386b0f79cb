-- Every indicator's own contributions, for the edition that is evaluated and the one before it. Denominators that
-- several indicators share stand once, in shared_denominators.
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
    select * from {{ ref('a6_gradient_cultivation_index') }}
    union all
    select * from {{ ref('a7_chain_and_technology_leaders') }}
    union all
    select * from {{ ref('a8_value_added_rate') }}
    union all
    select * from {{ ref('a9_small_scattered_plots') }}
    union all
    select * from {{ ref('b1_rd_intensity') }}
    union all
    select * from {{ ref('b2_invention_patents_per_10k_employees') }}
    union all
    select * from {{ ref('b3_high_value_patents_per_10k_employees') }}
    union all
    select * from {{ ref('b4_pct_applications') }}
    union all
    select * from {{ ref('b5_new_technology_enterprises_per_day') }}
    union all
    select * from {{ ref('b6_enterprises_with_equity_round_per_1000') }}
    union all
    select * from {{ ref('b7_early_small_hard_tech_money') }}
    union all
    select * from {{ ref('b8_incubators_and_incubatees') }}
    union all
    select * from {{ ref('b9_technology_contracts_per_employee') }}
    union all
    select * from {{ ref('b10_talent_in_leading_industries') }}
    union all
    select * from {{ ref('c1_one_stop_services') }}
    union all
    select * from {{ ref('c2_on_time_completion') }}
    union all
    select * from {{ ref('c3_net_entry_rate') }}
    union all
    select * from {{ ref('c4_three_year_survival') }}
    union all
    select * from {{ ref('c5_industrial_space_delivered') }}
    union all
    select * from {{ ref('c6_first_use_and_first_release') }}
    union all
    select * from {{ ref('c7_fast_pre_examination') }}
    union all
    select * from {{ ref('c8_international_factor') }}
    union all
    select * from {{ ref('d1_open_technical_platforms_per_1000') }}
    union all
    select * from {{ ref('d2_professional_service_firms_per_1000') }}
    union all
    select * from {{ ref('d3_incubator_scores') }}
    union all
    select * from {{ ref('d4_ip_finance_intensity') }}
    union all
    select * from {{ ref('d5_post_doc_stations_and_engineers') }}
    union all
    select * from {{ ref('d6_special_training') }}
    union all
    select * from {{ ref('d7_professionally_operated_floor') }}
    union all
    select * from {{ ref('d8_cross_park_cooperation_per_1000') }}

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
