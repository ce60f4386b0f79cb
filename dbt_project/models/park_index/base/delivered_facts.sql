-- What was delivered to compute from, as statements that hold or do not hold for a park and an edition.
with

editions as (

    select * from {{ ref('evaluated_editions') }}

),

parks as (

    select * from {{ ref('parks') }}

),

members as (

    select * from {{ ref('year_end_members') }}

),

member_accounts as (

    select * from {{ ref('member_accounts') }}

),

member_headcounts as (

    select * from {{ ref('member_headcounts') }}

),

enterprises as (

    select * from {{ ref('enterprises') }}

),

registrations as (

    select * from {{ ref('enterprise_registrations') }}

),

patents as (

    select * from {{ ref('patents') }}

),

rounds as (

    select * from {{ ref('financing_rounds') }}

),

recognitions as (

    select * from {{ ref('recognitions') }}

),

events as (

    select * from {{ ref('patent_events') }}

),

plots as (

    select * from {{ ref('park_plots') }}

),

declared_industries as (

    select * from {{ ref('park_declared_industries') }}

),

account_years as (

    select
        year,
        count(rd_expenditure_cny) as rd_rows_count,
        count(value_added_cny) as value_added_rows_count
    from member_accounts
    group by year

),

headcount_years as (

    select
        year,
        count(foreign_count) as foreign_rows_count
    from member_headcounts
    group by year

),

classified_years as (

    select distinct year from members
    where industry_code_gbt4754_2017 is not null

),

registration_years as (

    select
        {{ year_of('registered_date') }} as year,
        count(registered_industry_code) as classified_count
    from enterprises
    where registered_park_code is not null
    group by {{ year_of('registered_date') }}

),

registry_years as (

    select distinct {{ year_of('valid_from') }} as year from registrations

),

grant_years as (

    select distinct {{ year_of('publication_date') }} as year from patents
    where kind = 'B'

),

round_years as (

    select distinct {{ year_of('round_date') }} as year from rounds

),

recognition_kinds as (

    select * from {{ source('methodology', 'recognition_kinds') }}
    where methodology_sha256 = '{{ var("methodology_sha256") }}'

),

first_recognitions as (

    select
        min(case when recognition_kinds.counted_in = 'A5' then recognitions.valid_from end) as honours_date,
        min(case when recognition_kinds.counted_in = 'A7' then recognitions.valid_from end) as leaders_date,
        min(case when recognition_kinds.points is not null then recognitions.valid_from end) as ladder_date
    from recognitions
    inner join recognition_kinds
        on recognitions.recognition_kind = recognition_kinds.recognition_kind

),

first_grant as (

    select min(publication_date) as first_granted_date from patents
    where kind in ('B', 'C')

),

publication_years as (

    select distinct {{ year_of('publication_date') }} as year from patents

),

first_event as (

    select min(event_date) as first_event_date from events

),

pct_years as (

    select distinct {{ year_of('event_date') }} as year from events
    where event_type = 'pct_filing'

),

zone_facts as (

    select
        editions.edition,
        editions.last_day,
        editions.first_day,
        accounts_now.year is not null as has_accounts,
        accounts_before.year is not null as has_accounts_before,
        coalesce(accounts_now.rd_rows_count, 0) > 0 as has_rd,
        coalesce(accounts_now.value_added_rows_count, 0) > 0 as has_value_added,
        headcount_years.year is not null as has_headcounts,
        coalesce(headcount_years.foreign_rows_count, 0) > 0 as has_foreign_counts,
        classified_years.year is not null as has_classes,
        coalesce(registration_years.classified_count, 0) > 0 as has_classified_registrations,
        registry_years.year is not null as has_registry_rows,
        grant_years.year is not null as has_grants,
        round_years.year is not null as has_rounds,
        coalesce(first_recognitions.honours_date <= editions.last_day, false) as has_recognitions,
        coalesce(first_recognitions.leaders_date <= editions.last_day, false) as has_leader_lists,
        coalesce(first_recognitions.ladder_date <= editions.last_day, false) as has_ladder_lists,
        coalesce(first_grant.first_granted_date <= editions.last_day, false) as has_patent_stock,
        publication_years.year is not null as has_publications,
        coalesce(first_event.first_event_date <= editions.last_day, false) as has_patent_events,
        pct_years.year is not null as has_pct_filings
    from editions
    left join account_years as accounts_now
        on editions.edition = accounts_now.year
    left join account_years as accounts_before
        on editions.edition - 1 = accounts_before.year
    left join headcount_years
        on editions.edition = headcount_years.year
    left join classified_years
        on editions.edition = classified_years.year
    left join registration_years
        on editions.edition = registration_years.year
    left join registry_years
        on editions.edition = registry_years.year
    left join grant_years
        on editions.edition = grant_years.year
    left join round_years
        on editions.edition = round_years.year
    left join publication_years
        on editions.edition = publication_years.year
    left join pct_years
        on editions.edition = pct_years.year
    cross join first_recognitions
    cross join first_grant
    cross join first_event

),

park_plot_years as (

    select
        zone_facts.edition,
        plots.park_code,
        max(case when plots.valid_to is null or zone_facts.last_day < plots.valid_to then 1 else 0 end) = 1
            as lasts_to_the_end
    from zone_facts
    inner join plots
        on
            zone_facts.last_day >= plots.valid_from
            and (plots.valid_to is null or zone_facts.first_day < plots.valid_to)
    group by zone_facts.edition, plots.park_code

),

declared_years as (

    select distinct
        park_code,
        year
    from declared_industries

),

delivered_facts as (

    select
        ---------- ids
        parks.park_code,

        ---------- numerics
        zone_facts.edition,

        ---------- booleans
        zone_facts.has_accounts,
        zone_facts.has_accounts_before,
        zone_facts.has_rd,
        zone_facts.has_headcounts,
        zone_facts.has_classes,
        zone_facts.has_classified_registrations,
        zone_facts.has_registry_rows,
        zone_facts.has_grants,
        zone_facts.has_rounds,
        zone_facts.has_recognitions,
        zone_facts.has_leader_lists,
        zone_facts.has_ladder_lists,
        zone_facts.has_value_added,
        zone_facts.has_foreign_counts,
        zone_facts.has_patent_stock,
        zone_facts.has_publications,
        zone_facts.has_patent_events,
        zone_facts.has_pct_filings,
        park_plot_years.park_code is not null as has_plots,
        coalesce(park_plot_years.lasts_to_the_end, false) as has_plots_at_end,
        declared_years.park_code is not null as has_declared_industries
    from zone_facts
    cross join parks
    left join park_plot_years
        on
            zone_facts.edition = park_plot_years.edition
            and parks.park_code = park_plot_years.park_code
    left join declared_years
        on
            zone_facts.edition = declared_years.year
            and parks.park_code = declared_years.park_code

)

select * from delivered_facts
