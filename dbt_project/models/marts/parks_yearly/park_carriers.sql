-- Space for enterprises as parks report it; 万平方米 on the template, square metres here.
with

items as (

    select * from {{ ref('int_park_report_items_reported') }}

),

park_carriers as (

    select
        ---------- ids
        park_code,

        ---------- numerics
        year,
        {{ item('D7.2', 10000) }} as carrier_floor_m2,
        {{ item('D7.1', 10000) }} as professionally_operated_floor_m2,
        {{ item('C5.1', 10000) }} as standard_land_delivered_m2,
        {{ item('C5.2', 10000) }} as standard_factory_delivered_m2,
        {{ item('C5.3', 10000) }} as multi_storey_factory_delivered_m2,
        {{ item('C5.4', 10000) }} as promised_space_m2,

        ---------- dates
        max(reported_date) as reported_date
    from items
    group by park_code, year

)

select * from park_carriers
