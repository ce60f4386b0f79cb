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


{#- The day so many years after a date (28 February for the 29th); positional, which Postgres and Spark read alike. -#}
{% macro years_after(date, years) -%}
    cast({{ date }} + make_interval(cast({{ years }} as integer)) as date)
{%- endmacro %}


{% macro days_after(date, days) -%}
    cast({{ date }} + make_interval(0, 0, 0, {{ days }}) as date)
{%- endmacro %}
