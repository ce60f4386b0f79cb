"""The review queue of the newest run, and deciding on it."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, func, select, text

from parkindex.errors import BadInputError
from parkindex.identity import decisions
from parkindex.identity.decisions import ACCEPT, NAME, NOBODY, POINT, REJECT, RELATION, Decision
from parkindex.ledger import tables

_QUEUED = """
select queue.subject_kind, queue.subject, queue.reason, queue.candidates
from identity.review_queue as queue
where
    queue.identity_run_id = :run
    and (cast(:kind as text) is null or queue.subject_kind = :kind)
    and (cast(:reason as text) is null or queue.reason = :reason)
    and (cast(:subject as text) is null or queue.subject = :subject)
order by queue.subject_kind, queue.reason, queue.subject collate "C"
"""
_COLUMNS = ("subject_kind", "subject", "reason", "candidate", "candidate_name", "score", "evidence")


def newest_run(connection: Connection) -> int:
    """Return the number of the newest identity run.

    Raises:
        BadInputError: There was none.
    """
    found: int | None = connection.execute(select(func.max(tables.identity_runs.c.identity_run_id))).scalar_one()
    if found is None:
        raise BadInputError(
            "Names and places were never resolved.",
            where="identity.runs",
            why="the queue is what a run leaves open",
            next_step="parkindex build EDITION, or run the DAG build_marts",
        )
    return found


def listed(
    engine: Engine, *, kind: str | None = None, reason: str | None = None, subject: str | None = None
) -> list[dict[str, Any]]:
    """Return what the newest run left open and nobody decided since, ordered by kind, reason and subject."""
    with engine.connect() as connection:
        run = newest_run(connection)
        rows = connection.execute(
            text(_QUEUED), {"run": run, "kind": kind, "reason": reason, "subject": subject}
        ).mappings()
        since = decisions.known(connection)
        settled = {
            (kind_of, subject_of)
            for kind_of in (NAME, POINT)
            for subject_of, state in decisions.standing(since, kind_of).items()
            if state.accepted or state.is_nobody
        }
        return [dict(row) for row in rows if (row["subject_kind"], row["subject"]) not in settled]


def export(rows: list[dict[str, Any]], path: Path) -> int:
    """Write open cases as CSV (UTF-8 with BOM), one line per candidate. Returns how many lines."""
    written = 0
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(_COLUMNS)
        for row in rows:
            for candidate in row["candidates"] or [{}]:
                who = candidate.get("enterprise_id_uscc") or candidate.get("park_code") or ""
                told = (candidate.get(name, "") for name in ("enterprise_name", "score", "evidence"))
                cells = (row["subject_kind"], row["subject"], row["reason"], who, *told)
                writer.writerow([_safe(cell) for cell in cells])
                written += 1
    return written


def decide(engine: Engine, action: str, subject: str, target: str, by: str, reason: str) -> Decision:
    """Record what a person says about a name or a point.

    Args:
        engine: The warehouse, as its owner.
        action: ``accept``, ``reject`` or ``withdraw``.
        subject: A name as printed, or ``USCC DATE`` as the queue has it.
        target: USCC, park code, ``nobody`` or ``*``.
        by: Who.
        reason: Why.

    Raises:
        BadInputError: The enterprise or the park is unknown, or the decision says nothing.
    """
    kind, subject = _subject(subject)
    target = target.strip()
    with engine.connect() as connection:
        if action == ACCEPT and target == NOBODY:
            raise BadInputError(
                "Nobody cannot be accepted.", next_step="parkindex matches reject NAME nobody --as … --reason …"
            )
        if target not in {NOBODY, decisions.EVERYTHING}:
            known = _is_enterprise if kind == NAME else _is_park
            if not known(connection, target):
                what = "enterprise" if kind == NAME else "park"
                raise BadInputError(
                    f"There is no {what} {target!r}.",
                    where="raw.enterprise_registry_v1" if kind == NAME else "raw.park_plots_v1",
                    why="a decision leads to something that was delivered",
                    next_step="parkindex matches list",
                )
    return decisions.record(engine, Decision(action, kind, subject, target, by, reason))


def relate(
    engine: Engine,
    action: str,
    enterprise: str,
    relation: str,
    other: str,
    by: str,
    reason: str,
    period: tuple[date | None, date | None] = (None, None),
) -> Decision:
    """Record (``accept``) or take back (``reject``) a dated relation between two enterprises.

    Raises:
        BadInputError: One of the two is unknown, both are one, or the decision says nothing.
    """
    with engine.connect() as connection:
        for uscc in (enterprise, other):
            if not _is_enterprise(connection, uscc):
                raise BadInputError(f"There is no enterprise {uscc!r}.", where="raw.enterprise_registry_v1")
    if enterprise == other:
        raise BadInputError("An enterprise stands in no relation to itself.", where=enterprise)
    return decisions.record(
        engine,
        Decision(
            action, RELATION, enterprise, other, by, reason, relation=relation, valid_from=period[0], valid_to=period[1]
        ),
    )


def _subject(text_given: str) -> tuple[str, str]:
    """Tell a point (USCC and date) from a name."""
    parts = text_given.split()
    if len(parts) == 2 and len(parts[0]) == 18 and parts[0].isascii():
        try:
            return POINT, f"{parts[0]} {date.fromisoformat(parts[1])}"
        except ValueError:
            pass  # then it is a name with a blank in it
    return NAME, decisions.name_subject(text_given)


def _is_enterprise(connection: Connection, uscc: str) -> bool:
    query = text("select 1 from raw.enterprise_registry_v1 where uscc_key = :uscc limit 1")
    return connection.execute(query, {"uscc": uscc}).first() is not None


def _is_park(connection: Connection, park: str) -> bool:
    query = text("select 1 from raw.park_plots_v1 where park_code = :park limit 1")
    return connection.execute(query, {"park": park}).first() is not None


def _safe(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


__all__ = ["ACCEPT", "REJECT", "decide", "export", "listed", "newest_run", "relate"]
