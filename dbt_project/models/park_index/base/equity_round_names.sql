with

rounds as (

    select * from {{ source('methodology', 'equity_rounds') }}
    where methodology_sha256 = '{{ var("methodology_sha256") }}'

),

names as (

    select
        round as round_name,
        is_early
    from rounds

)

select * from names
