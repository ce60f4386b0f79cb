with

taxonomies as (

    select * from {{ ref('industry_taxonomies') }}

),

industry_taxonomy_members as (

    select
        ---------- ids
        taxonomy,
        version,
        block,
        member_zh,

        ---------- texts
        member_en,
        mark,
        source,

        ---------- dates
        valid_from,
        valid_to as last_valid_day
    from taxonomies

)

select * from industry_taxonomy_members
