with

sets as (

    select * from {{ source('methodology', 'industry_sets') }}
    where
        methodology_sha256 = '{{ var("methodology_sha256") }}'
        and industry_standard = 'GB/T 4754-2017'
        and set_code in ('IC', 'BIO', 'AI')

),

any_set as (

    -- a class that is core to one set is core to the three together
    select
        industry_code,
        'ALL' as set_code,
        min(membership) as membership
    from sets
    group by industry_code

),

classed as (

    select
        industry_code,
        set_code,
        membership
    from sets

    union all

    select
        industry_code,
        set_code,
        membership
    from any_set

)

select * from classed
