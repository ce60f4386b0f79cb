"""Find what is no longer as it was published: bundles, frozen rows, approvals, the chain.

What is claimed is detection. Who owns the database can switch triggers off and rewrite rows; the hashes then do not fit
any more. Who recomputes every hash as well is found by the head hash that was kept elsewhere: by an anchor
(:mod:`parkindex.publish.anchors`), or in a bundle that left the house.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, select

from parkindex.errors import AlteredError, BadInputError
from parkindex.ledger import tables
from parkindex.publish import (
    anchors,
    approvals,
    bundle,
    bundle_check,
    candidates,
    canonical,
    chain,
    contents,
    disclosure,
    grounds,
    releases,
    signing,
)
from parkindex.publish.anchors import Anchor
from parkindex.publish.canonical import Row
from parkindex.publish.releases import Release
from parkindex.settings import Settings


@dataclass(frozen=True)
class Finding:
    """Something that is not as it was published: what, where (release, table, row, column, file), and how."""

    what: str
    where: str
    detail: str

    def as_dict(self) -> dict[str, str]:
        """Return the finding as ``--json`` prints it."""
        return asdict(self)


def verify_bundle(
    folder: Path, public_key: str | None = None, head: str | None = None, given: Sequence[Anchor] = ()
) -> list[Finding]:
    """Check a bundle offline, exactly as its own ``verify.py`` does, and its chain against anchors.

    Args:
        folder: The bundle.
        public_key: Public key in hexadecimal, from elsewhere.
        head: Chain hash of the release, from elsewhere.
        given: Anchors that keep heads.

    Raises:
        BadInputError: The folder is no bundle, or an anchor keeps nothing.
    """
    if not (folder / "manifest.json").is_file():
        raise BadInputError(
            "This is not the bundle of a release.",
            where=str(folder),
            why="it holds no manifest.json",
            next_step="give the folder of a release, for example <home>/releases/current",
        )
    found = [Finding(*one) for one in bundle_check.check(folder, public_key, head)]
    if not found:
        links = json.loads((folder / "manifest.json").read_text("utf-8"))["chain"]
        for anchor in given:
            # What was published after this bundle is not in it.
            heads = [one for one in anchors.require_kept(anchor) if int(one.sequence) <= len(links)]
            found += [
                Finding(what, f"{where}, {anchor.label}", detail)
                for what, where, detail in anchors.departures(heads, links)
            ]
    return found


def require_unaltered(engine: Engine, settings: Settings) -> dict[str, Any]:
    """Check the warehouse's releases.

    Returns:
        ``{"releases": number checked, "altered": False}``.

    Raises:
        AlteredError: Something is not what was published; every finding is named.
    """
    found = verify_warehouse(engine, settings)
    if found:
        raise AlteredError(
            f"{len(found)} published record(s) are not what was published.",
            where="; ".join(f"{one.what}: {one.where}" for one in found),
            why="; ".join(one.detail for one in found),
            next_step="parkindex verify --json; keep the database as it is, and compare with a bundle kept elsewhere",
        )
    with engine.connect() as connection:
        return {"releases": len(releases.chained(connection)), "altered": False}


def verify_warehouse(engine: Engine, settings: Settings, given: Sequence[Anchor] = ()) -> list[Finding]:
    """Check every release: rows against hashes, the chain, approvals, gate, pointer, bundle on disk, anchors.

    Args:
        engine: The warehouse, as its owner.
        settings: The installation; its bundles hold the originals, its anchors the heads that were handed out.
        given: Further anchors, as kept by somebody else.

    Returns:
        What was altered, release by release; an altered cell is named where a bundle or the candidate still holds the
        original.

    Raises:
        BadInputError: A given anchor keeps nothing.
    """
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        return findings(connection, settings, given)


def findings(connection: Connection, settings: Settings, given: Sequence[Anchor] = ()) -> list[Finding]:
    """Check every release as a transaction sees it; else as :func:`verify_warehouse`."""
    found: list[Finding] = []
    previous = chain.GENESIS
    for place, release in enumerate(releases.chained(connection), start=1):
        found += _link(release, place, previous)
        found += _content(connection, settings, release)
        found += _annex(connection, settings, release)
        found += _withheld(connection, settings, release)
        found += _candidate(connection, release)
        found += _decisions(connection, release)
        found += _grounds(connection, release)
        found += _bundle(settings, release)
        previous = release.chain_sha256
    found += _withdrawals(connection)
    found += _pointers(connection)
    found += _anchored(connection, settings, given)
    return found


def _anchored(connection: Connection, settings: Settings, given: Sequence[Anchor]) -> list[Finding]:
    """Compare the chain with what anchors keep, and what the installation's own should keep with what they do."""
    chained = [release.as_dict() for release in releases.chained(connection)]
    heads = {anchor.label: anchors.require_kept(anchor) for anchor in given}
    receipts = connection.execute(select(tables.anchor_receipts)).all()
    found = []
    for anchor in anchors.configured(settings):
        handed = [row for row in receipts if row.anchor == anchor.label]
        kept = anchor.kept() if handed or anchor.label not in heads else heads[anchor.label]
        if kept is None:
            continue
        heads.setdefault(anchor.label, kept)
        there = {head.sequence for head in kept}
        sequences = {record["release_id"]: str(record["sequence"]) for record in chained}
        found += [
            Finding("missing anchor", f"{anchor.label}, release {row.release_id}", f"handed over: {row.receipt}")
            for row in handed
            if sequences.get(row.release_id) not in there
        ]
    for label, kept_heads in heads.items():
        found += [
            Finding(what, f"{where}, {label}", detail)
            for what, where, detail in anchors.departures(kept_heads, chained)
        ]
    return found


def _link(release: Release, place: int, previous: str) -> list[Finding]:
    found = []
    where = f"publish.releases {release.release_id}"
    if release.sequence != place or release.previous_sha256 != previous:
        found.append(Finding("broken chain", where, "it does not follow the release before"))
    computed = chain.chain_sha256(release.as_dict())
    if computed != release.chain_sha256:
        found.append(Finding("altered record", where, f"chain hash {release.chain_sha256}, computed {computed}"))
    return found


def _content(connection: Connection, settings: Settings, release: Release) -> list[Finding]:
    rows = contents.of_release(connection, release.release_id)
    try:
        computed = canonical.sha256(contents.content_stream(rows))
    except ValueError as error:
        return [Finding("altered rows", f"publish rows of {release.release_id}", str(error))]
    if computed == release.content_sha256:
        return []
    original = _original_of_bundle(settings, release, bundle.CONTENT_FILE, release.content_sha256)
    if original is None:
        original = _original_of_candidate(connection, release)
    if original is None:
        detail = f"content hash {release.content_sha256}, computed {computed}; no original is left to compare with"
        return [Finding("altered rows", f"publish rows of {release.release_id}", detail)]
    return _cells(release, original, rows, tables.CONTENT_TABLES)


def _annex(connection: Connection, settings: Settings, release: Release) -> list[Finding]:
    rows = contents.of_release(connection, release.release_id, tables.ANNEX_TABLES)
    computed = canonical.sha256(contents.annex_stream(rows))
    if computed == release.annex_sha256:
        return []
    original = _original_of_bundle(settings, release, bundle.ANNEX_FILE, release.annex_sha256)
    if original is None:
        detail = f"annex hash {release.annex_sha256}, computed {computed}; no original is left to compare with"
        names = " or ".join(table.name for table in tables.ANNEX_TABLES)
        return [Finding("altered rows", f"{names} of {release.release_id}", detail)]
    return _cells(release, original, rows, tables.ANNEX_TABLES)


def _withheld(connection: Connection, settings: Settings, release: Release) -> list[Finding]:
    """Hold what a release does not show against what its public rows commit to."""
    return [
        Finding(
            "altered cell",
            f"privacy.withheld_cells {release.release_id} {park}/{indicator}",
            "it is not what the public row commits to",
        )
        for park, indicator in disclosure.altered(connection, settings, release.release_id, release.edition)
    ]


def _cells(
    release: Release, original: canonical.Rows, rows: canonical.Rows, compared: tuple[Any, ...]
) -> list[Finding]:
    return [
        Finding(
            "altered cell",
            f"publish.{change.table_name} {release.release_id} {change.row_key} {change.column_name}",
            f"published {change.old_value}, now {change.new_value}",
        )
        for change in contents.changes(original, rows, compared, but=frozenset({"release_id"}))
    ]


def _original_of_bundle(settings: Settings, release: Release, name: str, sha256: str) -> canonical.Rows | None:
    """Return the rows as the bundle on disk holds them (all texts), when it has the hash that was published."""
    try:
        data = (settings.releases / release.release_id / name).read_bytes()
    except FileNotFoundError:
        return None
    if canonical.sha256(data) != sha256:
        return None
    rows: dict[str, list[Row]] = {table.name: [] for table in tables.RELEASED_TABLES}
    for line in data.decode().splitlines()[1:]:
        table, row = json.loads(line)
        rows[table].append(row)
    return rows


def _original_of_candidate(connection: Connection, release: Release) -> canonical.Rows | None:
    candidate = candidates.find(connection, release.candidate_id)
    if not candidates.has_schemas(connection, candidate):
        return None
    rows = contents.of_candidate(connection, candidate.schema_prefix)
    return rows if canonical.sha256(contents.content_stream(rows)) == release.content_sha256 else None


def _candidate(connection: Connection, release: Release) -> list[Finding]:
    """Compare a release with the ledger row and the tables of its candidate."""
    found = []
    try:
        candidate = candidates.find(connection, release.candidate_id)
    except BadInputError:
        return [Finding("missing record", f"publish.candidates {release.candidate_id}", "its release is there")]
    for name in ("edition", "content_sha256", "methodology_sha256", "inputs_sha256", "code_sha256", "as_known"):
        published, recorded = getattr(release, name), getattr(candidate, name)
        if published != recorded:
            where = f"publish.candidates {candidate.candidate_id} {name}"
            found.append(Finding("altered record", where, f"published {published}, now {recorded}"))
    if candidates.has_schemas(connection, candidate):
        rows = contents.of_candidate(connection, candidate.schema_prefix)
        if canonical.sha256(contents.content_stream(rows)) != release.content_sha256:
            where = f"schema {candidate.schema_prefix}park_index of {release.release_id}"
            found.append(Finding("altered candidate", where, "its rows are not those that were published"))
    return found


def _decisions(connection: Connection, release: Release) -> list[Finding]:
    """Check that the release still rests on two approvals and a passing gate."""
    made = approvals.of_candidate(connection, release.candidate_id)
    valid = [
        one
        for one in made
        if one.decision == "approve"
        and one.registered_role == one.role
        and one.content_sha256 == release.content_sha256
        and one.methodology_sha256 == release.methodology_sha256
        and one.code_sha256 == release.code_sha256
        and approvals.counted_at(connection, release.methodology_sha256, one, release.published_at)
    ]
    where = f"publish.approvals of {release.candidate_id}, release {release.release_id}"
    found = []
    enough = min(len({one.approver for one in valid}), len({one.role for one in valid})) >= releases.LEAST_APPROVERS
    if not enough:
        found.append(Finding("altered approvals", where, f"valid now: {releases.approved_by(valid) or 'none'}"))
    # Decisions on one candidate belong together when they were made against the same current release.
    together = [[one for one in valid if one.replaces_release_id == key] for key in _replaced(valid)]
    if release.approved_by not in map(releases.approved_by, together):
        detail = f"printed {release.approved_by}, recorded {releases.approved_by(valid) or 'none'}"
        found.append(Finding("altered approvals", where, detail))
    runs = tables.gate_runs.c
    run = connection.execute(
        select(runs.verdict, runs.content_sha256, runs.candidate_id).where(runs.gate_run_id == release.gate_run_id)
    ).first()
    if run is None or tuple(run) != ("pass", release.content_sha256, release.candidate_id):
        detail = "missing" if run is None else f"{run.verdict} for {run.candidate_id}, content {run.content_sha256}"
        found.append(Finding("altered verdict", f"audit.gate_runs {release.gate_run_id}", detail))
    return found


def _replaced(decisions: list[Any]) -> list[str | None]:
    return list(dict.fromkeys(one.replaces_release_id for one in decisions))


def _grounds(connection: Connection, release: Release) -> list[Finding]:
    """Compare every row of the ledger that a release rests on with the hash that was kept of it."""
    if release.grounds_sha256 is None:  # published before they were kept
        return []
    kept = grounds.of_release(connection, release.release_id)
    found = []
    if grounds.sha256(kept) != release.grounds_sha256:
        where = f"publish.grounds {release.release_id}"
        found.append(Finding("altered record", where, f"its rows do not have the hash {release.grounds_sha256}"))
    now = grounds.of_candidate(connection, release.candidate_id, release.gate_run_id)
    before = {(row["table_name"], row["row_key"]): row["row_sha256"] for row in kept}
    after = {(row["table_name"], row["row_key"]): row["row_sha256"] for row in now}
    for key in sorted(before.keys() | after.keys()):
        if before.get(key) != after.get(key):
            what = "added record" if key not in before else "altered record" if key in after else "missing record"
            where = f"{' '.join(key)}, on which release {release.release_id} rests"
            found.append(Finding(what, where, f"hash {before.get(key)}, now {after.get(key)}"))
    return found


def _withdrawals(connection: Connection) -> list[Finding]:
    """Compare withdrawals with the record of who made them, which was written in the same transaction."""
    attempts, rows = tables.attempts.c, tables.withdrawals.c
    told = {
        row.subject: (row.actor, row.reason, row.at)
        for row in connection.execute(
            select(attempts.subject, attempts.actor, attempts.reason, attempts.at).where(
                attempts.action == "withdraw", attempts.outcome == "done"
            )
        )
    }
    recorded = {
        row.release_id: (row.withdrawn_by, row.reason, row.withdrawn_at)
        for row in connection.execute(select(rows.release_id, rows.withdrawn_by, rows.reason, rows.withdrawn_at))
    }
    return [
        Finding(
            "altered withdrawal", f"publish.withdrawals {key}", f"told {told.get(key)}, recorded {recorded.get(key)}"
        )
        for key in sorted(told.keys() | recorded.keys())
        if told.get(key) != recorded.get(key)
    ]


def _bundle(settings: Settings, release: Release) -> list[Finding]:
    """Check the bundle on disk, if it was written: by its own check, against this release, by this house's key."""
    folder = settings.releases / release.release_id
    if not folder.exists():
        return []
    found = [
        Finding(what, f"bundle {release.release_id}: {where}", detail)
        for what, where, detail in bundle_check.check(
            folder, public_key=signing.public_hex(signing.key(settings)), head=release.chain_sha256
        )
    ]
    return list(dict.fromkeys(found))


def _pointers(connection: Connection) -> list[Finding]:
    """Check that each edition's pointer leads to its newest release that was not withdrawn, and when it was moved."""
    rows = connection.execute(select(tables.withdrawals.c.release_id, tables.withdrawals.c.withdrawn_at)).all()
    gone = {row.release_id for row in rows}
    # A pointer is moved by publishing or withdrawing, in the same transaction.
    moments = {row.withdrawn_at for row in rows}
    standing: dict[int, list[str]] = {}
    published: dict[int, set[str]] = {}
    for release in releases.chained(connection):
        published.setdefault(release.edition, set()).add(release.release_id)
        moments.add(release.published_at)
        if release.release_id not in gone:
            standing.setdefault(release.edition, []).append(release.release_id)
    pointers = {row.edition: row for row in connection.execute(select(tables.current))}
    found = []
    for edition, ids in sorted(published.items()):
        allowed = {standing[edition][-1]} if edition in standing else ids
        pointer = pointers.pop(edition, None)
        if pointer is None or pointer.release_id not in allowed:
            points_at = None if pointer is None else pointer.release_id
            detail = f"points at {points_at}, the newest standing release is {', '.join(sorted(allowed))}"
            found.append(Finding("altered pointer", f"publish.current {edition}", detail))
        elif pointer.moved_at not in moments:
            detail = f"moved at {pointer.moved_at}, when nothing was published or withdrawn"
            found.append(Finding("altered pointer", f"publish.current {edition}", detail))
    for edition in sorted(pointers):
        found.append(Finding("altered pointer", f"publish.current {edition}", "nothing is published of the edition"))
    return found
