{#- Values, scores, weights and shares are kept with 12 decimals, rounded half away from zero
    (docs/method/scores.md). -#}
{% macro kept(expression, digits=38) -%}
    cast({{ expression }} as numeric({{ digits }}, 12))
{%- endmacro %}


{#- A number as a person writes it: no zeros at its end. -#}
{% macro plain_number(expression) -%}
    cast(trim_scale({{ expression }}) as varchar(40))
{%- endmacro %}
