{{ config(materialized='view') }}

with

contributions_evaluated as (

    select * from {{ ref('contributions_evaluated') }}

),

contributions as (

    select
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
    from contributions_evaluated
    where edition = {{ var('edition') }}

)

select * from contributions
