-- Each enterprise among an application's applicants, with the part of the application that is its own when every
-- applicant counts the same.
with

applications as (

    select * from {{ ref('int_patent_applications_dated') }}

),

applicants as (

    select * from {{ ref('int_patent_applicants_attributed') }}

),

counted as (

    select
        applications.application_number,
        applicants.enterprise_id_uscc,
        applications.patent_kind,
        applications.applicant_count,
        applications.application_date,
        applications.granted_date,
        applications.source_batch_id,
        applications.source_file,
        applications.source_row,
        applications.known_at,
        min(applicants.position) as first_position,
        count(*) as positions_count
    from applications
    inner join applicants
        on
            applications.publication_number = applicants.publication_number
            and applications.kind = applicants.kind
    group by
        applications.application_number, applicants.enterprise_id_uscc, applications.patent_kind,
        applications.applicant_count, applications.application_date, applications.granted_date,
        applications.source_batch_id, applications.source_file, applications.source_row, applications.known_at

)

select * from counted
