with

delivered as (

    select
        *,
        row_number() over (
            partition by park_code, uscc_key, valid_from
            order by {{ known_last() }}
        ) as known_rank
    from {{ source('park_members', 'park_members_v1') }}
    where {{ is_known('park_members_v1') }}

),

renamed as (

    select
        ---------- ids
        park_code,
        uscc_key as enterprise_id_uscc,

        ---------- texts
        enterprise_name,
        enterprise_name_key,
        basis,

        ---------- dates
        valid_from,
        valid_to,

        ---------- lineage
        {{ lineage() }}
    from delivered
    where known_rank = 1

)

select * from renamed
