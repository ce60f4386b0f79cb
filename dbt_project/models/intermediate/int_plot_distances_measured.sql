with

plot_distances as (

    select * from {{ source('identity', 'plot_distances') }}
    where identity_run_id = {{ var('identity_run_id') }}

),

plots as (

    select * from {{ ref('stg_park_plots__plots') }}

),

measured as (

    select
        plot_distances.plot_id,
        plot_distances.valid_from,
        plot_distances.other_plot_id,
        plot_distances.other_valid_from,
        plot_distances.distance_metres,
        plots.source_batch_id,
        plots.source_file,
        plots.source_row,
        plots.known_at
    from plot_distances
    inner join plots
        on
            plot_distances.plot_id = plots.plot_id
            and plot_distances.valid_from = plots.valid_from

)

select * from measured
