with

classified as (

    select * from {{ ref('int_enterprise_industries_classified') }}

),

enterprise_industries as (

    select
        ---------- ids
        enterprise_id_uscc,
        industry_code,
        industry_standard,
        class_2017 as industry_code_gbt4754_2017,

        ---------- texts
        industry_name_zh,
        basis as classification_basis,

        ---------- numerics
        position,
        class_share,

        ---------- dates
        valid_from,
        valid_to,

        ---------- lineage
        source_batch_id,
        source_file,
        source_row,
        known_at
    from classified

)

select * from enterprise_industries
