"""What a candidate would do to parks: flips against what stands, ties at a line, rejects that decide a rank.

None of these is a fault. Each can cost a park its status, so each stops the gate until a named person has signed why it
is let through (``publish.waivers``). What a park's standing follows from is the methodology's; lines are assumed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, select, table
from sqlalchemy.sql.expression import column

from parkindex.gate import reject_bounds
from parkindex.gate.subjects import CandidateSubject, schema_of
from parkindex.gate.verdict import Key
from parkindex.ledger import tables
from parkindex.scoring import published
from parkindex.scoring.consequences import Assessed, Decided, assess, failing_lines, propose
from parkindex.scoring.published import Published

KINDS = ("status", "tier", "pass", "tie", "reject")
# What of a park's standing each kind of flip is about.
_FLIPS = {"status": ("status", "proposal"), "tier": ("tier",), "pass": ("pass",)}
_STOPPING = ("notice", "delisted")


@dataclass(frozen=True)
class Found:
    """What was found of one kind.

    Attributes:
        keys: One per park, pair of parks or reject that needs a signature.
        looked_at: Parks, or rejects, that could have needed one.
        observed: What there is to say when nothing could have.
    """

    keys: tuple[Key, ...]
    looked_at: int
    observed: str = ""


@dataclass(frozen=True)
class Change:
    """One consequence of one park that differs between two rankings: ``what`` is status, proposal, tier or pass."""

    park_code: str
    what: str
    old_value: str | None
    new_value: str | None


def against(connection: Connection, edition: int) -> Published | None:
    """Return the release that a candidate's consequences are compared with.

    The current one of its edition; while there is none, that of the edition before; None when neither is published.
    """
    return published.current(connection, edition) or published.current(connection, edition - 1)


def against_release_id(connection: Connection, edition: int) -> str | None:
    """Return the id of the release that :func:`against` returns."""
    current = tables.current.c
    found = {
        row.edition: str(row.release_id)
        for row in connection.execute(
            select(current.edition, current.release_id).where(current.edition.in_((edition, edition - 1)))
        )
    }
    return found.get(edition, found.get(edition - 1))


def find(connection: Connection, subject: CandidateSubject, kind: str) -> Found:
    """Find what of a candidate needs a signature.

    Args:
        connection: Warehouse.
        subject: Candidate.
        kind: One of :data:`KINDS`.
    """
    document = _document(connection, subject.methodology_sha256)
    schema = schema_of(subject, "park_index")
    if kind == "reject":
        keys, looked_at = reject_bounds.deciding(connection, subject, schema, document)
        return Found(keys, looked_at, "no open reject")
    ranking = _ranking(connection, schema)
    if kind == "tie":
        return Found(ties(document, ranking), sum(row.score is not None for row in ranking), "no park has a score")
    before = against(connection, subject.edition)
    if before is None:
        return Found((), 0, "nothing of this edition or the one before is published")
    keys = tuple(
        {
            "park_code": change.park_code,
            "what": change.what,
            "before": change.old_value,
            "after": change.new_value,
            "against": before.release_id,
        }
        for change in changes(connection, subject.edition, document, ranking, before)
        if change.what in _FLIPS[kind]
    )
    return Found(keys, len(ranking))


def _document(connection: Connection, methodology_sha256: str) -> dict[str, Any]:
    document: dict[str, Any] = connection.execute(
        select(tables.methodology_editions.c.document).where(
            tables.methodology_editions.c.methodology_sha256 == methodology_sha256
        )
    ).scalar_one()
    return document


def _ranking(connection: Connection, schema: str) -> list[Any]:
    names = ("park_code", "rank", "rank_low", "rank_high", "score", "tier", "status")
    source = table("park_ranking", *(column(name) for name in names), schema=schema)
    return sorted(connection.execute(select(source)), key=lambda row: str(row.park_code))


# --------------------------------------------------------------------------------------------------------------- flips


def changes(
    connection: Connection, edition: int, document: Mapping[str, Any], ranking: Sequence[Any], before: Published
) -> list[Change]:
    """Return every consequence that differs between a release and a ranking that would take its place, by park.

    Against a release of the edition before, a proposal counts only where a notice or a delisting is newly proposed:
    the others follow from the year that has passed.

    Args:
        connection: Warehouse; earlier releases and people's decisions are read from it.
        edition: Edition of the ranking.
        document: Its methodology.
        ranking: Its rows.
        before: The release.
    """
    history, decided = _history(connection, edition), _decided(connection)
    now = _standings(document, edition, ranking, history, decided)
    then = _standings(before.document, before.edition, before.ranking, history, decided)
    same = before.edition == edition
    found = []
    for park_code, standing in sorted(now.items()):
        earlier = then.get(park_code, dict.fromkeys(standing))
        for what, value in standing.items():
            counts = same or what != "proposal" or value in _STOPPING
            if counts and value != earlier[what]:
                found.append(Change(park_code, what, earlier[what], value))
    return found


def _standings(
    document: Mapping[str, Any],
    edition: int,
    ranking: Sequence[Any],
    history: Mapping[int, list[Assessed]],
    decided: Mapping[str, Sequence[Decided]],
) -> dict[str, dict[str, str | None]]:
    """Return each park's printed status, proposal of the rule, tier, and whether it fails, as texts."""
    standings: dict[str, dict[str, str | None]] = {
        row.park_code: {
            "status": row.status,
            "proposal": None,
            "tier": None if row.tier is None else str(row.tier),
            "pass": None,
        }
        for row in ranking
    }
    rules = document.get("consequences")
    if rules is None:
        return standings
    assessed = assess(document, edition, "", ranking)
    past = [one for year, of_year in sorted(history.items()) if year < edition for one in of_year]
    for proposal in propose(rules, edition, [*past, *assessed], decided):
        standings[proposal.park_code]["proposal"] = proposal.proposed
        standings[proposal.park_code]["pass"] = "fails" if proposal.failing else "passes"
    for one in assessed:
        if one.score is not None and one.score < rules["pass_line"]:
            standings[one.park_code]["pass"] = f"{standings[one.park_code]['pass']}, below the pass line"
    return standings


def _history(connection: Connection, edition: int) -> dict[int, list[Assessed]]:
    """Return how parks were assessed in the current releases of the editions before."""
    query = select(tables.current.c.edition).where(tables.current.c.edition < edition)
    years: list[int] = list(connection.execute(query).scalars())
    releases = [release for year in sorted(years) if (release := published.current(connection, year)) is not None]
    return {one.edition: assess(one.document, one.edition, one.release_id, one.ranking) for one in releases}


def _decided(connection: Connection) -> dict[str, list[Decided]]:
    made, found = tables.status_decisions.c, dict[str, list[Decided]]()
    for row in connection.execute(select(made.park_code, made.edition, made.status).order_by(made.decision_id)):
        found.setdefault(row.park_code, []).append(Decided(row.edition, row.status))
    return found


# ---------------------------------------------------------------------------------------------------------------- ties


def ties(document: Mapping[str, Any], ranking: Sequence[Any]) -> tuple[Key, ...]:
    """Return ties and near ties at every line of a methodology: tiers, commendation, failing, the pass line.

    A tie stands across a line when more parks are on its better (or, at the failing line, worse) side than it has
    places. A near tie is a difference of unrounded totals below ``near_tie_points``.
    """
    near = next(Decimal(str(rule["value"])) for rule in document["rules"] if rule["code"] == "near_tie_points")
    ranked = [row for row in ranking if row.rank is not None and row.score is not None]
    found: list[Key] = []
    for row in document["tiers"]["rows"]:
        last = int(row["rank_to"])
        if last < len(document["parks"]):
            found += _at_line(f"tier {row['tier']} to {row['tier'] + 1}", ranked, last, last, near)
    rules = document.get("consequences")
    if rules is None:
        return tuple(found)
    groups = {park["park_code"]: park["peer_group"] for park in document["parks"]}

    def members(group: str) -> list[Any]:
        return [row for row in ranked if group in ("", groups[row.park_code])]

    commended = rules["commended"]
    for group in sorted(set(groups.values())) if commended["kind"] == "first_in_peers" else [""]:
        places = sorted(row.rank for row in members(group))
        if len(places) > commended["count"]:
            last = places[commended["count"] - 1]
            found += _at_line(f"commendation {group}".strip(), members(group), last, commended["count"], near)
    if rules["failing"]["kind"] != "score_below_pass_line":
        for group, line in sorted(failing_lines(rules, assess(document, 0, "", ranked)).items()):
            better = len(members(group)) - rules["failing"]["count"]
            found += _at_line(f"failing {group}".strip(), members(group), line - 1, better, near)
    pass_line = Decimal(str(rules["pass_line"]))
    for row in ranked:
        if abs(row.score - pass_line) < near:
            found.append(_tie(f"pass line {pass_line}", row, None, abs(row.score - pass_line)))
    return tuple(found)


def _at_line(name: str, rows: Iterable[Any], last_better: int, places: int, near: Decimal) -> list[Key]:
    """Return the pair of parks next to a line, or those tied across it.

    Args:
        name: Name of the line.
        rows: Ranked parks.
        last_better: Last rank on the better side of the line.
        places: How many parks the better side is meant for.
        near: Difference of totals below which two are nearly tied.
    """
    ordered = sorted(rows, key=lambda row: (-row.score, row.park_code))
    better = [row for row in ordered if row.rank <= last_better]
    worse = [row for row in ordered if row.rank > last_better]
    if len(better) != places:
        # Parks of one rank stand across the line: all of them got the better, or the worse, side together.
        side = better if len(better) > places else worse
        if not side:  # too few have a rank for anybody to stand across the line
            return []
        rank = better[-1].rank if len(better) > places else worse[0].rank
        tied = [row for row in side if row.rank == rank]
        return [_tie(name, tied[0], row, abs(tied[0].score - row.score)) for row in tied[1:]]
    if better and worse and better[-1].score - worse[0].score < near:
        return [_tie(name, better[-1], worse[0], better[-1].score - worse[0].score)]
    return []


def _tie(line: str, row: Any, other: Any | None, difference: Decimal) -> Key:
    return {
        "line": line,
        "park_code": row.park_code,
        "other_park_code": None if other is None else other.park_code,
        "score": str(row.score),
        "other_score": None if other is None else str(other.score),
        "difference": str(difference),
    }
