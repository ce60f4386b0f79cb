with

enterprises_moved as (

    select * from {{ ref('int_enterprises_moved') }}

),

park_moves as (

    select
        ---------- ids
        enterprise_id_uscc,
        from_park_code,
        to_park_code,

        ---------- texts
        enterprise_name,

        ---------- dates
        moved_date,

        ---------- lineage
        source_batch_id,
        source_file,
        source_row,
        known_at
    from enterprises_moved

)

select * from park_moves
