"""Approvals: who may decide, and decisions bound to what was looked at.

An approval is a row of the warehouse, not the state of a task: it holds the hashes of content, methodology and code
and the release that the candidate would replace. The publisher checks every one of them again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, insert, select, text

from parkindex.errors import NotApprovedError, UsageError
from parkindex.ledger import attempts, tables
from parkindex.publish import candidates
from parkindex.publish.candidates import Candidate

ROLES = ("evaluator", "methodologist", "signatory")
DECISIONS = ("approve", "reject")
# Serialises decisions and registrations: a person's second call waits for the first.
_LOCK = 7_203_150_002


@dataclass(frozen=True)
class Approver:
    """A registered person: name, role, and whether it is a stand-in of the sample world."""

    approver: str
    role: str
    is_demo: bool


def registered(engine: Engine) -> dict[str, Approver]:
    """Return everybody who may decide, by name, in the order of names."""
    with engine.connect() as connection:
        return _registered(connection)


def _registered(connection: Connection) -> dict[str, Approver]:
    columns = tables.approvers.c
    query = select(columns.approver, columns.role, columns.is_demo)
    people = [Approver(row.approver, row.role, row.is_demo) for row in connection.execute(query)]
    return {one.approver: one for one in sorted(people, key=lambda one: one.approver)}


def register(engine: Engine, approver: str, role: str, *, is_demo: bool = False) -> None:
    """Register a person; the same registration twice changes nothing.

    Raises:
        UsageError: The role is unknown or the name is blank.
        NotApprovedError: The name is registered in another role.
    """
    _require_one_of(role, ROLES, "role")
    if not approver.strip():
        raise UsageError("An approver needs a name.", next_step="parkindex approvers add NAME --role ROLE")
    wanted = Approver(approver, role, is_demo)
    try:
        with engine.begin() as connection:
            _lock(connection)
            known = _registered(connection).get(approver)
            if known is None:
                connection.execute(insert(tables.approvers).values(approver=approver, role=role, is_demo=is_demo))
                attempts.done(connection, "register", f"{approver} ({role})")
            else:
                _require_same(known, wanted)
    except NotApprovedError as error:
        attempts.refused(engine, "register", f"{approver} ({role})", error)
        raise


def _require_same(known: Approver, wanted: Approver) -> None:
    if known != wanted:
        raise NotApprovedError(
            f"{known.approver} is registered as {_described(known)} already.",
            where="publish.approvers",
            why="one person acts in one role, and the registry is not rewritten",
            next_step="use the registered role, or register the person under another name",
        )


def _described(one: Approver) -> str:
    return f"{one.role}, demo" if one.is_demo else one.role


def decide(
    engine: Engine, candidate_id: str, content_sha256: str, approver: str, role: str, decision: str, note: str = ""
) -> None:
    """Record a person's decision on a candidate.

    The same decision twice changes nothing. A person may decide again only when the release that the candidate would
    replace has changed since, which makes the earlier decision void.

    Args:
        engine: The warehouse, as its owner.
        candidate_id: Candidate.
        content_sha256: Hash of what the person looked at.
        approver: Registered name.
        role: Registered role.
        decision: approve or reject.
        note: Remark.

    Raises:
        UsageError: Unknown role or decision.
        NotApprovedError: The person may not decide, the hash is not the candidate's, the gate did not pass for it
            (approvals only), the candidate is published, or the person decided otherwise before.
    """
    _require_one_of(role, ROLES, "role")
    _require_one_of(decision, DECISIONS, "decision")
    try:
        with engine.begin() as connection:
            _lock(connection)
            candidate = candidates.find(connection, candidate_id)
            _require_entitled(connection, candidate, approver, role)
            _require_sighted(connection, candidate, content_sha256, decision)
            replaces = current_release(connection, candidate.edition)
            if _is_new(connection, candidate, approver, decision, replaces):
                connection.execute(
                    insert(tables.approvals).values(
                        candidate_id=candidate_id,
                        content_sha256=content_sha256,
                        methodology_sha256=candidate.methodology_sha256,
                        code_sha256=candidate.code_sha256,
                        approver=approver,
                        role=role,
                        decision=decision,
                        note=note or None,
                        replaces_release_id=replaces,
                    )
                )
                attempts.done(connection, decision, candidate_id, approver)
    except NotApprovedError as error:
        attempts.refused(engine, decision, candidate_id, error, approver)
        raise


def _lock(connection: Connection) -> None:
    connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def _require_one_of(value: str, known: tuple[str, ...], what: str) -> None:
    if value not in known:
        raise UsageError(
            f"{value!r} is not a {what}.", why=f"known: {', '.join(known)}", next_step=f"give one of them as {what}"
        )


def _require_entitled(connection: Connection, candidate: Candidate, approver: str, role: str) -> None:
    known = _registered(connection).get(approver)
    if known is None:
        raise NotApprovedError(
            f"{approver} is not registered.",
            where="publish.approvers",
            why="only registered people decide",
            next_step=f"parkindex approvers add {approver!r} --role {role}",
        )
    if known.role != role:
        raise NotApprovedError(
            f"{approver} is registered as {known.role}, not as {role}.",
            where="publish.approvers",
            why="one person acts in one role",
            next_step=f"decide with --role {known.role}",
        )
    if approver == candidate.built_by:
        raise NotApprovedError(
            f"{approver} built candidate {candidate.candidate_id}.",
            where="publish.candidates",
            why="nobody decides on what they built",
            next_step="have another registered person decide",
        )


def _require_sighted(connection: Connection, candidate: Candidate, content_sha256: str, decision: str) -> None:
    if content_sha256 != candidate.content_sha256:
        raise NotApprovedError(
            f"The hash is not that of candidate {candidate.candidate_id}.",
            where="publish.candidates",
            why=f"looked at {content_sha256[:12]}…, the candidate is {candidate.content_sha256[:12]}…",
            next_step=f"parkindex preview {candidate.candidate_id}, then decide on its hash",
        )
    if connection.execute(
        select(tables.releases.c.release_id).where(tables.releases.c.candidate_id == candidate.candidate_id)
    ).first():
        raise NotApprovedError(
            f"Candidate {candidate.candidate_id} is published.",
            where="publish.releases",
            why="decisions come before publication",
            next_step="withdraw the release, or build a new candidate",
        )
    if decision == "approve" and not gate_passed(connection, candidate):
        raise NotApprovedError(
            f"The gate did not pass candidate {candidate.candidate_id}.",
            where="audit.gate_runs",
            why="no passing verdict for this content is the latest one",
            next_step=f"parkindex gate {candidate.candidate_id}",
        )


def _is_new(connection: Connection, candidate: Candidate, approver: str, decision: str, replaces: str | None) -> bool:
    """Whether the decision is to be recorded; False when it stands already."""
    columns = tables.approvals.c
    earlier: str | None = connection.execute(
        select(columns.decision).where(
            columns.candidate_id == candidate.candidate_id,
            columns.approver == approver,
            columns.replaces_release_id.is_not_distinct_from(replaces),
        )
    ).scalar_one_or_none()
    if earlier is not None and earlier != decision:
        raise NotApprovedError(
            f"{approver} decided on candidate {candidate.candidate_id} already: {earlier}.",
            where="publish.approvals",
            why="one decision per person",
            next_step=f"build a new candidate: parkindex build {candidate.edition}",
        )
    return earlier is None


def current_release(connection: Connection, edition: int) -> str | None:
    """Return the id of the edition's current release."""
    current = tables.current.c
    found: str | None = connection.execute(
        select(current.release_id).where(current.edition == edition)
    ).scalar_one_or_none()
    return found


def latest_verdict(connection: Connection, candidate_id: str) -> Any:
    """Return the latest gate run of a candidate (a row of ``audit.gate_runs``), or None."""
    runs = tables.gate_runs
    of_it = (runs.c.candidate_id == candidate_id, runs.c.subject == "candidate")
    query = select(runs).where(*of_it).order_by(runs.c.gate_run_id.desc()).limit(1)
    return connection.execute(query).first()


def gate_passed(connection: Connection, candidate: Candidate) -> bool:
    """Whether the latest verdict on a candidate is a pass for exactly its content."""
    latest = latest_verdict(connection, candidate.candidate_id)
    if latest is None or latest.verdict != "pass":
        return False
    return bool(latest.content_sha256 == candidate.content_sha256)


def of_candidate(connection: Connection, candidate_id: str) -> list[Any]:
    """Return the decisions on a candidate with ``is_demo`` of who made them, oldest first."""
    made, people = tables.approvals, tables.approvers
    query = (
        select(made, people.c.is_demo, people.c.role.label("registered_role"))
        .select_from(made.outerjoin(people, made.c.approver == people.c.approver))
        .where(made.c.candidate_id == candidate_id)
        .order_by(made.c.approval_id)
    )
    return list(connection.execute(query))
