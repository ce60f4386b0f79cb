with

applications_dated as (

    select * from {{ ref('int_patent_applications_dated') }}

),

patent_applications as (

    select
        ---------- ids
        application_number,
        family_application_number,
        publication_number as leading_publication_number,
        attributed_enterprise_id_uscc as first_applicant_enterprise_id_uscc,

        ---------- texts
        patent_kind,
        title,
        first_applicant_name,
        ipc_main,

        ---------- numerics
        number_year,
        applicant_count,
        publications_count,
        transfers_count,
        pledges_count,
        pledged_amount_cny,

        ---------- booleans
        is_divisional,
        is_pct_entry,
        is_strategic_class,

        ---------- dates
        application_date,
        published_date,
        granted_date,
        lapsed_date,
        expires_date,
        pct_filed_date,
        pledged_date,
        high_pledge_date,
        last_transfer_date,
        kept_date,
        high_value_from,

        ---------- lineage
        source_batch_id,
        source_file,
        source_row,
        known_at
    from applications_dated

)

select * from patent_applications
