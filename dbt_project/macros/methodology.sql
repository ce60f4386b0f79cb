{#- One number of the methodology that a build uses (`methodology.rules`), as a scalar. -#}
{% macro rule_value(code) -%}
    (
        select value_numeric
        from {{ source('methodology', 'rules') }}
        where methodology_sha256 = '{{ var("methodology_sha256") }}' and rule_code = '{{ code }}'
    )
{%- endmacro %}


{#- Points of the highest band of a scale that a value reaches; null when the value is not known. -#}
{% macro band_points(scale, value) -%}
    (
        select max(bands.points)
        from {{ ref('score_bands') }} as bands
        where bands.scale = '{{ scale }}' and bands.from_value <= {{ value }}
    )
{%- endmacro %}


{#- A report's number in its base unit: items are reported in the units of the template. -#}
{% macro item(code, factor=1) -%}
    cast(max(case when item_code = '{{ code }}' then item_value end) * {{ factor }} as numeric(24, 6))
{%- endmacro %}


{#- The lower end of one of the zone's targets (`methodology.zone_targets`), as a scalar. -#}
{% macro target_value(code) -%}
    (
        select goal_low
        from {{ source('methodology', 'zone_targets') }}
        where methodology_sha256 = '{{ var("methodology_sha256") }}' and target_code = '{{ code }}'
    )
{%- endmacro %}
