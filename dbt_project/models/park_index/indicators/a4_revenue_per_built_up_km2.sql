-- A4 revenue per built-up km², 亿元/km² = Σ revenue ÷ 10⁸ ÷ Σ built-up km² of the plots valid on 31 December
with

member_accounts as (

    select * from {{ ref('member_accounts') }}

),

editions as (

    select * from {{ ref('evaluated_editions') }}

),

plots as (

    select * from {{ ref('park_plots') }}

),

contributions as (

    select
        year as edition,
        park_code,
        'A4' as indicator_code,
        'numerator' as side,
        enterprise_id_uscc,
        enterprise_name as subject,
        revenue_cny / 100000000 as amount,
        'enterprise_accounts' as source_feed,
        source_batch_id,
        source_file,
        source_row
    from member_accounts

    union all

    select
        editions.edition,
        plots.park_code,
        'A4' as indicator_code,
        'denominator' as side,
        cast(null as varchar(18)) as enterprise_id_uscc,
        plots.plot_id as subject,
        plots.built_up_km2 as amount,
        'park_plots' as source_feed,
        plots.source_batch_id,
        plots.source_file,
        plots.source_row
    from editions
    inner join plots
        on
            editions.last_day >= plots.valid_from
            and (plots.valid_to is null or editions.last_day < plots.valid_to)

)

select * from contributions
