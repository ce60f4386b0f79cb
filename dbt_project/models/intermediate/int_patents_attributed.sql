with

publications as (

    select * from {{ ref('stg_patents__publications') }}

),

links as (

    select * from {{ source('identity', 'enterprise_links') }}
    where identity_run_id = {{ var('identity_run_id') }}

),

attributed as (

    select
        publications.*,
        links.enterprise_id_uscc as attributed_enterprise_id_uscc,
        coalesce(links.method, 'none') as link_method
    from publications
    left join links
        on publications.first_applicant_name_key = links.name_key

)

select * from attributed
