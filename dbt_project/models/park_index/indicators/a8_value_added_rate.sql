-- A8 value-added rate, % = Σ value added ÷ Σ revenue × 100, of the enterprises that state value added
with

member_accounts as (

    select * from {{ ref('member_accounts') }}

),

stating as (

    select * from member_accounts
    where value_added_cny is not null

),

contributions as (

    select
        year as edition,
        park_code,
        'A8' as indicator_code,
        'numerator' as side,
        enterprise_id_uscc,
        enterprise_name as subject,
        value_added_cny as amount,
        'enterprise_accounts' as source_feed,
        source_batch_id,
        source_file,
        source_row
    from stating

    union all

    select
        year as edition,
        park_code,
        'A8' as indicator_code,
        'denominator' as side,
        enterprise_id_uscc,
        enterprise_name as subject,
        revenue_cny as amount,
        'enterprise_accounts' as source_feed,
        source_batch_id,
        source_file,
        source_row
    from stating

)

select * from contributions
