-- The twelve months behind employees(e, t); employees is the sum of employees_share (a month without a row adds 0).
with

members as (

    select * from {{ ref('year_end_members') }}

),

headcounts as (

    select * from {{ ref('headcounts') }}

),

member_headcounts as (

    select
        ---------- ids
        members.park_code,
        members.enterprise_id_uscc,

        ---------- texts
        members.enterprise_name,

        ---------- numerics
        members.year,
        headcounts.insured_count,
        headcounts.insured_count / 12.0 as employees_share,
        headcounts.foreign_count,

        ---------- booleans
        members.is_leading_industry,

        ---------- dates
        headcounts.headcount_month,

        ---------- lineage
        headcounts.source_batch_id,
        headcounts.source_file,
        headcounts.source_row
    from members
    inner join headcounts
        on
            members.enterprise_id_uscc = headcounts.enterprise_id_uscc
            and members.year = headcounts.year

)

select * from member_headcounts
