-- A9 share of small scattered plots, % = Σ km² of small plots that no other plot of the park adjoins ÷ Σ km² × 100
with

editions as (

    select * from {{ ref('evaluated_editions') }}

),

plots as (

    select * from {{ ref('park_plots') }}

),

distances as (

    select * from {{ ref('plot_distances') }}

),

rules as (

    select * from {{ ref('rules') }}

),

valid_plots as (

    select
        editions.edition,
        plots.park_code,
        plots.plot_id,
        plots.valid_from,
        plots.area_km2,
        plots.source_batch_id,
        plots.source_file,
        plots.source_row
    from editions
    inner join plots
        on
            editions.last_day >= plots.valid_from
            and (plots.valid_to is null or editions.last_day < plots.valid_to)

),

adjoined as (

    select distinct
        valid_plots.edition,
        valid_plots.plot_id,
        valid_plots.valid_from
    from valid_plots
    cross join rules
    inner join distances
        on
            valid_plots.plot_id = distances.plot_id
            and valid_plots.valid_from = distances.valid_from
            and rules.plot_adjacency_metres >= distances.distance_metres
    inner join valid_plots as other_plots
        on
            valid_plots.edition = other_plots.edition
            and distances.other_plot_id = other_plots.plot_id
            and distances.other_valid_from = other_plots.valid_from

),

scattered as (

    select valid_plots.*
    from valid_plots
    cross join rules
    left join adjoined
        on
            valid_plots.edition = adjoined.edition
            and valid_plots.plot_id = adjoined.plot_id
            and valid_plots.valid_from = adjoined.valid_from
    where
        valid_plots.area_km2 * 100 < rules.plot_small_hectares
        and adjoined.plot_id is null

),

contributions as (

    select
        edition,
        park_code,
        'A9' as indicator_code,
        'numerator' as side,
        cast(null as varchar(18)) as enterprise_id_uscc,
        plot_id as subject,
        area_km2 as amount,
        'park_plots' as source_feed,
        source_batch_id,
        source_file,
        source_row
    from scattered

    union all

    select
        edition,
        park_code,
        'A9' as indicator_code,
        'denominator' as side,
        cast(null as varchar(18)) as enterprise_id_uscc,
        plot_id as subject,
        area_km2 as amount,
        'park_plots' as source_feed,
        source_batch_id,
        source_file,
        source_row
    from valid_plots

)

select * from contributions
