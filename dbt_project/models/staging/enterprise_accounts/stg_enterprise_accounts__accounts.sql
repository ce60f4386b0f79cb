with

delivered as (

    select
        *,
        row_number() over (
            partition by uscc_key, year, reported_date
            order by {{ known_last() }}
        ) as known_rank
    from {{ source('enterprise_accounts', 'enterprise_accounts_v1') }}
    where {{ is_known('enterprise_accounts_v1') }}

),

renamed as (

    select
        ---------- ids
        uscc_key as enterprise_id_uscc,

        ---------- texts
        enterprise_name,

        ---------- numerics (delivered in thousand CNY)
        year,
        revenue * 1000 as revenue_cny,
        rd_expenditure * 1000 as rd_expenditure_cny,
        value_added * 1000 as value_added_cny,
        total_assets * 1000 as total_assets_cny,
        employees as reported_employees_count,

        ---------- dates
        reported_date,

        ---------- lineage
        {{ lineage() }}
    from delivered
    where known_rank = 1

)

select * from renamed
