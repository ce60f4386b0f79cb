-- Invention patents that are valid on 31 December and held by a member (docs/method/indicators.md: "held by e at d").
with

editions as (

    select * from {{ ref('evaluated_editions') }}

),

members as (

    select * from {{ ref('year_end_members') }}

),

patents as (

    select * from {{ ref('patents') }}
    where kind in ('B', 'C')

),

events as (

    select * from {{ ref('patent_events') }}

),

rules as (

    select * from {{ ref('rules') }}

),

strategic_subclasses as (

    select * from {{ source('methodology', 'ipc_sets') }}
    where
        methodology_sha256 = '{{ var("methodology_sha256") }}'
        and set_code = 'SEI'

),

publications as (

    select
        *,
        row_number() over (
            partition by application_number
            order by publication_date, publication_number
        ) as publication_rank
    from patents

),

grants as (

    select * from publications
    where publication_rank = 1

),

firsts as (

    -- what has happened by a day has happened by its first day
    select
        events.application_number,
        min(case when events.event_type = 'lapse' then events.event_date end) as lapsed_date,
        min(case when events.event_type = 'pct_filing' then events.event_date end) as filed_abroad_date,
        min(
            case
                when events.event_type = 'pledge' and events.amount_cny >= rules.high_value_pledge_cny
                    then events.event_date
            end
        ) as pledged_date
    from events
    cross join rules
    where events.event_type in ('lapse', 'pct_filing', 'pledge')
    group by events.application_number

),

transfers as (

    select
        editions.edition,
        events.application_number,
        events.counterparty_enterprise_id_uscc,
        row_number() over (
            partition by editions.edition, events.application_number
            order by events.event_date desc, {{ bytewise('events.event_id') }} desc
        ) as transfer_rank
    from editions
    inner join events
        on editions.last_day >= events.event_date
    inner join grants
        on
            events.application_number = grants.application_number
            and events.event_date >= grants.publication_date
    where events.event_type = 'transfer'

),

valid_patents as (

    select
        editions.edition,
        grants.application_number,
        case
            when transfers.application_number is not null then transfers.counterparty_enterprise_id_uscc
            else grants.first_applicant_enterprise_id_uscc
        end as holder_enterprise_id_uscc,
        strategic_subclasses.ipc_subclass is not null
        or coalesce(firsts.filed_abroad_date <= editions.last_day, false)
        or coalesce(firsts.pledged_date <= editions.last_day, false)
        or grants.application_date < {{ last_day('editions.edition - rules.high_value_kept_years') }} as is_high_value,
        grants.source_batch_id,
        grants.source_file,
        grants.source_row
    from editions
    cross join rules
    inner join grants
        on
            editions.last_day >= grants.publication_date
            and grants.application_date > {{ last_day('editions.edition - rules.patent_term_years') }}
    left join firsts
        on grants.application_number = firsts.application_number
    left join transfers
        on
            editions.edition = transfers.edition
            and grants.application_number = transfers.application_number
            and transfers.transfer_rank = 1
    left join strategic_subclasses
        on substr(grants.ipc_main, 1, 4) = strategic_subclasses.ipc_subclass
    where
        firsts.lapsed_date is null
        or firsts.lapsed_date > editions.last_day

),

held_patents as (

    select
        ---------- ids
        valid_patents.application_number,
        members.park_code,
        members.enterprise_id_uscc,

        ---------- numerics
        valid_patents.edition,

        ---------- booleans
        valid_patents.is_high_value,

        ---------- lineage
        valid_patents.source_batch_id,
        valid_patents.source_file,
        valid_patents.source_row
    from valid_patents
    inner join members
        on
            valid_patents.edition = members.year
            and valid_patents.holder_enterprise_id_uscc = members.enterprise_id_uscc

)

select * from held_patents
