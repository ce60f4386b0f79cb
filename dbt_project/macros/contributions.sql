{#- What a park's own report adds to an indicator: the usable items, from a CTE over self_reported_items. -#}
{% macro contributions_of_items(items, indicator_code) -%}
    select
        edition,
        park_code,
        indicator_code,
        side,
        cast(null as varchar(18)) as enterprise_id_uscc,
        subject,
        amount,
        'park_reports' as source_feed,
        source_batch_id,
        source_file,
        source_row
    from {{ items }}
    where
        indicator_code = '{{ indicator_code }}'
        and amount is not null
{%- endmacro %}
