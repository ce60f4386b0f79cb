with

delivered as (

    select
        *,
        row_number() over (
            partition by event_id
            order by {{ known_last() }}
        ) as known_rank
    from {{ source('patent_events', 'patent_events_v1') }}
    where {{ is_known('patent_events_v1') }}

),

renamed as (

    select
        ---------- ids
        event_id,
        application_number_key as application_number,
        holder_uscc_key,

        ---------- texts
        event_type,
        holder_name,
        holder_name_key,
        counterparty_name,
        counterparty_name_key,

        ---------- numerics
        amount_cny,

        ---------- dates
        event_date,

        ---------- lineage
        {{ lineage() }}
    from delivered
    where known_rank = 1

)

select * from renamed
