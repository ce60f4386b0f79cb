with

rounds as (

    select * from {{ ref('stg_financing_rounds__rounds') }}

),

links as (

    select * from {{ source('identity', 'enterprise_links') }}
    where identity_run_id = {{ var('identity_run_id') }}

),

attributed as (

    select
        rounds.*,
        links.enterprise_id_uscc as attributed_enterprise_id_uscc,
        coalesce(links.method, 'none') as link_method
    from rounds
    left join links
        on rounds.company_name_key = links.name_key

)

select * from attributed
