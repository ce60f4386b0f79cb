-- The edition that is evaluated and the one before it, which is computed by the same rules for the change of rank.
with

editions as (

    select {{ var('edition') }} as edition
    union all
    select {{ var('edition') }} - 1 as edition

),

dated as (

    select
        edition,
        {{ first_day('edition') }} as first_day,
        {{ last_day('edition') }} as last_day,
        {{ last_day('edition - 1') }} as last_day_before,
        {{ last_day('edition') }} - {{ last_day('edition - 1') }} as days_count
    from editions

)

select * from dated
