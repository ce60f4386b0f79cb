"""Releases: a candidate, checked once more and frozen, in one transaction.

What Airflow, the command line or a person did before counts for nothing here: gate, hashes, approvals and the current
release are read from the warehouse again, under a lock, in the transaction that publishes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, func, insert, select, text, update

from parkindex import gate, methodology
from parkindex.errors import AlteredError, BadInputError, GateFailedError, NotApprovedError, ParkindexError
from parkindex.ledger import attempts, tables
from parkindex.publish import (
    annex,
    approvals,
    calendar,
    candidates,
    canonical,
    chain,
    code,
    contents,
    disclosure,
    grounds,
    objection_register,
    waivers,
)
from parkindex.publish.candidates import Candidate
from parkindex.publish.canonical import Row
from parkindex.settings import Settings

# One publisher at a time: the chain has one head. (Withdrawals move the same pointer and take it too.)
CHAIN_LOCK = 7_203_150_003
LEAST_APPROVERS = 2
_FIRST_REASON = "first release of the edition"
# Types of revisions, after the guide to statistical revisions of the UK's Office for National Statistics.
REVISION_TYPES = {
    "R1": "better source data",
    "R2": "routine recalculation",
    "R3": "change of method",
    "C": "correction of an error",
}
_TYPED = re.compile(r"(R1|R2|R3|C)\s*[:：]\s*(\S.*)", re.DOTALL)


@dataclass(frozen=True)
class Release:
    """The record of a release, a row of ``publish.releases``."""

    release_id: str
    edition: int
    sequence: int
    candidate_id: str
    content_sha256: str
    annex_sha256: str
    previous_sha256: str
    chain_sha256: str
    methodology_sha256: str
    inputs_sha256: str
    code_sha256: str
    as_known: datetime
    published_at: datetime
    reason: str
    approved_by: str
    gate_run_id: int
    grounds_sha256: str | None = None
    revision_type: str | None = None
    supersedes_release_id: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the record as a row, each value in its own type."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


def publish(engine: Engine, settings: Settings, candidate_id: str, reason: str | None = None) -> Release:
    """Publish an approved candidate, or refuse; as :func:`publish_once`, whoever was first."""
    return publish_once(engine, settings, candidate_id, reason)[0]


def publish_once(
    engine: Engine, _settings: Settings, candidate_id: str, reason: str | None = None
) -> tuple[Release, bool]:
    """Publish an approved candidate, or refuse.

    A candidate that is published already is returned as the release it is, so that a retried task does no harm; the
    ledger says that somebody else was first.

    Args:
        engine: The warehouse, as its owner.
        _settings: The installation; what decides stands in the warehouse.
        candidate_id: Candidate.
        reason: Why a revision is made: its type and words (``C: wrong accounts``), types as in
            :data:`REVISION_TYPES`; needed when the edition has a release already.

    Returns:
        The release, and whether it was made now.

    Raises:
        GateFailedError: The latest verdict on the candidate is not a pass.
        NotApprovedError: An approval is missing, stale, expired or refused; a waiver expired; code, methodology or the
            release to be replaced changed; the edition is under embargo; an objection to the candidate waits or was
            upheld; the reason of a revision is missing or has no type.
        AlteredError: The candidate's rows are not those that were hashed.
    """
    try:
        with engine.begin() as connection:
            lock_chain(connection)
            candidate = candidates.find(connection, candidate_id)
            existing = published(connection, candidate_id)
            if existing is not None:
                was = f"published already as {existing.release_id}, {existing.published_at.isoformat()}"
                attempts.held(connection, "publish", candidate_id, was)
                return existing, False
            gate_run_id = _require_gate(connection, candidate)
            approved_by = _require_approvals(connection, candidate)
            _require_same_rules(candidate)
            calendar.require_no_embargo(connection, candidate.edition)
            objection_register.require_decided(connection, candidate_id)
            rows = _require_same_content(connection, candidate)
            release = _freeze(connection, candidate, rows, gate_run_id, approved_by, reason)
            _move_pointer(connection, release)
            attempts.done(connection, "publish", f"{candidate_id} as {release.release_id}")
            return release, True
    except ParkindexError as error:
        attempts.refused(engine, "publish", candidate_id, error)
        raise


def lock_chain(connection: Connection) -> None:
    """Wait for other publishers, until the end of the transaction."""
    connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": CHAIN_LOCK})


# ------------------------------------------------------------------------------------------------------------- checks


def _require_gate(connection: Connection, candidate: Candidate) -> int:
    latest = approvals.latest_verdict(connection, candidate.candidate_id)
    current = gate.against_release_id(connection, candidate.edition)
    if (
        latest is not None
        and (latest.verdict, latest.content_sha256) == ("pass", candidate.content_sha256)
        and latest.against_release_id != current
    ):
        raise NotApprovedError(
            f"The current release of edition {candidate.edition} is not the one that was looked at.",
            where="publish.current",
            why="the gate compared consequences when the current release was"
            f" {latest.against_release_id}, now it is {current}",
            next_step=f"parkindex gate {candidate.candidate_id}, then have it approved again",
        )
    if latest is None or not approvals.gate_passed(connection, candidate):
        raise GateFailedError(
            f"The gate did not pass candidate {candidate.candidate_id}.",
            where="audit.gate_runs",
            why="there is no verdict"
            if latest is None
            else f"run {latest.gate_run_id}: {latest.verdict}, for content {str(latest.content_sha256)[:12]}…, "
            f"consequences compared with {latest.against_release_id or 'nothing'}",
            next_step=f"parkindex gate {candidate.candidate_id}",
        )
    waivers.require_standing(connection, int(latest.gate_run_id), candidate.candidate_id)
    return int(latest.gate_run_id)


def _require_approvals(connection: Connection, candidate: Candidate) -> str:
    """Check the decisions; return the approvers as printed on the release."""
    decisions = approvals.of_candidate(connection, candidate.candidate_id)
    rejected = [made for made in decisions if made.decision == "reject"]
    if rejected:
        raise NotApprovedError(
            f"{rejected[0].approver} ({rejected[0].role}) rejected candidate {candidate.candidate_id}.",
            where="publish.approvals",
            why=rejected[0].note or "no remark",
            next_step="correct what was objected to and build a new candidate",
        )
    current = approvals.current_release(connection, candidate.edition)
    valid = [made for made in decisions if why_void(connection, made, candidate, current) is None]
    if (
        len({made.approver for made in valid}) >= LEAST_APPROVERS
        and len({made.role for made in valid}) >= LEAST_APPROVERS
    ):
        return approved_by(valid)
    void = [
        f"{made.approver}: {why_void(connection, made, candidate, current)}" for made in decisions if made not in valid
    ]
    raise NotApprovedError(
        f"Candidate {candidate.candidate_id} is not approved by two people in two roles.",
        where="publish.approvals",
        why="; ".join([f"valid: {approved_by(valid) or 'none'}", *void]),
        next_step=f"parkindex approve {candidate.candidate_id} --as NAME --role ROLE",
    )


def why_void(connection: Connection, made: Any, candidate: Candidate, replaces: str | None) -> str | None:
    """Say why an approval does not count for a candidate now; None when it does.

    Args:
        connection: Warehouse.
        made: Row of :func:`approvals.of_candidate`.
        candidate: The candidate.
        replaces: The release that the candidate replaces.
    """
    for name, what in (("content", "content"), ("methodology", "methodology"), ("code", "code")):
        if getattr(made, f"{name}_sha256") != getattr(candidate, f"{name}_sha256"):
            return f"is bound to another {what}"
    reasons = (
        (made.registered_role != made.role, "is not registered in this role"),
        (made.ended_at is not None, "is no longer registered"),
        (made.approver == candidate.built_by, "built the candidate"),
        (
            approvals.is_expired(connection, candidate, made.decided_at),
            f"approved on {made.decided_at.date().isoformat()}, which has expired",
        ),
        (
            made.replaces_release_id != replaces,
            f"looked at it when the current release was {made.replaces_release_id}, now it is {replaces}",
        ),
    )
    return next((words for is_so, words in reasons if is_so), None)


def approved_by(valid: Iterable[Any]) -> str:
    """Return approvers and roles as printed, in the order of their decisions; stand-ins are named as such."""
    return ", ".join(f"{made.approver} ({made.role}{', demo' if made.is_demo else ''})" for made in valid)


def _require_same_rules(candidate: Candidate) -> None:
    build_again = f"parkindex build {candidate.edition}, then gate and approve the new candidate"
    if code.code_sha256() != candidate.code_sha256:
        raise NotApprovedError(
            f"The code is not the code that built candidate {candidate.candidate_id}.",
            where="include/parkindex, dbt_project, contracts or expectations",
            why="what was approved was made by another version",
            next_step=build_again,
        )
    if methodology.load(candidate.edition).sha256 != candidate.methodology_sha256:
        raise NotApprovedError(
            f"The methodology is not the one of candidate {candidate.candidate_id}.",
            where=f"methodology/{candidate.edition}",
            why="what was approved was made by another version",
            next_step=build_again,
        )


def _require_same_content(connection: Connection, candidate: Candidate) -> dict[str, list[Row]]:
    """Return the candidate's rows, hashed once more."""
    candidates.require_schemas(connection, candidate)
    rows = contents.of_candidate(connection, candidate.schema_prefix)
    found = canonical.sha256(contents.content_stream(rows))
    if found != candidate.content_sha256:
        raise AlteredError(
            f"Candidate {candidate.candidate_id} is not what was built and approved.",
            where=f"schema {candidate.schema_prefix}park_index",
            why=f"content {found[:12]}…, recorded {candidate.content_sha256[:12]}…",
            next_step=f"find out who changed it; then parkindex build {candidate.edition}",
        )
    return rows


# --------------------------------------------------------------------------------------------------------- the release


def _freeze(
    connection: Connection,
    candidate: Candidate,
    rows: dict[str, list[Row]],
    gate_run_id: int,
    approvers: str,
    reason: str | None,
) -> Release:
    releases = tables.releases.c
    previous = approvals.current_release(connection, candidate.edition)
    revision_type = None
    if previous is not None:
        revision_type, reason = typed_reason(reason, f"Edition {candidate.edition} is published as {previous}")
    head = connection.execute(select(tables.releases).order_by(releases.sequence.desc()).limit(1)).first()
    earlier = connection.execute(
        select(func.count()).select_from(tables.releases).where(releases.edition == candidate.edition)
    ).scalar_one()
    release_id = f"{candidate.edition}.{earlier + 1}"
    beside: dict[str, list[Row]] = {
        **annex.of_candidate(connection, candidate),
        tables.revisions.name: annex.revisions(connection, candidate.edition, rows, previous),
        tables.status_changes.name: annex.status_changes(connection, candidate, rows, previous),
    }
    rests_on = grounds.of_candidate(connection, candidate.candidate_id, gate_run_id)
    record: dict[str, Any] = {
        "release_id": release_id,
        "edition": candidate.edition,
        "sequence": head.sequence + 1 if head else 1,
        "candidate_id": candidate.candidate_id,
        "content_sha256": candidate.content_sha256,
        "annex_sha256": canonical.sha256(contents.annex_stream(beside)),
        "previous_sha256": head.chain_sha256 if head else chain.GENESIS,
        "methodology_sha256": candidate.methodology_sha256,
        "inputs_sha256": candidate.inputs_sha256,
        "code_sha256": candidate.code_sha256,
        "as_known": candidate.as_known,
        "published_at": connection.execute(select(func.now())).scalar_one(),
        "reason": (reason or "").strip() or _FIRST_REASON,
        "approved_by": approvers,
        "gate_run_id": gate_run_id,
        "grounds_sha256": grounds.sha256(rests_on),
        "revision_type": revision_type,
        "supersedes_release_id": previous,
    }
    record["chain_sha256"] = chain.chain_sha256(record)
    connection.execute(insert(tables.releases).values(**record))
    connection.execute(insert(tables.grounds), [{"release_id": release_id, **row} for row in rests_on])
    for table in tables.RELEASED_TABLES:
        stamped = [{"release_id": release_id, **row} for row in {**rows, **beside}[table.name]]
        if stamped:
            connection.execute(insert(table), stamped)
    objection_register.link_corrections(connection, record, beside[tables.revisions.name])
    disclosure.freeze(connection, release_id, candidate.edition, candidate.schema_prefix)
    frozen = contents.of_release(connection, release_id)
    if canonical.sha256(contents.content_stream(frozen)) != candidate.content_sha256:
        raise AlteredError(
            f"What was frozen of {release_id} is not what was approved.",
            where="publish",
            why="the frozen rows have another hash; nothing was published",
            next_step="report this with `parkindex doctor`; the candidate is untouched",
        )
    return Release(**record)


def typed_reason(reason: str | None, what: str) -> tuple[str, str]:
    """Return type and normal form (``C: words``) of the reason of a revision.

    Raises:
        NotApprovedError: It has no type, or no words.
    """
    found = _TYPED.fullmatch((reason or "").strip())
    if found is None:
        raise NotApprovedError(
            f"{what}; a revision needs a reason with its type.",
            where="publish.releases",
            why=", ".join(f"{code} {words}" for code, words in REVISION_TYPES.items()),
            next_step="give the type and words: --reason 'C: …'",
        )
    return found[1], f"{found[1]}: {found[2].strip()}"


def _move_pointer(connection: Connection, release: Release) -> None:
    """Make a release the current one of its edition: compare and swap with the one it was checked against."""
    current = tables.current
    previous = approvals.current_release(connection, release.edition)
    if previous is None:
        connection.execute(insert(current).values(edition=release.edition, release_id=release.release_id))
        return
    moved = connection.execute(
        update(current)
        .where(current.c.edition == release.edition, current.c.release_id == previous)
        .values(release_id=release.release_id, moved_at=func.now())
    )
    if moved.rowcount != 1:
        raise NotApprovedError(
            f"The current release of edition {release.edition} changed meanwhile.",
            where="publish.current",
            why="another publisher was quicker",
            next_step="look at `parkindex releases`, then decide again",
        )


# ------------------------------------------------------------------------------------------------------------- reading


def published(connection: Connection, candidate_id: str) -> Release | None:
    """Return the release that a candidate was published as; None when it was not."""
    row = connection.execute(select(tables.releases).where(tables.releases.c.candidate_id == candidate_id)).first()
    return Release(**row._mapping) if row else None


def find(connection: Connection, release_id: str) -> Release:
    """Return a release by its id, or the current one of an edition by its year.

    Raises:
        BadInputError: There is none.
    """
    if release_id.isdigit():
        release_id = approvals.current_release(connection, int(release_id)) or release_id
    row = connection.execute(select(tables.releases).where(tables.releases.c.release_id == release_id)).first()
    if row is None:
        raise BadInputError(
            f"There is no release {release_id!r}.", where="publish.releases", next_step="parkindex releases"
        )
    return Release(**row._mapping)


def chained(connection: Connection) -> list[Release]:
    """Return every release in the order of the chain."""
    rows = connection.execute(select(tables.releases).order_by(tables.releases.c.sequence))
    return [Release(**row._mapping) for row in rows]


def list_releases(engine: Engine) -> list[dict[str, Any]]:
    """Return every release as ``serve.releases`` shows it, newest first."""
    with engine.connect() as connection:
        rows = connection.execute(text("select * from serve.releases order by sequence desc")).mappings()
        return [dict(row) for row in rows]


def show(engine: Engine, release_id: str) -> dict[str, Any]:
    """Return one release: ``release`` (its row of ``serve.releases``) and ``park_ranking``, best first.

    Raises:
        BadInputError: There is none.
    """
    with engine.connect() as connection:
        release = find(connection, release_id)
        chosen = {"release_id": release.release_id}
        row = connection.execute(text("select * from serve.releases where release_id = :release_id"), chosen)
        ranking = connection.execute(
            text("select * from serve.park_ranking where release_id = :release_id order by rank nulls last, park_code"),
            chosen,
        )
        return {"release": dict(row.mappings().one()), "park_ranking": [dict(one) for one in ranking.mappings()]}


def compare(engine: Engine, first: str, second: str) -> list[dict[str, Any]]:
    """Return every cell that differs between two releases, with the reason the second was made.

    Raises:
        BadInputError: One of them does not exist.
    """
    with engine.connect() as connection:
        one, other = find(connection, first), find(connection, second)
        found = contents.changes(
            contents.of_release(connection, one.release_id), contents.of_release(connection, other.release_id)
        )
    return [
        {
            "table_name": change.table_name,
            "row_key": change.row_key,
            "column_name": change.column_name,
            "value_before": change.old_value,
            "value_after": change.new_value,
            "reason": other.reason,
        }
        for change in found
    ]
