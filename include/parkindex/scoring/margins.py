"""What it would take: a park's next points and its next rank, and the weights under which an order holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from parkindex.errors import BadInputError
from parkindex.scoring.edition import EditionFramework, Value, framework_of, matrix_of, steps
from parkindex.scoring.ranks import Floats, half_up

_STEPS = 60  # halvings: below 1e-15 of the range searched
_MOST = 100.0


@dataclass(frozen=True)
class NextPoint:
    """One indicator of one park.

    Attributes:
        indicator_code: Indicator.
        value: Value now; None where there is none.
        rank_value: Value with which the park would reach the next rank by this indicator alone; None when no value
            does.
        value_change: The difference.
        point_change: By how much the value has to change for one point of the total; None at its bound.
        effort: ``value_change`` in standard deviations of the parks' values: by this the list is sorted. That equal
            parts of what parks differ by cost the same is assumed.
    """

    indicator_code: str
    value: float | None
    rank_value: float | None
    value_change: float | None
    point_change: float | None
    effort: float | None


@dataclass(frozen=True)
class WeightRange:
    """Between which weights of one indicator, all others as they are, an order of parks holds."""

    indicator_code: str
    weight: float
    low: float
    high: float


@dataclass(frozen=True)
class Region:
    """Where an order of parks holds.

    Attributes:
        parks: The order, best first.
        holds: Whether it holds now.
        ranges: Range of each indicator's weight, from 0 to 100, around the present one; empty when it does not hold.
        all_together: Largest share by which all weights may change at once, in any direction, without breaking it; None
            when a park lacks a value (the total is not linear in the weights then) or it does not hold.
    """

    parks: list[str]
    holds: bool
    ranges: list[WeightRange]
    all_together: float | None


def next_points(document: Mapping[str, Any], values: Sequence[Value], park_code: str) -> list[NextPoint]:
    """Say what would bring a park its next rank, the easiest first.

    Raises:
        BadInputError: The park is not known or has no rank; or as for :func:`parkindex.scoring.edition.score`.
    """
    framework = framework_of(document)
    matrix = matrix_of(framework, document, values)
    found = steps(framework, matrix)
    row = _row(framework, found.total, park_code)
    decimals = int(framework.rules["rank_decimals"])
    rounded = half_up(found.total, decimals)
    better = rounded[rounded > rounded[row]]
    goal = float(better.min()) if len(better) else None
    points = []
    for column, code in enumerate(framework.indicators):
        value = matrix[row, column]
        if np.isnan(value):
            points.append(NextPoint(code, None, None, None, None, None))
            continue
        best = framework.high[column] if framework.directions[column] > 0 else framework.low[column]
        gain = _total_with(framework, matrix[row], column, best) - found.total[row]
        beyond = (value - best) * framework.directions[column] >= 0
        point_change = None if beyond or gain <= 0 else float((best - _inside(framework, column, value)) / gain)
        rank_value = None
        if goal is not None and not beyond:
            rank_value = _reach(framework, matrix[row], column, best, goal, decimals)
        known = matrix[:, column][~np.isnan(matrix[:, column])]
        spread = known.std(ddof=1) if len(known) > 1 else 0.0
        change = None if rank_value is None else rank_value - float(value)
        effort = None if change is None or spread == 0 else float(abs(change) / spread)
        points.append(NextPoint(code, float(value), rank_value, change, point_change, effort))
    points.sort(key=lambda point: (point.effort is None, point.effort or 0.0, point.indicator_code))
    return points


def _inside(framework: EditionFramework, column: int, value: float) -> float:
    return float(np.clip(value, framework.low[column], framework.high[column]))


def _reach(
    framework: EditionFramework, values: Floats, column: int, best: float, goal: float, decimals: int
) -> float | None:
    """Return the value nearest to the present one with which the rounded total reaches a goal; None when none does."""

    def reached(value: float) -> bool:
        return bool(half_up(np.array([_total_with(framework, values, column, value)]), decimals)[0] >= goal)

    if not reached(best):
        return None
    below, above = float(values[column]), float(best)
    for _ in range(_STEPS):
        middle = (below + above) / 2
        below, above = (below, middle) if reached(middle) else (middle, above)
    return above


def _total_with(framework: EditionFramework, values: Floats, column: int, value: float) -> float:
    changed = values.copy()
    changed[column] = value
    return float(steps(framework, changed[None, :]).total[0])


def region(document: Mapping[str, Any], values: Sequence[Value], order: Sequence[str]) -> Region:
    """Say under which weights some parks keep an order (equal rounded totals keep it).

    Raises:
        BadInputError: Fewer than two parks, one that is not known, stands twice or has no rank; or as for
            :func:`parkindex.scoring.edition.score`.
    """
    framework = framework_of(document)
    matrix = matrix_of(framework, document, values)
    found = steps(framework, matrix)
    if len(order) < 2 or len(set(order)) < len(order):
        raise BadInputError(
            "An order takes at least two different parks.",
            where=", ".join(order),
            why="whatif.order",
            next_step="give park codes, best first: P01,P02",
        )
    rows = [_row(framework, found.total, park) for park in order]
    decimals = int(framework.rules["rank_decimals"])

    def holds(column: int, weight: float) -> bool:
        weights = framework.weights.copy()
        weights[column] = weight
        if not weights.any():
            return False
        totals = _totals(framework, found.indicator[rows], weights)
        if np.isnan(totals).any():
            return False
        rounded = half_up(totals, decimals)
        return bool((rounded[:-1] >= rounded[1:]).all())

    if not holds(0, float(framework.weights[0])):
        return Region(list(order), False, [], None)
    ranges = [
        WeightRange(
            code,
            float(framework.weights[column]),
            _edge(holds, column, float(framework.weights[column]), 0.0),
            _edge(holds, column, float(framework.weights[column]), _MOST),
        )
        for column, code in enumerate(framework.indicators)
    ]
    return Region(list(order), True, ranges, _all_together(framework, found.indicator[rows]))


def _edge(holds: Any, column: int, weight: float, end: float) -> float:
    """Return how far a weight can go towards an end; the parks' difference changes its sign once on the way."""
    if holds(column, end):
        return end
    inside, outside = weight, end
    for _ in range(_STEPS):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if holds(column, middle) else (inside, middle)
    return inside


def _all_together(framework: EditionFramework, scores: Floats) -> float | None:
    """Return the largest r with Σ w(1±r)·(s − s′) ≥ 0 for every neighbouring pair: |Σ w·d| ÷ Σ w·|d|."""
    if np.isnan(scores).any():
        return None
    differences = scores[:-1] - scores[1:]
    sums = differences @ framework.weights
    absolute = np.abs(differences) @ framework.weights
    shares = [1.0 if not whole else max(part, 0.0) / whole for part, whole in zip(sums, absolute, strict=True)]
    return float(min(shares))


def _totals(framework: EditionFramework, scores: Floats, weights: Floats) -> Floats:
    """Return the totals of ``(r, m)`` scores by other weights."""
    present = ~np.isnan(scores)
    weighted = framework.member.T * weights[:, None]
    available = present @ weighted
    area_weights = framework.member @ weights
    with np.errstate(divide="ignore", invalid="ignore"):
        area = (np.where(present, scores, 0.0) @ weighted) / available
    least = framework.rules["area_min_share"] * area_weights
    area = np.where((available > 0) & (available >= least - 1e-10), area, np.nan)
    counts = area_weights > 0
    totals: Floats = area[:, counts] @ (area_weights[counts] / area_weights.sum())
    return totals


def _row(framework: EditionFramework, totals: Floats, park_code: str) -> int:
    if park_code not in framework.parks or np.isnan(totals[framework.parks.index(park_code)]):
        raise BadInputError(
            f"{park_code} has no rank.",
            where="parks of the edition",
            why="it is not ranked" if park_code in framework.parks else "there is no such park",
            next_step="parkindex show EDITION lists the ranked parks",
        )
    return framework.parks.index(park_code)
