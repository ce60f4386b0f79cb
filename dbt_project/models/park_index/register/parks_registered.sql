{{ config(alias='parks') }}

with

marts_parks as (

    select * from {{ ref('parks') }}

),

parks_registered as (

    select
        {{ var('edition') }} as edition,
        park_code,
        park_name_zh as name_zh,
        park_name_en as name_en,
        districts,
        peer_group,
        mark,
        source
    from marts_parks

)

select * from parks_registered
