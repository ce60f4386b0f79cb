"""A candidate's pages before it is published, and what it would change."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from parkindex.errors import BadInputError
from parkindex.publish import approvals, candidates, contents, record
from parkindex.settings import Settings
from parkindex.site import render


@dataclass(frozen=True)
class Preview:
    """What was written.

    Attributes:
        page: The ranking page.
        against: The current release it was compared with; None when the edition has none.
        changes: Every cell that would change, as plain values.
    """

    page: Path
    against: str | None
    changes: list[dict[str, Any]]


def write(engine: Engine, settings: Settings, candidate_id: str, out: Path | None = None) -> Preview:
    """Write a candidate's pages, marked as a preview on each; an earlier preview in the place is replaced.

    Args:
        engine: The warehouse, as its owner.
        settings: The installation.
        candidate_id: Candidate.
        out: Folder; default ``<home>/previews/<candidate_id>``.

    Raises:
        BadInputError: There is no such candidate, or the folder holds something else than a preview.
        NotApprovedError: The candidate's tables are gone.
    """
    with engine.connect() as connection:
        candidate = candidates.find(connection, candidate_id)
        candidates.require_schemas(connection, candidate)
        page_record = record.of_candidate(connection, settings, candidate)
        against = approvals.current_release(connection, candidate.edition)
        found = []
        if against is not None:
            rows = contents.of_candidate(connection, candidate.schema_prefix)
            found = contents.changes(contents.of_release(connection, against), rows)
    folder = out or settings.home / "previews" / candidate_id
    _require_replaceable(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        draft.chmod(0o755)
        render(page_record, draft)
        (draft / _MARK).write_text(f"{candidate_id} {candidate.content_sha256}\n", "utf-8")
        if folder.exists():
            shutil.rmtree(folder)
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return Preview(folder / "index.html", against, [asdict(change) for change in found])


# Names a folder as ours to replace, and the content that was looked at.
_MARK = "PREVIEW.txt"


def _require_replaceable(folder: Path) -> None:
    if folder.exists() and not (folder / _MARK).is_file() and not (folder.is_dir() and not any(folder.iterdir())):
        raise BadInputError(
            "The folder holds something else than a preview.",
            where=str(folder),
            why="a preview replaces only an earlier preview",
            next_step="choose another folder with --out",
        )
