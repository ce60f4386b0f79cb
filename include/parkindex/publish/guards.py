"""Triggers that refuse changes to what is kept: the ledger is written once.

They stop mistakes, ours included. Who owns the database can switch them off: what then changes is detected
(:mod:`parkindex.publish.verify`), not prevented.
"""

from __future__ import annotations

from parkindex import contracts
from parkindex.ledger import tables

# Rows of these are inserted and never changed: (schema, table).
APPEND_ONLY = (
    *(
        (str(table.schema), table.name)
        for table in tables.metadata.sorted_tables
        if table.schema in {"audit", "methodology", "privacy", "publish"} and table is not tables.current
    ),
    ("identity", "runs"),
    ("identity", "enterprise_links"),
    ("identity", "placements"),
    ("identity", "further_applicants"),
    ("identity", "plot_distances"),
    ("identity", "review_queue"),
    ("raw", "reject_events"),
    ("raw", "corrected_rows"),
    ("raw", "withdrawn_rows"),
    ("raw", "batch_figures"),
)

# Two services that start together would replace one function at once, which Postgres refuses. Held to the commit.
_ONE_AT_A_TIME = "select pg_advisory_xact_lock(7203150005)"

_REFUSE_CHANGE = """
create or replace function audit.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception using
        errcode = 'integrity_constraint_violation',
        message = tg_table_schema || '.' || tg_table_name || ' is append-only: ' || lower(tg_op) || ' refused',
        hint = 'A correction is a new row: a new release, batch or decision.';
end $$
"""

# Rows of providers' files. A loader may take back rows of the file it is loading, as long as nobody else has seen it;
# and a personal field may be emptied (`parkindex erase`), never filled or changed.
_REFUSE_CHANGED_ROW = """
create or replace function audit.refuse_changed_row() returns trigger language plpgsql as $$
declare
    kept jsonb;
begin
    if tg_op = 'DELETE' then
        if exists (
            select from raw.batches
            where batches.batch_id = old._batch_id and batches.status = 'loaded' and batches.rows_landed = 0
        ) then
            return old;
        end if;
    else
        kept := to_jsonb(new) - tg_argv;
        if kept = to_jsonb(old) - tg_argv
            and jsonb_strip_nulls(to_jsonb(new) - array(select jsonb_object_keys(kept))) <@ to_jsonb(old)
        then
            return new;
        end if;
    end if;
    raise exception using
        errcode = 'integrity_constraint_violation',
        message = tg_table_schema || '.' || tg_table_name || ' is append-only: ' || lower(tg_op) || ' refused',
        hint = 'A correction is a new batch: land the corrected file.';
end $$
"""

# Of a reject only what settled it may be filled in, once; and personal cells may be emptied (`parkindex erase`).
_REFUSE_REWRITTEN_REJECT = """
create or replace function audit.refuse_rewritten_reject() returns trigger language plpgsql as $$
begin
    if to_jsonb(new) - '{resolved_by,original_row}'::text[]
        is distinct from to_jsonb(old) - '{resolved_by,original_row}'::text[]
        or exists (
            select from json_each_text(old.original_row) with ordinality as before (header, cell, place)
            full join json_each_text(new.original_row) with ordinality as after (header, cell, place)
                on before.place = after.place
            where before.header is distinct from after.header
                or (before.cell is distinct from after.cell and after.cell is distinct from '[erased]')
        )
    then
        raise exception using
            errcode = 'integrity_constraint_violation',
            message = 'raw.rejects keeps rows as delivered: only resolved_by may be set',
            hint = 'Correct the file, land it again, and resolve the reject by the new batch.';
    end if;
    if old.resolved_by is not null and new.resolved_by is distinct from old.resolved_by then
        raise exception using
            errcode = 'integrity_constraint_violation',
            message = 'reject ' || old.reject_id || ' is settled by ' || old.resolved_by || ' already',
            hint = 'What is settled stays settled; parkindex rejects show tells its history.';
    end if;
    return new;
end $$
"""

# A reject is settled exactly when its history says what settled it: else rows could leave the account unseen.
_REFUSE_UNTOLD_SETTLEMENT = f"""
create or replace function audit.refuse_untold_settlement() returns trigger language plpgsql as $$
declare
    told constant integer := (
        select count(*) from raw.reject_events
        where reject_events.reject_id = new.reject_id
            and reject_events.event in ('{"', '".join(tables.SETTLING)}')
    );
    settled constant text := (select resolved_by from raw.rejects where rejects.reject_id = new.reject_id);
begin
    if told <> (settled is not null)::integer then
        raise exception using
            errcode = 'integrity_constraint_violation',
            message = 'reject ' || new.reject_id || ' is settled by ' || coalesce(settled, 'nothing')
                || ', and its history has ' || told || ' settling event(s)',
            hint = 'Settle rejects with the parkindex command.';
    end if;
    return null;
end $$
"""

# The loading transaction makes a batch, loads its rows and fills in how many there were. A loaded batch that others can
# see has landed at least one row, so nobody can fill in anything after that transaction.
_REFUSE_REWRITTEN_BATCH = """
create or replace function audit.refuse_rewritten_batch() returns trigger language plpgsql as $$
declare
    counts constant text[] := array[
        'rows_landed', 'rows_accepted', 'rows_rejected', 'rows_duplicate', 'reason', 'changes'
    ];
begin
    if old.status <> 'loaded' or old.rows_landed <> 0 or to_jsonb(new) - counts is distinct from to_jsonb(old) - counts
    then
        raise exception using
            errcode = 'integrity_constraint_violation',
            message = 'raw.batches is append-only: update refused',
            hint = 'A correction is a new batch: land the corrected file.';
    end if;
    return new;
end $$
"""

# The pointer moves to a later release of its own edition, or back to an earlier one when the later is withdrawn.
_REFUSE_STRAY_POINTER = """
create or replace function audit.refuse_stray_pointer() returns trigger language plpgsql as $$
begin
    if not exists (
        select from publish.releases
        where releases.release_id = new.release_id and releases.edition = new.edition
    ) then
        raise exception using
            errcode = 'integrity_constraint_violation',
            message = 'publish.current of edition ' || new.edition || ' cannot point at ' || new.release_id,
            hint = 'Publish or withdraw with the parkindex command.';
    end if;
    return new;
end $$
"""


def statements() -> list[str]:
    """Return DDL that can run again at any time: trigger functions, and the triggers that are not there yet."""
    made = [
        _ONE_AT_A_TIME,
        _REFUSE_CHANGE,
        _REFUSE_CHANGED_ROW,
        _REFUSE_REWRITTEN_REJECT,
        _REFUSE_UNTOLD_SETTLEMENT,
        _REFUSE_REWRITTEN_BATCH,
        _REFUSE_STRAY_POINTER,
    ]
    for schema, table in APPEND_ONLY:
        made.append(
            _trigger(schema, table, "append_only", "update or delete or truncate", "statement", "refuse_change")
        )
    for contract in contracts.load_all().values():
        for feed_table in contract.tables:
            personal = ", ".join(f"'{column.name}'" for column in feed_table.columns if column.is_personal)
            rows = f"refuse_changed_row({personal})"
            made.append(_trigger("raw", feed_table.raw_table, "kept", "truncate", "statement", "refuse_change"))
            made.append(_trigger("raw", feed_table.raw_table, "as_landed", "update or delete", "row", rows))
    made.append(_trigger("raw", "batches", "kept", "delete or truncate", "statement", "refuse_change"))
    made.append(_trigger("raw", "batches", "filled_in_once", "update", "row", "refuse_rewritten_batch"))
    made.append(_trigger("raw", "rejects", "kept", "delete or truncate", "statement", "refuse_change"))
    made.append(_trigger("raw", "rejects", "as_delivered", "update", "row", "refuse_rewritten_reject"))
    made.append(_deferred_trigger("raw", "rejects", "told", "update of resolved_by", "refuse_untold_settlement"))
    made.append(_deferred_trigger("raw", "reject_events", "told", "insert", "refuse_untold_settlement"))
    made.append(_trigger("publish", "current", "kept", "delete or truncate", "statement", "refuse_change"))
    made.append(_trigger("publish", "current", "own_edition", "insert or update", "row", "refuse_stray_pointer"))
    return made


def _trigger(schema: str, table: str, name: str, events: str, level: str, function: str) -> str:
    return _where_missing(
        schema,
        table,
        name,
        f"create trigger {name} before {events} on {schema}.{table} "
        f"for each {level} execute function audit.{function if '(' in function else f'{function}()'}",
    )


def _deferred_trigger(schema: str, table: str, name: str, events: str, function: str) -> str:
    """Return a trigger that judges rows at the end of their transaction, when all of it is written."""
    return _where_missing(
        schema,
        table,
        name,
        f"create constraint trigger {name} after {events} on {schema}.{table} deferrable initially deferred "
        f"for each row execute function audit.{function}()",
    )


def _where_missing(schema: str, table: str, name: str, statement: str) -> str:
    # Only when missing: replacing a trigger would wait for every writer of the table.
    return f"""
do $guard$ begin
    if not exists (
        select from pg_trigger where tgrelid = '{schema}.{table}'::regclass and tgname = '{name}'
    ) then
        {statement};
    end if;
end $guard$
"""
