with

park_plots_measured as (

    select * from {{ ref('int_park_plots_measured') }}

),

park_plots as (

    select
        ---------- ids
        plot_id,
        park_code,

        ---------- texts
        plot_name,
        district,
        datum,
        geometry_geojson,

        ---------- numerics
        area_km2,
        built_up_km2,

        ---------- dates
        valid_from,
        valid_to,

        ---------- lineage
        source_batch_id,
        source_file,
        source_row,
        known_at
    from park_plots_measured

)

select * from park_plots
