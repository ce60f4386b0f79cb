-- B10 talent in three leading industries, persons = Σ employees of enterprises in IC, BIO or AI
with

member_headcounts as (

    select * from {{ ref('member_headcounts') }}

),

contributions as (

    select
        year as edition,
        park_code,
        'B10' as indicator_code,
        'numerator' as side,
        enterprise_id_uscc,
        enterprise_name as subject,
        employees_share as amount,
        'headcounts' as source_feed,
        source_batch_id,
        source_file,
        source_row
    from member_headcounts
    where is_leading_industry

)

select * from contributions
