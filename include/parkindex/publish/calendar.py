"""The release calendar: embargo, preview window, objection window of an edition; who set them, when and why.

An entry is never changed; the latest one of an edition counts. An edition without an entry has no embargo and no
windows: nothing is restricted by dates.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, func, insert, select, text

from parkindex.errors import NotApprovedError, ParkindexError, UsageError
from parkindex.ledger import attempts, tables
from parkindex.publish import approvals

Window = tuple[datetime, datetime]
_LOCK = 7_203_150_011


@dataclass(frozen=True)
class Dates:
    """The dates of an edition; None where there is none.

    Attributes:
        edition: Evaluation year.
        embargo_until: Nothing is published before.
        preview: Between these, parks are shown their own figures of a candidate.
        objections: Between these, objections are taken.
    """

    edition: int
    embargo_until: datetime | None = None
    preview: Window | None = None
    objections: Window | None = None


def set_dates(engine: Engine, dates: Dates, *, set_by: str, role: str, reason: str) -> dict[str, Any]:
    """Set an edition's dates; they take the place of those set before.

    Raises:
        UsageError: The reason is blank, no date is given, or a window ends before it begins.
        NotApprovedError: The person is not registered in the role.
    """
    if not reason.strip():
        raise UsageError("Dates need a reason.", where="--reason", next_step="say why, as it will be printed")
    windows = [window for window in (dates.preview, dates.objections) if window is not None]
    if dates.embargo_until is None and not windows:
        raise UsageError("No date is given.", next_step="give --embargo-until, --preview or --objections")
    if any(start >= end for start, end in windows):
        raise UsageError("A window ends before it begins.", next_step="give FROM and TO in this order")
    subject = f"edition {dates.edition}"
    row = {
        "edition": dates.edition,
        "embargo_until": dates.embargo_until,
        **dict(zip(("preview_from", "preview_to"), dates.preview or (None, None), strict=True)),
        **dict(zip(("objections_from", "objections_to"), dates.objections or (None, None), strict=True)),
        "set_by": set_by,
        "role": role,
        "reason": reason.strip(),
    }
    try:
        with engine.begin() as connection:
            connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            approvals.require_role(connection, set_by, role)
            connection.execute(insert(tables.release_calendar).values(**row))
            attempts.done(connection, "set calendar", subject, set_by, reason.strip())
    except ParkindexError as error:
        attempts.refused(engine, "set calendar", subject, error, set_by)
        raise
    return row


def entries(engine: Engine) -> list[dict[str, Any]]:
    """Return every entry, newest first; ``counts`` marks the one of each edition that does."""
    columns = tables.release_calendar.c
    with engine.connect() as connection:
        query = select(tables.release_calendar).order_by(columns.entry_id.desc())
        rows = [dict(row) for row in connection.execute(query).mappings()]
    latest: dict[int, int] = {}
    for row in rows:
        latest.setdefault(row["edition"], row["entry_id"])
    return [{**row, "counts": latest[row["edition"]] == row["entry_id"]} for row in rows]


def of_edition(connection: Connection, edition: int) -> Dates:
    """Return the dates that count."""
    columns = tables.release_calendar.c
    query = select(tables.release_calendar).where(columns.edition == edition)
    row = connection.execute(query.order_by(columns.entry_id.desc()).limit(1)).first()
    if row is None:
        return Dates(edition)
    return Dates(
        edition,
        row.embargo_until,
        None if row.preview_from is None else (row.preview_from, row.preview_to),
        None if row.objections_from is None else (row.objections_from, row.objections_to),
    )


def require_no_embargo(connection: Connection, edition: int) -> None:
    """Refuse to publish before the embargo ends.

    Raises:
        NotApprovedError: It has not.
    """
    until = of_edition(connection, edition).embargo_until
    if until is not None and _now(connection) < until:
        raise NotApprovedError(
            f"Edition {edition} is under embargo until {until.isoformat()}.",
            where="publish.release_calendar",
            why="nothing of it is published before",
            next_step=f"publish after that, or set another date: parkindex calendar set {edition} …",
        )


def require_open(connection: Connection, edition: int, window: str) -> None:
    """Refuse what is outside a window; an edition without that window takes it at any time.

    Args:
        connection: Warehouse.
        edition: Evaluation year.
        window: ``preview`` or ``objections``.

    Raises:
        NotApprovedError: It is outside.
    """
    dates: Window | None = getattr(of_edition(connection, edition), window)
    if dates is not None and not dates[0] <= _now(connection) < dates[1]:
        raise NotApprovedError(
            f"The window for {'previews' if window == 'preview' else window} of edition {edition} is not open.",
            where="publish.release_calendar",
            why=f"it is open from {dates[0].isoformat()} to {dates[1].isoformat()}",
            next_step="parkindex calendar list",
        )


def _now(connection: Connection) -> datetime:
    now: datetime = connection.execute(select(func.now())).scalar_one()
    return now
