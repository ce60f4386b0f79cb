with

enterprise_accounts_reported as (

    select * from {{ ref('int_enterprise_accounts_reported') }}

),

enterprise_accounts as (

    select
        ---------- ids
        enterprise_id_uscc,

        ---------- numerics
        year,
        revenue_cny,
        rd_expenditure_cny,
        value_added_cny,
        total_assets_cny,
        reported_employees_count,

        ---------- dates
        reported_date,

        ---------- lineage
        source_batch_id,
        source_file,
        source_row,
        known_at
    from enterprise_accounts_reported

)

select * from enterprise_accounts
