-- Seen from a park: who came to it with a rung of another park moved in, who left to another park moved out.
with

ladder_climbed as (

    select * from {{ ref('int_enterprise_ladder_climbed') }}
    where movement <> 'first_year'

),

sided as (

    select
        park_code,
        year,
        coalesce(previous_rung, 'none') as from_rung,
        coalesce(rung, 'none') as to_rung,
        case
            when previous_park_code is not null and previous_park_code <> park_code then 'moved_in'
            else movement
        end as movement,
        enterprise_id_uscc
    from ladder_climbed
    where park_code is not null

    union all

    select
        previous_park_code as park_code,
        year,
        previous_rung as from_rung,
        coalesce(rung, 'none') as to_rung,
        case when park_code is null then 'left_parks' else 'moved_out' end as movement,
        enterprise_id_uscc
    from ladder_climbed
    where
        previous_park_code is not null
        and (park_code is null or park_code <> previous_park_code)

),

park_ladder_movements as (

    select
        ---------- ids
        park_code,

        ---------- texts
        from_rung,
        to_rung,
        movement,

        ---------- numerics
        year,
        count(*) as enterprises_count
    from sided
    group by park_code, year, from_rung, to_rung, movement

)

select * from park_ladder_movements
