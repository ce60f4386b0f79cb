"""The history of rows set aside: every event is kept, and one of them settles a reject."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Connection, any_, bindparam, insert, select, update

from parkindex.ledger.tables import SETTLING, reject_events, rejects


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
        RuntimeError: One of them was settled meanwhile.
    """
    if event not in SETTLING:
        raise RuntimeError(f"{event} settles nothing")
    if not reject_ids:
        return
    found = connection.execute(
        update(rejects)
        .where(rejects.c.reject_id == any_(bindparam("ids", type_=ARRAY(BigInteger))), rejects.c.resolved_by.is_(None))
        .values(resolved_by=resolved_by),
        {"ids": list(reject_ids)},
    )
    if found.rowcount != len(reject_ids):
        raise RuntimeError(f"{len(reject_ids)} rejects were to be settled, {found.rowcount} were open")
    record(connection, reject_ids, event, actor, batch_id, notes)


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
