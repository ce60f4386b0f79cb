"""Whether a delivery is real: disclosure control is for real enterprises, and a sample world has none."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, select

from parkindex.ledger.tables import batches
from parkindex.settings import Settings

MARK = "SYNTHETIC.txt"
# A world is ``DIR/SYNTHETIC.txt`` and ``DIR/feeds/<feed>/<file>``.
_LEVELS = 3


def is_synthetic(settings: Settings, path: Path) -> bool:
    """Whether a file comes from a sample world: the installation holds one, or the file lies in one."""
    if marked(settings):
        return True
    return any((folder / MARK).is_file() for folder in path.resolve().parents[:_LEVELS])


def marked(settings: Settings) -> bool:
    """Whether the installation holds a sample world, beside which no real delivery is put."""
    return (settings.home / "sample" / MARK).is_file()


def any_real(connection: Connection) -> bool:
    """Whether a loaded delivery is not known to come from a sample world."""
    query = select(batches.c.batch_id).where(
        batches.c.status == "loaded", batches.c.replays_batch_id.is_(None), batches.c.is_synthetic.is_not(True)
    )
    return connection.execute(query.limit(1)).first() is not None
