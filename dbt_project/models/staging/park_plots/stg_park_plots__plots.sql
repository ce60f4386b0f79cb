with

delivered as (

    select
        *,
        row_number() over (
            partition by plot_id, valid_from
            order by {{ known_last() }}
        ) as known_rank
    from {{ source('park_plots', 'park_plots_v1') }}
    where {{ is_known('park_plots_v1') }}

),

renamed as (

    select
        ---------- ids
        plot_id,
        park_code,

        ---------- texts
        plot_name,
        district,
        datum,
        geometry as geometry_geojson,

        ---------- numerics
        area as area_hectares,
        built_up_area as built_up_hectares,

        ---------- dates
        valid_from,
        valid_to,

        ---------- lineage
        {{ lineage() }}
    from delivered
    where known_rank = 1

)

select * from renamed
