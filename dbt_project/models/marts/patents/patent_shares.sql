with

shares_counted as (

    select * from {{ ref('int_patent_shares_counted') }}

),

patent_shares as (

    select
        ---------- ids
        application_number,
        enterprise_id_uscc,

        ---------- texts
        patent_kind,

        ---------- numerics
        applicant_count,
        first_position,
        case when first_position = 1 then 1 else 0 end as first_applicant_count,
        cast(positions_count / cast(applicant_count as numeric(18, 9)) as numeric(18, 9)) as fractional_count,

        ---------- dates
        application_date,
        granted_date,

        ---------- lineage
        source_batch_id,
        source_file,
        source_row,
        known_at
    from shares_counted

)

select * from patent_shares
