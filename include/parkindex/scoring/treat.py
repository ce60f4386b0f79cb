"""Outlier treatment: winsorise point by point, and transform what that does not help.

The rule is that of COINr's ``Treat`` (Becker et al. 2022), which follows the JRC's practice: a column passes when its
skewness is small or its kurtosis is. Directions are not applied yet.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from parkindex.scoring.method import Treat
from parkindex.scoring.ranks import Floats

_SHARE_OF_RANGE = 0.01
_LAMBDA_BOUNDS = (-5.0, 5.0)
_GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True)
class Treatment:
    """What was done to one column.

    Attributes:
        passed: Whether it passed untreated; None when it cannot be tested (fewer than four values, or all equal).
        points: Points winsorised in the result: 0 when the column was transformed instead.
        transformation: ``none``, ``log_ct``, ``log_ct_neg`` or ``boxcox``.
        skew_before: Skewness of the column as it came; None when it is not defined.
        kurtosis_before: Kurtosis.
        skew_after: Skewness of the result.
        kurtosis_after: Kurtosis of the result.
        passed_after: Whether the result passes.
    """

    passed: bool | None
    points: int
    transformation: str
    skew_before: float | None
    kurtosis_before: float | None
    skew_after: float | None
    kurtosis_after: float | None
    passed_after: bool | None


def skewness(x: Floats) -> float | None:
    """Skewness of type 2 (as in spreadsheets; Joanes and Gill 1998, The Statistician 47(1)), missing values left out.

    G1 = g1 · √(n(n−1)) ÷ (n−2), g1 = m3 ÷ m2^1.5. None with fewer than 3 values, or when all are equal.
    """
    deviations = _deviations(x)
    n = len(deviations)
    if n < 3 or not deviations.any():
        return None
    g1 = math.sqrt(n) * np.sum(deviations**3) / np.sum(deviations**2) ** 1.5
    return float(g1 * math.sqrt(n * (n - 1)) / (n - 2))


def kurtosis(x: Floats) -> float | None:
    """Excess kurtosis of type 2, missing values left out.

    G2 = ((n+1)·g2 + 6)·(n−1) ÷ ((n−2)(n−3)), g2 = m4 ÷ m2² − 3. None with fewer than 4 values, or when all are equal.
    """
    deviations = _deviations(x)
    n = len(deviations)
    if n < 4 or not deviations.any():
        return None
    g2 = n * np.sum(deviations**4) / np.sum(deviations**2) ** 2 - 3
    return float(((n + 1) * g2 + 6) * (n - 1) / ((n - 2) * (n - 3)))


def treat(values: Floats, rule: Treat | None) -> tuple[Floats, list[Treatment], NDArray[np.int8]]:
    """Treat every column.

    Args:
        values: ``(n, m)``, NaN is missing.
        rule: Thresholds, most points to winsorise, and what to do when that does not help; None treats nothing.

    Returns:
        Treated values ``(n, m)``, one :class:`Treatment` per column, and per cell 1 where it was winsorised at the
        high end, -1 at the low end, 0 elsewhere.
    """
    treated = values.copy()
    points = np.zeros(values.shape, dtype=np.int8)
    rows = []
    for column in range(values.shape[1]):
        treated[:, column], row, points[:, column] = _treat_column(values[:, column], rule)
        rows.append(row)
    return treated, rows, points


def _treat_column(x: Floats, rule: Treat | None) -> tuple[Floats, Treatment, NDArray[np.int8]]:
    untouched = np.zeros(len(x), dtype=np.int8)
    passed = None if rule is None else _passes(x, rule)
    result, points, transformation = x, untouched, "none"
    if rule is not None and passed is False:
        result, points = winsorise(x, rule)
        if _passes(result, rule) is False and rule.then != "none":
            result, transformation = transform(x, rule.then)
            points = untouched
    return (
        result,
        Treatment(
            passed=passed,
            points=int(np.count_nonzero(points)),
            transformation=transformation,
            skew_before=skewness(x),
            kurtosis_before=kurtosis(x),
            skew_after=skewness(result),
            kurtosis_after=kurtosis(result),
            passed_after=None if rule is None else _passes(result, rule),
        ),
        points,
    )


def _passes(x: Floats, rule: Treat) -> bool | None:
    skew, kurt = skewness(x), kurtosis(x)
    if skew is None or kurt is None:
        return None
    return abs(skew) < rule.skew or kurt < rule.kurtosis


def winsorise(x: Floats, rule: Treat) -> tuple[Floats, NDArray[np.int8]]:
    """Move the outermost value to the next one until the column passes or enough points were moved.

    The high end when the skewness is at least 0, else the low end. Equal outermost values move together and count
    each, so the number of points may go over ``max_winsorised`` by what was tied.

    Returns:
        The column and, per cell, 1 (moved down from the high end), -1 (moved up from the low end) or 0.
    """
    x = x.copy()
    points = np.zeros(len(x), dtype=np.int8)
    while _passes(x, rule) is False and np.count_nonzero(points) < rule.max_winsorised:
        high = (skewness(x) or 0.0) >= 0
        outermost = x == (np.nanmax(x) if high else np.nanmin(x))
        rest = x[~outermost & ~np.isnan(x)]
        x[outermost] = rest.max() if high else rest.min()
        points[outermost] = 1 if high else -1
    return x, points


def transform(x: Floats, how: str) -> tuple[Floats, str]:
    """Transform a whole column.

    - ``log_ct``: ln(x − min + 0.01·(max − min)), the JRC COIN Tool's logarithm.
    - ``log_ct_plus``: the same for a positive skew, −ln(max + 0.01·(max − min) − x) otherwise.
    - ``boxcox``: (x^λ − 1) ÷ λ, ln x at λ = 0 (Box and Cox 1964, J. R. Stat. Soc. B 26(2)); λ maximises the profile
      log-likelihood on [−5, 5]. A column that is not positive is moved to x − min + 1 first.

    Returns:
        The column, and the name of what was done.
    """
    low, high = np.nanmin(x), np.nanmax(x)
    margin = _SHARE_OF_RANGE * (high - low)
    if how == "boxcox":
        positive = x if low > 0 else x - low + 1
        return boxcox(positive, boxcox_lambda(positive)), how
    if how == "log_ct_plus" and (skewness(x) or 0.0) <= 0:
        return -np.log(high + margin - x), "log_ct_neg"
    return np.log(x - low + margin), "log_ct"


def boxcox(x: Floats, power: float) -> Floats:
    """Box-Cox transformation of positive values."""
    result: Floats = np.log(x) if power == 0 else np.expm1(power * np.log(x)) / power
    return result


def boxcox_lambda(x: Floats) -> float:
    """Return the λ on [−5, 5] with the largest profile log-likelihood, by golden-section search to 1e-8.

    ll(λ) = (λ − 1)·Σ ln x − n/2 · ln var(x^(λ)), var with n.
    """
    known = x[~np.isnan(x)]
    logs = np.log(known)

    def likelihood(power: float) -> float:
        # The variance of x^λ ÷ λ, with the largest term taken out so that λ = ±5 does not overflow.
        top = np.max(power * logs)
        log_variance = 2 * top + np.log(np.var(np.exp(power * logs - top) / power)) if power else np.log(np.var(logs))
        return float((power - 1) * logs.sum() - len(known) / 2 * log_variance)

    low, high = _LAMBDA_BOUNDS
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = likelihood(left), likelihood(right)
    while high - low > 1e-8:
        if at_left >= at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = likelihood(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = likelihood(right)
    return (low + high) / 2


def _deviations(x: Floats) -> Floats:
    """Return the deviations from the mean, all multiplied by one power of two so that their powers stay in range.

    Skewness and kurtosis do not depend on a factor, and a power of two changes no digit.
    """
    known = x[~np.isnan(x)]
    if not len(known):
        return known
    deviations = known - known.mean()
    scaled: Floats = np.ldexp(deviations, -np.frexp(np.abs(deviations).max())[1])
    return scaled
