"""Normalisation: every indicator on one scale, higher is better. Shapes: n units × m indicators, NaN is missing.

Values are multiplied by their direction first, then the formula is applied to the column. OECD/JRC handbook (2008),
step 5; names and edge cases as in COINr's ``Normalise``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from parkindex.errors import BadInputError
from parkindex.scoring.data import Framework, Node
from parkindex.scoring.method import Normalise
from parkindex.scoring.ranks import Floats, ranks

_NEED_SPREAD = ("minmax", "dist2max", "zscore")


def normalise(values: Floats, framework: Framework, units: tuple[str, ...], how: Normalise) -> Floats:
    """Normalise every column.

    Args:
        values: ``(n, m)``.
        framework: Directions and targets.
        units: uCode per row.
        how: Method and its parameters; ``none`` takes the data as they are, without directions.

    Returns:
        ``(n, m)``, missing where the value is.

    Raises:
        BadInputError: A column cannot be normalised this way (one value only, no bounds, no target, the reference unit
            is not there or has no value); the message names it.
    """
    if how.method == "none":
        return values
    known_codes = {node.code for node in framework.indicators}
    unknown = sorted(set(how.bounds) - known_codes)
    if unknown:
        raise _refusal(f"There are bounds for `{unknown[0]}`, which is no indicator.", framework, "bounds")
    if how.unit is not None and how.unit not in units:
        raise _refusal(f"The reference unit {how.unit} is not among the units.", framework, "unit")
    result = np.full(values.shape, np.nan)
    for column, node in enumerate(framework.indicators):
        if not np.isnan(values[:, column]).all():
            result[:, column] = _column(values[:, column], node, units, how, framework)
    return result


def _column(x: Floats, node: Node, units: tuple[str, ...], how: Normalise, framework: Framework) -> Floats:
    """Normalise one column ``(n,)`` that has a value."""
    directed = x * node.direction
    if how.method == "goalposts":
        if node.code not in how.bounds:
            raise _refusal(f"There are no bounds for {node.code}.", framework, "bounds")
        return _goalposts(x, node.direction, how.bounds[node.code], how)
    if how.method == "dist2target":
        if node.target is None:
            raise _refusal(f"{node.code} has no Target.", framework, "target")
        return _distance(directed, node.target * node.direction, node.code, "target", how, framework)
    if how.method == "dist2ref":
        reference = directed[units.index(str(how.unit))]
        if np.isnan(reference):
            raise _refusal(f"The reference unit {how.unit} has no value of {node.code}.", framework, "unit")
        return _distance(directed, float(reference), node.code, f"value of {how.unit}", how, framework)
    known = directed[~np.isnan(directed)]
    if how.method in _NEED_SPREAD and np.ptp(known) == 0:
        raise _refusal(
            f"{node.code} has one value only ({known[0] * node.direction:g}), which {how.method} cannot scale.",
            framework,
            "constant",
        )
    if how.method == "prank" and len(known) == 1:
        raise _refusal(f"{node.code} has one value only, which has no percentile.", framework, "constant")
    if how.method == "fracmax" and known.max() == 0:
        raise _refusal(f"The maximum of {node.code} is 0, which fracmax divides by.", framework, "constant")
    return _FORMULAS[how.method](directed, how)


def reversed_by_fracmax(values: Floats, framework: Framework) -> list[str]:
    """Return the indicators of which fracmax turns the order round: those whose largest directed value is negative."""
    largest = np.max(
        values * [node.direction for node in framework.indicators],
        axis=0,
        initial=-np.inf,
        where=~np.isnan(values),
    )
    return [node.code for node, top in zip(framework.indicators, largest, strict=True) if np.isfinite(top) and top < 0]


def _minmax(x: Floats, how: Normalise) -> Floats:
    low, high = np.nanmin(x), np.nanmax(x)
    return (x - low) / (high - low) * (how.upper - how.lower) + how.lower


def _zscore(x: Floats, how: Normalise) -> Floats:
    standard: Floats = (x - np.nanmean(x)) / np.nanstd(x, ddof=1)
    return standard * how.sd + how.mean


def _scaled(x: Floats, how: Normalise) -> Floats:
    return (x - how.lower) / (how.upper - how.lower) * 100


def _dist2max(x: Floats, how: Normalise) -> Floats:  # noqa: ARG001 - one signature for all formulas
    low, high = np.nanmin(x), np.nanmax(x)
    return 1 - (high - x) / (high - low)


def _fracmax(x: Floats, how: Normalise) -> Floats:  # noqa: ARG001
    fractions: Floats = x / np.nanmax(x)
    return fractions


def _rank(x: Floats, how: Normalise) -> Floats:  # noqa: ARG001
    return ranks(x, descending=False)


def _prank(x: Floats, how: Normalise) -> Floats:
    return _borda(x, how) / (np.count_nonzero(~np.isnan(x)) - 1)


def _borda(x: Floats, how: Normalise) -> Floats:
    return _rank(x, how) - 1


_FORMULAS: dict[str, Callable[[Floats, Normalise], Floats]] = {
    "minmax": _minmax,
    "zscore": _zscore,
    "scaled": _scaled,
    "dist2max": _dist2max,
    "fracmax": _fracmax,
    "rank": _rank,
    "prank": _prank,
    "borda": _borda,
}


def _goalposts(x: Floats, direction: int, bounds: tuple[float, float], how: Normalise) -> Floats:
    """Share of the way from the low bound to the high one (or back, when less is better), on [lower, upper].

    Bounds are given in the indicator's own units whatever its direction.
    """
    low, high = bounds
    position = (x - low) / (high - low) if direction > 0 else (high - x) / (high - low)
    if how.clip:
        position = np.clip(position, 0.0, 1.0)
    return position * (how.upper - how.lower) + how.lower


def _distance(x: Floats, goal: float, code: str, name: str, how: Normalise, framework: Framework) -> Floats:
    """1 − (goal − x) ÷ (goal − min): 0 at the worst unit, 1 at the goal and, capped, beyond it.

    When even the worst unit has reached the goal, capped, every unit is at 1; uncapped there is no such scale.
    """
    low = np.nanmin(x)
    if goal > low:
        result: Floats = 1 - (goal - x) / (goal - low)
        return np.minimum(result, 1.0) if how.cap else result
    if how.cap:
        return np.where(np.isnan(x), np.nan, 1.0)
    raise _refusal(
        f"The {name} of {code} is no better than the worst unit's, so there is no distance to it.", framework, "goal"
    )


def _refusal(what: str, framework: Framework, rule: str) -> BadInputError:
    return BadInputError(
        what,
        where=framework.where,
        why=f"score.normalise.{rule}",
        next_step="choose another normalisation, or leave the indicator out of data and meta",
    )
