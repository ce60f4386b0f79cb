"""Pseudonyms: what stands for an enterprise where the reader may not know which it is.

A plain hash of a code is no pseudonym: all codes of a district can be tried in a minute. These are keyed (HMAC-SHA256,
RFC 2104), and the key is not in the warehouse.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import Connection, text

from parkindex.privacy import keys

_PREFIX = "E-"
_CHARACTERS = 16


def of(secret: bytes, subject: str) -> str:
    """Return the pseudonym of a code or name under a key: ``E-`` and 16 hexadecimal characters (64 bits)."""
    return _PREFIX + hmac.new(secret, subject.encode(), hashlib.sha256).hexdigest()[:_CHARACTERS]


def commitment(secret: bytes, statement: str) -> str:
    """Return a keyed hash that binds whoever publishes it to a statement without showing it."""
    return hmac.new(secret, b"commitment\0" + statement.encode(), hashlib.sha256).hexdigest()


def store(connection: Connection, folder: Path, year: int, enterprises: Iterable[str]) -> int:
    """Keep the pseudonyms of enterprises for the views of a release year; returns how many were new."""
    secret = keys.key(folder, keys.of_year(year))
    known: set[str] = set(
        connection.execute(
            text("select enterprise_id_uscc from privacy.pseudonyms where key_year = :year"), {"year": year}
        ).scalars()
    )
    new = [{"year": year, "enterprise": one, "pseudonym": of(secret, one)} for one in sorted(set(enterprises) - known)]
    if new:
        connection.execute(
            text(
                "insert into privacy.pseudonyms (key_year, enterprise_id_uscc, pseudonym)"
                " values (:year, :enterprise, :pseudonym) on conflict do nothing"
            ),
            new,
        )
    return len(new)
