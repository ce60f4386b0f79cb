{#- Rows that share a key, or lack a part of it: neither may be. `nullable` names parts that a feed may leave out. -#}
{% test unique_key(model, columns, nullable=[]) %}
    select {{ columns | join(', ') }}
    from {{ model }}
    group by {{ columns | join(', ') }}
    having count(*) > 1
    {% for column in columns if column not in nullable %}
        or {{ column }} is null
    {% endfor %}
{% endtest %}


{#- Rows without a value in one of the columns. -#}
{% test known(model, columns) %}
    select {{ columns | join(', ') }}
    from {{ model }}
    where {{ columns | join(' is null or ') }} is null
{% endtest %}
