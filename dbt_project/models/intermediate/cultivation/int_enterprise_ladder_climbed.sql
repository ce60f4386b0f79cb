-- The highest rung of the methodology's ladder that a member stands on at the end of a year, and the year year_before.
with

members as (

    select * from {{ ref('int_park_members_dated') }}

),

recognitions as (

    select * from {{ ref('int_recognitions_attributed') }}

),

kinds as (

    select * from {{ source('methodology', 'recognition_kinds') }}
    where
        methodology_sha256 = '{{ var("methodology_sha256") }}'
        and points is not null

),

years as (

    select
        min(year) as first_year,
        max(year) as last_year
    from members

),

ranked as (

    select
        members.park_code,
        members.enterprise_id_uscc,
        members.year,
        kinds.recognition_kind as rung,
        kinds.points,
        recognitions.document_number,
        recognitions.source_batch_id,
        recognitions.source_file,
        recognitions.source_row,
        recognitions.known_at,
        row_number() over (
            partition by members.enterprise_id_uscc, members.year
            order by
                kinds.points desc, recognitions.valid_from asc, {{ bytewise('kinds.recognition_kind') }} asc,
                {{ bytewise('recognitions.document_number') }} asc, {{ bytewise('recognitions.source_file') }} asc,
                recognitions.source_row asc
        ) as rung_rank
    from members
    inner join recognitions
        on
            members.enterprise_id_uscc = recognitions.attributed_enterprise_id_uscc
            and members.last_day >= recognitions.valid_from
            and (recognitions.last_valid_day is null or members.last_day <= recognitions.last_valid_day)
    inner join kinds
        on recognitions.recognition_kind = kinds.recognition_kind

),

highest as (

    select * from ranked
    where rung_rank = 1

),

pairs as (

    -- this year's member with what it was at the end of the year before, wherever it was then
    select
        this_year.enterprise_id_uscc,
        this_year.year,
        this_year.park_code,
        this_year.rung,
        this_year.points,
        this_year.document_number,
        this_year.source_batch_id,
        this_year.source_file,
        this_year.source_row,
        this_year.known_at,
        year_before.park_code as previous_park_code,
        year_before.rung as previous_rung,
        year_before.points as previous_points
    from highest as this_year
    left join highest as year_before
        on
            this_year.enterprise_id_uscc = year_before.enterprise_id_uscc
            and this_year.year - 1 = year_before.year

    union all

    -- who stood on a rung of a park and stands on none of it now
    select
        year_before.enterprise_id_uscc,
        year_before.year + 1 as year,
        members.park_code,
        null as rung,
        null as points,
        year_before.document_number,
        year_before.source_batch_id,
        year_before.source_file,
        year_before.source_row,
        year_before.known_at,
        year_before.park_code as previous_park_code,
        year_before.rung as previous_rung,
        year_before.points as previous_points
    from highest as year_before
    cross join years
    left join highest as this_year
        on
            year_before.enterprise_id_uscc = this_year.enterprise_id_uscc
            and year_before.year + 1 = this_year.year
    left join members
        on
            year_before.enterprise_id_uscc = members.enterprise_id_uscc
            and year_before.year + 1 = members.year
    where
        this_year.enterprise_id_uscc is null
        and year_before.year < years.last_year

),

climbed as (

    select
        pairs.*,
        case
            when pairs.year = years.first_year then 'first_year'
            when pairs.rung is null and pairs.park_code is null then 'left_parks'
            when pairs.rung is null then 'left_ladder'
            when pairs.previous_rung is null then 'entered'
            when pairs.points > pairs.previous_points then 'up'
            when pairs.points < pairs.previous_points then 'down'
            else 'same'
        end as movement
    from pairs
    cross join years

)

select * from climbed
