-- What a class of GB/T 4754-2011 is called in 2017: the class of the same name, or the classes it was split into.
with

class_names as (

    select * from {{ ref('industry_class_names') }}

),

splits as (

    select * from {{ ref('industry_class_splits') }}

),

unique_names as (

    -- a name that stands twice in one version says nothing about a code
    select
        industry_standard,
        industry_name_zh,
        min(industry_code) as industry_code
    from class_names
    group by industry_standard, industry_name_zh
    having count(*) = 1

),

same_names as (

    select
        classes_2011.industry_code as from_code,
        classes_2017.industry_code as to_code
    from unique_names as classes_2011
    inner join unique_names as classes_2017
        on classes_2011.industry_name_zh = classes_2017.industry_name_zh
    where
        classes_2011.industry_standard = 'GB/T 4754-2011'
        and classes_2017.industry_standard = 'GB/T 4754-2017'

),

pairs as (

    select
        from_code,
        to_code,
        'same_name' as basis
    from same_names

    union all

    select
        from_code,
        to_code,
        'split' as basis
    from splits

),

crossed as (

    select
        from_code,
        to_code,
        basis,
        count(*) over (partition by from_code) as successors_count,
        row_number() over (partition by from_code order by to_code) as position,
        cast(1.0 / count(*) over (partition by from_code) as numeric(9, 6)) as class_share
    from pairs

)

select * from crossed
