"""A candidate's pages before it is published, and what it would change."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, insert

from parkindex.errors import BadInputError, ParkindexError, UsageError
from parkindex.ledger import attempts, tables
from parkindex.publish import approvals, calendar, candidates, contents, record
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


def write_park(
    engine: Engine, settings: Settings, candidate_id: str, park_code: str, *, shown_to: str, by: str
) -> Path:
    """Write what a park is shown of a candidate: its own page, its own figures, the method; the access is recorded.

    No page with the places of others is written: until publication, links to them lead nowhere.

    Args:
        engine: The warehouse, as its owner.
        settings: The installation.
        candidate_id: Candidate.
        park_code: Park.
        shown_to: Who is shown it.
        by: Who writes it.

    Returns:
        The park's page, in ``<home>/previews/<candidate_id>-<park_code>``.

    Raises:
        UsageError: Nobody is named.
        BadInputError: There is no such candidate or park.
        NotApprovedError: The candidate's tables are gone, or the edition's preview window is not open.
    """
    if not shown_to.strip():
        raise UsageError("A park's preview is shown to somebody.", where="--to", next_step="give the person's name")
    subject = f"{candidate_id} {park_code}"
    try:
        with engine.begin() as connection:
            candidate = candidates.find(connection, candidate_id)
            candidates.require_schemas(connection, candidate)
            calendar.require_open(connection, candidate.edition, "preview")
            page_record = record.of_candidate(connection, settings, candidate)
            if park_code not in {row["park_code"] for row in page_record.parks}:
                raise _no_park(candidate_id, park_code)
            access = {"candidate_id": candidate_id, "content_sha256": candidate.content_sha256, "park_code": park_code}
            connection.execute(insert(tables.preview_accesses).values(**access, shown_to=shown_to.strip(), shown_by=by))
            attempts.done(connection, "preview", f"{subject} to {shown_to.strip()}", by)
    except ParkindexError as error:
        attempts.refused(engine, "preview", subject, error, by)
        raise
    folder = settings.home / "previews" / f"{candidate_id}-{park_code}"
    _require_replaceable(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as whole:
        render(page_record, Path(whole))
        shutil.rmtree(folder, ignore_errors=True)
        for name in ("method.html", f"parks/{park_code}.html"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(Path(whole) / name, folder / name)
    own = {
        name: [row for row in getattr(page_record, name) if row["park_code"] == park_code]
        for name in ("park_ranking", "area_scores", "indicator_scores", "park_status")
    }
    text = json.dumps(own, ensure_ascii=False, indent=1, sort_keys=True, default=str)
    (folder / "figures.json").write_text(f"{text}\n", "utf-8")
    (folder / _MARK).write_text(f"{candidate_id} {candidate.content_sha256}\n", "utf-8")
    return folder / "parks" / f"{park_code}.html"


def _no_park(candidate_id: str, park_code: str) -> BadInputError:
    return BadInputError(
        f"Candidate {candidate_id} has no park {park_code!r}.",
        where="parks",
        next_step="give a park's code, for example P03",
    )


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
