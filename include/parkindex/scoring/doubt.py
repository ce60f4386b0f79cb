"""How sure an edition's ranking is: every rank under other defensible choices, and which choice matters.

Five sources of doubt are varied together (:data:`SOURCES`): weights, normalisation, aggregation, missing values and
outlier treatment. Uncertainty analysis and variance-based sensitivity of composite indicators after Saisana, Saltelli
and Tarantola (2005), J. R. Stat. Soc. A 168(2); OECD/JRC handbook (2008), step 7. See ``docs/method/doubt.md``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parkindex.scoring.draws import uniform
from parkindex.scoring.edition import EditionFramework, Value, framework_of, matrix_of, steps
from parkindex.scoring.method import Treat
from parkindex.scoring.ranks import Floats, half_up, ranks
from parkindex.scoring.treat import treat

SOURCES = ("weights", "normalisation", "aggregation", "missing", "treatment")
# The official choice stands first.
NORMALISATIONS = ("goalposts", "minmax", "rank")
AGGREGATIONS = ("arithmetic", "geometric")
MISSING = ("rescale", "peer_median")
TREATMENTS = ("none", "winsorise")
_CHOICES = (NORMALISATIONS, AGGREGATIONS, MISSING, TREATMENTS)

_WINSORISE = Treat(skew=2.0, kurtosis=3.5, max_winsorised=5, then="none")
_LEAST_IN_GEOMETRIC = 1.0
_LOW_PERCENT, _HIGH_PERCENT = 5, 95
_SOBOL_BASE = 1024


@dataclass(frozen=True)
class RankInterval:
    """How far a park's rank depends on the choices of :data:`SOURCES`.

    Attributes:
        park_code: Park; only parks that have a rank.
        rank_low: 5 % quantile of the simulated ranks (the better end), nearest rank, so a whole number; the official
            rank where that is better.
        rank_high: 95 % quantile (the worse end), nearest rank; the official rank where that is worse.
        tier_share: Share of the simulations in which the park stays in its tier, 0 to 1.
    """

    park_code: str
    rank_low: int
    rank_high: int
    tier_share: float


@dataclass(frozen=True)
class ParkDoubt:
    """One park under all simulations.

    Attributes:
        park_code: Park; only parks that have a rank.
        rank: Official rank.
        mean: Mean of the simulated ranks.
        median: Median of them (nearest rank).
        low: 5 % quantile (nearest rank), the better end.
        high: 95 % quantile.
        best: Best rank in any simulation.
        worst: Worst rank in any simulation.
        tier_shares: Tier → share of the simulations in which the park is in it.
        below_pass_line: Share of the simulations on the official scale in which the total is below the pass line; None
            when the methodology has none.
        first_order: Source → share of the variance of the park's rank that it explains alone; None when the rank never
            moves.
        total_order: Source → share that it has part in, alone or with others.
    """

    park_code: str
    rank: int
    mean: float
    median: int
    low: int
    high: int
    best: int
    worst: int
    tier_shares: dict[int, float]
    below_pass_line: float | None
    first_order: dict[str, float] | None
    total_order: dict[str, float] | None


@dataclass(frozen=True)
class Doubt:
    """The doubt about one ranking.

    Attributes:
        draws: Simulations.
        sobol_base: Base sample of the sensitivity analysis; it takes seven times as many evaluations.
        seed: Seed of both.
        pass_line: Total below which a park fails; None when the methodology has none.
        parks: Ranked parks, by rank.
        mean_shift: Mean over parks and simulations of the absolute distance to the official rank.
        first_order: As for a park, of the mean shift of a simulation; None when nothing ever moves.
        total_order: As for a park.
    """

    draws: int
    sobol_base: int
    seed: int
    pass_line: float | None
    parks: list[ParkDoubt]
    mean_shift: float
    first_order: dict[str, float] | None
    total_order: dict[str, float] | None


@dataclass(frozen=True)
class Model:
    """Everything a simulation needs, computed once. Sizes: r ranked parks, m indicators, k areas.

    Attributes:
        framework: The methodology as arrays.
        parks: Codes of the ranked parks.
        official: Their official ranks, ``(r,)``.
        scores: Per (normalisation, missing, treatment): filled scores ``(r, m)`` and where there is one ``(r, m)``.
    """

    framework: EditionFramework
    parks: list[str]
    official: Floats
    scores: Mapping[tuple[int, int, int], tuple[Floats, Floats]]

    @property
    def columns(self) -> int:
        """Random numbers that one simulation takes: one per weight and one per choice."""
        return len(self.framework.weights) + len(_CHOICES)

    def totals(self, drawn: Floats) -> Floats:
        """Compute total scores.

        Args:
            drawn: ``(d, m + 4)`` numbers in [0, 1): one per weight, then one per choice in the order of
                :data:`SOURCES`.

        Returns:
            ``(d, r)``.
        """
        framework, m = self.framework, len(self.framework.weights)
        spread = framework.rules["robustness_weight_spread"]
        weights = framework.weights * (1 - spread + 2 * spread * drawn[:, :m])
        chosen = choices(drawn[:, m:])
        result = np.empty((len(drawn), len(self.parks)))
        code = np.ravel_multi_index(tuple(chosen.T), [len(options) for options in _CHOICES])
        for number, (normalisation, aggregation, missing, treatment) in enumerate(
            product(*(range(len(options)) for options in _CHOICES))
        ):
            own = np.flatnonzero(code == number)
            if len(own):
                filled, present = self.scores[normalisation, missing, treatment]
                result[own] = _aggregate(framework, weights[own], filled, present, geometric=aggregation == 1)
        return result

    def ranks(self, totals: Floats) -> Floats:
        """Rank totals ``(d, r)`` by the methodology's rounding."""
        return ranks(half_up(totals, int(self.framework.rules["rank_decimals"])))


def choices(drawn: Floats) -> NDArray[np.int64]:
    """Turn numbers in [0, 1), ``(d, 4)``, into the places of the options they choose."""
    return np.floor(drawn * [len(options) for options in _CHOICES]).astype(np.int64)


def model(document: Mapping[str, Any], values: Sequence[Value]) -> Model:
    """Prepare the simulations of an edition.

    Raises:
        BadInputError: As for :func:`parkindex.scoring.edition.score`.
    """
    framework = framework_of(document)
    matrix = matrix_of(framework, document, values)
    official = steps(framework, matrix)
    ranked = np.flatnonzero(~np.isnan(official.total))
    parks = [framework.parks[row] for row in ranked]
    peer_group = {park["park_code"]: park.get("peer_group", "") for park in document["parks"]}
    peers = np.array([peer_group[park] for park in parks])
    scores = {}
    for treatment in range(len(TREATMENTS)):
        treated = matrix[ranked] if treatment == 0 else treat(matrix[ranked], _WINSORISE)[0]
        for normalisation, name in enumerate(NORMALISATIONS):
            plain = _normalise(framework, treated, name)
            for missing in range(len(MISSING)):
                full = plain if missing == 0 else _with_peers(plain, peers)
                present = ~np.isnan(full)
                scores[normalisation, missing, treatment] = (np.where(present, full, 0.0), present.astype(np.float64))
    return Model(framework, parks, official.rank[ranked], scores)


def _normalise(framework: EditionFramework, values: Floats, name: str) -> Floats:
    """Score values ``(r, m)`` from 0 to 100; where all parks are equal, minmax and rank give 50."""
    if name == "goalposts":
        return steps(framework, values).indicator
    directed = values * framework.directions
    present = ~np.isnan(directed)
    if name == "rank":
        ascending = ranks(directed.T, ties="average", descending=False).T
        count = present.sum(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            scored = 100 * (ascending - 1) / (count - 1)
        return np.where(present, np.where(count > 1, scored, 50.0), np.nan)
    low = np.min(directed, axis=0, initial=np.inf, where=present)
    high = np.max(directed, axis=0, initial=-np.inf, where=present)
    with np.errstate(divide="ignore", invalid="ignore"):
        scored = 100 * (directed - low) / (high - low)
    return np.where(present, np.where(high > low, scored, 50.0), np.nan)


def _with_peers(scores: Floats, peers: NDArray[np.str_]) -> Floats:
    """Fill what is missing with the median of the park's peers, or of all parks where no peer has one."""
    filled = scores.copy()
    for row, column in np.argwhere(np.isnan(scores)):
        own = scores[peers == peers[row], column]
        for group in (own, scores[:, column]):
            known = group[~np.isnan(group)]
            if len(known):
                filled[row, column] = np.median(known)
                break
    return filled


def _aggregate(
    framework: EditionFramework, weights: Floats, filled: Floats, present: Floats, *, geometric: bool
) -> Floats:
    """Aggregate ``(d, m)`` weights and ``(r, m)`` scores to ``(d, r)`` totals."""
    area_weights = weights @ framework.member.T.astype(np.float64)
    shares = area_weights / area_weights.sum(axis=1, keepdims=True)
    total = np.zeros((len(weights), len(filled)))
    for column, member in enumerate(framework.member):
        inside = weights[:, member]
        area = (inside @ filled[:, member].T) / (inside @ present[:, member].T)
        if geometric:
            area = np.log(np.maximum(area, _LEAST_IN_GEOMETRIC))
        total += shares[:, column, None] * area
    return np.exp(total) if geometric else total


def rank_intervals(document: Mapping[str, Any], values: Sequence[Value]) -> list[RankInterval]:
    """Return the interval that is published with each rank, from ``robustness_draws`` simulations.

    The official rank is one of the defensible ones: an interval that lies beside it is widened to it.

    Args:
        document: Resolved methodology.
        values: As for :func:`parkindex.scoring.edition.score`.

    Returns:
        One interval per park that has a rank, in the order of the methodology.

    Raises:
        BadInputError: As for :func:`parkindex.scoring.edition.score`.
    """
    prepared = model(document, values)
    rules = prepared.framework.rules
    if not prepared.parks:
        return []
    drawn = uniform(int(rules["robustness_seed"]), (int(rules["robustness_draws"]), prepared.columns))
    simulated = prepared.ranks(prepared.totals(drawn))
    in_order = np.sort(simulated, axis=0)
    low = np.minimum(in_order[nearest_rank(_LOW_PERCENT, len(drawn))], prepared.official)
    high = np.maximum(in_order[nearest_rank(_HIGH_PERCENT, len(drawn))], prepared.official)
    found = []
    for column, park in enumerate(prepared.parks):
        rank = prepared.official[column]
        first, last = next((first, last) for _, first, last in prepared.framework.tiers if first <= rank <= last)
        runs = simulated[:, column]
        found.append(
            RankInterval(park, int(low[column]), int(high[column]), float(((runs >= first) & (runs <= last)).mean()))
        )
    return found


def nearest_rank(percent: int, count: int) -> int:
    """Return the index of a quantile in sorted data: the ⌈p·n⌉-th value."""
    return -(-percent * count // 100) - 1


def measure(
    document: Mapping[str, Any],
    values: Sequence[Value],
    *,
    draws: int | None = None,
    seed: int | None = None,
    sobol_base: int = _SOBOL_BASE,
) -> Doubt:
    """Simulate an edition's ranking and say which source of doubt its ranks hang on.

    Args:
        document: Resolved methodology.
        values: As for :func:`parkindex.scoring.edition.score`.
        draws: Simulations; default ``robustness_draws``.
        seed: Default ``robustness_seed``.
        sobol_base: Base sample N of the sensitivity analysis; N × (2 + number of sources) evaluations.

    Raises:
        BadInputError: As for :func:`parkindex.scoring.edition.score`.
    """
    prepared = model(document, values)
    rules = prepared.framework.rules
    draws = int(rules["robustness_draws"]) if draws is None else draws
    seed = int(rules["robustness_seed"]) if seed is None else seed
    line = (document.get("consequences") or {}).get("pass_line")
    if not prepared.parks:
        return Doubt(draws, sobol_base, seed, line, [], 0.0, None, None)

    drawn = uniform(seed, (draws, prepared.columns))
    totals = prepared.totals(drawn)
    simulated = prepared.ranks(totals)
    on_official_scale = choices(drawn[:, len(prepared.framework.weights) :])[:, 0] == 0
    parks = [
        _park(prepared, column, simulated[:, column], totals[on_official_scale, column], line)
        for column in range(len(prepared.parks))
    ]
    first, total = _sensitivity(prepared, seed, sobol_base)
    parks = [
        replace(park, first_order=_named(first[:, column]), total_order=_named(total[:, column]))
        for column, park in enumerate(parks)
    ]
    parks.sort(key=lambda park: (park.rank, park.park_code))
    return Doubt(
        draws,
        sobol_base,
        seed,
        line,
        parks,
        float(np.abs(simulated - prepared.official).mean()),
        _named(first[:, -1]),
        _named(total[:, -1]),
    )


def _park(prepared: Model, column: int, simulated: Floats, totals: Floats, line: float | None) -> ParkDoubt:
    in_order = np.sort(simulated)
    decimals = int(prepared.framework.rules["rank_decimals"])
    below = None
    if line is not None and len(totals):
        below = float((half_up(totals, decimals) < line).mean())
    return ParkDoubt(
        park_code=prepared.parks[column],
        rank=int(prepared.official[column]),
        mean=float(simulated.mean()),
        median=int(in_order[nearest_rank(50, len(in_order))]),
        low=int(in_order[nearest_rank(_LOW_PERCENT, len(in_order))]),
        high=int(in_order[nearest_rank(_HIGH_PERCENT, len(in_order))]),
        best=int(in_order[0]),
        worst=int(in_order[-1]),
        tier_shares={
            tier: float(((simulated >= first) & (simulated <= last)).mean())
            for tier, first, last in prepared.framework.tiers
        },
        below_pass_line=below,
        first_order=None,
        total_order=None,
    )


def _sensitivity(prepared: Model, seed: int, base: int) -> tuple[Floats, Floats]:
    """Return first-order and total shares, ``(sources, r + 1)``: of each park's rank, and of the mean shift last."""
    m = len(prepared.framework.weights)
    members = [slice(0, m), *(slice(m + place, m + place + 1) for place in range(len(_CHOICES)))]

    def outputs(drawn: Floats) -> Floats:
        simulated = prepared.ranks(prepared.totals(drawn))
        shift = np.abs(simulated - prepared.official).mean(axis=1, keepdims=True)
        return np.hstack((simulated, shift))

    # Another stream than that of the simulations: the two answers must not share their luck.
    both = uniform(seed + 1, (2 * base, prepared.columns))
    return sobol(both[:base], both[base:], members, outputs)


def sobol(first: Floats, second: Floats, groups: Sequence[slice], outputs: Any) -> tuple[Floats, Floats]:
    """Estimate first-order and total Sobol indices of groups of inputs.

    First order after Saltelli et al. (2010), Comput. Phys. Commun. 181(2), table 2 (b): mean of f(B)·(f(A_B) − f(A))
    over the variance; total order after Jansen (1999), Comput. Phys. Commun. 117: mean of (f(A) − f(A_B))² over twice
    the variance. Estimates may leave [0, 1] by their own error.

    Args:
        first: Sample A, ``(N, inputs)``.
        second: Sample B, as large and independent.
        groups: Columns of each group.
        outputs: Function from ``(N, inputs)`` to ``(N, outputs)``.

    Returns:
        Two arrays ``(groups, outputs)``; NaN where the output never changes.
    """
    of_first, of_second = outputs(first), outputs(second)
    # Centred, so that the estimator of the first order loses no digits to the mean.
    centre = np.vstack((of_first, of_second)).mean(axis=0)
    variance = np.vstack((of_first, of_second)).var(axis=0)
    alone = np.empty((len(groups), of_first.shape[1]))
    part = np.empty_like(alone)
    with np.errstate(divide="ignore", invalid="ignore"):
        for number, columns in enumerate(groups):
            mixed = first.copy()
            mixed[:, columns] = second[:, columns]
            of_mixed = outputs(mixed)
            alone[number] = ((of_second - centre) * (of_mixed - of_first)).mean(axis=0) / variance
            part[number] = ((of_first - of_mixed) ** 2).mean(axis=0) / (2 * variance)
    constant = variance == 0
    alone[:, constant] = np.nan
    part[:, constant] = np.nan
    return alone, part


def _named(shares: Floats) -> dict[str, float] | None:
    if np.isnan(shares).any():
        return None
    return {source: float(share) for source, share in zip(SOURCES, shares, strict=True)}
