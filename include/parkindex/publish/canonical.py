"""Rows as bytes that do not depend on their order, the locale, the time zone or the number of threads.

The canonical stream of some tables is UTF-8 text, one line per row, each ended by a line feed. A line is the JSON array
``[table, row]``; ``row`` is an object of column to text, keys sorted, no blanks, only what JSON must escape escaped.
A null is left out, so that a column added later does not change the hash of older rows. The first line is a heading
that names the kind of stream and its version. Tables come in the ledger's order, the lines of a table in the order of
their bytes. The hash of a stream is the SHA-256 of its bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Table

Row = Mapping[str, Any]
Rows = Mapping[str, Sequence[Row]]

CONTENT_HEADING = ("parkindex.content", 1)
ANNEX_HEADING = ("parkindex.annex", 1)


def text_of(value: Any) -> str | None:
    """Return a value as canonical text; None stays None.

    Numbers are written without exponent, without trailing zeros and without a minus before zero; instants in UTC with
    microseconds; dates by ISO 8601; booleans as ``true`` and ``false``.

    Raises:
        ValueError: The number is not finite.
        TypeError: The type has no canonical text, as binary floating-point numbers.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return _decimal_text(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no canonical text")


def _decimal_text(value: Decimal) -> str:
    if not value.is_finite():
        raise ValueError(f"{value} is not a number that can be published")
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def dumps(value: Any) -> str:
    """Return canonical JSON of texts, integers, lists and objects."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def line(table_name: str, row: Row) -> bytes:
    """Return one row as its line, line feed included; ``release_id`` is not part of a row."""
    cells = {name: text_of(value) for name, value in row.items() if value is not None and name != "release_id"}
    return dumps([table_name, cells]).encode() + b"\n"


def stream(heading: tuple[str, int], tables: Iterable[Table], rows: Rows) -> bytes:
    """Return the canonical stream of the rows of some tables."""
    parts = [dumps(list(heading)).encode() + b"\n"]
    for table in tables:
        parts.extend(sorted(line(table.name, row) for row in rows[table.name]))
    return b"".join(parts)


def sha256(data: bytes) -> str:
    """Return the hash of bytes in lower-case hexadecimal."""
    return hashlib.sha256(data).hexdigest()
