with

methodology_rules as (

    select * from {{ source('methodology', 'rules') }}
    where methodology_sha256 = '{{ var("methodology_sha256") }}'

),

rules as (

    select
        max(case when rule_code = 'area_min_share' then value_numeric end) as area_min_share,
        max(case when rule_code = 'rank_decimals' then cast(value_numeric as integer) end) as rank_decimals,
        max(case when rule_code = 'status_rule' then value_text end) as status_rule,
        max(case when rule_code = 'plot_small_hectares' then value_numeric end) as plot_small_hectares,
        max(case when rule_code = 'plot_adjacency_metres' then value_numeric end) as plot_adjacency_metres,
        max(case when rule_code = 'high_value_pledge_cny' then value_numeric end) as high_value_pledge_cny,
        max(case when rule_code = 'small_max_employees' then value_numeric end) as small_max_employees,
        max(case when rule_code = 'small_max_revenue_cny' then value_numeric end) as small_max_revenue_cny,
        max(case when rule_code = 'small_max_assets_cny' then value_numeric end) as small_max_assets_cny,
        max(case when rule_code = 'patent_term_years' then cast(value_numeric as integer) end) as patent_term_years,
        max(
            case when rule_code = 'high_value_kept_years' then cast(value_numeric as integer) end
        ) as high_value_kept_years,
        max(case when rule_code = 'self_report_needs_evidence' then value_numeric end) = 1 as needs_evidence
    from methodology_rules

)

select * from rules
