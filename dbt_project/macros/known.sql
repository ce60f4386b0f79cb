{#- Known time: what was received after `as_known` does not exist for this build. -#}
{% macro as_known() -%}
    cast('{{ var("as_known") }}' as timestamp with time zone)
{%- endmacro %}


{#- Whether a row of a raw table counts: known by then, and not withdrawn by a correction known by then. -#}
{% macro is_known(raw_table) -%}
    _known_at <= {{ as_known() }}
    and not exists (
        select 1
        from {{ source('ledger', 'withdrawn_rows') }} as gone
        where
            gone.batch_id = _batch_id
            and gone.table_name = '{{ raw_table }}'
            and gone.source_file = _source_file
            and gone.source_row = _source_row
            and gone.known_at <= {{ as_known() }}
    )
{%- endmacro %}


{#- Which of two rows of one key holds: that of the file that came later, then the later known, then the greater file
    name, then the greater row. A replayed row is known later than its file came; a newer file goes before it all the
    same. File names are compared byte by byte, so that two servers with different locales agree. -#}
{% macro known_last() -%}
    case
        when _batch_id in (select batch_id from {{ source('ledger', 'batches') }} where replays_batch_id is not null)
            then (select file_received_at from {{ source('ledger', 'batches') }} where batch_id = _batch_id)
        else _known_at
    end desc,
    _known_at desc,
    _source_file collate "C" desc,
    _source_row desc
{%- endmacro %}


{#- A text as it is compared byte by byte, whatever the locale. -#}
{% macro bytewise(text) -%}
    {{ text }} collate "C"
{%- endmacro %}


{#- Where a row came from, under the names it keeps to the marts. -#}
{% macro lineage() -%}
    _batch_id as source_batch_id,
        _source_file as source_file,
        _source_row as source_row,
        _known_at as known_at
{%- endmacro %}
