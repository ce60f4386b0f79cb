with

recognitions as (

    select * from {{ ref('stg_recognitions__recognitions') }}

),

links as (

    select * from {{ source('identity', 'enterprise_links') }}
    where identity_run_id = {{ var('identity_run_id') }}

),

attributed as (

    select
        recognitions.*,
        coalesce(recognitions.enterprise_id_uscc, links.enterprise_id_uscc) as attributed_enterprise_id_uscc,
        case
            when recognitions.enterprise_id_uscc is not null then 'uscc'
            else coalesce(links.method, 'none')
        end as link_method
    from recognitions
    left join links
        on
            recognitions.enterprise_id_uscc is null
            and recognitions.enterprise_name_key = links.name_key

)

select * from attributed
