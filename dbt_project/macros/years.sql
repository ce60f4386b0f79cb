{% macro first_day(year) -%}
    make_date({{ year }}, 1, 1)
{%- endmacro %}


{% macro last_day(year) -%}
    make_date({{ year }}, 12, 31)
{%- endmacro %}


{#- Year of a date, as the integer it is compared with. -#}
{% macro year_of(date) -%}
    cast(extract(year from {{ date }}) as integer)
{%- endmacro %}
