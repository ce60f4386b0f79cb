with

tag_classes as (

    select * from {{ ref('industry_tag_classes') }}

),

taxonomies as (

    select * from {{ ref('industry_taxonomies') }}

),

memberships as (

    select * from {{ ref('int_leading_sets_classed') }}
    where set_code <> 'ALL'

),

leading_members as (

    -- the three leading industries are in every version of the city's taxonomy
    select
        *,
        case member_en
            when 'Integrated circuits' then 'IC'
            when 'Biomedicine' then 'BIO'
            when 'Artificial intelligence' then 'AI'
        end as set_code
    from taxonomies
    where taxonomy = 'city_industries' and block = '3'

),

tagged as (

    select
        taxonomies.taxonomy,
        taxonomies.version,
        taxonomies.block,
        taxonomies.member_zh,
        taxonomies.member_en,
        tag_classes.industry_standard,
        tag_classes.industry_code,
        tag_classes.membership,
        tag_classes.mark,
        taxonomies.valid_from,
        taxonomies.valid_to
    from tag_classes
    inner join taxonomies
        on
            tag_classes.taxonomy = taxonomies.taxonomy
            and tag_classes.version = taxonomies.version
            and tag_classes.block = taxonomies.block

    union all

    select
        leading_members.taxonomy,
        leading_members.version,
        leading_members.block,
        leading_members.member_zh,
        leading_members.member_en,
        'GB/T 4754-2017' as industry_standard,
        memberships.industry_code,
        memberships.membership,
        'assumed' as mark,
        leading_members.valid_from,
        leading_members.valid_to
    from leading_members
    inner join memberships
        on leading_members.set_code = memberships.set_code

),

industry_tags as (

    select
        ---------- ids
        taxonomy,
        version,
        block,
        industry_standard,
        industry_code,

        ---------- texts
        member_zh,
        member_en,
        membership,
        mark,

        ---------- dates
        valid_from,
        valid_to as last_valid_day
    from tagged

)

select * from industry_tags
