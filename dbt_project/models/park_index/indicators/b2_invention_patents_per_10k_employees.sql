-- B2 invention patents per 10,000 employees = distinct applications granted in t ÷ Σ employees × 10,000
with

members as (

    select * from {{ ref('year_end_members') }}

),

patents as (

    select * from {{ ref('patents') }}

),

grants as (

    -- kind B is the grant of an invention; an application published twice counts once, by its first publication
    select
        members.year,
        members.park_code,
        members.enterprise_id_uscc,
        patents.application_number,
        patents.source_batch_id,
        patents.source_file,
        patents.source_row,
        row_number() over (
            partition by members.year, members.enterprise_id_uscc, patents.application_number
            order by patents.publication_date, patents.publication_number
        ) as publication_rank
    from members
    inner join patents
        on
            members.enterprise_id_uscc = patents.first_applicant_enterprise_id_uscc
            and members.year = {{ year_of('patents.publication_date') }}
    where patents.kind = 'B'

),

contributions as (

    select
        year as edition,
        park_code,
        'B2' as indicator_code,
        'numerator' as side,
        enterprise_id_uscc,
        application_number as subject,
        1 as amount,
        'patents' as source_feed,
        source_batch_id,
        source_file,
        source_row
    from grants
    where publication_rank = 1

)

select * from contributions
