-- C4 three-year survival, %
-- = enterprises registered in the park in t−3 that are active, anywhere, on 31 December of t ÷ all of them × 100
with

editions as (

    select * from {{ ref('evaluated_editions') }}

),

enterprises as (

    select * from {{ ref('enterprises') }}

),

cohort as (

    select
        editions.edition,
        enterprises.registered_park_code as park_code,
        enterprises.enterprise_id_uscc,
        enterprises.enterprise_name,
        coalesce(enterprises.ended_date > editions.last_day, true) as has_survived,
        enterprises.source_batch_id,
        enterprises.source_file,
        enterprises.source_row
    from editions
    inner join enterprises
        on editions.edition - 3 = {{ year_of('enterprises.registered_date') }}
    where enterprises.registered_park_code is not null

),

contributions as (

    select
        edition,
        park_code,
        'C4' as indicator_code,
        'numerator' as side,
        enterprise_id_uscc,
        enterprise_name as subject,
        1 as amount,
        'enterprise_registry' as source_feed,
        source_batch_id,
        source_file,
        source_row
    from cohort
    where has_survived

    union all

    select
        edition,
        park_code,
        'C4' as indicator_code,
        'denominator' as side,
        enterprise_id_uscc,
        enterprise_name as subject,
        1 as amount,
        'enterprise_registry' as source_feed,
        source_batch_id,
        source_file,
        source_row
    from cohort

)

select * from contributions
