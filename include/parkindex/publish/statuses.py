"""Status decisions: what the rule proposes for each park, and what people decided. No rule ever decides."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Engine, insert, select, text

from parkindex.errors import BadInputError, NotApprovedError, ParkindexError, UsageError
from parkindex.ledger import attempts, tables
from parkindex.publish import approvals
from parkindex.publish import proposals as rule_proposals
from parkindex.scoring import published
from parkindex.scoring.consequences import Proposal

STATUSES = ("normal", "notice", "delisted", "commended")
_LOCK = 7_203_150_006


def proposals(engine: Engine, edition: int) -> list[Proposal]:
    """Apply the edition's rule to its current release and those of the editions before.

    Raises:
        BadInputError: Nothing of the edition is published, or its methodology has no rule.
    """
    with engine.connect() as connection:
        return _proposals(connection, edition)


def _proposals(connection: Connection, edition: int) -> list[Proposal]:
    now = published.require_current(connection, edition, "status.release")
    rules = now.document.get("consequences")
    if rules is None:
        raise BadInputError(
            f"The methodology of {now.release_id} has no rule for 不合格.",
            where=f"methodology/{edition}/edition.yaml",
            why="methodology.consequences",
            next_step="add `consequences`, freeze the methodology, build and publish again",
        )
    return rule_proposals.on(connection, edition, rules, rule_proposals.of_release(now))


def decide(
    engine: Engine,
    edition: int,
    park_code: str,
    status: str,
    *,
    decided_by: str,
    role: str,
    reason: str,
    despite_doubt: bool = False,
) -> dict[str, Any]:
    """Record what a registered person decided about a park, with what the rule proposed then.

    Raises:
        UsageError: The status is unknown, or the reason is blank.
        BadInputError: The edition is not published, or has no such park.
        NotApprovedError: The person is not registered in the role, the park was never on notice before it is delisted,
            or its rank interval crosses the line and that was not said to be known.
    """
    if status not in STATUSES:
        raise UsageError(
            f"{status!r} is not a status.", why=f"known: {', '.join(STATUSES)}", next_step="give one of them"
        )
    if not reason.strip():
        raise UsageError("A decision needs a reason.", where="--reason", next_step="say why, as it will be printed")
    subject = f"{park_code} {status} {edition}"
    try:
        with engine.begin() as connection:
            connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            proposal = next((one for one in _proposals(connection, edition) if one.park_code == park_code), None)
            if proposal is None:
                raise BadInputError(
                    f"Edition {edition} has no park {park_code!r}.",
                    where="parks",
                    next_step=f"parkindex show {edition}",
                )
            approvals.require_role(connection, decided_by, role)
            _require_supported(proposal, status, despite_doubt=despite_doubt)
            release = published.require_current(connection, edition, "status.release")
            row = {
                "release_id": release.release_id,
                "edition": edition,
                "park_code": park_code,
                "status": status,
                "proposed": proposal.proposed,
                "rule": proposal.rule,
                "evidence": proposal.evidence,
                "crosses_line": proposal.crosses_line,
                "decided_by": decided_by,
                "role": role,
                "reason": reason.strip(),
            }
            connection.execute(insert(tables.status_decisions).values(**row))
            attempts.done(connection, "decide status", subject, decided_by)
            return row
    except ParkindexError as error:
        attempts.refused(engine, "decide status", subject, error, decided_by)
        raise


def _require_supported(proposal: Proposal, status: str, *, despite_doubt: bool) -> None:
    if status == "delisted" and proposal.status != "notice":
        raise NotApprovedError(
            f"{proposal.park_code} was not on notice.",
            where="publish.status_decisions",
            why="一次通报、两次摘牌: a delisting follows a notice that a person decided",
            next_step="decide a notice first",
        )
    if status in ("notice", "delisted") and proposal.crosses_line and not despite_doubt:
        raise NotApprovedError(
            f"The rank interval of {proposal.park_code} crosses the line.",
            where=f"ranks {proposal.evidence['editions'][-1]['rank_low']} to "
            f"{proposal.evidence['editions'][-1]['rank_high']}, line at {proposal.evidence['line']}",
            why="by other defensible choices of method the park would not fail",
            next_step="look at `parkindex doubt`; to decide knowing this: --despite-doubt",
        )


def decisions(engine: Engine) -> list[dict[str, Any]]:
    """Return every decision, newest first."""
    with engine.connect() as connection:
        query = select(tables.status_decisions).order_by(tables.status_decisions.c.decision_id.desc())
        return [dict(row) for row in connection.execute(query).mappings()]


def as_rows(found: list[Proposal]) -> list[dict[str, Any]]:
    """Return proposals as plain values."""
    return [asdict(one) for one in found]
