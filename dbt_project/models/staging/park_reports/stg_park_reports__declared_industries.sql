with

delivered as (

    select
        *,
        row_number() over (
            partition by park_code, year, reported_date, industry_name, industry_code
            order by {{ known_last() }}
        ) as known_rank
    from {{ source('park_reports', 'park_reports_declared_industries_v1') }}
    where {{ is_known('park_reports_declared_industries_v1') }}

),

renamed as (

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
        {{ lineage() }}
    from delivered
    where known_rank = 1

)

select * from renamed
