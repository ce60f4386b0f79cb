"""Writing many rows at once."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection


def copy_rows(connection: Connection, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """Write rows through ``copy``, in the connection's transaction.

    Args:
        connection: In a transaction.
        statement: ``copy … from stdin``.
        rows: Rows in the order of the statement's columns.
    """
    driver = connection.connection.driver_connection
    if driver is None:
        raise RuntimeError("the connection is closed")
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def json_text(value: object) -> str:
    """Return a value as JSON text for a ``jsonb`` column: readable, and the same bytes for the same value."""
    return json.dumps(value, ensure_ascii=False)
