"""Approvals: who may decide, and decisions bound to what was looked at.

An approval is a row of the warehouse, not the state of a task: it holds the hashes of content, methodology and code
and the release that the candidate would replace, and it expires. The publisher checks every one of them again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, func, insert, select, text

from parkindex import gate
from parkindex.errors import BadInputError, NotApprovedError, UsageError
from parkindex.ledger import attempts, tables
from parkindex.publish import candidates

if TYPE_CHECKING:  # candidates lead back here, over the zone and the statuses
    from parkindex.publish.candidates import Candidate

ROLES = ("evaluator", "methodologist", "signatory")
DECISIONS = ("approve", "reject")
# Serialises decisions and registrations: a person's second call waits for the first.
_LOCK = 7_203_150_002


@dataclass(frozen=True)
class Approver:
    """A registered person.

    Attributes:
        approver: Name.
        role: evaluator, methodologist or signatory.
        is_demo: A stand-in of the sample world.
        registered_at: Since when; None before it is recorded.
        ended_at: From when the person decides nothing any more; None while they may.
    """

    approver: str
    role: str
    is_demo: bool
    registered_at: datetime | None = None
    ended_at: datetime | None = None


def registered(engine: Engine) -> dict[str, Approver]:
    """Return everybody who may decide, by name, in the order of names."""
    with engine.connect() as connection:
        return _registered(connection)


def _registered(connection: Connection) -> dict[str, Approver]:
    known, ended = tables.approvers, tables.approver_endings
    query = select(
        known.c.approver, known.c.role, known.c.is_demo, known.c.registered_at, ended.c.ended_at
    ).select_from(known.outerjoin(ended, known.c.approver == ended.c.approver))
    people = [Approver(**row._mapping) for row in connection.execute(query)]
    return {one.approver: one for one in sorted(people, key=lambda one: one.approver)}


def register(engine: Engine, approver: str, role: str, *, is_demo: bool = False, by: str | None = None) -> None:
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
            lock(connection)
            known = _registered(connection).get(approver)
            if known is None:
                connection.execute(
                    insert(tables.approvers).values(
                        approver=approver, role=role, is_demo=is_demo, registered_by=by or attempts.actor()
                    )
                )
                attempts.done(connection, "register", f"{approver} ({role})", by)
            else:
                _require_same(known, wanted)
    except NotApprovedError as error:
        attempts.refused(engine, "register", f"{approver} ({role})", error)
        raise


def _require_same(known: Approver, wanted: Approver) -> None:
    if (known.role, known.is_demo) != (wanted.role, wanted.is_demo) or known.ended_at is not None:
        raise NotApprovedError(
            f"{known.approver} is registered as {_described(known)} already.",
            where="publish.approvers",
            why="one person acts in one role, and the registry is not rewritten",
            next_step="use the registered role, or register the person under another name",
        )


def _described(one: Approver) -> str:
    until = f", until {one.ended_at.isoformat()}" if one.ended_at else ""
    return f"{one.role}, demo{until}" if one.is_demo else f"{one.role}{until}"


def end(engine: Engine, approver: str, reason: str, by: str) -> None:
    """End a person's registration: from now on they decide nothing, and approvals not yet used do not count.

    Raises:
        UsageError: The reason is blank.
        BadInputError: Nobody of this name is registered.
        NotApprovedError: The registration was ended before.
    """
    if not reason.strip():
        raise UsageError("Ending a registration needs a reason.", where="--reason", next_step="say why")
    try:
        with engine.begin() as connection:
            lock(connection)
            _require_registered(_require_known(connection, approver))
            connection.execute(
                insert(tables.approver_endings).values(approver=approver, ended_by=by, reason=reason.strip())
            )
            attempts.done(connection, "end registration", approver, by, reason.strip())
    except (BadInputError, NotApprovedError) as error:
        attempts.refused(engine, "end registration", approver, error, by)
        raise


def _require_known(connection: Connection, approver: str) -> Approver:
    known = _registered(connection).get(approver)
    if known is None:
        raise BadInputError(
            f"{approver} is not registered.", where="publish.approvers", next_step="parkindex approvers list"
        )
    return known


def _require_registered(known: Approver) -> None:
    if known.ended_at is not None:
        raise NotApprovedError(
            f"The registration of {known.approver} was ended.",
            where="publish.approver_endings",
            why=f"at {known.ended_at.isoformat()}",
            next_step="have another registered person decide",
        )


def decide(
    engine: Engine, candidate_id: str, content_sha256: str, approver: str, role: str, decision: str, note: str = ""
) -> None:
    """Record a person's decision on a candidate.

    The same decision twice changes nothing. A person may decide again only when the release that the candidate would
    replace has changed since, or an approval has expired, which makes the earlier decision void.

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
            lock(connection)
            candidate = candidates.find(connection, candidate_id)
            require_entitled(connection, candidate, approver, role)
            _require_sighted(connection, candidate, content_sha256, decision)
            replaces = current_release(connection, candidate.edition)
            renewal = _renewal(connection, candidate, approver, decision, replaces)
            if renewal is not None:
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
                        renewal=renewal,
                    )
                )
                attempts.done(connection, decision, candidate_id, approver)
    except NotApprovedError as error:
        attempts.refused(engine, decision, candidate_id, error, approver)
        raise


def lock(connection: Connection) -> None:
    """Let one person decide, sign or be registered at a time, until the end of the transaction."""
    connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def _require_one_of(value: str, known: tuple[str, ...], what: str) -> None:
    if value not in known:
        raise UsageError(
            f"{value!r} is not a {what}.", why=f"known: {', '.join(known)}", next_step=f"give one of them as {what}"
        )


def require_role(connection: Connection, approver: str, role: str) -> None:
    """Refuse who is not registered in a role, or no longer.

    Raises:
        UsageError: There is no such role.
        NotApprovedError: The person may not act in it.
    """
    _require_one_of(role, ROLES, "role")
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
    _require_registered(known)


def require_entitled(connection: Connection, candidate: Candidate, approver: str, role: str) -> None:
    """Refuse who may not decide on a candidate: not registered in the role, or its builder.

    Raises:
        UsageError: There is no such role.
        NotApprovedError: The person may not.
    """
    require_role(connection, approver, role)
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
            why="no passing verdict for this content, against what stands now, is the latest one",
            next_step=f"parkindex gate {candidate.candidate_id}",
        )


def _renewal(
    connection: Connection, candidate: Candidate, approver: str, decision: str, replaces: str | None
) -> int | None:
    """Return how often the decision was renewed before; None when it stands already."""
    made = tables.approvals.c
    earlier = connection.execute(
        select(made.decision, made.decided_at, made.renewal)
        .where(
            made.candidate_id == candidate.candidate_id,
            made.approver == approver,
            made.replaces_release_id.is_not_distinct_from(replaces),
        )
        .order_by(made.renewal.desc())
        .limit(1)
    ).first()
    if earlier is None:
        return 0
    if earlier.decision == "approve" and is_expired(connection, candidate, earlier.decided_at):
        return int(earlier.renewal) + 1
    if earlier.decision != decision:
        raise NotApprovedError(
            f"{approver} decided on candidate {candidate.candidate_id} already: {earlier.decision}.",
            where="publish.approvals",
            why="one decision per person",
            next_step=f"build a new candidate: parkindex build {candidate.edition}",
        )
    return None


def is_expired(connection: Connection, candidate: Candidate, decided_at: datetime) -> bool:
    """Whether an approval of a candidate is older than the methodology lets it count (``approval_days``)."""
    days = rule(connection, candidate.methodology_sha256, "approval_days")
    now: datetime = connection.execute(select(func.now())).scalar_one()
    return decided_at + timedelta(days=float(days)) <= now


def counted_at(connection: Connection, methodology_sha256: str, made: Any, moment: datetime) -> bool:
    """Whether an approval had not expired, and its approver's registration not ended, at a moment.

    Args:
        connection: Warehouse.
        methodology_sha256: Methodology of the release; one stored before approvals expired lets them count for good.
        made: Row of :func:`of_candidate`.
        moment: The moment.
    """
    days = _rule(connection, methodology_sha256, "approval_days")
    in_time = days is None or made.decided_at + timedelta(days=float(days)) > moment
    return bool(in_time and (made.ended_at is None or made.ended_at > moment))


def rule(connection: Connection, methodology_sha256: str, code: str) -> Decimal:
    """Return the number of a rule of a stored methodology.

    Raises:
        BadInputError: The methodology has no such rule: it was stored by an earlier version.
    """
    value = _rule(connection, methodology_sha256, code)
    if value is None:
        raise BadInputError(
            f"The methodology has no rule {code}.",
            where=f"methodology {methodology_sha256[:12]}…",
            why="it was stored before the rule was made",
            next_step="build a new candidate by the methodology on disk",
        )
    return value


def _rule(connection: Connection, methodology_sha256: str, code: str) -> Decimal | None:
    rules = tables.methodology_rules.c
    value: Decimal | None = connection.execute(
        select(rules.value_numeric).where(rules.methodology_sha256 == methodology_sha256, rules.rule_code == code)
    ).scalar_one_or_none()
    return value


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
    """Whether the latest verdict on a candidate is a pass for its content, against what stands now."""
    latest = latest_verdict(connection, candidate.candidate_id)
    if latest is None or latest.verdict != "pass":
        return False
    against = gate.against_release_id(connection, candidate.edition)
    return bool(latest.content_sha256 == candidate.content_sha256 and latest.against_release_id == against)


def of_candidate(connection: Connection, candidate_id: str) -> list[Any]:
    """Return the decisions on a candidate with ``is_demo`` of who made them, oldest first."""
    made, people, ended = tables.approvals, tables.approvers, tables.approver_endings
    query = (
        select(made, people.c.is_demo, people.c.role.label("registered_role"), ended.c.ended_at)
        .select_from(
            made.outerjoin(people, made.c.approver == people.c.approver).outerjoin(
                ended, made.c.approver == ended.c.approver
            )
        )
        .where(made.c.candidate_id == candidate_id)
        .order_by(made.c.approval_id)
    )
    return list(connection.execute(query))
