with

enterprise_registrations_dated as (

    select * from {{ ref('int_enterprise_registrations_dated') }}

),

enterprise_registrations as (

    select
        ---------- ids
        enterprise_id_uscc,

        ---------- texts
        enterprise_name,
        registration_status,
        district,
        address,
        industry_code,
        industry_standard,
        industry_code_gbt4754_2017,

        ---------- numerics
        longitude_degrees,
        latitude_degrees,

        ---------- dates
        valid_from,
        valid_to,

        ---------- lineage
        source_batch_id,
        source_file,
        source_row,
        known_at
    from enterprise_registrations_dated

)

select * from enterprise_registrations
