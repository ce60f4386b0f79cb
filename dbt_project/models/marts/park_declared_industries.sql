with

declared_industries_reported as (

    select * from {{ ref('int_declared_industries_reported') }}

),

park_declared_industries as (

    select
        ---------- ids
        park_code,

        ---------- texts
        industry_name,
        industry_code,
        declared_type,

        ---------- numerics
        year,

        ---------- dates
        reported_date,

        ---------- lineage
        source_batch_id,
        source_file,
        source_row,
        known_at
    from declared_industries_reported

)

select * from park_declared_industries
