with

delivered as (

    select
        *,
        row_number() over (
            partition by park_code, year, reported_date, item_code
            order by {{ known_last() }}
        ) as known_rank
    from {{ source('park_reports', 'park_reports_items_v1') }}
    where {{ is_known('park_reports_items_v1') }}

),

renamed as (

    select
        ---------- ids
        park_code,
        item_code,

        ---------- texts
        item_name,
        unit as item_unit,
        evidence,

        ---------- numerics
        year,
        value as item_value,

        ---------- dates
        reported_date,

        ---------- lineage
        {{ lineage() }}
    from delivered
    where known_rank = 1

)

select * from renamed
