with

methodology_rules as (

    select * from {{ source('methodology', 'rules') }}
    where methodology_sha256 = '{{ var("methodology_sha256") }}'

),

rules as (

    select
        max(case when rule_code = 'area_min_share' then value_numeric end) as area_min_share,
        max(case when rule_code = 'rank_decimals' then cast(value_numeric as integer) end) as rank_decimals,
        max(case when rule_code = 'status_rule' then value_text end) as status_rule
    from methodology_rules

)

select * from rules
