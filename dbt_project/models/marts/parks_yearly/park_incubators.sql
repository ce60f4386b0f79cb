-- What parks report of their incubators; the template has them by class, not one by one.
with

items as (

    select * from {{ ref('int_park_report_items_reported') }}

),

park_incubators as (

    select
        ---------- ids
        park_code,

        ---------- numerics
        year,
        {{ item('B8.1') }} as high_quality_incubators_count,
        {{ item('B8.2') }} as cultivated_incubators_count,
        {{ item('B8.3') }} as new_incubatees_count,
        {{ item('D3.1') }} as high_quality_incubatees_count,
        {{ item('D3.2') }} as high_quality_mean_score,
        {{ item('D3.3') }} as cultivated_incubatees_count,
        {{ item('D3.4') }} as cultivated_mean_score,
        {{ item('D3.5') }} as other_incubatees_count,
        {{ item('D3.6') }} as other_mean_score,

        ---------- dates
        max(reported_date) as reported_date
    from items
    group by park_code, year

)

select * from park_incubators
