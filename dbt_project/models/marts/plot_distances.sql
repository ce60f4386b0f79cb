with

plot_distances_measured as (

    select * from {{ ref('int_plot_distances_measured') }}

),

plot_distances as (

    select
        ---------- ids
        plot_id,
        other_plot_id,

        ---------- numerics
        distance_metres,

        ---------- dates
        valid_from,
        other_valid_from,

        ---------- lineage
        source_batch_id,
        source_file,
        source_row,
        known_at
    from plot_distances_measured

)

select * from plot_distances
