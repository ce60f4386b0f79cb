"""Uncertainty analysis: how far the index ranks depend on weights, normalisation and aggregation.

OECD/JRC handbook (2008), step 7; Saisana, Saltelli and Tarantola (2005), J. R. Stat. Soc. A 168(2). Draws are
grouped by method combination; a group is one matrix product per aggregate and one sort.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from parkindex.errors import BadInputError
from parkindex.scoring.aggregate import POSITIVE_METHODS, aggregate, rules_per_level, weights_of
from parkindex.scoring.data import Framework, read_weight_sets
from parkindex.scoring.draws import uniform
from parkindex.scoring.method import Aggregate, Method, Robustness
from parkindex.scoring.normalise import normalise
from parkindex.scoring.ranks import Floats, half_up, ranks, settled

_SHARE_OF_RANGE = 0.01
_DRAWS_AT_ONCE = 10_000  # bounds the memory, not the result


@dataclass(frozen=True)
class RankSpread:
    """Ranks of the index under all draws, per unit ``(n,)``; NaN for a unit that never has one.

    ``q05`` and ``q95`` are linear quantiles. ``draws`` is how many simulations there were.
    """

    draws: int
    nominal: Floats
    mean: Floats
    median: Floats
    q05: Floats
    q95: Floats


def index_ranks(scores: Floats, method: Method) -> Floats:
    """Rank units by simulated scores, ``(d, n)``, by the method's rounding and ties.

    Without rounding, what differs by less than twelve digits is equal: a matrix product adds in the processor's order.
    """
    decimals = method.rank.decimals
    compared = settled(scores) if decimals is None else half_up(scores, decimals)
    return ranks(compared, ties=method.rank.ties)


def simulate(
    treated: Floats, framework: Framework, units: tuple[str, ...], method: Method, nominal: Floats, where: str
) -> RankSpread:
    """Simulate the ranking.

    Args:
        treated: Data before normalisation, ``(n, m)``.
        framework: The hierarchy, with one top.
        units: uCode per row.
        method: The whole method; ``robustness`` says what varies.
        nominal: Ranks of the index by the nominal method, ``(n,)``.
        where: Method file, for messages.

    Raises:
        BadInputError: There is not one top, or a combination cannot be computed.
    """
    if len(framework.roots) != 1:
        raise BadInputError(
            f"There are {len(framework.roots)} aggregates without a parent: which is the index?",
            where=framework.where,
            why="score.robustness.index",
            next_step="give all but one a parent",
        )
    options = method.robustness or Robustness()
    normalisations = options.normalise or (method.normalise,)
    aggregations = options.aggregate or (method.aggregate,)
    combinations = [(scale, rules) for scale in normalisations for rules in aggregations]
    place = framework.codes.index(framework.roots[0])

    factors, sets = _draws(options, framework, len(combinations), where)
    simulated = np.empty((len(factors), len(units)))
    for number, (scale, rules) in enumerate(combinations):
        normalised = normalise(treated, framework, units, scale)
        if (scale, rules) != (method.normalise, method.aggregate):
            normalised = _made_positive(normalised, rules)
        levels = rules_per_level(framework, rules, where)
        nominal_weights = weights_of(framework, levels)
        own = np.arange(number, len(factors), len(combinations))
        for start in range(0, len(own), _DRAWS_AT_ONCE):
            members = own[start : start + _DRAWS_AT_ONCE]
            weights = np.tile(nominal_weights, (len(members), 1))
            for code, column in sets.items():
                weights[:, framework.codes.index(code)] = column[members]
            try:
                totals = aggregate(framework, normalised, weights * factors[members], levels, units)[place]
            except BadInputError as error:
                raise BadInputError(
                    error.what,
                    where=f"{where}: robustness, {scale.method} with {_names(rules)}",
                    why=error.why,
                    next_step="leave this combination out, or choose another nominal method",
                ) from error
            simulated[members] = index_ranks(totals, method)
    return _summary(simulated, nominal)


def _draws(
    options: Robustness, framework: Framework, combinations: int, where: str
) -> tuple[Floats, dict[str, Floats]]:
    """Return the factor of every weight per draw, ``(d, m + k)``, and the given weights per draw.

    Draw i belongs to combination i mod c. With weight sets every set meets every combination.
    """
    sets: dict[str, Floats] = {}
    draws = options.draws or 0
    if options.weight_sets is not None:
        given = read_weight_sets(options.weight_sets, framework)
        count = len(next(iter(given.values())))
        if options.draws not in (None, count):
            raise BadInputError(
                f"`draws` is {options.draws}, but there are {count} weight sets.",
                where=f"{where}: robustness/draws",
                why="score.robustness.draws",
                next_step="leave `draws` out: every set meets every combination of methods once",
            )
        draws = count * combinations
        sets = {code: np.repeat(column, combinations) for code, column in given.items()}
    factors = np.ones((draws, len(framework.codes)))
    if options.weights:
        factors += options.weights * (2 * uniform(options.seed, factors.shape) - 1)
        # A weight that a set gives is taken as it is given.
        factors[:, [framework.codes.index(code) for code in sets]] = 1.0
    return factors, sets


def _made_positive(normalised: Floats, rules: Sequence[Aggregate]) -> Floats:
    """Move columns that are not positive to x − min + 1 % of their range, where a mean of positive numbers follows."""
    if not any(rule.method in POSITIVE_METHODS for rule in rules):
        return normalised
    result = normalised.copy()
    for column in range(result.shape[1]):
        x = result[:, column]
        known = x[~np.isnan(x)]
        if len(known) and known.min() <= 0:
            result[:, column] = x - known.min() + _SHARE_OF_RANGE * np.ptp(known)
    return result


def _names(rules: Sequence[Aggregate]) -> str:
    return "/".join(dict.fromkeys(rule.method for rule in rules))


def _summary(simulated: Floats, nominal: Floats) -> RankSpread:
    """Summarise ranks ``(d, n)``, leaving out the draws in which a unit has none."""
    count = simulated.shape[1]
    rows = {name: np.full(count, np.nan) for name in ("mean", "median", "q05", "q95")}
    complete = ~np.isnan(simulated).any(axis=0)
    whole = simulated[:, complete]
    if whole.size:
        rows["mean"][complete] = whole.mean(axis=0)
        rows["q05"][complete], rows["median"][complete], rows["q95"][complete] = np.quantile(
            whole, (0.05, 0.5, 0.95), axis=0
        )
    for unit in np.flatnonzero(~complete):
        known = simulated[~np.isnan(simulated[:, unit]), unit]
        if len(known):
            rows["mean"][unit] = known.mean()
            rows["q05"][unit], rows["median"][unit], rows["q95"][unit] = np.quantile(known, (0.05, 0.5, 0.95))
    return RankSpread(draws=len(simulated), nominal=nominal, **rows)
