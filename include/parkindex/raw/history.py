"""The history of rows set aside: every event is kept, and one of them settles a reject."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Connection, any_, bindparam, insert, select, update

from parkindex.errors import BadInputError
from parkindex.ledger.tables import SETTLING, reject_events, rejects

_NAMED = 5


def settle(
    connection: Connection,
    reject_ids: Sequence[int],
    event: str,
    resolved_by: str,
    actor: str,
    batch_id: int | None = None,
    notes: Mapping[int, str] | None = None,
) -> None:
    """Settle rejects, and say by what.

    Args:
        connection: In the transaction that brings about what settles them.
        reject_ids: Rejects that are open.
        event: What happened; one of those that settle.
        resolved_by: Batch, correction or person.
        actor: Who.
        batch_id: Batch that did it, if one did.
        notes: What is to be said of single rejects.

    Raises:
        BadInputError: Somebody else settled one of them meanwhile; the transaction must be rolled back.
    """
    if event not in SETTLING:
        raise RuntimeError(f"{event} settles nothing")
    if not reject_ids:
        return
    meant = rejects.c.reject_id == any_(bindparam("ids", type_=ARRAY(BigInteger)))
    numbers = {"ids": list(reject_ids)}
    # In the order of their numbers, so that two who settle the same ones wait for each other and do not deadlock.
    columns = (rejects.c.reject_id, rejects.c.resolved_by)
    found = connection.execute(select(*columns).where(meant).order_by(rejects.c.reject_id).with_for_update(), numbers)
    _refuse_settled([(row.reject_id, row.resolved_by) for row in found if row.resolved_by is not None])
    connection.execute(update(rejects).where(meant).values(resolved_by=resolved_by), numbers)
    record(connection, reject_ids, event, actor, batch_id, notes)


def _refuse_settled(settled: Sequence[tuple[int, str]]) -> None:
    if settled:
        first = settled[0][0]
        raise BadInputError(
            f"{len(settled)} reject(s) were settled by somebody else meanwhile; nothing was changed.",
            where="raw.rejects",
            why=", ".join(f"{number} by {by}" for number, by in settled[:_NAMED]),
            next_step=f"parkindex rejects show {first} tells what became of it; then do what is still to be done",
        )


def record(
    connection: Connection,
    reject_ids: Sequence[int],
    event: str,
    actor: str,
    batch_id: int | None = None,
    notes: Mapping[int, str] | None = None,
) -> None:
    """Write one event per reject."""
    said = notes or {}
    rows = [
        {"reject_id": number, "event": event, "actor": actor, "batch_id": batch_id, "note": said.get(number)}
        for number in reject_ids
    ]
    if rows:
        connection.execute(insert(reject_events), rows)


def of_reject(connection: Connection, reject_id: int) -> list[dict[str, Any]]:
    """Return what happened to a reject, oldest first."""
    columns = [reject_events.c[name] for name in ("at", "event", "actor", "batch_id", "note")]
    statement = select(*columns).where(reject_events.c.reject_id == reject_id).order_by(reject_events.c.event_id)
    return [dict(row._mapping) for row in connection.execute(statement)]
