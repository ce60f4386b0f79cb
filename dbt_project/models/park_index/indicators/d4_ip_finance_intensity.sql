-- D4 IP-finance intensity, 万元 per patent
-- = (Σ amounts pledged in t by members + securitised + insured) ÷ valid invention patents held by members
with

members as (

    select * from {{ ref('year_end_members') }}

),

events as (

    select * from {{ ref('patent_events') }}

),

held_patents as (

    select * from {{ ref('held_patents') }}

),

items as (

    select * from {{ ref('self_reported_items') }}

),

pledges as (

    select
        members.year as edition,
        members.park_code,
        members.enterprise_id_uscc,
        events.application_number,
        events.amount_cny,
        events.source_batch_id,
        events.source_file,
        events.source_row
    from members
    inner join events
        on
            members.enterprise_id_uscc = events.holder_enterprise_id_uscc
            and members.year = {{ year_of('events.event_date') }}
    where
        events.event_type = 'pledge'
        and events.amount_cny is not null

),

contributions as (

    select
        edition,
        park_code,
        'D4' as indicator_code,
        'numerator' as side,
        enterprise_id_uscc,
        application_number as subject,
        amount_cny / 10000 as amount,
        'patent_events' as source_feed,
        source_batch_id,
        source_file,
        source_row
    from pledges

    union all

    select
        edition,
        park_code,
        'D4' as indicator_code,
        'denominator' as side,
        enterprise_id_uscc,
        application_number as subject,
        1 as amount,
        'patents' as source_feed,
        source_batch_id,
        source_file,
        source_row
    from held_patents

    union all

    {{ contributions_of_items('items', 'D4') }}

)

select * from contributions
