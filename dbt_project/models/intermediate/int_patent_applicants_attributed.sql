-- Applicants that are enterprises of the registry: the first from the gazette's own column, the others as identity
-- took them apart.
with

publications as (

    select * from {{ ref('stg_patents__publications') }}

),

further_applicants as (

    select * from {{ source('identity', 'further_applicants') }}
    where identity_run_id = {{ var('identity_run_id') }}

),

links as (

    select * from {{ source('identity', 'enterprise_links') }}
    where identity_run_id = {{ var('identity_run_id') }}

),

applicants as (

    select
        publication_number,
        kind,
        1 as position,
        first_applicant_name_key as name_key
    from publications

    union all

    select
        publication_number,
        kind,
        position,
        name_key
    from further_applicants

),

attributed as (

    select
        publications.publication_number,
        publications.kind,
        publications.application_number,
        publications.publication_date,
        applicants.position,
        links.enterprise_id_uscc,
        publications.source_batch_id,
        publications.source_file,
        publications.source_row,
        publications.known_at
    from applicants
    inner join links
        on applicants.name_key = links.name_key
    inner join publications
        on
            applicants.publication_number = publications.publication_number
            and applicants.kind = publications.kind

)

select * from attributed
