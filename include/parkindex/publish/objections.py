"""Objections: what a park holds wrong, what that would change for every park, who decided, what came of it.

An objection is about a release, or about a candidate that parks were shown. Its effect is computed for every park, once
by the value that the park claims and once by the value that is found right: a correction for one moves others. Upheld
ones are corrected by a new release of type C that changes what they are about; none is ever changed or deleted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, insert, select, text

from parkindex.errors import BadInputError, NotApprovedError, ParkindexError, UsageError
from parkindex.ledger import attempts, tables
from parkindex.publish import approvals, calendar, candidates, contents, objection_register, proposals, releases
from parkindex.publish.canonical import Row, Rows
from parkindex.scoring.consequences import assess
from parkindex.scoring.edition import Value, score

DECISIONS = ("upheld", "rejected")
_LOCK = 7_203_150_012
_PLACES = Decimal("0.000001")


def open_objection(
    engine: Engine,
    subject: str,
    park_code: str,
    *,
    reason: str,
    opened_by: str,
    indicator_code: str | None = None,
    value: str | None = None,
    evidence: Path | None = None,
) -> dict[str, Any]:
    """Record an objection with its effect on every park.

    Args:
        engine: The warehouse, as its owner.
        subject: Release, edition (its current release) or candidate.
        park_code: Park that objects.
        reason: Why, in the park's words.
        opened_by: Who.
        indicator_code: Indicator it is about; None: the assessment as a whole.
        value: Value that the park holds right.
        evidence: File that supports it; its name and hash are kept, not its content.

    Returns:
        The objection's row.

    Raises:
        UsageError: Reason or name is blank, or a value is given without an indicator or is no number.
        BadInputError: There is no such release, candidate, park or computed indicator, or the file cannot be read.
        NotApprovedError: The window for objections is not open.
    """
    if not reason.strip() or not opened_by.strip():
        raise UsageError("An objection needs a reason and a name.", next_step="give --reason and --by")
    if value is not None and indicator_code is None:
        raise UsageError("A value is one of an indicator.", where="--value", next_step="give --indicator too")
    claimed = None if value is None else _number(value)
    name, sha256 = _evidence(evidence)
    told = f"{subject} {park_code}{'/' + indicator_code if indicator_code else ''}"
    try:
        with engine.begin() as connection:
            connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            release_id, candidate, rows = _subject(connection, subject)
            calendar.require_open(connection, candidate.edition, "objections")
            document = _document(connection, candidate.methodology_sha256)
            _require_known(document, park_code, indicator_code)
            row = {
                "edition": candidate.edition,
                "release_id": release_id,
                "candidate_id": candidate.candidate_id,
                "content_sha256": candidate.content_sha256,
                "park_code": park_code,
                "indicator_code": indicator_code,
                "claimed_value": claimed,
                "reason": reason.strip(),
                "evidence_name": name,
                "evidence_sha256": sha256,
                "opened_by": opened_by.strip(),
                "effect": _effect(connection, document, candidate.edition, rows, park_code, indicator_code, claimed),
            }
            made = insert(tables.objections).values(**row).returning(tables.objections.c.objection_id)
            number: int = connection.execute(made).scalar_one()
            attempts.done(connection, "object", f"{number}: {told}", opened_by.strip(), reason.strip())
    except ParkindexError as error:
        attempts.refused(engine, "object", told, error, opened_by)
        raise
    return {"objection_id": number, **row}


def decide(
    engine: Engine,
    objection_id: int,
    decision: str,
    *,
    decided_by: str,
    role: str,
    reason: str,
    value: str | None = None,
) -> dict[str, Any]:
    """Record a named person's decision on an objection, with its effect on every park.

    Args:
        engine: The warehouse, as its owner.
        objection_id: Objection.
        decision: upheld or rejected.
        decided_by: Registered name; not who built what is objected to.
        role: Registered role.
        reason: Why, as printed.
        value: Value found right; default: the one that the park claims, when upheld.

    Raises:
        UsageError: The decision is unknown, the reason blank, or the value no number.
        BadInputError: There is no such objection.
        NotApprovedError: The person may not decide, or it is decided.
    """
    if decision not in DECISIONS:
        raise UsageError(f"{decision!r} is no decision.", why=f"known: {', '.join(DECISIONS)}", next_step="give one")
    if not reason.strip():
        raise UsageError("A decision needs a reason.", where="--reason", next_step="say why, as it will be printed")
    told = f"{objection_id}: {decision}"
    try:
        with engine.begin() as connection:
            connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            objection = _find(connection, objection_id)
            candidate = candidates.find(connection, objection.candidate_id)
            approvals.require_entitled(connection, candidate, decided_by, role)
            _require_undecided(connection, objection_id)
            found = None
            if decision == "upheld":
                found = objection.claimed_value if value is None else _number(value)
            _, _, rows = _subject(connection, objection.release_id or objection.candidate_id)
            document = _document(connection, candidate.methodology_sha256)
            row = {
                "objection_id": objection_id,
                "decision": decision,
                "decided_by": decided_by,
                "role": role,
                "reason": reason.strip(),
                "decided_value": found,
                "effect": _effect(
                    connection,
                    document,
                    candidate.edition,
                    rows,
                    objection.park_code,
                    objection.indicator_code,
                    found,
                ),
            }
            connection.execute(insert(tables.objection_decisions).values(**row))
            attempts.done(connection, "decide objection", told, decided_by, reason.strip())
    except ParkindexError as error:
        attempts.refused(engine, "decide objection", told, error, decided_by)
        raise
    return row


def register(engine: Engine, edition: int | None = None) -> list[dict[str, Any]]:
    """Return every objection with its decision and the release that corrected it, newest first."""
    with engine.connect() as connection:
        return objection_register.listed(connection, edition)


# -------------------------------------------------------------------------------------------------------------- effect


def _effect(
    connection: Connection,
    document: Mapping[str, Any],
    edition: int,
    rows: Rows,
    park_code: str,
    indicator_code: str | None,
    value: Decimal | None,
) -> list[dict[str, Any]]:
    """Return rank, score, tier, strikes and failing of every park before and after; the same where no value is given.

    Strikes are counted anew by the methodology's rule; what people decided about a park's status stays theirs.
    """
    before = {row["park_code"]: row for row in rows["park_ranking"]}
    values: list[Value] = [
        (
            row["park_code"],
            row["indicator_code"],
            value
            if value is not None and (row["park_code"], row["indicator_code"]) == (park_code, indicator_code)
            else row["value"],
        )
        for row in rows["indicator_scores"]
    ]
    after = {one.park_code: one for one in score(document, values).parks} if value is not None else {}
    strikes = _strikes(connection, document, edition, [_Ranked(row) for row in before.values()])
    ranked = [_Ranked({**row, **_as_row(after.get(code), row)}) for code, row in before.items()]
    strikes_after = _strikes(connection, document, edition, ranked)
    effect = []
    for code in sorted(before):
        old, new = before[code], {**before[code], **_as_row(after.get(code), before[code])}
        effect.append(
            {
                "park_code": code,
                "rank_before": old["rank"],
                "rank_after": new["rank"],
                "score_before": _plain(old["score"]),
                "score_after": _plain(new["score"]),
                "tier_before": old["tier"],
                "tier_after": new["tier"],
                "fails_before": strikes.get(code, (None, None))[0],
                "fails_after": strikes_after.get(code, (None, None))[0],
                "strikes_before": strikes.get(code, (None, None))[1],
                "strikes_after": strikes_after.get(code, (None, None))[1],
            }
        )
    return effect


class _Ranked:
    """A row of a ranking as the rule for consequences takes it."""

    def __init__(self, row: Mapping[str, Any]) -> None:
        self.park_code = row["park_code"]
        self.rank, self.rank_low, self.rank_high = row["rank"], row["rank_low"], row["rank_high"]
        self.score: Decimal | None = row["score"]


def _as_row(scored: Any | None, row: Row) -> dict[str, Any]:
    if scored is None:
        return {}
    total = None if scored.score is None else Decimal(str(scored.score)).quantize(_PLACES)
    # The interval was simulated for the values as they were; it goes along with the rank.
    return (
        {"rank": scored.rank, "score": total, "tier": scored.tier, "rank_low": None, "rank_high": None}
        if (scored.rank != row["rank"] or total != _rounded(row["score"]))
        else {}
    )


def _strikes(
    connection: Connection, document: Mapping[str, Any], edition: int, ranking: Sequence[Any]
) -> dict[str, tuple[bool, int]]:
    rules = document.get("consequences")
    if rules is None:
        return {}
    now = assess(document, edition, "", ranking)
    return {one.park_code: (one.failing, one.strikes) for one in proposals.on(connection, edition, rules, now)}


def _rounded(value: Decimal | None) -> Decimal | None:
    return None if value is None else value.quantize(_PLACES)


def _plain(value: Decimal | None) -> str | None:
    return None if value is None else str(_rounded(value))


# -------------------------------------------------------------------------------------------------------------- lookups


def _subject(connection: Connection, subject: str) -> tuple[str | None, candidates.Candidate, Rows]:
    """Return release (None for a candidate), candidate and rows of what is objected to."""
    if "-c" in subject:
        candidate = candidates.find(connection, subject)
        candidates.require_schemas(connection, candidate)
        return None, candidate, contents.of_candidate(connection, candidate.schema_prefix)
    release = releases.find(connection, subject)
    candidate = candidates.find(connection, release.candidate_id)
    return release.release_id, candidate, contents.of_release(connection, release.release_id)


def _document(connection: Connection, methodology_sha256: str) -> Mapping[str, Any]:
    editions = tables.methodology_editions.c
    document: Mapping[str, Any] = connection.execute(
        select(editions.document).where(editions.methodology_sha256 == methodology_sha256)
    ).scalar_one()
    return document


def _require_known(document: Mapping[str, Any], park_code: str, indicator_code: str | None) -> None:
    parks = {park["park_code"] for park in document["parks"]}
    computed = {row["code"] for row in document["indicators"] if row["state"] == "computed"}
    if park_code not in parks or (indicator_code is not None and indicator_code not in computed):
        what = f"park {park_code!r}" if park_code not in parks else f"computed indicator {indicator_code!r}"
        raise BadInputError(
            f"The edition has no {what}.", where="methodology", next_step="parkindex methodology show EDITION"
        )


def _find(connection: Connection, objection_id: int) -> Any:
    row = connection.execute(select(tables.objections).where(tables.objections.c.objection_id == objection_id)).first()
    if row is None:
        raise BadInputError(
            f"There is no objection {objection_id}.", where="publish.objections", next_step="parkindex objections list"
        )
    return row


def _require_undecided(connection: Connection, objection_id: int) -> None:
    decided = tables.objection_decisions
    row = connection.execute(select(decided).where(decided.c.objection_id == objection_id)).first()
    if row is not None:
        raise NotApprovedError(
            f"Objection {objection_id} is decided already: {row.decision}.",
            where="publish.objection_decisions",
            why=f"by {row.decided_by}: {row.reason}",
            next_step="parkindex objections list",
        )


def _number(value: str) -> Decimal:
    try:
        number = Decimal(value)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise UsageError(f"{value!r} is not a number.", where="--value", next_step="give it as 12.5")
    return number


def _evidence(path: Path | None) -> tuple[str | None, str | None]:
    if path is None:
        return None, None
    try:
        return path.name, hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise BadInputError(
            "The evidence cannot be read.", where=str(path), why=str(error), next_step="give a file that is there"
        ) from error
