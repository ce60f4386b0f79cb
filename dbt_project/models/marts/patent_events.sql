with

patent_events_attributed as (

    select * from {{ ref('int_patent_events_attributed') }}

),

patent_events as (

    select
        ---------- ids
        event_id,
        application_number,
        attributed_enterprise_id_uscc as holder_enterprise_id_uscc,
        counterparty_enterprise_id_uscc,

        ---------- texts
        event_type,
        holder_name,
        link_method,
        counterparty_name,

        ---------- numerics
        amount_cny,

        ---------- dates
        event_date,

        ---------- lineage
        source_batch_id,
        source_file,
        source_row,
        known_at
    from patent_events_attributed

)

select * from patent_events
