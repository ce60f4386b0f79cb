with

ladder_climbed as (

    select * from {{ ref('int_enterprise_ladder_climbed') }}

),

enterprise_ladder_years as (

    select
        ---------- ids
        enterprise_id_uscc,
        park_code,
        previous_park_code,
        document_number,

        ---------- texts
        rung,
        previous_rung,
        movement,

        ---------- numerics
        year,
        points,
        previous_points,

        ---------- lineage
        source_batch_id,
        source_file,
        source_row,
        known_at
    from ladder_climbed

)

select * from enterprise_ladder_years
