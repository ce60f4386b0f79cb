"""Ranks without one indicator, and without one enterprise.

Without an enterprise every value is updated exactly from what the enterprise adds to numerator and denominator; nothing
is built again. An indicator whose value is not scale × numerator ÷ denominator of its contributions cannot be updated
like that; it keeps its value and is named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parkindex.errors import BadInputError
from parkindex.scoring.edition import EditionFramework, Value, framework_of, matrix_of, score, steps
from parkindex.scoring.ranks import Floats, half_up, ranks

_CHUNK = 20_000
_TOLERANCE = 1e-9


@dataclass(frozen=True)
class WithoutIndicator:
    """The ranking without one indicator: rank by park, and how far ranks move."""

    indicator_code: str
    ranks: dict[str, int | None]
    parks_moved: int
    largest_shift: int


@dataclass(frozen=True)
class Contribution:
    """What an enterprise adds to one side of a value, summed over its records."""

    enterprise_id: str
    park_code: str
    indicator_code: str
    numerator: float
    denominator: float


@dataclass(frozen=True)
class Measured:
    """A value and its parts, as published."""

    park_code: str
    indicator_code: str
    value: float | None
    numerator: float | None
    denominator: float | None


@dataclass(frozen=True)
class WithoutEnterprises:
    """Ranks without each enterprise, one at a time.

    Attributes:
        enterprises: Enterprises, sorted.
        parks: Parks in the order of the methodology.
        before: Ranks with everybody, ``(n,)``; NaN for a park without a rank.
        totals_before: Totals with everybody, ``(n,)``.
        totals: Totals without each, ``(enterprises, n)``.
        ranks: Ranks without each, ``(enterprises, n)``.
        not_updated: Indicators that keep their values, because they are no ratio of sums.
    """

    enterprises: list[str]
    parks: list[str]
    before: Floats
    totals_before: Floats
    totals: Floats
    ranks: Floats
    not_updated: list[str]

    @property
    def deciding(self) -> NDArray[np.int64]:
        """Rows of enterprises without which some park has another rank."""
        same = (self.ranks == self.before) | (np.isnan(self.ranks) & np.isnan(self.before))
        return np.flatnonzero(~same.all(axis=1))


def without_indicators(document: Mapping[str, Any], values: Sequence[Value]) -> list[WithoutIndicator]:
    """Rank the parks without each computed indicator in turn; none when there is only one.

    Raises:
        BadInputError: As for :func:`parkindex.scoring.edition.score`.
    """
    before = {park.park_code: park.rank for park in score(document, values).parks}
    computed = [row["code"] for row in document["indicators"] if row["state"] == "computed"]
    found = []
    for code in computed if len(computed) > 1 else []:
        changed = {
            **document,
            "indicators": [
                {**row, "state": "not_computed"} if row["code"] == code else row for row in document["indicators"]
            ],
        }
        if not any(row["state"] == "computed" and row["weight"]["value"] > 0 for row in changed["indicators"]):
            continue
        after = {park.park_code: park.rank for park in score(changed, values).parks}
        shifts = [abs(rank - (after[park] or 0)) for park, rank in before.items() if rank and after[park]]
        moved = sum(after[park] != rank for park, rank in before.items())
        found.append(WithoutIndicator(code, after, moved, max(shifts, default=0)))
    return found


def without_enterprises(
    document: Mapping[str, Any], measured: Sequence[Measured], contributions: Sequence[Contribution]
) -> WithoutEnterprises:
    """Rank the parks without each enterprise in turn, by exact update.

    Args:
        document: Resolved methodology.
        measured: Every park × computed indicator.
        contributions: One per enterprise × park × indicator.

    Raises:
        BadInputError: As for :func:`parkindex.scoring.edition.score`; or a contribution is of an
            unknown park.
    """
    framework = framework_of(document)
    values: list[Value] = [(one.park_code, one.indicator_code, one.value) for one in measured]
    matrix = matrix_of(framework, document, values)
    base = steps(framework, matrix)
    park_row = {code: row for row, code in enumerate(framework.parks)}
    column = {code: place for place, code in enumerate(framework.indicators)}
    ratios = _ratios(framework, measured, matrix)
    not_updated = [code for place, code in enumerate(framework.indicators) if np.isnan(ratios.scale[place])]

    enterprises = sorted({one.enterprise_id for one in contributions})
    row_of = {one: row for row, one in enumerate(enterprises)}
    kept = [one for one in contributions if one.indicator_code in column]
    if unknown := next((one for one in kept if one.park_code not in park_row), None):
        raise BadInputError(
            f"A contribution is of the park {unknown.park_code}, which the methodology does not know.",
            where=f"methodology of edition {document['edition']}",
            why="leave_out.park",
            next_step="take contributions and methodology of the same candidate",
        )
    who = np.array([row_of[one.enterprise_id] for one in kept], dtype=np.int64)
    where = np.array([park_row[one.park_code] for one in kept], dtype=np.int64)
    what = np.array([column[one.indicator_code] for one in kept], dtype=np.int64)
    top = np.array([one.numerator for one in kept], dtype=np.float64)
    bottom = np.array([one.denominator for one in kept], dtype=np.float64)
    totals = _totals_without(
        framework,
        matrix,
        base.total,
        len(enterprises),
        (who, where, what, top, bottom),
        ratios,
    )
    after = np.empty_like(totals)
    decimals = int(framework.rules["rank_decimals"])
    for start in range(0, len(totals), _CHUNK):
        after[start : start + _CHUNK] = ranks(half_up(totals[start : start + _CHUNK], decimals))
    return WithoutEnterprises(enterprises, framework.parks, base.rank, base.total, totals, after, not_updated)


def values_without(
    document: Mapping[str, Any], measured: Sequence[Measured], taken_out: Sequence[Contribution]
) -> list[Value]:
    """Return the values without some contributions, all at once.

    A value that is no ratio of sums, or of which no denominator would be left, stays as it is.

    Raises:
        BadInputError: As for :func:`parkindex.scoring.edition.score`.
    """
    framework = framework_of(document)
    values: list[Value] = [(one.park_code, one.indicator_code, one.value) for one in measured]
    matrix = matrix_of(framework, document, values)
    ratios = _ratios(framework, measured, matrix)
    park_row = {code: row for row, code in enumerate(framework.parks)}
    column = {code: place for place, code in enumerate(framework.indicators)}
    touched = np.zeros(matrix.shape, dtype=bool)
    for one in taken_out:
        if one.park_code in park_row and one.indicator_code in column:
            at = park_row[one.park_code], column[one.indicator_code]
            ratios.numerators[at] -= one.numerator
            ratios.denominators[at] -= one.denominator
            touched[at] = True
    with np.errstate(divide="ignore", invalid="ignore"):
        updated = np.minimum(ratios.scale * ratios.numerators / ratios.denominators, ratios.caps)
    result = np.where(touched & np.isfinite(updated), updated, matrix)
    return [
        (park, code, None if np.isnan(result[row, place]) else float(result[row, place]))
        for park, row in park_row.items()
        for code, place in column.items()
    ]


@dataclass(frozen=True)
class _Ratios:
    """How values are made: value = least of scale × numerator ÷ denominator and cap.

    ``numerators`` and ``denominators`` are ``(n, m)``; ``scale`` and ``caps`` ``(m,)``: NaN where an indicator is not
    made like that, infinite where nothing is capped.
    """

    numerators: Floats
    denominators: Floats
    scale: Floats
    caps: Floats


def _ratios(framework: EditionFramework, measured: Sequence[Measured], matrix: Floats) -> _Ratios:
    """Find how each indicator's values are made from their parts; a value without a denominator has 1.

    The scale is the largest value ÷ ratio: where a value was capped, this quotient is smaller.
    """
    park_row = {code: row for row, code in enumerate(framework.parks)}
    column = {code: place for place, code in enumerate(framework.indicators)}
    found = _Ratios(
        np.full(matrix.shape, np.nan),
        np.full(matrix.shape, np.nan),
        np.full(matrix.shape[1], np.nan),
        np.full(matrix.shape[1], np.inf),
    )
    for one in measured:
        if one.indicator_code in column and one.value is not None and one.numerator is not None:
            at = park_row[one.park_code], column[one.indicator_code]
            found.numerators[at] = float(one.numerator)
            found.denominators[at] = 1.0 if one.denominator is None else float(one.denominator)
    for place in range(matrix.shape[1]):
        known = ~np.isnan(matrix[:, place])
        values = matrix[known, place]
        ratio = found.numerators[known, place] / found.denominators[known, place]
        if not len(ratio) or np.isnan(ratio).any():
            continue
        moving = np.abs(ratio) > _TOLERANCE * np.abs(ratio).max()
        if not moving.any():
            found.scale[place] = 0.0
            continue
        # Scales are short numbers; stored values tell them to nine digits.
        scale = float(f"{(values[moving] / ratio[moving]).max():.9g}")
        expected = scale * ratio
        off = np.abs(values - expected) > _TOLERANCE * np.maximum(np.abs(expected), 1.0)
        capped = off & (expected > values) & (values == values.max())
        if (off == capped).all():
            found.scale[place] = scale
            if capped.any():
                found.caps[place] = values.max()
    return found


def _totals_without(
    framework: EditionFramework,
    matrix: Floats,
    base: Floats,
    count: int,
    contributed: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], Floats, Floats],
    ratios: _Ratios,
) -> Floats:
    """Return the totals without each of ``count`` enterprises, ``(count, n)``."""
    who, where, what, top, bottom = contributed
    totals = np.tile(base, (count, 1))
    parks = len(framework.parks)
    order = np.argsort(who * parks + where, kind="stable")
    who, where, what, top, bottom = who[order], where[order], what[order], top[order], bottom[order]
    pair = who * parks + where
    pairs, start = np.unique(pair, return_index=True)
    place = np.cumsum(np.isin(np.arange(len(pair)), start)) - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        rest = ratios.denominators[where, what] - bottom
        # Without anybody in the denominator there is no value, as in the warehouse.
        value = np.where(np.abs(rest) > 0, ratios.scale[what] * (ratios.numerators[where, what] - top) / rest, np.nan)
        value = np.minimum(value, ratios.caps[what])
    updated = ~np.isnan(ratios.scale[what]) & ~np.isnan(matrix[where, what])
    for first in range(0, len(pairs), _CHUNK):
        chunk = pairs[first : first + _CHUNK]
        own = (place >= first) & (place < first + _CHUNK) & updated
        changed = matrix[chunk % parks].copy()
        changed[place[own] - first, what[own]] = value[own]
        totals[chunk // parks, chunk % parks] = steps(framework, changed).total
    return totals
