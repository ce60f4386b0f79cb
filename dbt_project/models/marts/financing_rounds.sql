with

financing_rounds_attributed as (

    select * from {{ ref('int_financing_rounds_attributed') }}

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

        ---------- dates
        round_date,

        ---------- lineage
        source_batch_id,
        source_file,
        source_row,
        known_at
    from financing_rounds_attributed

)

select * from financing_rounds
