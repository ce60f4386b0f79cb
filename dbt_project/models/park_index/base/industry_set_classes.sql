with

sets as (

    select * from {{ source('methodology', 'industry_sets') }}
    where
        methodology_sha256 = '{{ var("methodology_sha256") }}'
        and industry_standard = 'GB/T 4754-2017'

),

classes as (

    -- core and partial memberships both count: the upper bound (docs/method/indicators.md)
    select
        industry_code,
        max(case when set_code in ('IC', 'BIO', 'AI') then 1 else 0 end) = 1 as is_leading,
        max(case when set_code = 'TECH' then 1 else 0 end) = 1 as is_technology,
        max(case when set_code = 'HARD' then 1 else 0 end) = 1 as is_hard_technology,
        max(case when set_code = 'SERVICE' then 1 else 0 end) = 1 as is_professional_service
    from sets
    group by industry_code

)

select * from classes
