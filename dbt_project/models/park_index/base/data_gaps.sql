-- Why an indicator has no value although it is computed: the first of its requirements that is not met. A sum over
-- nothing delivered is not a zero.
with

delivered_facts as (

    select * from {{ ref('delivered_facts') }}

),

requirements as (

    select * from {{ ref('indicator_requirements') }}

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

ranked as (

    select
        unmet.edition,
        unmet.park_code,
        requirements.indicator_code,
        unmet.reason,
        row_number() over (
            partition by unmet.edition, unmet.park_code, requirements.indicator_code
            order by requirements.position
        ) as gap_rank
    from unmet
    inner join requirements
        on unmet.fact = requirements.fact

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
