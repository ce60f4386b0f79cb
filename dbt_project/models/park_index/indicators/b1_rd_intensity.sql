-- B1 R&D intensity, % = Σ R&D expenditure ÷ Σ revenue × 100, of the enterprises that reported revenue
with

member_accounts as (

    select * from {{ ref('member_accounts') }}

),

contributions as (

    select
        year as edition,
        park_code,
        'B1' as indicator_code,
        'numerator' as side,
        enterprise_id_uscc,
        enterprise_name as subject,
        coalesce(rd_expenditure_cny, 0) as amount,
        'enterprise_accounts' as source_feed,
        source_batch_id,
        source_file,
        source_row
    from member_accounts

    union all

    select
        year as edition,
        park_code,
        'B1' as indicator_code,
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
