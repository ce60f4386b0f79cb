-- B5 new technology enterprises per day = enterprises registered in t in the park, in a class of set TECH ÷ days of t
with

enterprises as (

    select * from {{ ref('enterprises') }}

),

classes as (

    select * from {{ ref('industry_set_classes') }}

),

registrations as (

    select * from {{ ref('enterprise_registrations') }}

),

contributions as (

    select
        {{ year_of('enterprises.registered_date') }} as edition,
        enterprises.registered_park_code as park_code,
        'B5' as indicator_code,
        'numerator' as side,
        enterprises.enterprise_id_uscc,
        registrations.enterprise_name as subject,
        1 as amount,
        'enterprise_registry' as source_feed,
        registrations.source_batch_id,
        registrations.source_file,
        registrations.source_row
    from enterprises
    inner join classes
        on
            enterprises.registered_industry_code = classes.industry_code
            and classes.is_technology
    inner join registrations
        on
            enterprises.enterprise_id_uscc = registrations.enterprise_id_uscc
            and enterprises.registered_date >= registrations.valid_from
            and (registrations.valid_to is null or enterprises.registered_date < registrations.valid_to)
    where enterprises.registered_park_code is not null

)

select * from contributions
