-- Government and IP services as parks report them.
with

items as (

    select * from {{ ref('int_park_report_items_reported') }}

),

park_service_cases as (

    select
        ---------- ids
        park_code,

        ---------- numerics
        year,
        {{ item('C1.2') }} as listed_services_count,
        {{ item('C1.1') }} as available_services_count,
        {{ item('C2.2') }} as closed_cases_count,
        {{ item('C2.1') }} as closed_on_time_cases_count,
        {{ item('C7.2') }} as invention_applications_count,
        {{ item('C7.1') }} as fast_pre_examinations_count,

        ---------- dates
        max(reported_date) as reported_date
    from items
    group by park_code, year

)

select * from park_service_cases
