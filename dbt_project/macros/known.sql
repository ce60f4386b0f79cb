{#- Known time: what was received after `as_known` does not exist for this build. -#}
{% macro as_known() -%}
    cast('{{ var("as_known") }}' as timestamp with time zone)
{%- endmacro %}


{#- Which of two rows of one key holds: the later known, then the greater file name, then the greater row. File names
    are compared byte by byte, so that two servers with different locales agree. -#}
{% macro known_last() -%}
    _known_at desc, _source_file collate "C" desc, _source_row desc
{%- endmacro %}


{#- Where a row came from, under the names it keeps to the marts. -#}
{% macro lineage() -%}
    _batch_id as source_batch_id,
        _source_file as source_file,
        _source_row as source_row,
        _known_at as known_at
{%- endmacro %}
