{{ config(materialized='view') }}

with

contributions_evaluated as (

    select * from {{ ref('contributions_evaluated') }}

),

shared_denominators as (

    select * from {{ ref('shared_denominators') }}

),

rules as (

    select * from {{ ref('indicator_rules') }}

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

    union all

    select
        shared_denominators.park_code,
        rules.indicator_code,
        'denominator' as side,
        shared_denominators.enterprise_id_uscc,
        shared_denominators.subject,
        shared_denominators.amount,
        shared_denominators.source_feed,
        shared_denominators.source_batch_id,
        shared_denominators.source_file,
        shared_denominators.source_row
    from shared_denominators
    inner join rules
        on shared_denominators.denominator_kind = rules.denominator_kind
    where shared_denominators.edition = {{ var('edition') }}

)

select * from contributions
