with

holdings_dated as (

    select * from {{ ref('int_patent_holdings_dated') }}

),

patent_holdings as (

    select
        ---------- ids
        application_number,
        holder_enterprise_id_uscc,

        ---------- texts
        patent_kind,
        started_by,

        ---------- dates
        valid_from,
        valid_to,
        high_value_from,

        ---------- lineage
        source_batch_id,
        source_file,
        source_row,
        known_at
    from holdings_dated

)

select * from patent_holdings
