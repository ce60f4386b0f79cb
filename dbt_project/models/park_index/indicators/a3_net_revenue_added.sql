-- A3 net revenue added, 亿元 = (Σ revenue of t over the members of t − Σ revenue of t−1 over the members of t−1) ÷ 10⁸
with

member_accounts as (

    select * from {{ ref('member_accounts') }}

),

contributions as (

    select
        year as edition,
        park_code,
        'A3' as indicator_code,
        'numerator' as side,
        enterprise_id_uscc,
        enterprise_name as subject,
        revenue_cny as amount,
        'enterprise_accounts' as source_feed,
        source_batch_id,
        source_file,
        source_row
    from member_accounts

    union all

    select
        year + 1 as edition,
        park_code,
        'A3' as indicator_code,
        'numerator' as side,
        enterprise_id_uscc,
        enterprise_name as subject,
        -revenue_cny as amount,
        'enterprise_accounts' as source_feed,
        source_batch_id,
        source_file,
        source_row
    from member_accounts

)

select * from contributions
