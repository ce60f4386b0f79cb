"""Where enterprises are: which park each is in on every day, as stays with dates.

Definitions: docs/method/indicators.md (park(e, d), and what is a move) and docs/identity.md (the order of the rules).
What a rule finds for a registry row is a *claim* of a park to it for a time. The work is done on arrays: one spatial
index over the plots, one query with every point, then sorting and comparing of neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray

# Days are counted from 1970-01-01; FOREVER is later than every date of a delivery.
FOREVER = np.iinfo(np.int64).max
NO_PARK = -1

Integers = NDArray[np.int64]

# The rules in their order, as ranks of claims; then what is no rule. A decision only chooses between parks that the
# rules before it leave open.
MEMBER, POINT, STREET, TOWN, DECISION = range(5)
METHODS = ("registered_member", "point_in_plot", "street_range", "whole_town", "decision")
NONE, AMBIGUOUS = -1, -2
# Stands for "in no park" among the parks that have a claim: beside a boundary that is known only to some metres.
ELSEWHERE = FOREVER - 1


@dataclass(frozen=True)
class Registrations:
    """Registry rows, sorted by enterprise and day. All arrays have length n.

    Attributes:
        enterprise: Number of the enterprise, ascending.
        day: First day of the row.
        registered_day: Day of registration of the enterprise (of its latest row).
        longitude: Degrees, CGCS2000; NaN when the row has no point.
        latitude: Degrees; NaN likewise.
    """

    enterprise: Integers
    day: Integers
    registered_day: Integers
    longitude: NDArray[np.float64]
    latitude: NDArray[np.float64]


@dataclass(frozen=True)
class Plots:
    """Plots, in a fixed order. All arrays have length m.

    Attributes:
        geometry: Polygons or multipolygons, degrees, CGCS2000.
        park: Number of the park.
        first_day: First day of validity.
        end_day: First day after it; ``FOREVER`` when open.
        doubt_degrees: Distance from the boundary within which a point is neither inside nor outside for sure; None when
            every boundary is exact.
    """

    geometry: NDArray[np.object_]
    park: Integers
    first_day: Integers
    end_day: Integers
    doubt_degrees: NDArray[np.float64] | None = None


def _nothing() -> Integers:
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class Claims:
    """What rules found besides points in plots: claims of parks to registry rows. All arrays have length c.

    Attributes:
        row: Number of the registry row.
        park: Number of the park.
        first_day: First day on which the claim holds.
        end_day: First day after it; ``FOREVER`` when open.
        rank: Rule that made it, ``MEMBER`` to ``DECISION``.
        reference: Number of what the rule went by: a membership, a range, a decision.
    """

    row: Integers = field(default_factory=_nothing)
    park: Integers = field(default_factory=_nothing)
    first_day: Integers = field(default_factory=_nothing)
    end_day: Integers = field(default_factory=_nothing)
    rank: Integers = field(default_factory=_nothing)
    reference: Integers = field(default_factory=_nothing)

    def joined(self, *others: Claims) -> Claims:
        """Return these claims and others, sorted by row."""
        every = (self, *others)
        order = np.argsort(np.concatenate([one.row for one in every]), kind="stable")
        names = ("row", "park", "first_day", "end_day", "rank", "reference")
        return Claims(*(np.concatenate([getattr(one, name) for one in every])[order] for name in names))


@dataclass(frozen=True)
class Stays:
    """Stays in one park or in none, sorted by enterprise and day. All arrays have length k.

    Attributes:
        enterprise: Number of the enterprise.
        first_day: First day.
        end_day: First day after; ``FOREVER`` while it lasts.
        park: Number of the park; ``NO_PARK`` for none.
        plot: Number of the plot that contains the point on the first day; -1 where no plot decided.
        is_ambiguous: Several parks have a claim, and no rule decides between them.
        row: Number of the registry row that holds on the first day.
        is_row_start: The stay begins with that registry row (and not because a claim began or ended).
        previous_park: Park of the former row under the plots of the first day; ``NO_PARK`` for none.
        method: Rule that decided on the first day (``MEMBER`` …), ``NONE`` or ``AMBIGUOUS``.
        reference: Number of what the rule went by; -1 for none.
        is_membership: The stay begins because a registered membership began or ended.
        candidates: Stay → numbers of the parks that have a claim, ascending; only ambiguous ones.
    """

    enterprise: Integers
    first_day: Integers
    end_day: Integers
    park: Integers
    plot: Integers
    is_ambiguous: NDArray[np.bool_]
    row: Integers
    is_row_start: NDArray[np.bool_]
    previous_park: Integers
    method: Integers
    reference: Integers
    is_membership: NDArray[np.bool_]
    candidates: Mapping[int, tuple[int, ...]]


def stays(registrations: Registrations, plots: Plots, claims: Claims | None = None) -> Stays:
    """Place enterprises in parks, day by day, and join equal days.

    A stay ends where the park changes, and where a registry row changes the park that the address has under the plots
    of that very day: then it is a move even when, by chance, plots changed so that the park before is the same. A
    membership is no address: the former row is judged with the memberships of the day before.

    A point on the border of a plot is in it. A point in no valid plot is an answer (in no park); streets and towns are
    asked only for rows without a point, or to decide between parks.
    """
    rows = len(registrations.day)
    if not rows:
        none = _nothing()
        no = none.astype(bool)
        return Stays(none, none, none, none, none, no, none, no, none, none, none, no, {})
    end_of_row = _end_of_rows(registrations)
    located = ~(np.isnan(registrations.longitude) | np.isnan(registrations.latitude))
    every = _hits(registrations, plots, located).joined(claims or Claims())
    ambiguities = _Ambiguities()

    # Every row is cut where a claim to it begins or ends.
    cuts_row = np.concatenate([np.arange(rows), every.row, every.row])
    cuts_day = np.concatenate([registrations.day, every.first_day, every.end_day])
    inside = (cuts_day >= registrations.day[cuts_row]) & (cuts_day < end_of_row[cuts_row])
    cuts = np.unique(np.stack([cuts_row[inside], cuts_day[inside]], axis=1), axis=0)
    row, day = cuts[:, 0], cuts[:, 1]
    state, method, reference = _state_on(row, day, every, located, ambiguities, judged_before=False)

    starts_row = day == registrations.day[row]
    has_former = np.zeros(rows, dtype=bool)
    has_former[1:] = registrations.enterprise[1:] == registrations.enterprise[:-1]
    former_row = np.where(starts_row & has_former[row], row - 1, -1)
    previous = np.full(len(row), NO_PARK, dtype=np.int64)
    asks = former_row >= 0
    previous[asks], _, _ = _state_on(former_row[asks], day[asks], every, located, ambiguities, judged_before=True)

    enterprise = registrations.enterprise[row]
    is_first = np.ones(len(row), dtype=bool)
    is_first[1:] = enterprise[1:] != enterprise[:-1]
    differs = np.ones(len(row), dtype=bool)
    differs[1:] = state[1:] != state[:-1]
    moves = starts_row & ~is_first & (state != previous)
    begins = np.flatnonzero(is_first | differs | moves)
    by_membership = method == MEMBER
    by_membership[1:] |= ~is_first[1:] & (method[:-1] == MEMBER)

    end_day = np.full(len(begins), FOREVER, dtype=np.int64)
    same = enterprise[begins[1:]] == enterprise[begins[:-1]]
    end_day[:-1][same] = day[begins[1:]][same]
    states, methods, references = state[begins], method[begins], reference[begins]
    is_row_start = (is_first | moves)[begins]
    return Stays(
        enterprise=enterprise[begins],
        first_day=day[begins],
        end_day=end_day,
        park=np.where(states >= 0, states, NO_PARK),
        plot=np.where(methods == POINT, references, -1),
        is_ambiguous=methods == AMBIGUOUS,
        row=row[begins],
        is_row_start=is_row_start,
        previous_park=np.where(moves & (previous >= 0), previous, NO_PARK)[begins],
        method=methods,
        reference=references,
        is_membership=by_membership[begins] & ~is_row_start,
        candidates={
            int(place): ambiguities.parks(int(states[place])) for place in np.flatnonzero(methods == AMBIGUOUS)
        },
    )


class _Ambiguities:
    """Sets of parks that nothing decides between, as numbers below ``NO_PARK``: equal sets have equal numbers."""

    def __init__(self) -> None:
        self._number: dict[tuple[int, ...], int] = {}
        self._sets: list[tuple[int, ...]] = []

    def number(self, parks: tuple[int, ...]) -> int:
        if parks not in self._number:
            self._sets.append(parks)
            self._number[parks] = NO_PARK - len(self._sets)
        return self._number[parks]

    def parks(self, number: int) -> tuple[int, ...]:
        return self._sets[NO_PARK - 1 - number]


def _end_of_rows(registrations: Registrations) -> Integers:
    """First day after each row: the day of the enterprise's next row."""
    end = np.full(len(registrations.day), FOREVER, dtype=np.int64)
    same = registrations.enterprise[1:] == registrations.enterprise[:-1]
    end[:-1][same] = registrations.day[1:][same]
    return end


def _hits(registrations: Registrations, plots: Plots, located: NDArray[np.bool_]) -> Claims:
    """Claims of plots to the rows whose point they contain, at whatever time; sorted by row, then plot."""
    places = np.flatnonzero(located)
    points = shapely.points(registrations.longitude[places], registrations.latitude[places])
    found_point, found_plot = shapely.STRtree(plots.geometry).query(points, predicate="intersects")
    row, plot = places[found_point].astype(np.int64), found_plot.astype(np.int64)
    park = plots.park[plot]
    if plots.doubt_degrees is not None and plots.doubt_degrees.any():
        near_point, near_plot = _near_boundaries(points, plots, plots.doubt_degrees)
        near_row = places[near_point].astype(np.int64)
        row, plot = np.concatenate([row, near_row, near_row]), np.concatenate([plot, near_plot, near_plot])
        park = np.concatenate([park, plots.park[near_plot], np.full(len(near_plot), ELSEWHERE)])
    order = np.lexsort((park, plot, row))
    row, plot, park = row[order], plot[order], park[order]
    rank = np.full(len(row), POINT, dtype=np.int64)
    return Claims(row, park, plots.first_day[plot], plots.end_day[plot], rank, plot)


def _near_boundaries(
    points: NDArray[np.object_], plots: Plots, doubt_degrees: NDArray[np.float64]
) -> tuple[Integers, Integers]:
    """Return points and plots whose inexact boundary is too near to tell inside from outside; pairs in order."""
    unsure = np.flatnonzero(doubt_degrees)
    tree = shapely.STRtree(points)
    boundaries = shapely.boundary(plots.geometry[unsure])
    found_plot, found_point = tree.query(boundaries, predicate="dwithin", distance=doubt_degrees[unsure])
    return found_point.astype(np.int64), unsure[found_plot].astype(np.int64)


def _state_on(
    row: Integers,
    day: Integers,
    claims: Claims,
    located: NDArray[np.bool_],
    ambiguities: _Ambiguities,
    *,
    judged_before: bool,
) -> tuple[Integers, Integers, Integers]:
    """Return for rows on days: park (or ``NO_PARK``, or the number of an ambiguity), rule, and what the rule went by.

    Args:
        row: Rows asked about, shape (n,).
        day: The day of each question, shape (n,).
        claims: Sorted by row.
        located: Which rows have a point.
        ambiguities: Where sets of parks get their numbers.
        judged_before: Memberships are those of the day before.
    """
    first = np.searchsorted(claims.row, row, side="left")
    counts = np.searchsorted(claims.row, row, side="right") - first
    question = np.repeat(np.arange(len(row)), counts)
    claim = np.arange(len(question)) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(first, counts)
    rank = claims.rank[claim]
    asked_day = day[question] - (rank == MEMBER) * judged_before
    valid = (claims.first_day[claim] <= asked_day) & (asked_day < claims.end_day[claim])
    question, claim, rank = question[valid], claim[valid], rank[valid]

    state = np.full(len(row), NO_PARK, dtype=np.int64)
    method = np.full(len(row), NONE, dtype=np.int64)
    reference = np.full(len(row), -1, dtype=np.int64)
    is_open = np.ones(len(row), dtype=bool)
    between: dict[int, tuple[int, ...]] = {}
    for rule in range(len(METHODS)):
        chosen = (rank == rule) & is_open[question]
        if between or rule == DECISION:
            chosen[chosen] = [
                park in between.get(one, () if rule == DECISION else (park,))
                for one, park in zip(question[chosen].tolist(), claims.park[claim[chosen]].tolist(), strict=True)
            ]
        of, park, of_rule = question[chosen], claims.park[claim[chosen]], claims.reference[claim[chosen]]
        lowest = np.full(len(row), FOREVER, dtype=np.int64)
        highest = np.full(len(row), NO_PARK, dtype=np.int64)
        least = np.full(len(row), FOREVER, dtype=np.int64)
        np.minimum.at(lowest, of, park)
        np.maximum.at(highest, of, park)
        np.minimum.at(least, of, of_rule)
        decides = (highest != NO_PARK) & (lowest == highest)
        state[decides], method[decides], reference[decides] = highest[decides], rule, least[decides]
        is_open &= ~decides
        several = (highest != NO_PARK) & (lowest != highest)
        of_several = several[of]
        found: dict[int, set[int]] = {}
        for one, of_park in zip(of[of_several].tolist(), park[of_several].tolist(), strict=True):
            found.setdefault(one, set()).add(of_park)
        between.update({one: tuple(sorted(parks)) for one, parks in found.items()})
        if rule == POINT:
            undecided = np.zeros(len(row), dtype=bool)
            undecided[list(between)] = True
            is_open &= ~located[row] | undecided
    for one, parks in between.items():
        if is_open[one]:
            state[one], method[one] = ambiguities.number(parks), AMBIGUOUS
    return state, method, reference
