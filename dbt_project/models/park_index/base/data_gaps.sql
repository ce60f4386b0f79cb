-- Why an indicator has no value although it is computed: the first of its requirements that is not met. A sum over
-- nothing delivered is not a zero.
with

delivered_facts as (

    select * from {{ ref('delivered_facts') }}

),

requirements as (

    select * from {{ ref('indicator_requirements') }}

),

self_reported_items as (

    select * from {{ ref('self_reported_items') }}

),

unmet as (

    {% for fact, reason in [
        ('has_plots', "'no plot of the park was valid in ' || edition"),
        ('has_declared_industries', "'the park declared no leading industries for ' || edition"),
        ('has_classes', "'no enterprise in the parks has a GB/T 4754-2017 class at the end of ' || edition"),
        ('has_classified_registrations', "'no enterprise registered in the parks in ' || edition || ' has a GB/T 4754-2017 class'"),
        ('has_accounts', "'no accounts of ' || edition || ' for any enterprise in the parks'"),
        ('has_accounts_before', "'no accounts of ' || (edition - 1) || ' for any enterprise in the parks'"),
        ('has_rd', "'no R&D expenditure of ' || edition || ' for any enterprise in the parks'"),
        ('has_headcounts', "'no insured headcounts of ' || edition || ' for any enterprise in the parks'"),
        ('has_registry_rows', "'no registry row dated in ' || edition"),
        ('has_grants', "'no invention grant dated in ' || edition"),
        ('has_rounds', "'no financing round dated in ' || edition"),
        ('has_plots_at_end', "'no plot of the park was valid on 31 December ' || edition"),
        ('has_value_added', "'no value added of ' || edition || ' for any enterprise in the parks'"),
        ('has_foreign_counts', "'no headcount of foreign staff of ' || edition || ' for any enterprise in the parks'"),
        ('has_patent_stock', "'no invention grant dated by the end of ' || edition"),
        ('has_publications', "'no patent publication dated in ' || edition"),
        ('has_patent_events', "'no patent event dated by the end of ' || edition"),
        ('has_pct_filings', "'no PCT filing dated in ' || edition"),
        ('has_ladder_lists', "'no list of the gradient ladder valid by the end of ' || edition"),
        ('has_leader_lists', "'no list of chain or technology leaders valid by the end of ' || edition"),
        ('has_recognitions', "'no list of unicorns or hidden champions valid by the end of ' || edition"),
    ] %}
        select
            edition,
            park_code,
            '{{ fact }}' as fact,
            {{ reason }} as reason
        from delivered_facts
        where not {{ fact }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

gaps as (

    -- what was delivered is looked at before what the park itself reports
    select
        unmet.edition,
        unmet.park_code,
        requirements.indicator_code,
        unmet.reason,
        1 as step,
        requirements.position
    from unmet
    inner join requirements
        on unmet.fact = requirements.fact

    union all

    select
        edition,
        park_code,
        indicator_code,
        gap as reason,
        2 as step,
        position
    from self_reported_items
    where gap is not null

),

ranked as (

    select
        edition,
        park_code,
        indicator_code,
        reason,
        row_number() over (
            partition by edition, park_code, indicator_code
            order by step, position
        ) as gap_rank
    from gaps

),

data_gaps as (

    select
        edition,
        park_code,
        indicator_code,
        reason
    from ranked
    where gap_rank = 1

)

select * from data_gaps
