-- revenue(e, t) of the enterprises in a park at the end of t. Who did not report is not here, and is not a zero.
with

members as (

    select * from {{ ref('year_end_members') }}

),

accounts as (

    select * from {{ ref('enterprise_accounts') }}

),

member_accounts as (

    select
        ---------- ids
        members.park_code,
        members.enterprise_id_uscc,

        ---------- texts
        members.enterprise_name,
        members.industry_code_gbt4754_2017,

        ---------- numerics
        members.year,
        accounts.revenue_cny,
        accounts.rd_expenditure_cny,
        accounts.value_added_cny,
        accounts.total_assets_cny,

        ---------- booleans
        members.is_leading_industry,

        ---------- lineage
        accounts.source_batch_id,
        accounts.source_file,
        accounts.source_row
    from members
    inner join accounts
        on
            members.enterprise_id_uscc = accounts.enterprise_id_uscc
            and members.year = accounts.year

)

select * from member_accounts
