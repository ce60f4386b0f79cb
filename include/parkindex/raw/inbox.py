"""The inbox: where providers and fetches put files, one folder per feed. A file came when it was put there."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, select

from parkindex import contracts
from parkindex.errors import BadInputError
from parkindex.landing import store
from parkindex.ledger.tables import batches
from parkindex.raw import load
from parkindex.raw.load import Batch
from parkindex.settings import BUSINESS_TIME_ZONE, Settings


def land(engine: Engine, settings: Settings, feed: str, names: Collection[str] | None = None) -> list[Batch]:
    """Land files of a feed's inbox, oldest first, each as received at its modification time.

    Args:
        engine: The warehouse.
        settings: Where inbox and landing folder are.
        feed: The feed.
        names: Names of the files to land; None means all.

    Raises:
        BadInputError: A file of that name is not there any more; nothing was landed.
    """
    contract = contracts.load(feed)
    files = _files(settings, feed)
    missing = sorted(set(names or ()) - {path.name for _, path in files})
    if missing:
        raise BadInputError(
            f"{len(missing)} file(s) of {feed} are not in the inbox any more.",
            where=", ".join(str(settings.inbox / feed / name) for name in missing),
            why="they were there when this run began",
            next_step="put them back, or start a new run",
        )
    wanted = [(received, path) for received, path in files if names is None or path.name in names]
    return [load.land(engine, settings, contract, [path], received)[0] for received, path in wanted]


def not_landed(
    engine: Engine, settings: Settings, feed: str, since: date | None = None, until: date | None = None
) -> list[Path]:
    """Return the files of a feed's inbox whose bytes are not loaded yet, oldest first.

    Args:
        engine: The warehouse.
        settings: Where the inbox is.
        feed: The feed.
        since: First day (in Shanghai) of those on which a file may have come; None means no limit.
        until: Last such day.
    """
    zone = ZoneInfo(BUSINESS_TIME_ZONE)
    files = [
        path
        for received, path in _files(settings, feed)
        if (since or date.min) <= received.astimezone(zone).date() <= (until or date.max)
    ]
    if not files:
        return []
    with engine.connect() as connection:
        statement = select(batches.c.sha256).where(batches.c.feed == feed, batches.c.status == "loaded")
        loaded: set[str] = set(connection.execute(statement).scalars())
    return [path for path in files if store.sha256_of(path) not in loaded]


def waiting(engine: Engine, settings: Settings, feed: str, at_rest: timedelta = timedelta(0)) -> list[Path]:
    """Return the files of a feed's inbox that nothing has been done with, oldest first.

    A file that was refused under today's contract is not among them: it waits for a person. Asked every minute, so a
    file is known by its name, size and time, and read only when these are new; a nightly run compares bytes.

    Args:
        engine: The warehouse.
        settings: Where the inbox is.
        feed: The feed.
        at_rest: How long a file must not have been written to: a younger one may still be growing.
    """
    files = [item for item in _files(settings, feed) if datetime.now(UTC) - item[0] >= at_rest]
    if not files:
        return []
    contract = contracts.load(feed)
    columns = (batches.c.source_file, batches.c.size_bytes, batches.c.received_at, batches.c.sha256)
    settled = (batches.c.status == "loaded") | (batches.c.contract_sha256 == contract.sha256)
    with engine.connect() as connection:
        seen = connection.execute(select(*columns).where(batches.c.feed == feed, settled)).all()
    known = {(row.source_file, row.size_bytes, row.received_at) for row in seen}
    hashes = {row.sha256 for row in seen}
    return [
        path
        for received, path in files
        if (path.name, path.stat().st_size, received) not in known and store.sha256_of(path) not in hashes
    ]


def _files(settings: Settings, feed: str) -> list[tuple[datetime, Path]]:
    """Return the inbox's files with their modification times, oldest first; hidden files are still being written."""
    folder = settings.inbox / feed
    if not folder.is_dir():
        return []
    files = [path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")]
    dated = [(_modified(path), path) for path in files]
    return sorted(dated, key=lambda item: (item[0], item[1].name))


def _modified(path: Path) -> datetime:
    # Whole microseconds, as Postgres keeps them; a float would not be exact.
    seconds, rest = divmod(path.stat().st_mtime_ns, 1_000_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)
