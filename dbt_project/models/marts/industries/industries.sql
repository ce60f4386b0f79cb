with

class_names as (

    select * from {{ ref('industry_class_names') }}

),

crossed as (

    select * from {{ ref('int_industry_classes_crossed') }}

),

memberships as (

    select * from {{ ref('int_leading_sets_classed') }}

),

tag_classes as (

    select * from {{ ref('industry_tag_classes') }}

),

successors as (

    select
        from_code,
        max(basis) as basis,
        max(successors_count) as successors_count,
        min(to_code) as first_successor_code
    from crossed
    group by from_code

),

sets as (

    select
        industry_code,
        max(case when set_code = 'IC' then membership end) as ic_membership,
        max(case when set_code = 'BIO' then membership end) as bio_membership,
        max(case when set_code = 'AI' then membership end) as ai_membership
    from memberships
    group by industry_code

),

tags as (

    select
        industry_standard,
        industry_code,
        max(case when taxonomy = 'strategic_emerging' then block end) as strategic_emerging_block,
        max(case when taxonomy = 'digital_economy' then block end) as digital_economy_block
    from tag_classes
    group by industry_standard, industry_code

),

described as (

    select
        class_names.industry_standard,
        class_names.industry_code,
        class_names.industry_name_zh,
        class_names.section,
        substr(class_names.industry_code, 1, 2) as division,
        substr(class_names.industry_code, 1, 3) as industry_group,
        case
            when class_names.industry_standard = 'GB/T 4754-2017' then 'stated'
            else coalesce(successors.basis, 'no_concordance')
        end as concordance_basis,
        case
            when class_names.industry_standard = 'GB/T 4754-2017' then class_names.industry_code
            when successors.successors_count = 1 then successors.first_successor_code
        end as industry_code_gbt4754_2017,
        sets.ic_membership,
        sets.bio_membership,
        sets.ai_membership,
        tags.strategic_emerging_block,
        tags.digital_economy_block,
        case
            when class_names.industry_standard = 'GB/T 4754-2017' then 1
            else coalesce(successors.successors_count, 0)
        end as successors_count,
        cast(
            case
                when class_names.industry_standard = 'GB/T 4754-2017' then 0
                when successors.successors_count is null then 1
                else 1 - 1.0 / successors.successors_count
            end as numeric(9, 6)
        ) as ambiguous_share
    from class_names
    left join successors
        on
            class_names.industry_standard = 'GB/T 4754-2011'
            and class_names.industry_code = successors.from_code
    left join sets
        on
            class_names.industry_standard = 'GB/T 4754-2017'
            and class_names.industry_code = sets.industry_code
    left join tags
        on
            class_names.industry_standard = tags.industry_standard
            and class_names.industry_code = tags.industry_code

),

industries as (

    select
        ---------- ids
        industry_standard,
        industry_code,

        ---------- texts
        industry_name_zh,
        section,
        division,
        industry_group,
        concordance_basis,
        industry_code_gbt4754_2017,
        ic_membership,
        bio_membership,
        ai_membership,
        strategic_emerging_block,
        digital_economy_block,

        ---------- numerics
        successors_count,
        ambiguous_share
    from described

)

select * from industries
