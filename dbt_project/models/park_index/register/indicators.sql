-- The framework of the methodology, as it will be published with the edition.
with

framework as (

    select * from {{ source('methodology', 'indicators') }}
    where methodology_sha256 = '{{ var("methodology_sha256") }}'

),

areas as (

    select * from {{ source('methodology', 'areas') }}
    where methodology_sha256 = '{{ var("methodology_sha256") }}'

),

indicators as (

    select
        {{ var('edition') }} as edition,
        framework.indicator_code,
        framework.area_code,
        areas.name_zh as area_name_zh,
        areas.name_en as area_name_en,
        framework.name_zh,
        framework.name_en,
        framework.unit,
        framework.direction,
        framework.formula,
        framework.clause,
        framework.weight,
        framework.weight_mark,
        framework.definition_mark,
        framework.bound_low,
        framework.bound_high,
        framework.bound_mark,
        framework.state
    from framework
    inner join areas
        on framework.area_code = areas.area_code

)

select * from indicators
