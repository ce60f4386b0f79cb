-- What the parks report themselves: every item of the methodology, whether it can be used, what it adds to its side.
with

items as (

    select * from {{ source('methodology', 'self_report_items') }}
    where methodology_sha256 = '{{ var("methodology_sha256") }}'

),

editions as (

    select * from {{ ref('evaluated_editions') }}

),

parks as (

    select * from {{ ref('parks') }}

),

reported as (

    select * from {{ ref('park_report_items') }}

),

rules as (

    select * from {{ ref('rules') }}

),

stated as (

    select
        editions.edition,
        parks.park_code,
        items.item_code,
        items.indicator_code,
        items.name_zh,
        items.position,
        items.side,
        items.factor,
        items.times_item,
        items.part_of,
        reported.item_value,
        case
            when reported.item_code is null then 'is not reported'
            when reported.item_value is null then 'has no value'
            when reported.item_value < 0 then 'is negative'
            when reported.item_unit <> items.unit
                then 'is reported in ' || reported.item_unit || ', not in ' || items.unit
            when rules.needs_evidence and coalesce(trim(reported.evidence), '') = '' then 'has no evidence'
            when reported.item_value > items.highest then 'is above ' || {{ plain_number('items.highest') }}
        end as own_problem,
        reported.source_batch_id,
        reported.source_file,
        reported.source_row
    from editions
    cross join parks
    cross join items
    cross join rules
    left join reported
        on
            editions.edition = reported.year
            and parks.park_code = reported.park_code
            and items.item_code = reported.item_code

),

judged as (

    select
        stated.*,
        times.item_value as times_value,
        coalesce(times.own_problem is null and times.item_value = 0, false) as is_times_nothing,
        case
            when stated.own_problem is not null then stated.own_problem
            when wholes.own_problem is not null
                then 'is a part of ' || stated.part_of || ', which ' || wholes.own_problem
            when stated.item_value > wholes.item_value
                then 'is more than ' || stated.part_of || ', which it is a part of'
        end as problem
    from stated
    left join stated as times
        on
            stated.edition = times.edition
            and stated.park_code = times.park_code
            and stated.times_item = times.item_code
    left join stated as wholes
        on
            stated.edition = wholes.edition
            and stated.park_code = wholes.park_code
            and stated.part_of = wholes.item_code

),

self_reported_items as (

    select
        ---------- ids
        park_code,
        item_code,
        indicator_code,

        ---------- texts
        side,
        item_code || ' ' || name_zh as subject,
        -- a score of no incubatees is not needed
        case
            when problem is not null and not is_times_nothing
                then 'item ' || item_code || ' of the park''s report of ' || edition || ' ' || problem
        end as gap,

        ---------- numerics
        edition,
        position,
        case when problem is null then factor * item_value * coalesce(times_value, 1) end as amount,

        ---------- lineage
        source_batch_id,
        source_file,
        source_row
    from judged

)

select * from self_reported_items
