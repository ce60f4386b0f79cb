with

registrations as (

    select * from {{ ref('int_enterprise_registrations_dated') }}

),

placements as (

    select * from {{ ref('int_enterprises_placed') }}

),

latest as (

    select * from registrations
    where valid_to is null

),

dated as (

    select
        latest.*,
        at_registration.industry_code_gbt4754_2017 as registered_industry_code,
        placed_at_registration.park_code as registered_park_code,
        placed_before_end.park_code as ended_park_code
    from latest
    left join registrations as at_registration
        on
            latest.enterprise_id_uscc = at_registration.enterprise_id_uscc
            and latest.registered_date >= at_registration.valid_from
            and (at_registration.valid_to is null or latest.registered_date < at_registration.valid_to)
    left join placements as placed_at_registration
        on
            latest.enterprise_id_uscc = placed_at_registration.enterprise_id_uscc
            and latest.registered_date >= placed_at_registration.valid_from
            and (placed_at_registration.valid_to is null or latest.registered_date < placed_at_registration.valid_to)
    -- the day before the end: valid_from < ended_date <= valid_to
    left join placements as placed_before_end
        on
            latest.enterprise_id_uscc = placed_before_end.enterprise_id_uscc
            and latest.ended_date > placed_before_end.valid_from
            and (placed_before_end.valid_to is null or latest.ended_date <= placed_before_end.valid_to)

)

select * from dated
