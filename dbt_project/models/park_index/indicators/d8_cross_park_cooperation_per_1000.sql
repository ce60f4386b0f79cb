-- D8 cross-park cooperation per 1,000
-- = (applications published in t by members of two parks + reported equity links and pairs) ÷ members × 1,000
with

members as (

    select * from {{ ref('year_end_members') }}

),

applicants as (

    select * from {{ ref('patent_applicants') }}

),

items as (

    select * from {{ ref('self_reported_items') }}

),

placed as (

    select
        members.year as edition,
        members.park_code,
        members.enterprise_id_uscc,
        applicants.application_number,
        applicants.publication_date,
        applicants.publication_number,
        applicants.kind,
        applicants.position,
        applicants.source_batch_id,
        applicants.source_file,
        applicants.source_row,
        min(members.park_code) over (partition by members.year, applicants.application_number) as first_park_code,
        max(members.park_code) over (partition by members.year, applicants.application_number) as last_park_code
    from applicants
    inner join members
        on
            applicants.enterprise_id_uscc = members.enterprise_id_uscc
            and members.year = {{ year_of('applicants.publication_date') }}

),

shared as (

    -- applicants of two parks; once for each park
    select
        *,
        row_number() over (
            partition by edition, application_number, park_code
            order by publication_date, publication_number, kind, position
        ) as publication_rank
    from placed
    where first_park_code <> last_park_code

),

contributions as (

    select
        edition,
        park_code,
        'D8' as indicator_code,
        'numerator' as side,
        enterprise_id_uscc,
        application_number as subject,
        1 as amount,
        'patents' as source_feed,
        source_batch_id,
        source_file,
        source_row
    from shared
    where publication_rank = 1

    union all

    {{ contributions_of_items('items', 'D8') }}

)

select * from contributions
