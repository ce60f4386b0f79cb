"""What a release rests on: its candidate's record, the decisions, who made them, the verdict and each expectation.

None of it is content; all of it must stay as it was. When a release is published, the hash of each of these rows is
kept beside it (``publish.grounds``), and the hash of these hashes is part of the chain: a decision, a remark, a verdict
or an expectation's result that is changed, added or taken away later is found and named.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, select

from parkindex.ledger import tables
from parkindex.publish import canonical
from parkindex.publish.canonical import Row

HEADING = ("parkindex.grounds", 1)


def of_candidate(connection: Connection, candidate_id: str, gate_run_id: int) -> list[Row]:
    """Return the rows of ``publish.grounds`` for a candidate and the verdict it is published on, as they are now.

    Returns:
        ``{"table_name", "row_key", "row_sha256"}``, in the order of tables and keys.
    """
    found: list[Row] = []
    for table, condition in _sources(candidate_id, gate_run_id):
        keys = [column.name for column in table.primary_key.columns]
        for row in connection.execute(select(table).where(condition)).mappings():
            cells = {name: _text_of(value) for name, value in row.items() if value is not None}
            found.append(
                {
                    "table_name": f"{table.schema}.{table.name}",
                    "row_key": "/".join(str(row[name]) for name in keys),
                    "row_sha256": canonical.sha256(canonical.dumps(cells).encode()),
                }
            )
    # Sorted here: the order of Postgres is that of the server's locale.
    return sorted(found, key=lambda row: (row["table_name"], row["row_key"]))


def _sources(candidate_id: str, gate_run_id: int) -> Iterator[tuple[Table, ColumnElement[bool]]]:
    made = tables.approvals.c
    yield tables.candidates, tables.candidates.c.candidate_id == candidate_id
    yield tables.approvals, made.candidate_id == candidate_id
    signers = select(tables.waivers.c.signed_by).where(tables.waivers.c.candidate_id == candidate_id)
    deciders = select(made.approver).where(made.candidate_id == candidate_id).union(signers)
    yield tables.approvers, tables.approvers.c.approver.in_(deciders)
    signed = tables.waivers.c
    yield tables.waivers, signed.candidate_id == candidate_id
    yield tables.gate_runs, tables.gate_runs.c.gate_run_id == gate_run_id
    yield tables.expectation_results, tables.expectation_results.c.gate_run_id == gate_run_id


def _text_of(value: Any) -> str | None:
    """Return a cell as text: canonical, and JSON columns as canonical JSON."""
    return canonical.dumps(value) if isinstance(value, list | dict) else canonical.text_of(value)


def of_release(connection: Connection, release_id: str) -> list[Row]:
    """Return the rows kept with a release, in the order of tables and keys."""
    kept = tables.grounds.c
    query = select(kept.table_name, kept.row_key, kept.row_sha256).where(kept.release_id == release_id)
    rows: list[Row] = [dict(row) for row in connection.execute(query).mappings()]
    return sorted(rows, key=lambda row: (row["table_name"], row["row_key"]))


def sha256(rows: list[Row]) -> str:
    """Return the hash that stands in the chain (``grounds_sha256``)."""
    return canonical.sha256(canonical.stream(HEADING, [tables.grounds], {tables.grounds.name: rows}))
