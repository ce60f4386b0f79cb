"""What a number depends on besides the methodology: the code and the deliveries, as hashes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, func, select

from parkindex.errors import BadInputError
from parkindex.identity import decisions
from parkindex.ledger import tables
from parkindex.publish import canonical
from parkindex.settings import PROJECT_ROOT

# The folders whose files decide numbers; the methodology has a hash of its own.
_FOLDERS = ("contracts", "dbt_project", "expectations", "include/parkindex")
# What dbt, Python and editors write beside them decides nothing.
_WRITTEN_FOLDERS = {"__pycache__", "target", "logs", "dbt_packages"}
_SUFFIXES = {".css", ".csv", ".html", ".j2", ".js", ".json", ".mako", ".md", ".py", ".sql", ".toml", ".yaml", ".yml"}
_GENERATED = b"GENERATED"
_LOCKS = ("requirements/bootstrap.txt", "requirements/run.txt")


def code_sha256(root: Path = PROJECT_ROOT) -> str:
    """Return the hash of the files that decide numbers.

    Every file counts with its path relative to the checkout and the hash of its bytes, in the order of the paths'
    bytes. Files that are generated from others (their first line says so) and what tools leave behind do not count, so
    the hash is the same in every checkout of one version.

    Args:
        root: The checkout.
    """
    digest = hashlib.sha256()
    for name, sha256 in files(root).items():
        digest.update(f"{name}\0{sha256}\n".encode())
    return digest.hexdigest()


def files(root: Path = PROJECT_ROOT) -> dict[str, str]:
    """Return the hash of every file that decides numbers, by its path in the checkout, in the order of the paths."""
    found = {}
    for name, path in sorted(_files(root)):
        data = path.read_bytes()
        if _GENERATED not in data.split(b"\n", 1)[0]:
            found[name] = canonical.sha256(data)
    return found


def locks(root: Path = PROJECT_ROOT) -> dict[str, str]:
    """Return the hash of every lock of installed packages that running needs, by its path in the checkout."""
    return {name: canonical.sha256((root / name).read_bytes()) for name in _LOCKS if (root / name).is_file()}


def _files(root: Path) -> Iterator[tuple[str, Path]]:
    for folder in _FOLDERS:
        for path in (root / folder).rglob("*"):
            relative = path.relative_to(root)
            hidden = any(part.startswith(".") for part in relative.parts)
            if hidden or _WRITTEN_FOLDERS.intersection(relative.parts) or path.suffix not in _SUFFIXES:
                continue
            if path.is_file():
                yield relative.as_posix(), path


def newest_delivery(connection: Connection) -> datetime:
    """Return when the newest loaded delivery was received: the default known time of a build (ADR 0005).

    A decision of a person about names or places that was made later counts as one.

    Raises:
        BadInputError: Nothing was loaded yet.
    """
    newest: datetime | None = connection.execute(
        select(func.max(tables.batches.c.received_at)).where(tables.batches.c.status == "loaded")
    ).scalar_one()
    if newest is None:
        raise BadInputError(
            "Nothing was landed yet.",
            where="raw.batches",
            why="no batch is loaded, so there is nothing to build from",
            next_step="parkindex land FEED PATH…, or `make ranking` for the sample world",
        )
    decided: datetime | None = connection.execute(select(func.max(tables.identity_decisions.c.decided_at))).scalar_one()
    return max(newest, decided) if decided else newest


def inputs_sha256(connection: Connection, as_known: datetime) -> str:
    """Return the hash of what is known at an instant: deliveries (feed, content, known time) and people's decisions.

    Numbers of batches and the order of loading do not count: two warehouses with the same deliveries agree. Of a
    replay, the rows that it brought in or withdrew count too.
    """
    batches = tables.batches.c
    rows = connection.execute(
        select(batches.feed, batches.sha256, batches.received_at, batches.part_sha256).where(
            batches.status == "loaded", batches.received_at <= as_known
        )
    )
    parts = [[value for value in row if value is not None] for row in rows]
    parts += [
        ["decision", *(getattr(one, name) for name in decisions.COLUMNS)]
        for one in decisions.known(connection, as_known)
    ]
    lines = sorted(canonical.dumps([canonical.text_of(value) for value in part]) for part in parts)
    return canonical.sha256("".join(f"{line}\n" for line in lines).encode())
