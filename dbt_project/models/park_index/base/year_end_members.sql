-- in(e, p, t) of docs/method/indicators.md: active on 31 December of t, and in the park on that day.
with

editions as (

    select * from {{ ref('evaluated_editions') }}

),

stays as (

    select * from {{ ref('park_enterprises') }}

),

enterprises as (

    select * from {{ ref('enterprises') }}

),

registrations as (

    select * from {{ ref('enterprise_registrations') }}

),

classes as (

    select * from {{ ref('industry_set_classes') }}

),

year_ends as (

    select
        edition as year,
        last_day
    from editions
    union
    select
        edition - 1 as year,
        last_day_before as last_day
    from editions

),

members as (

    select
        ---------- ids
        stays.park_code,
        stays.enterprise_id_uscc,

        ---------- texts
        registrations.enterprise_name,
        registrations.industry_code_gbt4754_2017,

        ---------- numerics
        year_ends.year,

        ---------- booleans
        coalesce(classes.is_leading, false) as is_leading_industry,
        coalesce(classes.is_hard_technology, false) as is_hard_technology,
        coalesce(classes.is_professional_service, false) as is_professional_service,

        ---------- lineage
        registrations.source_batch_id,
        registrations.source_file,
        registrations.source_row
    from year_ends
    inner join stays
        on
            year_ends.last_day >= stays.valid_from
            and (stays.valid_to is null or year_ends.last_day < stays.valid_to)
    inner join enterprises
        on
            stays.enterprise_id_uscc = enterprises.enterprise_id_uscc
            and year_ends.last_day >= enterprises.registered_date
            and (enterprises.ended_date is null or year_ends.last_day < enterprises.ended_date)
    inner join registrations
        on
            stays.enterprise_id_uscc = registrations.enterprise_id_uscc
            and year_ends.last_day >= registrations.valid_from
            and (registrations.valid_to is null or year_ends.last_day < registrations.valid_to)
    left join classes
        on registrations.industry_code_gbt4754_2017 = classes.industry_code

)

select * from members
