"""What each assumption of a methodology decides: how many parks change rank if it were otherwise.

Every rule of the scoring that the policy text does not give is replaced by defensible others, one at a time, on the
same values. What an assumption inside an indicator's definition can do to the order is told by leaving the indicator
out; its exact effect takes a build under other rules (``parkindex methodology diff``).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from parkindex.scoring import doubt
from parkindex.scoring.consequences import Assessed, propose
from parkindex.scoring.edition import ParkScore, Value, score
from parkindex.scoring.leave_out import without_indicators
from parkindex.scoring.ranks import Floats

_WEIGHT_FACTORS = (0.75, 1.25)
# Bounds moved by this share of their distance at either end, outwards and inwards.
_BOUND_SHARES = (0.1, -0.1)
_OTHER_SHARES = (0.0, 0.5, 0.8, 1.0)
_OTHER_DECIMALS = (0, 1, 3, 6)
_FAILING: tuple[dict[str, Any], ...] = (
    {"kind": "last_in_peers", "count": 1},
    {"kind": "last_in_ranking", "count": 1},
    {"kind": "last_in_ranking", "count": 3},
    {"kind": "score_below_pass_line"},
)


@dataclass(frozen=True)
class Effect:
    """What another choice would do.

    Attributes:
        assumption: What is assumed: ``weights``, ``bounds``, ``normalisation``, …
        otherwise: The other choice, as a code or number.
        parks_moved: Parks whose rank would be another, or be there or not.
        largest_shift: Places that the park moved most would move.
        tiers_changed: Parks whose tier would be another.
    """

    assumption: str
    otherwise: str
    parks_moved: int
    largest_shift: int
    tiers_changed: int


@dataclass(frozen=True)
class OfIndicator:
    """What the assumptions about one indicator decide, each as the larger of two effects.

    Attributes:
        indicator_code: Indicator.
        weight: Parks moved with its weight a quarter less or more.
        bounds: Parks moved with its bounds a tenth of their distance wider or narrower at both ends.
        left_out: Parks moved without it; None for the only one.
        largest_shift: Largest shift without it; None for the only one.
    """

    indicator_code: str
    weight: int
    bounds: int
    left_out: int | None
    largest_shift: int | None


@dataclass(frozen=True)
class Failing:
    """Who fails under a rule: the parks, by code."""

    rule: str
    parks: list[str]


@dataclass(frozen=True)
class Assumptions:
    """Effects of all assumptions on one ranking.

    Attributes:
        ranked: Parks that have a rank.
        rules: Other rules of scoring.
        indicators: One per computed indicator.
        failing: Who fails by each kind of rule, and at pass lines around the declared one; empty without a rule.
    """

    ranked: int
    rules: list[Effect]
    indicators: list[OfIndicator]
    failing: list[Failing]


def effects(document: Mapping[str, Any], values: Sequence[Value]) -> Assumptions:
    """Compute what each assumption decides.

    Args:
        document: Resolved methodology.
        values: As for :func:`parkindex.scoring.edition.score`.

    Raises:
        BadInputError: As for :func:`parkindex.scoring.edition.score`.
    """
    before = score(document, values).parks
    return Assumptions(
        sum(park.rank is not None for park in before),
        [*_weights(document, values, before), *_choices(document, values, before), *_rules(document, values, before)],
        _indicators(document, values, before),
        _failing(document, before),
    )


def _compared(assumption: str, otherwise: str, before: Sequence[ParkScore], after: Sequence[ParkScore]) -> Effect:
    pairs = list(zip(before, after, strict=True))
    shifts = [abs(one.rank - other.rank) for one, other in pairs if one.rank is not None and other.rank is not None]
    return Effect(
        assumption,
        otherwise,
        sum(one.rank != other.rank for one, other in pairs),
        max(shifts, default=0),
        sum(one.tier != other.tier for one, other in pairs),
    )


def _weights(document: Mapping[str, Any], values: Sequence[Value], before: Sequence[ParkScore]) -> list[Effect]:
    """Equal weights inside the areas, of the areas, and of all indicators."""
    computed = [row for row in document["indicators"] if row["state"] == "computed"]
    of_area: dict[str, list[float]] = {}
    for row in computed:
        of_area.setdefault(row["area"], []).append(float(row["weight"]["value"]))
    whole = sum(map(sum, of_area.values()))
    found = []
    for name, weight in (
        ("equal_inside_areas", lambda row: sum(of_area[row["area"]]) / len(of_area[row["area"]])),
        (
            "equal_areas",
            lambda row: row["weight"]["value"] / sum(of_area[row["area"]]) * whole / len(of_area),
        ),
        ("equal_indicators", lambda _: whole / len(computed)),
    ):
        changed = copy.deepcopy(dict(document))
        for row in changed["indicators"]:
            if row["state"] == "computed":
                row["weight"]["value"] = weight(row)
        found.append(_compared("weights", name, before, score(changed, values).parks))
    return found


def _choices(document: Mapping[str, Any], values: Sequence[Value], before: Sequence[ParkScore]) -> list[Effect]:
    """The other options of each source of doubt, alone, at the declared weights (docs/method/doubt.md)."""
    prepared = doubt.model(document, values)
    options = (doubt.NORMALISATIONS, doubt.AGGREGATIONS, doubt.MISSING, doubt.TREATMENTS)
    middle = np.full(len(prepared.framework.weights), 0.5)  # leaves every weight as it is
    tiers = prepared.framework.tiers
    found = []
    for place, (source, names) in enumerate(zip(doubt.SOURCES[1:], options, strict=True)):
        for number, name in enumerate(names[1:], start=1):
            drawn = [0.0] * len(options)
            drawn[place] = (number + 0.5) / len(names)
            ranks: Floats = prepared.ranks(prepared.totals(np.array([[*middle, *drawn]])))[0]
            after_by_park = {park: int(rank) for park, rank in zip(prepared.parks, ranks, strict=True)}
            after = []
            for park in before:
                rank = after_by_park.get(park.park_code)
                tier = next((tier for tier, first, last in tiers if rank is not None and first <= rank <= last), None)
                after.append(ParkScore(park.park_code, None, rank, False, tier))
            found.append(_compared(source, name, before, after))
    return found


def _rules(document: Mapping[str, Any], values: Sequence[Value], before: Sequence[ParkScore]) -> list[Effect]:
    """Another least share of an area's weight, other decimals of the ranked total."""
    declared = {rule["code"]: rule.get("value") for rule in document["rules"]}
    found = []
    for code, others in (("area_min_share", _OTHER_SHARES), ("rank_decimals", _OTHER_DECIMALS)):
        for other in others:
            if other == declared[code]:
                continue
            changed = copy.deepcopy(dict(document))
            next(rule for rule in changed["rules"] if rule["code"] == code)["value"] = other
            found.append(_compared(code, f"{other:g}", before, score(changed, values).parks))
    return found


def _indicators(document: Mapping[str, Any], values: Sequence[Value], before: Sequence[ParkScore]) -> list[OfIndicator]:
    without = {one.indicator_code: one for one in without_indicators(document, values)}
    found = []
    for place, row in enumerate(document["indicators"]):
        if row["state"] != "computed":
            continue
        moved = {"weight": 0, "bounds": 0}
        for kind, shares in (("weight", _WEIGHT_FACTORS), ("bounds", _BOUND_SHARES)):
            for share in shares:
                changed = {**document, "indicators": list(document["indicators"])}
                changed["indicators"][place] = other = copy.deepcopy(row)
                if kind == "weight":
                    other["weight"]["value"] *= share
                else:
                    apart = share * (row["bounds"]["high"] - row["bounds"]["low"])
                    other["bounds"] = {"low": row["bounds"]["low"] - apart, "high": row["bounds"]["high"] + apart}
                effect = _compared(kind, "", before, score(changed, values).parks)
                moved[kind] = max(moved[kind], effect.parks_moved)
        left_out = without.get(row["code"])
        found.append(
            OfIndicator(
                row["code"],
                moved["weight"],
                moved["bounds"],
                left_out.parks_moved if left_out else None,
                left_out.largest_shift if left_out else None,
            )
        )
    return found


def _failing(document: Mapping[str, Any], before: Sequence[ParkScore]) -> list[Failing]:
    rules = document.get("consequences")
    if rules is None:
        return []
    decimals = next(int(rule["value"]) for rule in document["rules"] if rule["code"] == "rank_decimals")
    group = {park["park_code"]: park["peer_group"] for park in document["parks"]}
    edition = int(document["edition"])
    assessed = [
        Assessed(
            edition,
            "",
            park.park_code,
            group[park.park_code],
            park.rank,
            park.rank,
            park.rank,
            None if park.score is None else round(park.score, decimals),
        )
        for park in before
    ]
    tried = [(failing, rules["pass_line"]) for failing in _FAILING]
    tried += [(_FAILING[-1], rules["pass_line"] + step) for step in (-5, 5)]
    found = []
    for failing, line in tried:
        proposals = propose({**rules, "failing": failing, "pass_line": line}, edition, assessed, {})
        named = " ".join(str(part) for part in failing.values())
        rule = f"{named} {line:g}" if "count" not in failing else named
        found.append(Failing(rule, [one.park_code for one in proposals if one.failing]))
    return found
