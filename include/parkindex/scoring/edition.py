"""An edition's scores by NumPy: the second entry of the double entry.

Written from ``docs/method/scores.md`` alone, as the SQL of ``dbt_project/models/park_index`` is; neither knows the
other. The gate holds the two against each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parkindex.errors import BadInputError
from parkindex.scoring.ranks import Floats, half_up, ranks

Value = tuple[str, str, Decimal | float | int | None]

_SCALE = 100.0
_STORED_DECIMALS = 12


@dataclass(frozen=True)
class IndicatorScore:
    """One park × computed indicator.

    Attributes:
        park_code: Park.
        indicator_code: Indicator.
        value: The value that was scored; None where there is none.
        score: 0 to 100 between the bounds; None where there is no value.
        weight: Effective weight in the park's total, percent; None where it adds nothing to a total.
        contribution: Points of the park's total; None where it adds nothing to a total.
        rank: Rank of the score among the parks that have one, ties share the lowest number.
    """

    park_code: str
    indicator_code: str
    value: float | None
    score: float | None
    weight: float | None
    contribution: float | None
    rank: int | None


@dataclass(frozen=True)
class AreaScore:
    """One park × area.

    Attributes:
        park_code: Park.
        area_code: Area.
        score: Weighted mean of the indicator scores there are, 0 to 100; None below the least share.
        weight: Effective weight in the park's total, percent; None when the area or the park is not scored.
        weight_share: Share of the area's computed weight that has a score, 0 to 1.
        rank: Rank of the score among the parks that have one.
    """

    park_code: str
    area_code: str
    score: float | None
    weight: float | None
    weight_share: float
    rank: int | None


@dataclass(frozen=True)
class ParkScore:
    """One park.

    Attributes:
        park_code: Park.
        score: Total, 0 to 100, unrounded; None when an area that counts is not scored.
        rank: Rank of the rounded total, ties share the lowest number; None without a total.
        is_tied: Whether another park has the same rank.
        tier: Tier of the rank.
    """

    park_code: str
    score: float | None
    rank: int | None
    is_tied: bool
    tier: int | None


@dataclass(frozen=True)
class EditionScores:
    """All scores of an edition, in the order of the methodology's parks, areas and indicators."""

    indicators: list[IndicatorScore]
    areas: list[AreaScore]
    parks: list[ParkScore]


@dataclass(frozen=True)
class EditionFramework:
    """A methodology document as arrays. Sizes: n parks, m computed indicators, k areas that have one."""

    parks: list[str]
    indicators: list[str]
    areas: list[str]
    all_areas: list[str]
    member: NDArray[np.bool_]  # (k, m)
    weights: Floats  # (m,)
    directions: Floats  # (m,)
    low: Floats  # (m,)
    high: Floats  # (m,)
    rules: Mapping[str, float]
    tiers: list[tuple[int, int, int]]


@dataclass(frozen=True)
class Steps:
    """The steps of the page. Sizes as in :class:`EditionFramework`; NaN is missing."""

    values: Floats  # (n, m)
    indicator: Floats  # (n, m)
    available: Floats  # (n, k)
    area: Floats  # (n, k)
    total: Floats  # (n,)
    rank: Floats  # (n,)


def score(document: Mapping[str, Any], values: Sequence[Value]) -> EditionScores:
    """Score an edition.

    Args:
        document: Resolved methodology, ``methodology.load(edition).document``.
        values: One ``(park_code, indicator_code, value)`` per park × computed indicator; None is no value. Indicators
            that the methodology does not compute do not count and may be there with or without a value.

    Returns:
        Scores of every park × computed indicator, every park × area and every park.

    Raises:
        BadInputError: A pair is missing, stands twice, names what the methodology does not know, or is not a finite
            number; or a computed indicator has no bounds.
    """
    framework = framework_of(document)
    scores = steps(framework, matrix_of(framework, document, values))
    ranked = ~np.isnan(scores.total)
    present = ~np.isnan(scores.indicator)
    of_total = _area_weights(framework) / framework.weights.sum()  # (k,)
    with np.errstate(divide="ignore", invalid="ignore"):
        effective = _SCALE * (of_total / scores.available) @ framework.member * framework.weights  # (n, m)
    # An indicator in an area that counts nowhere has a score and adds nothing.
    counts = present & ranked[:, None] & framework.member.any(axis=0)
    effective = np.where(counts, effective, np.nan)
    contribution = effective * scores.indicator / _SCALE
    share = scores.available / _area_weights(framework)
    area_weight = np.where(ranked[:, None], of_total * _SCALE, np.nan)
    indicator_rank = ranks(scores.indicator.T).T
    area_rank = ranks(scores.area.T).T

    indicators = [
        IndicatorScore(
            park,
            code,
            _optional(scores.values[row, column]),
            _optional(scores.indicator[row, column]),
            _optional(effective[row, column]),
            _optional(contribution[row, column]),
            _whole(indicator_rank[row, column]),
        )
        for row, park in enumerate(framework.parks)
        for column, code in enumerate(framework.indicators)
    ]
    place = {code: column for column, code in enumerate(framework.areas)}
    areas = [
        AreaScore(
            park,
            code,
            _optional(scores.area[row, place[code]]),
            _optional(area_weight[row, place[code]]),
            float(share[row, place[code]]),
            _whole(area_rank[row, place[code]]),
        )
        if code in place
        else AreaScore(park, code, None, None, 0.0, None)
        for row, park in enumerate(framework.parks)
        for code in framework.all_areas
    ]
    shared = {number for number in scores.rank[ranked] if (scores.rank == number).sum() > 1}
    parks = [
        ParkScore(
            park,
            _optional(scores.total[row]),
            _whole(scores.rank[row]),
            scores.rank[row] in shared,
            _tier(framework, scores.rank[row]),
        )
        for row, park in enumerate(framework.parks)
    ]
    return EditionScores(indicators, areas, parks)


def steps(framework: EditionFramework, values: Floats) -> Steps:
    """Compute scores from values ``(n, m)``, by docs/method/scores.md; each step starts from stored numbers."""
    values = _stored(values)
    position = np.clip((values - framework.low) / (framework.high - framework.low), 0.0, 1.0)
    indicator = _stored(np.where(framework.directions > 0, position, 1.0 - position) * _SCALE)
    present = ~np.isnan(indicator)
    weighted = framework.member.T * framework.weights[:, None]  # (m, k)
    available = present @ weighted  # (n, k)
    with np.errstate(divide="ignore", invalid="ignore"):
        area = _stored((np.where(present, indicator, 0.0) @ weighted) / available)
    # An area at the least share on paper must not fall below it by a bit.
    least = framework.rules["area_min_share"] * _area_weights(framework)
    area = np.where((available > 0) & (available >= least - 1e-10), area, np.nan)
    total = _stored(area @ (_area_weights(framework) / framework.weights.sum()))
    rank = ranks(half_up(total, int(framework.rules["rank_decimals"])))
    return Steps(values, indicator, available, area, total, rank)


def _stored(numbers: Floats) -> Floats:
    """Round as the warehouse stores values and scores."""
    return half_up(numbers, _STORED_DECIMALS)


def _area_weights(framework: EditionFramework) -> Floats:
    """Return the computed weight of each area, ``(k,)``."""
    return framework.member @ framework.weights


def _tier(framework: EditionFramework, rank: float) -> int | None:
    return next((tier for tier, first, last in framework.tiers if first <= rank <= last), None)


def _optional(number: float) -> float | None:
    return None if np.isnan(number) else float(number)


def _whole(number: float) -> int | None:
    return None if np.isnan(number) else int(number)


def framework_of(document: Mapping[str, Any]) -> EditionFramework:
    """Arrange a methodology document as arrays.

    Raises:
        BadInputError: A computed indicator has no bounds, or nothing that is computed has a weight.
    """
    computed = [indicator for indicator in document["indicators"] if indicator["state"] == "computed"]
    for indicator in computed:
        if not indicator.get("bounds"):
            raise BadInputError(
                f"Indicator {indicator['code']} is computed but has no bounds.",
                where=f"methodology of edition {document['edition']}",
                why="scores.bounds",
                next_step="give it `bounds`, or make its state not_computed",
            )
    all_areas = [str(area["code"]) for area in document["areas"]]
    # An area of which nothing computed weighs anything counts nowhere, as one of which nothing is computed.
    areas = [
        code
        for code in all_areas
        if any(indicator["area"] == code and indicator["weight"]["value"] > 0 for indicator in computed)
    ]
    if not areas:
        raise BadInputError(
            "Nothing that is computed has a weight.",
            where=f"methodology of edition {document['edition']}",
            why="scores.weights",
            next_step="give a computed indicator a weight",
        )
    return EditionFramework(
        parks=[str(park["park_code"]) for park in document["parks"]],
        indicators=[str(indicator["code"]) for indicator in computed],
        areas=areas,
        all_areas=all_areas,
        member=np.array([[indicator["area"] == code for indicator in computed] for code in areas], dtype=bool),
        weights=np.array([indicator["weight"]["value"] for indicator in computed], dtype=np.float64),
        directions=np.array([indicator["direction"] for indicator in computed], dtype=np.float64),
        low=np.array([indicator["bounds"]["low"] for indicator in computed], dtype=np.float64),
        high=np.array([indicator["bounds"]["high"] for indicator in computed], dtype=np.float64),
        rules={rule["code"]: float(rule["value"]) for rule in document["rules"] if "value" in rule},
        tiers=[(int(row["tier"]), int(row["rank_from"]), int(row["rank_to"])) for row in document["tiers"]["rows"]],
    )


def matrix_of(framework: EditionFramework, document: Mapping[str, Any], values: Sequence[Value]) -> Floats:
    """Arrange the values as parks × computed indicators, NaN for none.

    Raises:
        BadInputError: A pair is missing, stands twice, is not known, or is not a finite number.
    """

    def refuse(what: str, rule: str, next_step: str) -> BadInputError:
        return BadInputError(what, where=f"values of edition {document['edition']}", why=rule, next_step=next_step)

    rows = {code: row for row, code in enumerate(framework.parks)}
    columns = {code: column for column, code in enumerate(framework.indicators)}
    known = {indicator["code"] for indicator in document["indicators"]}
    matrix = np.full((len(rows), len(columns)), np.nan)
    seen: set[tuple[str, str]] = set()
    for park, code, value in values:
        if park not in rows or code not in known:
            raise refuse(
                f"There is a value of {code} for {park}, which the methodology does not know.",
                "scores.known",
                "score the values by the methodology they were built with",
            )
        if (park, code) in seen:
            raise refuse(f"{code} of {park} stands twice.", "scores.unique", "pass each park × indicator once")
        seen.add((park, code))
        if code not in columns or value is None:
            continue
        number = float(value)
        if not np.isfinite(number):
            raise refuse(
                f"{code} of {park} is {number}, not a number.", "scores.finite", "pass None where there is no value"
            )
        matrix[rows[park], columns[code]] = number
    missing = [(park, code) for park in rows for code in columns if (park, code) not in seen]
    if missing:
        park, code = missing[0]
        raise refuse(
            f"{code} of {park} is not there ({len(missing)} such).",
            "scores.complete",
            "pass every park × computed indicator, None where there is no value",
        )
    return matrix
