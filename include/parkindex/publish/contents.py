"""The rows of a release: read from a candidate, from the frozen tables or from what is served, and compared."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, Table, cast, column, select, table

from parkindex.ledger.tables import ANNEX_TABLES, CONTENT_TABLES, released_indicator_scores
from parkindex.publish import canonical, disclosure
from parkindex.publish.canonical import Row, Rows

# Columns of a release that no candidate's relation has: disclosure control fills them in.
ADDED_BY_CONTROL = ("conf_status", "commitment")
_NOT_COMPARED = frozenset({"release_id", "edition"})


@dataclass(frozen=True)
class Change:
    """One cell that differs between two sets of rows. Values are canonical texts; None is a null or a missing row."""

    table_name: str
    row_key: str
    column_name: str
    old_value: str | None
    new_value: str | None


def of_candidate(connection: Connection, schema_prefix: str) -> dict[str, list[Row]]:
    """Return what a candidate would publish, by table, each value in the type it is published in."""
    rows = {one.name: _read(connection, one, f"{schema_prefix}park_index", None) for one in CONTENT_TABLES}
    scores = released_indicator_scores.name
    rows[scores] = disclosure.public(rows[scores], disclosure.of_candidate(connection, schema_prefix))
    return rows


def of_release(
    connection: Connection, release_id: str, released: Iterable[Table] = CONTENT_TABLES
) -> dict[str, list[Row]]:
    """Return the frozen rows of a release, by table."""
    return {one.name: _read(connection, one, "publish", release_id) for one in released}


def served(connection: Connection, release_id: str) -> dict[str, list[Row]]:
    """Return what BI reads of a release, by table."""
    return {one.name: _read(connection, one, "serve", release_id) for one in CONTENT_TABLES}


def _read(connection: Connection, declared: Table, schema: str, release_id: str | None) -> list[Row]:
    """Read a relation as the table it is declared as, rows in the order of their keys."""
    skipped = {"release_id"} if release_id is not None else {"release_id", *ADDED_BY_CONTROL}
    columns = [one for one in declared.columns if one.name not in skipped]
    source = table(declared.name, column("release_id"), *(column(one.name) for one in columns), schema=schema)
    # The cast is the one that freezing does, so a candidate and its release have the same rows and the same hash.
    query = select(*(cast(source.c[one.name], one.type).label(one.name) for one in columns))
    if release_id is not None:
        query = query.where(source.c.release_id == release_id)
    added = {one.name: None for one in declared.columns if one.name in skipped - {"release_id"}}
    rows: list[Row] = [{**row, **added} for row in connection.execute(query).mappings()]
    # Sorted here: the order of Postgres is that of the server's locale.
    return sorted(rows, key=lambda row: row_key(declared, row))


def content_stream(rows: Rows) -> bytes:
    """Return the bytes whose hash is ``content_sha256``."""
    return canonical.stream(canonical.CONTENT_HEADING, CONTENT_TABLES, rows)


def annex_stream(rows: Rows) -> bytes:
    """Return the bytes whose hash is ``annex_sha256``."""
    return canonical.stream(canonical.ANNEX_HEADING, ANNEX_TABLES, rows)


def key_columns(declared: Table) -> list[str]:
    """Return the columns that name a row inside a release."""
    return [one.name for one in declared.primary_key.columns if one.name != "release_id"]


def row_key(declared: Table, row: Row) -> str:
    """Return the key of a row as text, for example ``P03/B2``."""
    return "/".join(str(row[name]) for name in key_columns(declared))


def changes(
    old: Rows, new: Rows, compared: Iterable[Table] = CONTENT_TABLES, but: frozenset[str] = _NOT_COMPARED
) -> list[Change]:
    """Compare two sets of rows cell by cell, in the order of tables, keys and columns, but for some columns.

    A row that stands on one side only gives a change for each of its cells that is not null.
    """
    found = []
    for declared in compared:
        keys = key_columns(declared)
        names = [one.name for one in declared.columns if one.name not in but and one.name not in keys]
        before = {row_key(declared, row): row for row in old[declared.name]}
        after = {row_key(declared, row): row for row in new[declared.name]}
        for key in sorted(before.keys() | after.keys()):
            for name in names:
                old_text = canonical.text_of(before.get(key, {}).get(name))
                new_text = canonical.text_of(after.get(key, {}).get(name))
                if old_text != new_text:
                    found.append(Change(declared.name, key, name, old_text, new_text))
    return found
