{#- A generation that stands under the prefix is brought forward by what came since (include/parkindex/transform/
    generations.py): the models with these macros make only the keys again whose rows may have changed. -#}
{% macro changed(name) -%}
{{ var('schema_prefix') }}staging.changed__{{ name }}
{%- endmacro %}


{#- Before a staging model: list the keys of raw rows that came or were withdrawn since, and forget them. `keys` is
    {column of the raw table: column of the model}. -#}
{% macro forget_delivered(name, source_table, keys) %}
{%- if is_incremental() -%}
{%- set raw_table = source_table.identifier -%}
drop table if exists {{ changed(name) }};
create table {{ changed(name) }} as
select distinct {% for raw, column in keys.items() %}{{ raw }} as {{ column }}{{ ', ' if not loop.last }}{% endfor %}
from {{ source_table }} as delivered
where
delivered._batch_id in (select batch_id from {{ changed('batches') }})
or exists (
select 1 from {{ changed('withdrawals') }} as gone
where
gone.table_name = '{{ raw_table }}' and gone.batch_id = delivered._batch_id
and gone.source_file = delivered._source_file and gone.source_row = delivered._source_row
);
{{ forget(name, keys.values()) }}
{%- else -%}
select 1
{%- endif -%}
{% endmacro %}


{% macro forget_delivered_registrations() %}
{{ forget_delivered(
'registrations', source('enterprise_registry', 'enterprise_registry_v1'), {'uscc_key': 'enterprise_id_uscc'}
) }}
{% endmacro %}


{% macro forget_delivered_headcounts() %}
{{ forget_delivered(
'headcounts', source('headcounts', 'headcounts_v1'),
{'uscc_key': 'enterprise_id_uscc', 'month': 'headcount_month'}
) }}
{% endmacro %}


{% macro forget_delivered_publications() %}
{{ forget_delivered(
'publications', source('patents', 'patents_v1'), {'publication_number': 'publication_number', 'kind': 'kind'}
) }}
{% endmacro %}


{#- Take the rows of changed keys out of a model. -#}
{% macro forget(name, columns) %}
analyze {{ changed(name) }};
delete from {{ this }} as kept
using {{ changed(name) }} as changed_keys
where {% for column in columns %}kept.{{ column }} = changed_keys.{{ column }}{{ ' and ' if not loop.last }}{% endfor %}
{% endmacro %}


{#- Before a model whose rows depend on the same keys as another one's. -#}
{% macro forget_as(name, columns) %}
{%- if is_incremental() -%}{{ forget(name, columns) }}{%- else -%}select 1{%- endif -%}
{% endmacro %}


{#- Keys whose rows differ between the identity run of the generation and the one that is used now. -#}
{% macro differing(source_table, key, columns) %}
{%- set now = 'select ' ~ columns | join(', ') ~ ' from ' ~ source_table
~ ' where identity_run_id = ' ~ var('identity_run_id') -%}
{%- set then = 'select ' ~ columns | join(', ') ~ ' from ' ~ source_table
~ ' where identity_run_id = ' ~ var('previous_identity_run_id') -%}
select {{ key }} from (({{ now }} except {{ then }}) union all ({{ then }} except {{ now }})) as differing_rows
{% endmacro %}


{#- Before `enterprises`: registry rows that changed, and stays that changed. -#}
{% macro forget_enterprises() %}
{%- if is_incremental() -%}
drop table if exists {{ changed('enterprises') }};
create table {{ changed('enterprises') }} as
select enterprise_id_uscc from {{ changed('registrations') }}
union
{{ differing(
source('identity', 'placements'), 'enterprise_id_uscc',
['enterprise_id_uscc', 'valid_from', 'valid_to', 'park_code']
) }};
{{ forget('enterprises', ['enterprise_id_uscc']) }}
{%- else -%}
select 1
{%- endif -%}
{% endmacro %}


{#- Before `patents`: publications that changed, and those whose first applicant is another enterprise now. -#}
{% macro forget_patents() %}
{%- if is_incremental() -%}
drop table if exists {{ changed('patents') }};
create table {{ changed('patents') }} as
select publication_number, kind from {{ changed('publications') }}
union
select publication_number, kind from {{ ref('int_patents_attributed') }}
where first_applicant_name_key in (
{{ differing(
source('identity', 'enterprise_links'), 'name_key', ['name_key', 'enterprise_id_uscc', 'method']
) }}
);
{{ forget('patents', ['publication_number', 'kind']) }}
{%- else -%}
select 1
{%- endif -%}
{% endmacro %}


{#- In a model: only the changed keys, when a generation is brought forward; written after a `where`. `of` names the
    columns of the model's input when they are called otherwise. -#}
{% macro only_changed(name, columns, of=none) -%}
{%- if is_incremental() -%}
({{ (of or columns) | join(', ') }}) in (select {{ columns | join(', ') }} from {{ changed(name) }})
{%- else -%}
true
{%- endif -%}
{%- endmacro %}
