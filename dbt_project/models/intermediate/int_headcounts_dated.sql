with

headcounts as (

    select * from {{ ref('stg_headcounts__headcounts') }}

),

dated as (

    select
        *,
        {{ year_of('headcount_month') }} as year
    from headcounts

)

select * from dated
