with

placements as (

    select * from {{ ref('int_enterprises_placed') }}
    where park_code is not null

),

registrations as (

    select * from {{ ref('int_enterprise_registrations_dated') }}

),

park_enterprises as (

    select
        ---------- ids
        placements.park_code,
        placements.enterprise_id_uscc,
        placements.plot_id,
        placements.previous_park_code,

        ---------- texts
        registrations.enterprise_name,
        placements.started_by,
        placements.method,
        placements.evidence,

        ---------- numerics
        placements.confidence,

        ---------- dates
        placements.valid_from,
        placements.valid_to,

        ---------- lineage
        registrations.source_batch_id,
        registrations.source_file,
        registrations.source_row,
        registrations.known_at
    from placements
    inner join registrations
        on
            placements.enterprise_id_uscc = registrations.enterprise_id_uscc
            and placements.valid_from >= registrations.valid_from
            and (registrations.valid_to is null or placements.valid_from < registrations.valid_to)

)

select * from park_enterprises
