"""Points to parks: which park an enterprise is in on every day, as stays with dates.

Definitions: docs/method/indicators.md (park(e, d), and what is a move). The work is done on arrays: one spatial index
over the plots, one query with every point, then sorting and comparing of neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

# Days are counted from 1970-01-01; FOREVER is later than every date of a delivery.
FOREVER = np.iinfo(np.int64).max
NO_PARK = -1

Integers = NDArray[np.int64]


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
    """

    geometry: NDArray[np.object_]
    park: Integers
    first_day: Integers
    end_day: Integers


@dataclass(frozen=True)
class Stays:
    """Stays in one park or in none, sorted by enterprise and day. All arrays have length k.

    Attributes:
        enterprise: Number of the enterprise.
        first_day: First day.
        end_day: First day after; ``FOREVER`` while it lasts.
        park: Number of the park; ``NO_PARK`` for none.
        plot: Number of the plot that contains the point on the first day; -1 for none.
        is_ambiguous: The point lies in plots of two or more parks.
        row: Number of the registry row that holds on the first day.
        is_row_start: The stay begins with that registry row (and not because a plot began or ended).
        previous_park: Park of the former row's point under the plots of the first day; ``NO_PARK`` for none.
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


def stays(registrations: Registrations, plots: Plots) -> Stays:
    """Place enterprises in parks, day by day, and join equal days.

    A stay ends where the park changes, and where a registry row changes the park that the point has under the plots
    of that very day: then it is a move even when, by chance, plots changed so that the park before is the same.

    A point on the border of a plot is in it.
    """
    rows = len(registrations.day)
    if not rows:
        none = np.empty(0, dtype=np.int64)
        return Stays(none, none, none, none, none, none.astype(bool), none, none.astype(bool), none)
    end_of_row = _end_of_rows(registrations)
    hit_row, hit_plot = _hits(registrations, plots)

    # Every row is cut where a plot that contains its point begins or ends.
    cuts_row = np.concatenate([np.arange(rows), hit_row, hit_row])
    cuts_day = np.concatenate([registrations.day, plots.first_day[hit_plot], plots.end_day[hit_plot]])
    inside = (cuts_day >= registrations.day[cuts_row]) & (cuts_day < end_of_row[cuts_row])
    cuts = np.unique(np.stack([cuts_row[inside], cuts_day[inside]], axis=1), axis=0)
    row, day = cuts[:, 0], cuts[:, 1]
    park, plot, ambiguous = _park_on(row, day, hit_row, hit_plot, plots)

    starts_row = day == registrations.day[row]
    has_former = np.zeros(rows, dtype=bool)
    has_former[1:] = registrations.enterprise[1:] == registrations.enterprise[:-1]
    former_row = np.where(starts_row & has_former[row], row - 1, -1)
    previous_park = np.full(len(row), NO_PARK, dtype=np.int64)
    asks = former_row >= 0
    was_ambiguous = np.zeros(len(row), dtype=bool)
    previous_park[asks], _, was_ambiguous[asks] = _park_on(former_row[asks], day[asks], hit_row, hit_plot, plots)

    enterprise = registrations.enterprise[row]
    is_first = np.ones(len(row), dtype=bool)
    is_first[1:] = enterprise[1:] != enterprise[:-1]
    differs = np.ones(len(row), dtype=bool)
    differs[1:] = (park[1:] != park[:-1]) | (ambiguous[1:] != ambiguous[:-1])
    moves = starts_row & ~is_first & ((park != previous_park) | (ambiguous != was_ambiguous))
    begins = np.flatnonzero(is_first | differs | moves)

    end_day = np.full(len(begins), FOREVER, dtype=np.int64)
    same = enterprise[begins[1:]] == enterprise[begins[:-1]]
    end_day[:-1][same] = day[begins[1:]][same]
    return Stays(
        enterprise=enterprise[begins],
        first_day=day[begins],
        end_day=end_day,
        park=park[begins],
        plot=plot[begins],
        is_ambiguous=ambiguous[begins],
        row=row[begins],
        is_row_start=(is_first | moves)[begins],
        previous_park=np.where(moves, previous_park, NO_PARK)[begins],
    )


def _end_of_rows(registrations: Registrations) -> Integers:
    """First day after each row: the day of the enterprise's next row."""
    end = np.full(len(registrations.day), FOREVER, dtype=np.int64)
    same = registrations.enterprise[1:] == registrations.enterprise[:-1]
    end[:-1][same] = registrations.day[1:][same]
    return end


def _hits(registrations: Registrations, plots: Plots) -> tuple[Integers, Integers]:
    """Pairs of (row, plot that contains its point), at whatever time; sorted by row, then plot."""
    located = np.flatnonzero(~(np.isnan(registrations.longitude) | np.isnan(registrations.latitude)))
    points = shapely.points(registrations.longitude[located], registrations.latitude[located])
    found_point, found_plot = shapely.STRtree(plots.geometry).query(points, predicate="intersects")
    row, plot = located[found_point].astype(np.int64), found_plot.astype(np.int64)
    order = np.lexsort((plot, row))
    return row[order], plot[order]


def _park_on(
    row: Integers, day: Integers, hit_row: Integers, hit_plot: Integers, plots: Plots
) -> tuple[Integers, Integers, NDArray[np.bool_]]:
    """Return park, plot and ambiguity of rows' points under the plots valid on days; arrays as long as ``row``."""
    first = np.searchsorted(hit_row, row, side="left")
    counts = np.searchsorted(hit_row, row, side="right") - first
    question = np.repeat(np.arange(len(row)), counts)
    hit = np.arange(len(question)) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(first, counts)
    plot_of_hit = hit_plot[hit]
    valid = (plots.first_day[plot_of_hit] <= day[question]) & (day[question] < plots.end_day[plot_of_hit])
    question, plot_of_hit = question[valid], plot_of_hit[valid]
    park_of_hit = plots.park[plot_of_hit]

    lowest = np.full(len(row), FOREVER, dtype=np.int64)
    highest = np.full(len(row), NO_PARK, dtype=np.int64)
    plot = np.full(len(row), FOREVER, dtype=np.int64)
    np.minimum.at(lowest, question, park_of_hit)
    np.maximum.at(highest, question, park_of_hit)
    np.minimum.at(plot, question, plot_of_hit)
    ambiguous = (highest != NO_PARK) & (lowest != highest)
    unique = (highest != NO_PARK) & ~ambiguous
    return np.where(unique, highest, NO_PARK), np.where(unique, plot, -1), ambiguous
