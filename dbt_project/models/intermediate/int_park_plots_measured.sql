with

plots as (

    select * from {{ ref('stg_park_plots__plots') }}

),

measured as (

    select
        *,
        area_hectares / 100 as area_km2,
        built_up_hectares / 100 as built_up_km2
    from plots

)

select * from measured
