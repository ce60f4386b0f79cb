with

delivered as (

    select
        *,
        row_number() over (
            partition by uscc_key, month
            order by {{ known_last() }}
        ) as known_rank
    from {{ source('headcounts', 'headcounts_v1') }}
    where {{ is_known('headcounts_v1') }}

),

renamed as (

    select
        ---------- ids
        uscc_key as enterprise_id_uscc,

        ---------- numerics
        insured_count,
        bachelor_count,
        master_count,
        doctor_count,
        foreign_count,

        ---------- dates
        month as headcount_month,

        ---------- lineage
        {{ lineage() }}
    from delivered
    where known_rank = 1

)

select * from renamed
