-- A1 leading-industry concentration, % = Σ revenue in the industries the park declared ÷ Σ revenue × 100
with

member_accounts as (

    select * from {{ ref('member_accounts') }}

),

declared_industries as (

    select * from {{ ref('park_declared_industries') }}

),

declared_classes as (

    -- a class declared under two industries counts once
    select distinct
        park_code,
        year,
        industry_code
    from declared_industries

),

contributions as (

    select
        member_accounts.year as edition,
        member_accounts.park_code,
        'A1' as indicator_code,
        'numerator' as side,
        member_accounts.enterprise_id_uscc,
        member_accounts.enterprise_name as subject,
        member_accounts.revenue_cny as amount,
        'enterprise_accounts' as source_feed,
        member_accounts.source_batch_id,
        member_accounts.source_file,
        member_accounts.source_row
    from member_accounts
    inner join declared_classes
        on
            member_accounts.park_code = declared_classes.park_code
            and member_accounts.year = declared_classes.year
            and member_accounts.industry_code_gbt4754_2017 = declared_classes.industry_code

    union all

    select
        year as edition,
        park_code,
        'A1' as indicator_code,
        'denominator' as side,
        enterprise_id_uscc,
        enterprise_name as subject,
        revenue_cny as amount,
        'enterprise_accounts' as source_feed,
        source_batch_id,
        source_file,
        source_row
    from member_accounts

)

select * from contributions
