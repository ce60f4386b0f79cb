"""Write a frozen release in a format of one's choice, from the rows and not from the bundle."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

from sqlalchemy import Engine

from parkindex.errors import BadInputError
from parkindex.ledger import tables
from parkindex.publish import bundle, canonical, contents, record, releases
from parkindex.settings import Settings
from parkindex.site import render

# Format → name of the file (or folder) of a release.
FORMATS = {
    "csv": "{}.csv",
    "xlsx": "{}.xlsx",
    "parquet": "{}.parquet",
    "json": "{}.json",
    "html": "{}",
}
_TABLE_FILES = {"csv": "ranking.csv", "xlsx": "ranking.xlsx", "parquet": "ranking.parquet"}


def write(engine: Engine, settings: Settings, release_id: str, kind: str, out: Path | None = None) -> Path:
    """Write a release: the ranking as CSV for spreadsheets, XLSX or Parquet; all tables as JSON; the pages as HTML.

    Args:
        engine: The warehouse.
        settings: The installation.
        release_id: Release, or an edition for its current one.
        kind: A key of :data:`FORMATS`.
        out: File, or folder for the pages; default: named after the release, in the working folder.

    Raises:
        BadInputError: There is no such release, or the target is there already.
    """
    with engine.connect() as connection:
        release = releases.find(connection, release_id)
        rows = contents.of_release(connection, release.release_id, tables.RELEASED_TABLES)
        page_record = record.of_release(connection, settings, release)
    target = (out or Path(FORMATS[kind].format(release.release_id))).absolute()
    if target.exists():
        raise BadInputError(
            "The target is there already.", where=str(target), next_step="choose another --out, or move it away"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".export.", dir=target.parent) as draft_name:
        draft = Path(draft_name)
        if kind == "html":
            pages = draft / "pages"
            render(page_record, pages)
            made = pages
        elif kind == "json":
            made = draft / "release.json"
            made.write_bytes(_json(release, rows))
        else:
            bundle.write_tables(draft, release, rows, page_record)
            made = draft / _TABLE_FILES[kind]
        shutil.move(made, target)
    return target


def _json(release: releases.Release, rows: canonical.Rows) -> bytes:
    """Return a release as one JSON document: its record and every table, values as canonical texts."""
    document = {
        "release": bundle.link(release),
        **{
            name: [{column: canonical.text_of(value) for column, value in row.items()} for row in found]
            for name, found in rows.items()
        },
    }
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()
