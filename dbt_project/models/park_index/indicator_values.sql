{{ config(materialized='view') }}

with

indicator_values_evaluated as (

    select * from {{ ref('indicator_values_evaluated') }}

),

indicator_values as (

    select
        edition,
        park_code,
        indicator_code,
        value,
        numerator,
        denominator,
        unit,
        data_year,
        evidence_count,
        obs_status,
        reason
    from indicator_values_evaluated
    where edition = {{ var('edition') }}

)

select * from indicator_values
