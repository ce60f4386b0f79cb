-- C3 net entry rate, % = (registrations − ends + moves in − moves out) ÷ members at the end of t−1 × 100
with

enterprises as (

    select * from {{ ref('enterprises') }}

),

registrations as (

    select * from {{ ref('enterprise_registrations') }}

),

moves as (

    select * from {{ ref('park_moves') }}

),

members as (

    select * from {{ ref('year_end_members') }}

),

contributions as (

    select
        {{ year_of('enterprises.registered_date') }} as edition,
        enterprises.registered_park_code as park_code,
        'C3' as indicator_code,
        'numerator' as side,
        enterprises.enterprise_id_uscc,
        registrations.enterprise_name as subject,
        1 as amount,
        'enterprise_registry' as source_feed,
        registrations.source_batch_id,
        registrations.source_file,
        registrations.source_row
    from enterprises
    inner join registrations
        on
            enterprises.enterprise_id_uscc = registrations.enterprise_id_uscc
            and enterprises.registered_date >= registrations.valid_from
            and (registrations.valid_to is null or enterprises.registered_date < registrations.valid_to)
    where enterprises.registered_park_code is not null

    union all

    select
        {{ year_of('ended_date') }} as edition,
        ended_park_code as park_code,
        'C3' as indicator_code,
        'numerator' as side,
        enterprise_id_uscc,
        enterprise_name as subject,
        -1 as amount,
        'enterprise_registry' as source_feed,
        source_batch_id,
        source_file,
        source_row
    from enterprises
    where ended_park_code is not null

    union all

    select
        {{ year_of('moved_date') }} as edition,
        to_park_code as park_code,
        'C3' as indicator_code,
        'numerator' as side,
        enterprise_id_uscc,
        enterprise_name as subject,
        1 as amount,
        'enterprise_registry' as source_feed,
        source_batch_id,
        source_file,
        source_row
    from moves
    where to_park_code is not null

    union all

    select
        {{ year_of('moved_date') }} as edition,
        from_park_code as park_code,
        'C3' as indicator_code,
        'numerator' as side,
        enterprise_id_uscc,
        enterprise_name as subject,
        -1 as amount,
        'enterprise_registry' as source_feed,
        source_batch_id,
        source_file,
        source_row
    from moves
    where from_park_code is not null

    union all

    select
        year + 1 as edition,
        park_code,
        'C3' as indicator_code,
        'denominator' as side,
        enterprise_id_uscc,
        enterprise_name as subject,
        1 as amount,
        'enterprise_registry' as source_feed,
        source_batch_id,
        source_file,
        source_row
    from members

)

select * from contributions
