with

events as (

    select * from {{ ref('stg_patent_events__events') }}

),

links as (

    select * from {{ source('identity', 'enterprise_links') }}
    where identity_run_id = {{ var('identity_run_id') }}

),

attributed as (

    select
        events.*,
        coalesce(events.holder_uscc_key, links.enterprise_id_uscc) as attributed_enterprise_id_uscc,
        case
            when events.holder_uscc_key is not null then 'uscc'
            else coalesce(links.method, 'none')
        end as link_method,
        receivers.enterprise_id_uscc as counterparty_enterprise_id_uscc
    from events
    left join links
        on
            events.holder_uscc_key is null
            and events.holder_name_key = links.name_key
    -- only who receives a patent was asked for by identity: a bank that takes a pledge is nobody's enterprise
    left join links as receivers
        on
            events.event_type = 'transfer'
            and events.counterparty_name_key = receivers.name_key

)

select * from attributed
