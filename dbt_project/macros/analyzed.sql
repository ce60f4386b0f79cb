{#- Statistics right after a table is built: the next model's plan must not rest on guesses. -#}
{% macro analyzed(relation) -%}
    {{ return(adapter.dispatch('analyzed')(relation)) }}
{%- endmacro %}


{% macro default__analyzed(relation) -%}
    analyze {{ relation }}
{%- endmacro %}


{% macro spark__analyzed(relation) -%}
    analyze table {{ relation }} compute statistics
{%- endmacro %}
