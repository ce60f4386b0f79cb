with

placements as (

    select * from {{ source('identity', 'placements') }}
    where identity_run_id = {{ var('identity_run_id') }}

),

placed as (

    select
        ---------- ids
        enterprise_id_uscc,
        park_code,
        previous_park_code,
        plot_id,

        ---------- texts
        started_by,
        method,
        evidence,
        candidate_parks,

        ---------- numerics
        confidence,

        ---------- dates
        valid_from,
        valid_to
    from placements

)

select * from placed
