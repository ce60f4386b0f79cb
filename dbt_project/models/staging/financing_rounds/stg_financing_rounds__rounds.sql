with

delivered as (

    select
        *,
        row_number() over (
            partition by brand_name_key, round_date, round
            order by {{ known_last() }}
        ) as known_rank
    from {{ source('financing_rounds', 'financing_rounds_v1') }}
    where {{ is_known('financing_rounds_v1') }}

),

renamed as (

    select
        ---------- texts
        brand_name,
        brand_name_key,
        enterprise_name,
        -- the registered name speaks when it is there, and is not helped out by the brand
        coalesce(enterprise_name_key, brand_name_key) as company_name_key,
        round as round_name,
        amount as amount_text,
        amount_currency,
        investors,

        ---------- numerics
        amount_amount as amount_exact,

        ---------- dates
        round_date,

        ---------- lineage
        {{ lineage() }}
    from delivered
    where known_rank = 1

)

select * from renamed
