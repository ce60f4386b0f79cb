"""Withdraw a release: a row beside it says so; its rows and its bundle stay readable."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Engine, func, insert, select, update

from parkindex.errors import NotApprovedError, UsageError
from parkindex.ledger import attempts, tables
from parkindex.publish import releases


def withdraw(engine: Engine, release_id: str, reason: str, by: str) -> dict[str, Any]:
    """Withdraw a release; the edition's newest release that still stands becomes the current one.

    When none stands, the edition has no current release until the next is published.

    Args:
        engine: The warehouse, as its owner.
        release_id: Release.
        reason: Why, as printed.
        by: Who.

    Returns:
        ``{"release_id", "withdrawn_by", "reason", "current"}``; ``current`` is None when no release stands.

    Raises:
        UsageError: The reason is blank.
        BadInputError: There is no such release.
        NotApprovedError: It is withdrawn already.
    """
    if not reason.strip():
        raise UsageError("A withdrawal needs a reason.", next_step=f"parkindex withdraw {release_id} --reason '…'")
    try:
        with engine.begin() as connection:
            releases.lock_chain(connection)
            release = releases.find(connection, release_id)
            _require_standing(connection, release.release_id)
            connection.execute(
                insert(tables.withdrawals).values(release_id=release.release_id, withdrawn_by=by, reason=reason.strip())
            )
            current = _move_back(connection, release.edition)
            attempts.done(connection, "withdraw", release.release_id, by, reason.strip())
    except NotApprovedError as error:
        attempts.refused(engine, "withdraw", release_id, error, by)
        raise
    return {"release_id": release.release_id, "withdrawn_by": by, "reason": reason.strip(), "current": current}


def _require_standing(connection: Connection, release_id: str) -> None:
    row = connection.execute(select(tables.withdrawals).where(tables.withdrawals.c.release_id == release_id)).first()
    if row is not None:
        raise NotApprovedError(
            f"Release {release_id} is withdrawn already.",
            where="publish.withdrawals",
            why=f"by {row.withdrawn_by}: {row.reason}",
            next_step="parkindex releases",
        )


def _move_back(connection: Connection, edition: int) -> str | None:
    """Point at the newest release of an edition that stands; return it."""
    published, gone, current = tables.releases.c, tables.withdrawals.c, tables.current
    standing: str | None = connection.execute(
        select(published.release_id)
        .where(published.edition == edition, published.release_id.not_in(select(gone.release_id)))
        .order_by(published.sequence.desc())
        .limit(1)
    ).scalar_one_or_none()
    if standing is not None:
        connection.execute(
            update(current)
            .where(current.c.edition == edition, current.c.release_id != standing)
            .values(release_id=standing, moved_at=func.now())
        )
    return standing
