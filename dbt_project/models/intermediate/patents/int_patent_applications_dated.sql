-- Applications with what became of them. Number, title, class and applicants are those of the first grant publication,
-- or of the first publication while there is no grant.
{{ config(materialized='table', post_hook="{{ analyzed(this) }}") }}

with

publications as (

    select * from {{ ref('int_patents_attributed') }}

),

events as (

    select * from {{ ref('int_patent_events_attributed') }}

),

terms as (

    select * from {{ ref('patent_terms') }}

),

strategic_subclasses as (

    select ipc_subclass from {{ source('methodology', 'ipc_sets') }}
    where
        methodology_sha256 = '{{ var("methodology_sha256") }}'
        and set_code = 'SEI'

),

sorted as (

    select
        *,
        case
            when kind in ('A', 'B', 'C') then 'invention'
            when kind in ('U', 'Y') then 'utility_model'
            else 'design'
        end as patent_kind,
        kind <> 'A' as is_grant
    from publications

),

ranked as (

    select
        *,
        row_number() over (
            partition by application_number
            order by is_grant desc, publication_date asc, {{ bytewise('publication_number') }} asc
        ) as leading_rank,
        min(case when kind = 'A' then publication_date end) over (
            partition by application_number
        ) as published_date,
        min(case when is_grant then publication_date end) over (partition by application_number) as granted_date,
        count(*) over (partition by application_number) as publications_count
    from sorted

),

foremost as (

    select
        *,
        split_part(replace(replace(application_number, 'CN', ''), 'ZL', ''), '.', 1) as bare_number
    from ranked
    where leading_rank = 1

),

numbered as (

    -- forms of a number: 15 digits (kind, year), 12 or 13 (year of four digits), 8 or 9 (year of two, before 2003)
    select
        *,
        case
            when char_length(bare_number) = 15 then cast(substr(bare_number, 3, 4) as integer)
            when char_length(bare_number) >= 12 then cast(substr(bare_number, 1, 4) as integer)
            when substr(bare_number, 1, 1) in ('8', '9') then 1900 + cast(substr(bare_number, 1, 2) as integer)
            else 2000 + cast(substr(bare_number, 1, 2) as integer)
        end as number_year,
        case
            when char_length(bare_number) = 15 then substr(bare_number, 2, 1)
            when char_length(bare_number) >= 12 then substr(bare_number, 5, 1)
            else substr(bare_number, 3, 1)
        end in ('8', '9') as is_pct_entry
    from foremost

),

happened as (

    select
        application_number,
        min(case when event_type = 'lapse' then event_date end) as lapsed_date,
        min(case when event_type = 'pct_filing' then event_date end) as pct_filed_date,
        min(case when event_type = 'pledge' then event_date end) as pledged_date,
        min(
            case
                when event_type = 'pledge' and amount_cny >= {{ rule_value('high_value_pledge_cny') }} then event_date
            end
        ) as high_pledge_date,
        cast(sum(case when event_type = 'pledge' then amount_cny end) as numeric(24, 2)) as pledged_amount_cny,
        sum(case when event_type = 'pledge' then 1 else 0 end) as pledges_count,
        sum(case when event_type = 'transfer' then 1 else 0 end) as transfers_count,
        max(case when event_type = 'transfer' then event_date end) as last_transfer_date
    from events
    group by application_number

),

dated as (

    select
        numbered.*,
        happened.lapsed_date,
        happened.pct_filed_date,
        happened.pledged_date,
        happened.high_pledge_date,
        happened.pledged_amount_cny,
        coalesce(happened.pledges_count, 0) as pledges_count,
        coalesce(happened.transfers_count, 0) as transfers_count,
        happened.last_transfer_date,
        numbered.number_year > {{ year_of('numbered.application_date') }}
        and not numbered.is_pct_entry as is_divisional,
        -- several filings of one invention on one day (发明 and 实用新型): one family
        first_value(numbered.application_number) over (
            partition by numbered.first_applicant_name_key, numbered.title, numbered.application_date
            order by {{ bytewise('numbered.application_number') }}
        ) as family_application_number,
        {{ years_after(
            'numbered.application_date',
            'coalesce(terms.term_years, ' ~ rule_value('patent_term_years') ~ ')'
        ) }} as expires_date,
        {{ years_after('numbered.application_date', rule_value('high_value_kept_years')) }} as kept_date,
        strategic_subclasses.ipc_subclass is not null as is_strategic_class
    from numbered
    left join happened
        on numbered.application_number = happened.application_number
    left join terms
        on
            numbered.patent_kind = terms.patent_kind
            and numbered.application_date >= terms.filed_from
            and (terms.filed_until is null or numbered.application_date <= terms.filed_until)
    left join strategic_subclasses
        on substr(numbered.ipc_main, 1, 4) = strategic_subclasses.ipc_subclass

),

qualified as (

    -- of the five criteria of CNIPA four are in the feeds
    select
        *,
        case when is_strategic_class then granted_date end as strategic_date,
        {{ days_after('kept_date', 1) }} as kept_longer_date
    from dated

),

valued as (

    -- each criterion holds from a day on, and none before the grant
    select
        *,
        case
            when patent_kind = 'invention' and granted_date is not null
                then greatest(granted_date, least(strategic_date, pct_filed_date, high_pledge_date, kept_longer_date))
        end as high_value_from
    from qualified

)

select * from valued
