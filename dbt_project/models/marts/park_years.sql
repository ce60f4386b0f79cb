with

parks as (

    select * from {{ ref('parks') }}

),

accounts as (

    select * from {{ ref('enterprise_accounts') }}

),

stays as (

    select * from {{ ref('park_enterprises') }}

),

enterprises as (

    select * from {{ ref('enterprises') }}

),

years as (

    select distinct year from accounts

),

members as (

    select
        years.year,
        stays.park_code,
        stays.enterprise_id_uscc
    from years
    inner join stays
        on
            stays.valid_from <= {{ last_day('years.year') }}
            and (stays.valid_to is null or stays.valid_to > {{ last_day('years.year') }})
    inner join enterprises
        on
            stays.enterprise_id_uscc = enterprises.enterprise_id_uscc
            and enterprises.registered_date <= {{ last_day('years.year') }}
            and (enterprises.ended_date is null or enterprises.ended_date > {{ last_day('years.year') }})

),

totals as (

    select
        members.year,
        members.park_code,
        count(*) as enterprises_count,
        count(accounts.enterprise_id_uscc) as reporting_enterprises_count,
        sum(accounts.revenue_cny) as revenue_cny,
        sum(accounts.rd_expenditure_cny) as rd_expenditure_cny
    from members
    left join accounts
        on
            members.enterprise_id_uscc = accounts.enterprise_id_uscc
            and members.year = accounts.year
    group by members.year, members.park_code

),

park_years as (

    -- no enterprise in a park is a count of 0; no accounts is no revenue known, not a revenue of 0
    select
        ---------- ids
        parks.park_code,

        ---------- numerics
        years.year,
        coalesce(totals.enterprises_count, 0) as enterprises_count,
        coalesce(totals.reporting_enterprises_count, 0) as reporting_enterprises_count,
        totals.revenue_cny,
        totals.rd_expenditure_cny
    from parks
    cross join years
    left join totals
        on
            parks.park_code = totals.park_code
            and years.year = totals.year

)

select * from park_years
