with

delivered as (

    select
        *,
        row_number() over (
            partition by range_id, valid_from
            order by {{ known_last() }}
        ) as known_rank
    from {{ source('street_ranges', 'street_ranges_v1') }}
    where {{ is_known('street_ranges_v1') }}

),

renamed as (

    select
        ---------- ids
        range_id,
        park_code,

        ---------- texts
        district,
        town,
        street,
        street_key,
        side,
        basis,

        ---------- numerics
        first_number,
        last_number,

        ---------- dates
        valid_from,
        valid_to,

        ---------- lineage
        {{ lineage() }}
    from delivered
    where known_rank = 1

)

select * from renamed
