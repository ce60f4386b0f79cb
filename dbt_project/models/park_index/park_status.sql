with

parks as (

    select * from {{ ref('parks') }}

),

rules as (

    select * from {{ ref('rules') }}

),

park_status as (

    -- 一次通报、两次摘牌 presupposes a definition of 不合格, which the policy text does not give: nothing is inferred
    select
        {{ var('edition') }} as edition,
        parks.park_code,
        'not_assessed' as status,
        cast(null as integer) as strikes,
        rules.status_rule as rule,
        'The methodology adopts no rule for 不合格, so no status is derived from rank, tier or score.' as evidence
    from parks
    cross join rules

)

select * from park_status
