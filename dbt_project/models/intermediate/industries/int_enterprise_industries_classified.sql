-- A code counts only as what its standard says. A row of 2011 goes to its classes of 2017 in equal shares; a row
-- without a standard, or with a code that its standard does not have, is not classified.
with

registrations as (

    select * from {{ ref('int_enterprise_registrations_dated') }}

),

class_names as (

    select * from {{ ref('industry_class_names') }}

),

crossed as (

    select * from {{ ref('int_industry_classes_crossed') }}

),

classified as (

    select
        registrations.enterprise_id_uscc,
        registrations.valid_from,
        registrations.valid_to,
        registrations.industry_code,
        registrations.industry_standard,
        registrations.source_batch_id,
        registrations.source_file,
        registrations.source_row,
        registrations.known_at,
        class_names.industry_name_zh,
        coalesce(crossed.position, 1) as position,
        case
            when class_names.industry_code is null then null
            when registrations.industry_standard = 'GB/T 4754-2017' then registrations.industry_code
            else crossed.to_code
        end as class_2017,
        case
            when registrations.industry_code is null then 'no_code'
            when registrations.industry_standard is null then 'no_standard'
            when class_names.industry_code is null then 'unknown_code'
            when registrations.industry_standard = 'GB/T 4754-2017' then 'stated'
            when crossed.to_code is null then 'no_concordance'
            else crossed.basis
        end as basis,
        cast(coalesce(crossed.class_share, 1) as numeric(9, 6)) as class_share
    from registrations
    left join class_names
        on
            registrations.industry_standard = class_names.industry_standard
            and registrations.industry_code = class_names.industry_code
    left join crossed
        on
            registrations.industry_standard = 'GB/T 4754-2011'
            and registrations.industry_code = crossed.from_code

)

select * from classified
