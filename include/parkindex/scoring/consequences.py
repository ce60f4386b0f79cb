"""Consequences of a ranking: 正常 → 通报 → 摘牌, commendation, red lines. Proposed here, never decided.

The policy text orders 一次通报、两次摘牌 and defines neither 不合格 nor the time between the two; the rules are
parameters of the methodology (``consequences``), all of them assumed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal

Status = Literal["normal", "notice", "delisted", "commended"]


@dataclass(frozen=True)
class Assessed:
    """One park in one published edition.

    Attributes:
        edition: Edition.
        release_id: Its current release.
        park_code: Park.
        peer_group: Group it is compared with.
        rank: Rank; None when not ranked.
        rank_low: Better end of its rank interval.
        rank_high: Worse end.
        score: Total, rounded as it is ranked.
    """

    edition: int
    release_id: str
    park_code: str
    peer_group: str
    rank: int | None
    rank_low: int | None
    rank_high: int | None
    score: float | None


@dataclass(frozen=True)
class Decided:
    """What a person decided earlier."""

    edition: int
    status: Status


@dataclass(frozen=True)
class Proposal:
    """What the rule proposes for one park.

    Attributes:
        park_code: Park.
        status: Where it stands by the decisions so far.
        proposed: What the rule proposes; None when nothing is to be decided.
        failing: Whether it fails in this edition.
        strikes: Failing editions in the window, this one included.
        crosses_line: Its rank interval lies on both sides of the line, or it stands exactly on the line, or shares it
            with another park: the rank does not carry a decision alone.
        rule: Rule and window in words.
        evidence: What the proposal rests on.
    """

    park_code: str
    status: Status
    proposed: Status | None
    failing: bool
    strikes: int
    crosses_line: bool
    rule: str
    evidence: dict[str, Any]


def assess(document: Mapping[str, Any], edition: int, release_id: str, ranking: Sequence[Any]) -> list[Assessed]:
    """Return the rows of a ranking as they are assessed: scores rounded as they are ranked.

    Args:
        document: Methodology of the ranking.
        edition: Its edition.
        release_id: Its release, or its candidate.
        ranking: Rows with ``park_code, rank, rank_low, rank_high, score``.
    """
    decimals = next(int(rule["value"]) for rule in document["rules"] if rule["code"] == "rank_decimals")
    groups = {park["park_code"]: park["peer_group"] for park in document["parks"]}
    return [
        Assessed(
            edition,
            release_id,
            row.park_code,
            groups[row.park_code],
            row.rank,
            row.rank_low,
            row.rank_high,
            None if row.score is None else float(rounded(row.score, decimals)),
        )
        for row in ranking
    ]


def rounded(score: Decimal, decimals: int) -> Decimal:
    """Round a total as it is ranked: half up."""
    return score.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)


def failing_lines(rules: Mapping[str, Any], assessed: Sequence[Assessed]) -> dict[str, int]:
    """Return the best failing rank by peer group (``""`` where the group does not matter); none by a red line."""
    return _lines(rules, assessed)


def propose(
    rules: Mapping[str, Any],
    edition: int,
    history: Sequence[Assessed],
    decided: Mapping[str, Sequence[Decided]],
) -> list[Proposal]:
    """Apply the rule to the last edition of a history.

    Args:
        rules: ``consequences`` of the edition's methodology.
        edition: Edition that is assessed; the history may hold later ones, which do not count.
        history: Every park of every published edition.
        decided: Park → decisions of people.

    Returns:
        One proposal per park of the edition, in the order of the history.
    """
    editions = sorted({one.edition for one in history if one.edition <= edition})
    by_edition = {year: [one for one in history if one.edition == year] for year in editions}
    lines = {year: _lines(rules, by_edition[year]) for year in editions}
    proposals = []
    for park in by_edition.get(edition, []):
        past = {one.edition: one for year in editions for one in by_edition[year] if one.park_code == park.park_code}
        failed = [year for year, one in past.items() if _fails(rules, one, lines[year])]
        known = [one for one in decided.get(park.park_code, ()) if one.edition <= edition]
        status: Status = next((one.status for one in reversed(known) if one.status != "commended"), "normal")
        noticed = max((one.edition for one in known if one.status == "notice"), default=None)
        failing = edition in failed
        in_window = [year for year in failed if _within(rules, year, edition)]
        line = lines[edition].get(park.peer_group, lines[edition].get(""))
        crosses = _crosses(park, line) or _tied_at(rules, park, line, by_edition[edition])
        # Nobody is commended at the line, or after a delisting.
        commended = None
        if not failing and not crosses and status != "delisted":
            commended = _commendation(rules, park, by_edition[edition])
        proposals.append(
            Proposal(
                park.park_code,
                status,
                _next(rules, status, noticed, edition, failing=failing) or commended,
                failing,
                len(in_window),
                crosses,
                words(rules),
                {
                    "editions": [
                        {
                            "edition": year,
                            "release_id": one.release_id,
                            "rank": one.rank,
                            "rank_low": one.rank_low,
                            "rank_high": one.rank_high,
                            "score": one.score,
                            "fails": year in failed,
                        }
                        for year, one in sorted(past.items())
                    ],
                    "line": line,
                    "mean_score_of_failing": _mean([past[year].score for year in in_window]),
                    "red_lines": [
                        event["event"]
                        for event in rules["red_lines"]
                        if (event["edition"], event["park_code"]) == (edition, park.park_code)
                    ],
                },
            )
        )
    return proposals


def words(rules: Mapping[str, Any]) -> str:
    """Return rule and window as one line, as it is kept with a decision."""
    failing, window = rules["failing"], rules["window"]
    parts = [failing["kind"]]
    if "count" in failing:
        parts.append(str(failing["count"]))
    if failing["kind"] == "score_below_pass_line":
        parts.append(str(rules["pass_line"]))
    return f"{' '.join(parts)}; window {window['kind']}{' ' + str(window['years']) if 'years' in window else ''}"


def _lines(rules: Mapping[str, Any], assessed: Sequence[Assessed]) -> dict[str, int]:
    """Return the best failing rank by peer group (``""`` where the group does not matter); none by a red line."""
    failing = rules["failing"]
    ranked = [one for one in assessed if one.rank is not None]
    if failing["kind"] == "score_below_pass_line":
        enough = sum(one.score is not None and one.score >= rules["pass_line"] for one in ranked)
        return {"": enough + 1}
    if failing["kind"] == "red_line":
        return {}
    lines = {}
    groups = {one.peer_group for one in ranked} if failing["kind"] == "last_in_peers" else {""}
    for group in sorted(groups):
        places = sorted(one.rank or 0 for one in ranked if group in ("", one.peer_group))
        # A group that is not larger than the count has no last: somebody must be able to be better.
        if len(places) > failing["count"]:
            lines[group] = places[-failing["count"]]
    return lines


def _fails(rules: Mapping[str, Any], park: Assessed, lines: Mapping[str, int]) -> bool:
    """A red line fails whatever the rule is; a park without a rank fails by no other."""
    if any((event["edition"], event["park_code"]) == (park.edition, park.park_code) for event in rules["red_lines"]):
        return True
    line = lines.get(park.peer_group, lines.get(""))
    return park.rank is not None and line is not None and park.rank >= line


def _crosses(park: Assessed, line: int | None) -> bool:
    if line is None or park.rank_low is None or park.rank_high is None:
        return False
    return park.rank_low < line <= park.rank_high


def _tied_at(rules: Mapping[str, Any], park: Assessed, line: int | None, assessed: Sequence[Assessed]) -> bool:
    """Whether a park stands exactly on the pass line, or shares the rank at which failing starts."""
    if rules["failing"]["kind"] == "score_below_pass_line":
        return park.score is not None and bool(park.score == rules["pass_line"])
    return line is not None and park.rank == line and sum(one.rank == line for one in assessed) > 1


def _within(rules: Mapping[str, Any], earlier: int, edition: int) -> bool:
    window = rules["window"]
    if window["kind"] == "consecutive":
        return edition - earlier <= 1
    return bool(window["kind"] == "any" or edition - earlier < window["years"])


def _next(
    rules: Mapping[str, Any], status: Status, noticed: int | None, edition: int, *, failing: bool
) -> Status | None:
    """Return the transition: a first failure is a notice, a second one inside the window a delisting.

    A notice ends when the window is over without another failure; nothing follows a delisting but another decision.
    """
    if status == "delisted":
        return None
    open_notice = status == "notice" and noticed is not None and noticed < edition and _within(rules, noticed, edition)
    if failing:
        if status == "notice" and noticed == edition:
            return None
        return "delisted" if open_notice else "notice"
    if status == "notice" and noticed is not None and noticed < edition and not _within(rules, noticed, edition + 1):
        return "normal"
    return None


def _commendation(rules: Mapping[str, Any], park: Assessed, assessed: Sequence[Assessed]) -> Status | None:
    commended = rules["commended"]
    peers = [
        one.rank
        for one in assessed
        if one.rank is not None and (commended["kind"] == "first_in_ranking" or one.peer_group == park.peer_group)
    ]
    better = sum(rank < (park.rank or 0) for rank in peers)
    return "commended" if park.rank is not None and better < commended["count"] else None


def _mean(scores: Sequence[float | None]) -> float | None:
    known = [score for score in scores if score is not None]
    return sum(known) / len(known) if known else None
