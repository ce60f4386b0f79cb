with

financing_rounds_valued as (

    select * from {{ ref('int_financing_rounds_valued') }}

),

financing_rounds as (

    select
        ---------- ids
        attributed_enterprise_id_uscc as enterprise_id_uscc,

        ---------- texts
        brand_name,
        enterprise_name,
        link_method,
        round_name,
        amount_text,
        amount_currency,
        investors,

        ---------- numerics
        amount_exact,
        cny_per_unit,
        amount_cny,

        ---------- booleans
        is_equity,
        is_early,
        is_duplicate,
        is_small_company,
        is_hard_technology_company,

        ---------- dates
        round_date,

        ---------- lineage
        source_batch_id,
        source_file,
        source_row,
        known_at
    from financing_rounds_valued

)

select * from financing_rounds
