"""The log of who read data of single persons or enterprises."""

from __future__ import annotations

from sqlalchemy import Connection, insert, text

from parkindex.errors import UsageError
from parkindex.ledger import attempts, tables


def log(connection: Connection, what: str, subject: str, purpose: str, rows: int, by: str | None = None) -> None:
    """Record an access, in the transaction that reads.

    Args:
        connection: The warehouse.
        what: ``records``, ``personal`` or ``rejects``.
        subject: What is read.
        purpose: What for.
        rows: How many rows are given out.
        by: Who reads; None means the account of this process.

    Raises:
        UsageError: No purpose is given.
    """
    if not purpose.strip():
        raise UsageError("Who reads data of single persons says what for.", next_step="add --purpose TEXT")
    login: str = connection.execute(text("select session_user")).scalar_one()
    connection.execute(
        insert(tables.access_log).values(
            login=login,
            reader=by or attempts.actor(),
            what=what,
            subject=subject,
            purpose=purpose.strip(),
            rows_read=rows,
        )
    )
