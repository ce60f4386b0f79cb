"""The bundle of a release: pages, tables, manifest, signature and ``verify.py``, in one folder that explains itself.

The folder is written beside its place, flushed to disk and renamed, so it is there whole or not at all. The same
release gives the same bytes, signature included. What is served is held against what was approved before, and the
folder is read back by its own check after.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, select, text

from parkindex.errors import AlteredError
from parkindex.ledger import attempts, tables
from parkindex.publish import (
    bundle_check,
    candidates,
    canonical,
    chain,
    contents,
    formats,
    notices,
    record,
    releases,
    signing,
)
from parkindex.publish.canonical import Row
from parkindex.publish.releases import Release
from parkindex.settings import Settings
from parkindex.site import ReleaseRecord, render

CURRENT = "current"
CONTENT_FILE, ANNEX_FILE = "data/content.jsonl", "data/annex.jsonl"
_MANIFEST_VERSION = 1
_LOCK = 7_203_150_004


def write(engine: Engine, settings: Settings, release_id: str) -> Path:
    """Write, sign, read back and verify a release's bundle; move ``releases/current`` when it is the newest edition's.

    A bundle that is there already and unaltered is kept.

    Args:
        engine: The warehouse, as its owner.
        settings: The installation.
        release_id: Release.

    Returns:
        The folder ``<home>/releases/<release_id>``.

    Raises:
        BadInputError: There is no such release.
        AlteredError: A bundle is there and is not what was published, or what is served is not what was approved.
    """
    with engine.connect() as connection:
        # One writer at a time, so that a draft which is there was left by one that was killed.
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        release = releases.find(connection, release_id)
        # First what is served is held against what was approved: a bundle must not seal an altered row.
        _require_served(connection, release)
        folder = settings.releases / release.release_id
        if not folder.exists():
            _write_whole(connection, settings, release, folder)
        _require_unaltered(folder, release)
    with engine.begin() as connection:
        _link_current(connection, settings)
        notices.refresh(engine, settings)
        attempts.done(connection, "write bundle", release.release_id)
    return folder


def _write_whole(connection: Connection, settings: Settings, release: Release, folder: Path) -> None:
    settings.releases.mkdir(parents=True, exist_ok=True)
    for left in settings.releases.glob(f".{release.release_id}.*"):
        shutil.rmtree(left)
    draft = Path(tempfile.mkdtemp(prefix=f".{release.release_id}.", dir=settings.releases))
    try:
        fill(connection, settings, release, draft)
        draft.chmod(0o755)  # mkdtemp made it for us alone
        _flush(draft)
        draft.rename(folder)
        _flush_entry(settings.releases)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def fill(connection: Connection, settings: Settings, release: Release, out: Path) -> None:
    """Write every file of a bundle into an empty folder."""
    rows = contents.of_release(connection, release.release_id, tables.RELEASED_TABLES)
    page_record = record.of_release(connection, settings, release)
    render(page_record, out)
    write_tables(out, release, rows, page_record)
    (out / "data").mkdir()
    (out / CONTENT_FILE).write_bytes(contents.content_stream(rows))
    (out / ANNEX_FILE).write_bytes(contents.annex_stream(rows))
    (out / "verify.py").write_bytes(Path(bundle_check.__file__).read_bytes())
    private = signing.key(settings)
    (out / "public.pem").write_bytes(signing.public_pem(private))
    manifest = _manifest(connection, release, rows, page_record, signing.public_hex(private), out)
    data = (json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()
    (out / "manifest.json").write_bytes(data)
    (out / "signature").write_bytes(private.sign(data))


def write_tables(out: Path, release: Release, rows: canonical.Rows, page_record: ReleaseRecord) -> None:
    """Write the tables of a release: CSV, XLSX, Parquet, and what it changed."""
    name = release.release_id
    ranking, scores = tables.released_park_ranking, tables.released_indicator_scores
    (out / "ranking.csv").write_bytes(formats.safe_csv(ranking, name, rows[ranking.name]))
    (out / "ranking.data.csv").write_bytes(formats.data_csv(ranking, name, rows[ranking.name]))
    (out / "indicator_scores.csv").write_bytes(formats.data_csv(scores, name, rows[scores.name]))
    (out / "ranking.parquet").write_bytes(formats.parquet(ranking, name, rows[ranking.name]))
    (out / "CHANGES.csv").write_bytes(formats.safe_csv(tables.revisions, name, rows[tables.revisions.name]))
    sheets = {
        table.name: (table, rows[table.name])
        for table in (
            ranking,
            tables.released_area_scores,
            scores,
            tables.released_indicators,
            tables.released_zone_targets,
            tables.released_park_status,
            tables.released_data_quality,
            tables.released_park_quality,
        )
    }
    formats.workbook(out / "ranking.xlsx", name, sheets, _notes(release, page_record))


def _notes(release: Release, page_record: ReleaseRecord) -> list[tuple[str, str]]:
    notes = [
        ("Release 发布", f"{release.release_id}, edition {release.edition}"),
        ("Methodology 评价方法", str(page_record.methodology["title"])),
        (
            "What it is 说明",
            "Weights, bounds and tiers are inputs of the methodology, marked documented or assumed; none of them is "
            "official. 权重、上下限与梯队均为评价方法的输入,标注为有据或假设,并非官方规定。",
        ),
        ("Sheets 工作表", "One table per sheet, one header row, numbers unrounded. 每表一张,数值未四舍五入。"),
        ("Missing values 缺失值", "Empty: no value; obs_status and reason say why. 空白即无数值,原因见同行。"),
        ("Reason 发布原因", release.reason),
        ("Approved by 批准人", release.approved_by),
        ("Data known until 数据截止", canonical.text_of(release.as_known) or ""),
        ("Published at 发布时间", canonical.text_of(release.published_at) or ""),
        ("Content SHA-256", release.content_sha256),
        ("Chain SHA-256", release.chain_sha256),
    ]
    if page_record.is_synthetic:
        notes.insert(1, ("Synthetic 合成数据", "Nothing in it is real. 本表数据为合成数据,并非真实数据。"))
    return notes


def _manifest(
    connection: Connection,
    release: Release,
    rows: canonical.Rows,
    page_record: ReleaseRecord,
    public_key: str,
    out: Path,
) -> dict[str, Any]:
    earlier = [one for one in releases.chained(connection) if one.sequence <= release.sequence]
    links = [link(one) for one in earlier]
    return {
        "parkindex_manifest": _MANIFEST_VERSION,
        "release": links[-1],
        "is_synthetic": page_record.is_synthetic,
        "chain": links,
        "files": {
            path.relative_to(out).as_posix(): canonical.sha256(path.read_bytes())
            for path in sorted(out.rglob("*"))
            if path.is_file() and path.name != bundle_check.NOTICE
        },
        "rows": {name: len(found) for name, found in rows.items()},
        "inputs": _inputs(connection, release),
        "methodology": page_record.methodology,
        "approvals": [
            {
                "approver": made.approver,
                "role": made.role,
                "is_demo": made.is_demo,
                "decided_at": canonical.text_of(made.decided_at),
                "note": made.note,
            }
            for made in page_record.approvals
        ],
        "gate": _gate(page_record),
        "waivers": [
            {
                "waiver_id": made["waiver_id"],
                "expectation_id": made["expectation_id"],
                "failing_key": made["failing_key"],
                "signed_by": made["signed_by"],
                "role": made["role"],
                "is_demo": made["is_demo"],
                "reason": made["reason"],
                "signed_at": canonical.text_of(made["signed_at"]),
                "expires_at": canonical.text_of(made["expires_at"]),
            }
            for made in page_record.waivers
        ],
        "public_key": public_key,
        "signature": "Ed25519 over the bytes of manifest.json, in the file signature",
    }


def link(release: Release) -> dict[str, str]:
    """Return a release as a link of the chain: the record that is hashed, and its hash."""
    return {**chain.header(release.as_dict()), "chain_sha256": release.chain_sha256}


def _gate(page_record: ReleaseRecord) -> Mapping[str, Any] | None:
    gate = page_record.gate
    if gate is None:
        return None
    return {
        "verdict": gate.verdict,
        "expectations_evaluated": gate.expectations_evaluated,
        "warnings": [f"{result.id}: {result.observed}" for result in gate.warnings],
    }


def _inputs(connection: Connection, release: Release) -> list[dict[str, Any]]:
    batches = tables.batches.c
    query = select(
        batches.feed, batches.source_file, batches.sha256, batches.size_bytes, batches.received_at, batches.rows_landed
    ).where(batches.status == "loaded", batches.received_at <= release.as_known)
    found = [
        {
            **row,
            "received_at": canonical.text_of(row["received_at"]),
        }
        for row in connection.execute(query).mappings()
    ]
    return sorted(found, key=lambda one: (one["feed"], one["received_at"], one["source_file"], one["sha256"]))


# -------------------------------------------------------------------------------------------------------- reading back


def _require_unaltered(folder: Path, release: Release) -> None:
    found = bundle_check.check(folder, head=release.chain_sha256)
    if found:
        what, where, detail = found[0]
        raise AlteredError(
            f"The bundle of {release.release_id} is not what was published: {what}.",
            where=f"{folder}: {where}",
            why=f"{detail} ({len(found)} finding(s))",
            next_step=f"keep the folder as evidence under another name, then parkindex publish {release.candidate_id}",
        )


def _require_served(connection: Connection, release: Release) -> None:
    """Compare what BI reads with what was approved.

    Raises:
        AlteredError: A served cell is another one.
    """
    served: dict[str, list[Row]] = contents.served(connection, release.release_id)
    if canonical.sha256(contents.content_stream(served)) == release.content_sha256:
        return
    candidate = candidates.find(connection, release.candidate_id)
    found = (
        contents.changes(contents.of_candidate(connection, candidate.schema_prefix), served)
        if candidates.has_schemas(connection, candidate)
        else []
    )
    raise AlteredError(
        f"What is served of {release.release_id} is not what was approved.",
        where=", ".join(f"{one.table_name} {one.row_key} {one.column_name}" for one in found[:5]) or "serve",
        why=f"{len(found)} cell(s) differ from candidate {release.candidate_id}"
        if found
        else f"its rows do not have the hash {release.content_sha256}",
        next_step="parkindex verify",
    )


# ------------------------------------------------------------------------------------------------------------- on disk


def _link_current(connection: Connection, settings: Settings) -> None:
    """Point ``releases/current`` at the newest edition's current release, if its bundle is written (ADR 0002)."""
    releases.lock_chain(connection)
    current = tables.current.c
    newest: str = connection.execute(select(current.release_id).order_by(current.edition.desc()).limit(1)).scalar_one()
    if not (settings.releases / newest).is_dir():
        return
    draft = settings.releases / f".{CURRENT}.{os.getpid()}"
    draft.unlink(missing_ok=True)
    draft.symlink_to(newest, target_is_directory=True)
    draft.replace(settings.releases / CURRENT)
    _flush_entry(settings.releases)


def _flush(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            path.chmod(0o644)
            with path.open("rb") as stream:
                os.fsync(stream.fileno())
    for path in (*(path for path in folder.rglob("*") if path.is_dir()), folder):
        _flush_entry(path)


def _flush_entry(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
