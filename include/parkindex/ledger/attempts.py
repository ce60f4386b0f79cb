"""The record of every attempt to change what is or may be published: in ``audit.attempts``, kept for good."""

from __future__ import annotations

import os
import pwd

from sqlalchemy import Connection, Engine, insert

from parkindex.errors import ParkindexError
from parkindex.ledger import tables


def actor() -> str:
    """Return the account this process runs under."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a user id without an account, as in containers
        return f"uid-{os.getuid()}"


def done(connection: Connection, action: str, subject: str, by: str | None = None, reason: str | None = None) -> None:
    """Record an attempt that succeeded, in the transaction that made it so; ``reason`` is why it was let through."""
    _insert(connection, by, action, subject, "done", reason)


def held(connection: Connection, action: str, subject: str, reason: str, by: str | None = None) -> None:
    """Record an attempt that was refused, in the transaction that keeps what was refused."""
    _insert(connection, by, action, subject, "refused", reason)


def refused(engine: Engine, action: str, subject: str, error: BaseException, by: str | None = None) -> None:
    """Record an attempt that was refused or failed, in a transaction of its own."""
    reason = error.what if isinstance(error, ParkindexError) else f"{type(error).__name__}: {error}"
    if isinstance(error, ParkindexError) and error.why:
        reason = f"{reason} ({error.why})"
    with engine.begin() as connection:
        _insert(connection, by, action, subject, "refused", reason)


def _insert(connection: Connection, by: str | None, action: str, subject: str, outcome: str, why: str | None) -> None:
    connection.execute(
        insert(tables.attempts).values(actor=by or actor(), action=action, subject=subject, outcome=outcome, reason=why)
    )
