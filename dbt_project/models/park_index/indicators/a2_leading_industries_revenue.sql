-- A2 three leading industries' revenue, 亿元 = Σ revenue of enterprises in IC, BIO or AI ÷ 10⁸
with

member_accounts as (

    select * from {{ ref('member_accounts') }}

),

contributions as (

    select
        year as edition,
        park_code,
        'A2' as indicator_code,
        'numerator' as side,
        enterprise_id_uscc,
        enterprise_name as subject,
        revenue_cny as amount,
        'enterprise_accounts' as source_feed,
        source_batch_id,
        source_file,
        source_row
    from member_accounts
    where is_leading_industry

)

select * from contributions
