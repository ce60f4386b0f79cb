-- Who holds a granted patent, and from when to when (docs/method/indicators.md, "held by e at d"): the first applicant
-- from the grant, then whoever a transfer names; until it lapses or its term ends.
{{ config(materialized='table', post_hook="{{ analyzed(this) }}") }}

with

applications as (

    select * from {{ ref('int_patent_applications_dated') }}
    where granted_date is not null

),

events as (

    select * from {{ ref('int_patent_events_attributed') }}
    where event_type = 'transfer'

),

starts as (

    select
        application_number,
        granted_date as valid_from,
        attributed_enterprise_id_uscc as holder_enterprise_id_uscc,
        'grant' as started_by,
        '' as event_id,
        source_batch_id,
        source_file,
        source_row,
        known_at
    from applications

    union all

    select
        events.application_number,
        events.event_date as valid_from,
        events.counterparty_enterprise_id_uscc as holder_enterprise_id_uscc,
        'transfer' as started_by,
        events.event_id,
        events.source_batch_id,
        events.source_file,
        events.source_row,
        events.known_at
    from events
    inner join applications
        on
            events.application_number = applications.application_number
            and events.event_date >= applications.granted_date

),

last_of_day as (

    select
        *,
        row_number() over (
            partition by application_number, valid_from
            order by {{ bytewise('event_id') }} desc
        ) as day_rank
    from starts

),

followed as (

    select
        *,
        lead(valid_from) over (
            partition by application_number
            order by valid_from
        ) as next_from
    from last_of_day
    where day_rank = 1

),

dated as (

    select
        followed.application_number,
        followed.valid_from,
        least(followed.next_from, applications.lapsed_date, applications.expires_date) as valid_to,
        followed.holder_enterprise_id_uscc,
        followed.started_by,
        applications.patent_kind,
        case
            when applications.high_value_from is null then null
            else greatest(applications.high_value_from, followed.valid_from)
        end as high_value_from,
        followed.source_batch_id,
        followed.source_file,
        followed.source_row,
        followed.known_at
    from followed
    inner join applications
        on followed.application_number = applications.application_number

)

select * from dated
where valid_from < valid_to
