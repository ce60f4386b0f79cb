"""Whether an index hangs together: correlations, redundancy, reliability, components, real weights, back to the data.

OECD/JRC handbook (2008), steps 4, 6 and 8. Correlations are Pearson's over the ranked parks that have both numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from parkindex.scoring.edition import Value, framework_of, matrix_of, steps
from parkindex.scoring.ranks import Floats, ranks

WEAK = 0.3
REDUNDANT = 0.92
SIZE_BOUND = 0.7
_FEWEST = 3


@dataclass(frozen=True)
class IndicatorCoherence:
    """One computed indicator.

    Attributes:
        indicator_code: Indicator.
        with_area: Correlation of its score with its area's; None when one of them is the same in every park.
        with_total: Correlation with the total.
        flag: ``negative`` or ``weak`` (below 0.3) correlation with the area; None otherwise.
        weight: Nominal weight in the total, percent.
        importance: Share of the squared correlations with the total, percent (Becker et al. 2017, Ecol. Indic. 80):
            what the indicator's differences decide, whatever its weight.
        spread: Standard deviation of the score, points.
        at_bound: Share of parks that score 0 or 100: the bounds decide there, not the data.
        with_size: Rank correlation of the value with its denominator; None for indicators without one.
    """

    indicator_code: str
    with_area: float | None
    with_total: float | None
    flag: str | None
    weight: float
    importance: float | None
    spread: float
    at_bound: float
    with_size: float | None


@dataclass(frozen=True)
class AreaCoherence:
    """One computed area.

    Attributes:
        area_code: Area.
        alpha: Cronbach's alpha of its indicators over the parks that have all of them; None with fewer than two
            indicators or three parks, or without variance.
        first_component: Share of the variance of its standardised scores on the first principal component.
        with_total: Correlation of the area with the total.
    """

    area_code: str
    alpha: float | None
    first_component: float | None
    with_total: float | None


@dataclass(frozen=True)
class Coherence:
    """How an index hangs together.

    Attributes:
        parks: Ranked parks it was measured on.
        indicators: Computed indicators, in the order of the methodology.
        areas: Computed areas.
        alpha: Cronbach's alpha over all indicators.
        components: Shares of the variance on the principal components of all indicators, largest first.
        redundant: Pairs of indicators correlated above 0.92.
        largest_gap: Largest difference between a total and the sum of its contributions: back to the data, 0 but for
            rounding.
    """

    parks: int
    indicators: list[IndicatorCoherence]
    areas: list[AreaCoherence]
    alpha: float | None
    components: list[float]
    redundant: list[tuple[str, str, float]]
    largest_gap: float


def measure(
    document: Mapping[str, Any],
    values: Sequence[Value],
    denominators: Mapping[tuple[str, str], float] | None = None,
) -> Coherence:
    """Measure an edition's coherence.

    Args:
        document: Resolved methodology.
        values: As for :func:`parkindex.scoring.edition.score`.
        denominators: Denominator by (park, indicator), for the correlation with size.

    Raises:
        BadInputError: As for :func:`parkindex.scoring.edition.score`.
    """
    framework = framework_of(document)
    found = steps(framework, matrix_of(framework, document, values))
    ranked = ~np.isnan(found.total)
    scores, areas, total = found.indicator[ranked], found.area[ranked], found.total[ranked]
    parks = [park for park, counts in zip(framework.parks, ranked, strict=True) if counts]
    area_of = framework.member.argmax(axis=0)
    with_total = [_correlation(column, total) for column in scores.T]
    squares = np.array([np.nan if one is None else one * one for one in with_total])
    all_squares = np.nansum(squares)
    indicators = []
    for place, code in enumerate(framework.indicators):
        parent = _correlation(scores[:, place], areas[:, area_of[place]])
        known = scores[~np.isnan(scores[:, place]), place]
        indicators.append(
            IndicatorCoherence(
                code,
                parent,
                with_total[place],
                None if parent is None or parent >= WEAK else "negative" if parent < 0 else "weak",
                float(100 * framework.weights[place] / framework.weights.sum()),
                float(100 * squares[place] / all_squares) if all_squares and not np.isnan(squares[place]) else None,
                float(known.std(ddof=1)) if len(known) > 1 else 0.0,
                float(((known == 0) | (known == 100)).mean()) if len(known) else 0.0,
                _with_size(parks, code, found.values[ranked, place], denominators or {}),
            )
        )
    of_areas = [
        AreaCoherence(
            code,
            cronbach_alpha(scores[:, member]),
            next(iter(components(scores[:, member])), None),
            _correlation(areas[:, place], total),
        )
        for place, (code, member) in enumerate(zip(framework.areas, framework.member, strict=True))
    ]
    redundant = []
    for one in range(len(framework.indicators)):
        for other in range(one + 1, len(framework.indicators)):
            correlation = _correlation(scores[:, one], scores[:, other])
            if correlation is not None and correlation > REDUNDANT:
                redundant.append((framework.indicators[one], framework.indicators[other], correlation))
    return Coherence(
        int(ranked.sum()),
        indicators,
        of_areas,
        cronbach_alpha(scores),
        components(scores),
        redundant,
        _gap(framework.weights, framework.member, found.indicator[ranked], total),
    )


def _gap(weights: Floats, member: Any, scores: Floats, total: Floats) -> float:
    """Return the largest |total − Σ contributions| over the parks."""
    if not len(total):
        return 0.0
    present = ~np.isnan(scores)
    available = present @ (member.T * weights[:, None])
    share = (member @ weights) / weights.sum() / np.where(available > 0, available, 1.0)
    contributions = (share @ member) * weights * np.where(present, scores, 0.0)
    return float(np.abs(total - contributions.sum(axis=1)).max())


def _correlation(one: Floats, other: Floats) -> float | None:
    both = ~np.isnan(one) & ~np.isnan(other)
    if both.sum() < _FEWEST or np.ptp(one[both]) == 0 or np.ptp(other[both]) == 0:
        return None
    return float(np.corrcoef(one[both], other[both])[0, 1])


def _with_size(
    parks: Sequence[str], code: str, values: Floats, denominators: Mapping[tuple[str, str], float]
) -> float | None:
    sizes = np.array([denominators.get((park, code), np.nan) for park in parks], dtype=np.float64)
    both = ~np.isnan(sizes) & ~np.isnan(values)
    return _correlation(ranks(values[both], ties="average"), ranks(sizes[both], ties="average"))


def cronbach_alpha(scores: Floats) -> float | None:
    """Cronbach's alpha, k ÷ (k−1) · (1 − Σ var ÷ var of the sum), over the rows that are complete.

    Cronbach (1951), Psychometrika 16(3). None with fewer than two columns or three rows, or without variance.
    """
    complete = scores[~np.isnan(scores).any(axis=1)]
    count = complete.shape[1]
    if count < 2 or len(complete) < _FEWEST:
        return None
    of_sum = complete.sum(axis=1).var(ddof=1)
    if of_sum == 0:
        return None
    return float(count / (count - 1) * (1 - complete.var(axis=0, ddof=1).sum() / of_sum))


def components(scores: Floats) -> list[float]:
    """Return the shares of the variance on the principal components of standardised columns, largest first.

    Rows that are not complete and columns that do not vary are left out.
    """
    complete = scores[~np.isnan(scores).any(axis=1)]
    if len(complete) < _FEWEST:
        return []
    varying = complete[:, complete.std(axis=0) > 0]
    if not varying.shape[1]:
        return []
    standard = (varying - varying.mean(axis=0)) / varying.std(axis=0)
    eigenvalues = np.linalg.svd(standard, compute_uv=False) ** 2
    return [float(share) for share in eigenvalues / eigenvalues.sum()]
