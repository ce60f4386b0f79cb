with

crossed as (

    select * from {{ ref('int_industry_classes_crossed') }}

),

industry_concordances as (

    select
        ---------- ids
        'GB/T 4754-2011' as from_standard,
        from_code,
        'GB/T 4754-2017' as to_standard,
        to_code,

        ---------- texts
        basis as concordance_basis,

        ---------- numerics
        position,
        successors_count,
        class_share,
        cast(1 - class_share as numeric(9, 6)) as ambiguous_share
    from crossed

)

select * from industry_concordances
