-- B6 enterprises with a disclosed equity round, per 1,000
-- = distinct members with such a round dated in t ÷ members × 1,000
with

members as (

    select * from {{ ref('year_end_members') }}

),

rounds as (

    select * from {{ ref('financing_rounds') }}

),

equity_rounds as (

    select * from {{ ref('equity_round_names') }}

),

funded as (

    -- an enterprise with several rounds counts once, by the first
    select
        members.year,
        members.park_code,
        members.enterprise_id_uscc,
        members.enterprise_name,
        rounds.source_batch_id,
        rounds.source_file,
        rounds.source_row,
        row_number() over (
            partition by members.year, members.enterprise_id_uscc
            order by rounds.round_date, rounds.source_file, rounds.source_row
        ) as round_rank
    from members
    inner join rounds
        on
            members.enterprise_id_uscc = rounds.enterprise_id_uscc
            and members.year = {{ year_of('rounds.round_date') }}
    inner join equity_rounds
        on rounds.round_name = equity_rounds.round_name

),

contributions as (

    select
        year as edition,
        park_code,
        'B6' as indicator_code,
        'numerator' as side,
        enterprise_id_uscc,
        enterprise_name as subject,
        1 as amount,
        'financing_rounds' as source_feed,
        source_batch_id,
        source_file,
        source_row
    from funded
    where round_rank = 1

)

select * from contributions
