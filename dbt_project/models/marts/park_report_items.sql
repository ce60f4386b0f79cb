with

park_report_items_reported as (

    select * from {{ ref('int_park_report_items_reported') }}

),

park_report_items as (

    select
        ---------- ids
        park_code,
        item_code,

        ---------- texts
        item_name,
        item_unit,
        evidence,

        ---------- numerics
        year,
        item_value,

        ---------- dates
        reported_date,

        ---------- lineage
        source_batch_id,
        source_file,
        source_row,
        known_at
    from park_report_items_reported

)

select * from park_report_items
