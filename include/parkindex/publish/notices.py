"""Mark the bundles of releases that another took the place of, or that were withdrawn.

A bundle is signed and never written again; only its ``notice.css``, which the manifest does not list, says whether it
still stands. Its pages load it from beside them, without a server, and ``verify.py`` lets nothing else stand in it.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine, select

from parkindex.ledger import tables
from parkindex.publish import bundle_check, releases
from parkindex.settings import Settings


def refresh(engine: Engine, settings: Settings) -> list[str]:
    """Bring the marks of all bundles on disk to what the warehouse says; return the releases that are marked.

    A bundle from before there were marks is left as it is.
    """
    with engine.connect() as connection:
        gone: set[str] = set(connection.execute(select(tables.withdrawals.c.release_id)).scalars())
        standing: dict[int, str] = {}
        chained = releases.chained(connection)
    for release in chained:
        if release.release_id not in gone:
            standing[release.edition] = release.release_id
    marked = []
    for release in chained:
        now = standing.get(release.edition)
        if release.release_id == now:
            text = ""
        else:
            text = bundle_check.notice(None if release.release_id in gone else now)
            marked.append(release.release_id)
        path = settings.releases / release.release_id / bundle_check.NOTICE
        if path.is_file() and path.read_text("utf-8", errors="replace") != text:
            _replace(path, text)
    return marked


def _replace(path: Path, text: str) -> None:
    # Beside the folder: a draft inside would be a file that the manifest does not list.
    draft = path.parent.with_name(f".{path.parent.name}.{path.name}")
    draft.write_text(text, "utf-8")
    draft.chmod(0o644)
    draft.replace(path)
