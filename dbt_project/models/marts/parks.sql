with

registered_parks as (

    select * from {{ source('methodology', 'parks') }}
    where methodology_sha256 = '{{ var("methodology_sha256") }}'

),

parks as (

    select
        ---------- ids
        park_code,

        ---------- texts
        name_zh as park_name_zh,
        name_en as park_name_en,
        districts,
        peer_group,
        mark,
        source,

        ---------- numerics
        position
    from registered_parks

)

select * from parks
