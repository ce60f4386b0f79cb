"""Sign what the gate must not pass alone: a named person, a reason, a day on which the signature expires."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Engine, func, insert, select

from parkindex import gate
from parkindex.errors import BadInputError, NotApprovedError, ParkindexError, UsageError
from parkindex.gate import CandidateSubject, Result
from parkindex.ledger import attempts, tables
from parkindex.publish import approvals, candidates
from parkindex.publish.candidates import Candidate


def subject_of(candidate: Candidate) -> CandidateSubject:
    """Return a candidate as the gate takes it."""
    return CandidateSubject(
        candidate_id=candidate.candidate_id,
        schema_prefix=candidate.schema_prefix,
        edition=candidate.edition,
        content_sha256=candidate.content_sha256,
        methodology_sha256=candidate.methodology_sha256,
        as_known=candidate.as_known,
    )


def needs(engine: Engine, candidate_id: str) -> list[Result]:
    """Return the expectations of a candidate that fail, may be waived and are not covered by waivers yet.

    Raises:
        BadInputError: There is no such candidate.
        NotApprovedError: Its tables are gone.
    """
    return [one for one in _evaluated(engine, candidate_id)[1] if one.stops]


def _evaluated(engine: Engine, candidate_id: str) -> tuple[Candidate, list[Result]]:
    with engine.connect() as connection:
        candidate = candidates.find(connection, candidate_id)
        candidates.require_schemas(connection, candidate)
    return candidate, gate.evaluate_waivable(engine, subject_of(candidate))


def sign(
    engine: Engine,
    candidate_id: str,
    expectation: str | None,
    *,
    signed_by: str,
    role: str,
    reason: str,
    days: int | None = None,
) -> list[dict[str, Any]]:
    """Let failures of a candidate through, each bound to what was looked at.

    Args:
        engine: The warehouse, as its owner.
        candidate_id: Candidate.
        expectation: Expectation, or one failure of it (``edition.no_unsigned_tier_change/P03/tier``); None: all that
            still need a signature.
        signed_by: Registered name.
        role: Registered role.
        reason: Why, as printed on the release.
        days: For how many days; default and most: the methodology's ``waiver_days``.

    Returns:
        ``{"waiver_id", "expectation_id", "key"}`` per failure signed now; a failure that is signed already is not
        signed again.

    Raises:
        UsageError: The reason is blank, or the days are not from 1 to the methodology's.
        BadInputError: There is no such candidate or expectation, or nothing of it fails.
        NotApprovedError: The person may not sign, or nobody may waive the expectation.
    """
    if not reason.strip():
        raise UsageError("A waiver needs a reason.", where="--reason", next_step="say why, as it will be printed")
    named = expectation or "all"
    try:
        candidate, results = _evaluated(engine, candidate_id)
        chosen = _chosen(candidate_id, results, expectation)
        with engine.begin() as connection:
            approvals.lock(connection)
            approvals.require_entitled(connection, candidate, signed_by, role)
            _require_unpublished(connection, candidate)
            expires_at = _expiry(connection, candidate, days)
            signed = []
            for result, key in chosen:
                values = {
                    "candidate_id": candidate_id,
                    "content_sha256": candidate.content_sha256,
                    "expectation_id": result.id,
                    "failing_key": key,
                    "signed_by": signed_by,
                    "role": role,
                    "reason": reason.strip(),
                    "expires_at": expires_at,
                }
                made = insert(tables.waivers).values(**values).returning(tables.waivers.c.waiver_id)
                number: int = connection.execute(made).scalar_one()
                signed.append({"waiver_id": number, "expectation_id": result.id, "key": key})
            attempts.done(connection, "waive", f"{candidate_id} {named}: {len(signed)}", signed_by, reason.strip())
            return signed
    except ParkindexError as error:
        attempts.refused(engine, "waive", f"{candidate_id} {named}", error, signed_by)
        raise


def _chosen(candidate_id: str, results: Sequence[Result], expectation: str | None) -> list[tuple[Result, Any]]:
    """Return the failures that are meant and not covered yet."""
    failing = [(one, key) for one in results if one.stops for key in one.failing_keys]
    if expectation is None:
        return failing
    identifier, _, label = expectation.partition("/")
    result = next((one for one in results if one.id == identifier), None)
    if result is None:
        raise NotApprovedError(
            f"Nobody may waive {identifier}.",
            where="expectations",
            why=f"may be waived: {', '.join(one.id for one in results)}",
            next_step="correct the cause and build again",
        )
    meant = [(one, key) for one, key in failing if one.id == identifier]
    if label:
        meant = [(one, key) for one, key in meant if gate.key_label(key) == label]
    if not meant and (label or result.success):
        raise BadInputError(
            f"{expectation} does not fail, or is signed.",
            where=f"candidate {candidate_id}",
            why="a waiver is bound to a failure that somebody looked at",
            next_step=f"parkindex waivers {candidate_id}",
        )
    return meant


def _require_unpublished(connection: Connection, candidate: Candidate) -> None:
    releases = tables.releases.c
    if connection.execute(select(releases.release_id).where(releases.candidate_id == candidate.candidate_id)).first():
        raise NotApprovedError(
            f"Candidate {candidate.candidate_id} is published.",
            where="publish.releases",
            why="waivers come before publication",
            next_step="build a new candidate",
        )


def _expiry(connection: Connection, candidate: Candidate, days: int | None) -> Any:
    most = approvals.rule(connection, candidate.methodology_sha256, "waiver_days")
    if days is not None and not 1 <= days <= most:
        raise UsageError(
            f"A waiver does not count for {days} days.",
            where="--days",
            why=f"waiver_days of the methodology is {most}",
            next_step=f"give 1 to {int(most)}",
        )
    return connection.execute(select(func.now() + timedelta(days=float(days or most)))).scalar_one()


def of_candidate(connection: Connection, candidate_id: str) -> list[dict[str, Any]]:
    """Return every waiver of a candidate with ``is_demo`` of who signed it, in the order of signing."""
    made, people = tables.waivers, tables.approvers
    query = (
        select(made, people.c.is_demo)
        .select_from(made.outerjoin(people, made.c.signed_by == people.c.approver))
        .where(made.c.candidate_id == candidate_id)
        .order_by(made.c.waiver_id)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def of_verdict(connection: Connection, gate_run_id: int) -> list[dict[str, Any]]:
    """Return the waivers that a verdict rests on, in the order of signing."""
    runs, results = tables.gate_runs.c, tables.expectation_results.c
    candidate_id: str | None = connection.execute(
        select(runs.candidate_id).where(runs.gate_run_id == gate_run_id)
    ).scalar_one_or_none()
    rows = connection.execute(select(results.waiver_ids).where(results.gate_run_id == gate_run_id))
    used = {int(number) for row in rows for number in row.waiver_ids}
    return [one for one in of_candidate(connection, candidate_id or "") if one["waiver_id"] in used]


def require_standing(connection: Connection, gate_run_id: int, candidate_id: str) -> None:
    """Refuse a verdict of which a waiver has expired.

    Raises:
        NotApprovedError: One has.
    """
    now = connection.execute(select(func.now())).scalar_one()
    expired = [one for one in of_verdict(connection, gate_run_id) if one["expires_at"] <= now]
    if expired:
        first = expired[0]
        raise NotApprovedError(
            f"{len(expired)} waiver(s) of candidate {candidate_id} expired.",
            where=f"publish.waivers {first['waiver_id']}",
            why=f"{first['signed_by']} signed {first['expectation_id']} until {first['expires_at'].isoformat()}",
            next_step=f"parkindex waive {candidate_id} {first['expectation_id']} …, then gate and approve again",
        )
