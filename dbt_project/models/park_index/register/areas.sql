with

framework_areas as (

    select * from {{ source('methodology', 'areas') }}
    where methodology_sha256 = '{{ var("methodology_sha256") }}'

),

indicators as (

    select * from {{ ref('indicators') }}

),

computed_weights as (

    select
        area_code,
        sum(weight) as computed_weight
    from indicators
    where state = 'computed'
    group by area_code
    having sum(weight) > 0

),

areas as (

    -- an area of which nothing that is computed weighs anything is in the register and counts nowhere
    select
        framework_areas.area_code,
        framework_areas.name_zh as area_name_zh,
        framework_areas.name_en as area_name_en,
        coalesce(computed_weights.computed_weight, 0) as computed_weight,
        computed_weights.computed_weight is not null as is_computed
    from framework_areas
    left join computed_weights
        on framework_areas.area_code = computed_weights.area_code

)

select * from areas
