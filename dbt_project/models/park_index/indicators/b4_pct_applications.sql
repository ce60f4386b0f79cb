-- B4 PCT applications = applications that members filed internationally in t, each once per member
with

members as (

    select * from {{ ref('year_end_members') }}

),

events as (

    select * from {{ ref('patent_events') }}

),

filings as (

    select
        members.year as edition,
        members.park_code,
        members.enterprise_id_uscc,
        events.application_number,
        events.source_batch_id,
        events.source_file,
        events.source_row,
        row_number() over (
            partition by members.year, members.enterprise_id_uscc, events.application_number
            order by events.event_date, events.event_id
        ) as filing_rank
    from members
    inner join events
        on
            members.enterprise_id_uscc = events.holder_enterprise_id_uscc
            and members.year = {{ year_of('events.event_date') }}
    where events.event_type = 'pct_filing'

),

contributions as (

    select
        edition,
        park_code,
        'B4' as indicator_code,
        'numerator' as side,
        enterprise_id_uscc,
        application_number as subject,
        1 as amount,
        'patent_events' as source_feed,
        source_batch_id,
        source_file,
        source_row
    from filings
    where filing_rank = 1

)

select * from contributions
