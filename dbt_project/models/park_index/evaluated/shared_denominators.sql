-- Denominators that several indicators share, once: the members of a park, and the months behind their employees.
with

members as (

    select * from {{ ref('year_end_members') }}

),

member_headcounts as (

    select * from {{ ref('member_headcounts') }}

),

shared as (

    select
        year as edition,
        park_code,
        'enterprises' as denominator_kind,
        enterprise_id_uscc,
        enterprise_name as subject,
        1 as amount,
        'enterprise_registry' as source_feed,
        source_batch_id,
        source_file,
        source_row
    from members

    union all

    select
        year as edition,
        park_code,
        'employees' as denominator_kind,
        enterprise_id_uscc,
        enterprise_name as subject,
        employees_share as amount,
        'headcounts' as source_feed,
        source_batch_id,
        source_file,
        source_row
    from member_headcounts

),

shared_denominators as (

    select * from shared
    where edition in ({{ var('edition') }}, {{ var('edition') }} - 1)

)

select * from shared_denominators
