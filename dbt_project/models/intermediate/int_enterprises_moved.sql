with

placements as (

    select * from {{ ref('int_enterprises_placed') }}

),

enterprises as (

    select * from {{ ref('int_enterprises_dated') }}

),

registrations as (

    select * from {{ ref('int_enterprise_registrations_dated') }}

),

moved as (

    select
        ---------- ids
        placements.enterprise_id_uscc,
        placements.previous_park_code as from_park_code,
        placements.park_code as to_park_code,

        ---------- texts
        registrations.enterprise_name,

        ---------- dates
        placements.valid_from as moved_date,

        ---------- lineage
        registrations.source_batch_id,
        registrations.source_file,
        registrations.source_row,
        registrations.known_at
    from placements
    inner join enterprises
        on placements.enterprise_id_uscc = enterprises.enterprise_id_uscc
    inner join registrations
        on
            placements.enterprise_id_uscc = registrations.enterprise_id_uscc
            and placements.valid_from = registrations.valid_from
    where
        placements.started_by = 'move'
        and placements.park_code is distinct from placements.previous_park_code
        and placements.valid_from > enterprises.registered_date
        and (enterprises.ended_date is null or placements.valid_from < enterprises.ended_date)

)

select * from moved
