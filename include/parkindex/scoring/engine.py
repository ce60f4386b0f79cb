"""The whole index, step by step, from data, framework and method: what ``parkindex score`` runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from parkindex.errors import BadInputError
from parkindex.scoring import prepare
from parkindex.scoring.aggregate import aggregate, effective_weights, rules_per_level, weights_of
from parkindex.scoring.data import Dataset, Framework
from parkindex.scoring.method import Method
from parkindex.scoring.normalise import normalise, reversed_by_fracmax
from parkindex.scoring.ranks import Floats, half_up, ranks
from parkindex.scoring.robustness import RankSpread, simulate
from parkindex.scoring.treat import Treatment, treat


@dataclass(frozen=True)
class Index:
    """Every step of an index. Sizes: n units, s units that stay after screening, m indicators, k aggregates.

    Attributes:
        framework: The hierarchy; columns of every matrix follow ``framework.codes``.
        units: All units.
        kept: The units that stay.
        denominated: ``(n, m)``.
        imputed: ``(n, m)``.
        screened: ``(s, m)``.
        treated: ``(s, m)``.
        treatment: What was done, one per indicator.
        points: ``(s, m)``, 1 where winsorised at the high end, -1 at the low end.
        normalised: ``(s, m)``.
        scores: ``(s, m + k)``, aggregates rounded when the method says so; ``(s, m)`` without aggregation.
        ranks: Like ``scores``, largest first.
        weights: ``(m + k,)`` inside the parent.
        effective_weights: ``(m + k,)`` in the top.
        robustness: Of the ``s`` units, when asked.
        warnings: What a reader of the results should know.
    """

    framework: Framework
    units: tuple[str, ...]
    kept: tuple[str, ...]
    denominated: Floats
    imputed: Floats
    screened: Floats
    treated: Floats
    treatment: list[Treatment]
    points: NDArray[np.int8]
    normalised: Floats
    scores: Floats
    ranks: Floats
    weights: Floats
    effective_weights: Floats
    robustness: RankSpread | None
    warnings: list[str]


def run(dataset: Dataset, framework: Framework, method: Method, *, where: str = "method") -> Index:
    """Compute an index.

    Args:
        dataset: The units' data.
        framework: The hierarchy.
        method: The method.
        where: What to call the method in messages.

    Returns:
        Every step.

    Raises:
        BadInputError: A step cannot be done on these data; the message names step, column and unit.
    """
    warnings: list[str] = []
    rules = rules_per_level(framework, method.aggregate, where) if method.aggregate else {}
    weights = weights_of(framework, rules)

    denominated = prepare.denominate(dataset, framework) if method.denominate else dataset.values
    imputed = prepare.impute(denominated, method.impute, dataset)
    stays = np.ones(len(dataset.units), dtype=bool) if method.screen is None else prepare.screen(imputed, method.screen)
    if not stays.any():
        raise BadInputError(
            "No unit has enough data to stay.",
            where=f"{where}: screen",
            why="score.screen.empty",
            next_step="lower min_availability or min_nonzero, or impute",
        )
    kept = tuple(unit for unit, stay in zip(dataset.units, stays, strict=True) if stay)
    if len(kept) < len(dataset.units):
        gone = [unit for unit, stay in zip(dataset.units, stays, strict=True) if not stay]
        warnings.append(f"screened out: {', '.join(gone)}")
    screened = imputed[stays]
    treated, treatment, points = treat(screened, method.treat)
    failing = [
        node.code for node, row in zip(framework.indicators, treatment, strict=True) if row.passed_after is False
    ]
    if failing:
        warnings.append(f"still skewed after treatment: {', '.join(failing)}")
    if method.normalise.method == "fracmax" and (turned := reversed_by_fracmax(treated, framework)):
        warnings.append(f"fracmax turns the order round, the largest value being negative: {', '.join(turned)}")
    normalised = normalise(treated, framework, kept, method.normalise)

    scores, index = _scores(framework, normalised, weights, method, kept, where)
    ranked = ranks(scores.T, ties=method.rank.ties).T
    spread = None
    if method.robustness is not None:
        spread = simulate(treated, framework, kept, method, ranked[:, index], where)
    return Index(
        framework=framework,
        units=dataset.units,
        kept=kept,
        denominated=denominated,
        imputed=imputed,
        screened=screened,
        treated=treated,
        treatment=treatment,
        points=points,
        normalised=normalised,
        scores=scores,
        ranks=ranked,
        weights=weights,
        effective_weights=effective_weights(framework, weights),
        robustness=spread,
        warnings=warnings,
    )


def _scores(
    framework: Framework, normalised: Floats, weights: Floats, method: Method, units: tuple[str, ...], where: str
) -> tuple[Floats, int]:
    """Return indicators and aggregates as one matrix, and the column of the (last) top.

    Only what is printed and ranked is rounded; what is passed up to the next level is not.
    """
    if not method.aggregate:
        return normalised, normalised.shape[1] - 1
    rules = rules_per_level(framework, method.aggregate, where)
    columns = aggregate(framework, normalised, weights[None, :], rules, units)
    aggregates = np.column_stack([column[0] for column in columns[normalised.shape[1] :]])
    if method.rank.decimals is not None:
        aggregates = half_up(aggregates, method.rank.decimals)
    return np.column_stack([normalised, aggregates]), len(columns) - 1
