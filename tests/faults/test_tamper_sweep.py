"""Any single cell or row that a release's chain protects, changed by who owns the database, is found by ``verify``.

The columns are those of the catalogue, so that none can be forgotten. What the chain does not protect stands in
``BESIDE_THE_CHAIN``: a new table of the ledger has to be protected or named there.
"""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from parkindex.errors import BadInputError
from parkindex.ledger import tables
from parkindex.publish import verify

PROTECTED = (
    tables.releases,
    tables.current,
    tables.grounds,
    tables.candidates,
    tables.approvals,
    tables.approvers,
    tables.waivers,
    tables.withdrawals,
    tables.gate_runs,
    tables.expectation_results,
    tables.withheld_cells,
    *tables.RELEASED_TABLES,
)
# Records beside releases: who tried, when, who was shown what, registers that go on after a release.
BESIDE_THE_CHAIN = {
    "audit.attempts",
    "publish.anchor_receipts",
    "publish.approver_endings",
    "publish.candidate_files",
    "publish.objection_corrections",
    "publish.objection_decisions",
    "publish.objections",
    "publish.preview_accesses",
    "publish.release_calendar",
    "publish.status_decisions",
}
# Without a row in a first release that needed no signature.
EMPTY = {"waivers", "withdrawals", "revisions", "status_changes", "withheld_cells", "park_quality"}
# Type of a column → what it is changed to, and what stands in for a null.
OTHER = {
    "text": ("{0} || '改'", "'改'"),
    "numeric": ("{0} + 1", "1"),
    "integer": ("{0} + 1", "1"),
    "smallint": ("{0} + 1", "1"),
    "bigint": ("{0} + 1", "1"),
    "boolean": ("not {0}", "true"),
    "timestamp with time zone": ("{0} + interval '1 microsecond'", "now()"),
    "jsonb": ("""jsonb_build_array({0}, '改'::text)""", """'["改"]'::jsonb"""),
}
COLUMNS = (
    "select column_name, data_type from information_schema.columns where table_schema = :schema and table_name = :table"
    " order by ordinal_position"
)


def test_every_table_of_the_ledger_is_protected_or_named() -> None:
    protected = {f"{one.schema}.{one.name}" for one in PROTECTED}
    ledger = {f"{one.schema}.{one.name}" for one in tables.metadata.sorted_tables if one.schema in ("audit", "publish")}
    assert ledger - protected == BESIDE_THE_CHAIN
    assert not protected & BESIDE_THE_CHAIN


@pytest.mark.parametrize("place", range(len(PROTECTED)), ids=[one.name for one in PROTECTED])
def test_any_cell_or_row_that_was_changed_is_found(published: Any, place: int, request: pytest.FixtureRequest) -> None:
    """Every fourth column of a table, beginning with another one in each; all of them with ``--whole``."""
    table = PROTECTED[place]
    name = f"{table.schema}.{table.name}"
    if not published.sql(f"select 1 from {name} limit 1"):
        assert table.name in EMPTY
        return
    columns = published.sql(COLUMNS, schema=str(table.schema), table=table.name)
    assert {row.column_name for row in columns} == {one.name for one in table.columns}
    with published.engine.connect() as connection:
        (row,) = connection.execute(text(f"select min(ctid::text) as place from {name}"))
        step = 1 if request.config.getoption("--whole") else 4
        for column in columns[place % step :: step]:
            changed, instead = OTHER[column.data_type]
            other = (
                f"case when {column.column_name} is null then {instead} else {changed.format(column.column_name)} end"
            )
            found = _found(
                published,
                connection,
                f"update {name} set {column.column_name} = {other} where ctid::text = :place",
                row,
            )
            assert found is None or table.name in found or name in found, (name, column.column_name, found)
        found = _found(published, connection, f"delete from {name} where ctid::text = :place", row)
        assert found, (name, "a row is missing")
    assert verify.verify_warehouse(published.engine, published.settings) == []


def _found(house: Any, connection: Connection, statement: str, row: Any) -> str | None:
    """Return what ``verify`` says while the statement holds, and take it back; None when Postgres refuses it."""
    connection.rollback()
    connection.execute(text("set local session_replication_role = replica"))  # no trigger, no foreign key
    try:
        connection.execute(text(statement), {"place": row.place})
        return " ".join(f"{one.what}: {one.where}" for one in verify.findings(connection, house.settings))
    except IntegrityError:
        return None
    except BadInputError as error:  # a commitment where there was none: it asks for the key of the house that made it
        return f"indicator_scores: {error.what}"
    finally:
        connection.rollback()
