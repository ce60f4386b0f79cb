"""The register of objections as the publisher and the pages read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, insert, select

from parkindex.errors import NotApprovedError
from parkindex.ledger import tables
from parkindex.publish.canonical import Row


def listed(connection: Connection, edition: int | None = None) -> list[dict[str, Any]]:
    """Return every objection with its decision and the release that corrected it, newest first."""
    made, decided, corrected = tables.objections, tables.objection_decisions, tables.objection_corrections
    query = (
        select(
            made,
            decided.c.decision,
            decided.c.decided_by,
            decided.c.role,
            decided.c.reason.label("decision_reason"),
            decided.c.decided_value,
            decided.c.decided_at,
            decided.c.effect.label("decided_effect"),
            corrected.c.release_id.label("corrected_by"),
        )
        .select_from(
            made.outerjoin(decided, made.c.objection_id == decided.c.objection_id).outerjoin(
                corrected, made.c.objection_id == corrected.c.objection_id
            )
        )
        .order_by(made.c.objection_id.desc())
    )
    if edition is not None:
        query = query.where(made.c.edition == edition)
    return [dict(row) for row in connection.execute(query).mappings()]


def require_decided(connection: Connection, candidate_id: str) -> None:
    """Refuse to publish a candidate while an objection to it waits, or one was upheld.

    Raises:
        NotApprovedError: One does, or was: what was upheld has to be corrected in a new candidate.
    """
    made, decided = tables.objections, tables.objection_decisions
    query = (
        select(made.c.objection_id, made.c.park_code, decided.c.decision)
        .select_from(made.outerjoin(decided, made.c.objection_id == decided.c.objection_id))
        .where(made.c.candidate_id == candidate_id, made.c.release_id.is_(None))
        .order_by(made.c.objection_id)
    )
    for row in connection.execute(query):
        if row.decision == "rejected":
            continue
        waits = row.decision is None
        raise NotApprovedError(
            f"Objection {row.objection_id} of {row.park_code} to candidate {candidate_id} "
            f"{'is not decided' if waits else 'was upheld'}.",
            where="publish.objections",
            why="a candidate is published when its objections are rejected; what is upheld is corrected first",
            next_step=f"parkindex objections decide {row.objection_id} …"
            if waits
            else "correct the data, build and approve a new candidate",
        )


def link_corrections(connection: Connection, release: Mapping[str, Any], changed: Sequence[Row]) -> list[int]:
    """Link upheld objections with the release that corrects them: one of type C that changes what they are about.

    Args:
        connection: The publishing transaction.
        release: The release's record.
        changed: Its revisions.

    Returns:
        Objections corrected now.
    """
    if release["revision_type"] != "C":
        return []
    keys = {row["row_key"] for row in changed if row["table_name"] == "indicator_scores"}
    parks = {row["row_key"] for row in changed if row["table_name"] == "park_ranking"}
    corrected = []
    for row in listed(connection, release["edition"]):
        if row["decision"] != "upheld" or row["corrected_by"] is not None:
            continue
        park, indicator = row["park_code"], row["indicator_code"]
        touched = f"{park}/{indicator}" in keys if indicator else park in parks
        if touched:
            connection.execute(
                insert(tables.objection_corrections).values(
                    objection_id=row["objection_id"], release_id=release["release_id"]
                )
            )
            corrected.append(int(row["objection_id"]))
    return sorted(corrected)
