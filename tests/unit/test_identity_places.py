"""Stays in parks, on hand-made plots: squares of one degree, P0 at longitude 0, P1 at 1, P2 at 2."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import numpy as np
import shapely
from hypothesis import given
from hypothesis import strategies as st

from parkindex.identity.places import FOREVER, NO_PARK, Plots, Registrations, Stays, stays

_EPOCH = date(1970, 1, 1).toordinal()


def _day(text: str | None) -> int:
    return FOREVER if text is None else date.fromisoformat(text).toordinal() - _EPOCH


def _plots(*rows: tuple[float, int, str, str | None]) -> Plots:
    """Plots from (left edge, park, valid_from, valid_to)."""
    geometry = np.empty(len(rows), dtype=object)
    for position, row in enumerate(rows):
        geometry[position] = shapely.box(row[0], 0, row[0] + 1, 1)
    return Plots(
        geometry=geometry,
        park=np.array([row[1] for row in rows], dtype=np.int64),
        first_day=np.array([_day(row[2]) for row in rows], dtype=np.int64),
        end_day=np.array([_day(row[3]) for row in rows], dtype=np.int64),
    )


def _registrations(*rows: tuple[int, str, float | None], registered: str = "2020-01-01") -> Registrations:
    """Registry rows from (enterprise, day, longitude)."""
    longitude = np.array([np.nan if row[2] is None else row[2] for row in rows], dtype=np.float64)
    return Registrations(
        enterprise=np.array([row[0] for row in rows], dtype=np.int64),
        day=np.array([_day(row[1]) for row in rows], dtype=np.int64),
        registered_day=np.full(len(rows), _day(registered), dtype=np.int64),
        longitude=longitude,
        latitude=np.where(np.isnan(longitude), np.nan, 0.5),
    )


def _told(found: Stays) -> list[tuple[int, int, str, str | None, bool, int]]:
    """Stays as (enterprise, park, from, to, begins with a row, previous park)."""

    def text(day: int) -> str | None:
        return None if day == FOREVER else date.fromordinal(day + _EPOCH).isoformat()

    return [
        (
            int(found.enterprise[k]),
            int(found.park[k]),
            str(text(int(found.first_day[k]))),
            text(int(found.end_day[k])),
            bool(found.is_row_start[k]),
            int(found.previous_park[k]),
        )
        for k in range(len(found.park))
    ]


ALWAYS = _plots((0, 0, "2000-01-01", None), (1.5, 1, "2000-01-01", None))


def test_no_plots_and_no_points_are_stays_in_no_park() -> None:
    found = stays(_registrations((0, "2020-01-01", None), (1, "2020-01-01", 0.5)), _plots())
    assert _told(found) == [
        (0, NO_PARK, "2020-01-01", None, True, NO_PARK),
        (1, NO_PARK, "2020-01-01", None, True, NO_PARK),
    ]


def test_no_registrations_are_no_stays() -> None:
    assert not _told(stays(_registrations(), ALWAYS))


def test_a_move_ends_a_stay_and_remembers_the_park_before() -> None:
    found = stays(_registrations((0, "2020-01-01", 0.5), (0, "2021-05-01", 2.0)), ALWAYS)
    assert _told(found) == [(0, 0, "2020-01-01", "2021-05-01", True, NO_PARK), (0, 1, "2021-05-01", None, True, 0)]


def test_a_row_that_moves_nobody_joins_the_stay() -> None:
    found = stays(_registrations((0, "2020-01-01", 0.5), (0, "2021-05-01", 0.75)), ALWAYS)
    assert _told(found) == [(0, 0, "2020-01-01", None, True, NO_PARK)]


def test_losing_the_point_is_a_move_to_no_park() -> None:
    found = stays(_registrations((0, "2020-01-01", 0.5), (0, "2021-05-01", None)), ALWAYS)
    assert _told(found)[1] == (0, NO_PARK, "2021-05-01", None, True, 0)


def test_plots_that_begin_or_end_are_boundary_changes() -> None:
    plots = _plots((0, 0, "2021-01-01", "2022-01-01"), (0, 1, "2022-01-01", None))
    found = stays(_registrations((0, "2020-01-01", 0.5)), plots)
    assert _told(found) == [
        (0, NO_PARK, "2020-01-01", "2021-01-01", True, NO_PARK),
        (0, 0, "2021-01-01", "2022-01-01", False, NO_PARK),
        (0, 1, "2022-01-01", None, False, NO_PARK),
    ]


def test_a_plot_that_follows_another_of_the_same_park_changes_nothing() -> None:
    plots = _plots((0, 0, "2000-01-01", "2022-01-01"), (0, 0, "2022-01-01", None))
    assert _told(stays(_registrations((0, "2020-01-01", 0.5)), plots)) == [(0, 0, "2020-01-01", None, True, NO_PARK)]


def test_move_and_boundary_on_one_day_are_judged_by_the_plots_of_that_day() -> None:
    # The plot of the old address ends on the day of the move: nobody moved out of its park, somebody moved in.
    plots = _plots((0, 0, "2000-01-01", "2021-05-01"), (1.5, 0, "2000-01-01", None))
    found = stays(_registrations((0, "2020-01-01", 0.5), (0, "2021-05-01", 2.0)), plots)
    assert _told(found) == [
        (0, 0, "2020-01-01", "2021-05-01", True, NO_PARK),
        (0, 0, "2021-05-01", None, True, NO_PARK),
    ]
    # The old address falls to the park moved to, on that day: a boundary change, no move.
    plots = _plots((0, 0, "2000-01-01", "2021-05-01"), (0, 1, "2021-05-01", None), (1.5, 1, "2000-01-01", None))
    found = stays(_registrations((0, "2020-01-01", 0.5), (0, "2021-05-01", 2.0)), plots)
    assert _told(found)[1] == (0, 1, "2021-05-01", None, False, NO_PARK)


def test_a_point_in_plots_of_two_parks_is_in_none_and_ambiguous() -> None:
    plots = _plots((0, 0, "2000-01-01", None), (0.5, 1, "2021-01-01", None))
    found = stays(_registrations((0, "2020-01-01", 0.75)), plots)
    assert _told(found)[1] == (0, NO_PARK, "2021-01-01", None, False, NO_PARK)
    assert found.is_ambiguous.tolist() == [False, True]
    assert found.plot.tolist() == [0, -1]


def test_two_plots_of_one_park_are_not_ambiguous() -> None:
    plots = _plots((0, 0, "2000-01-01", None), (0.5, 0, "2000-01-01", None))
    found = stays(_registrations((0, "2020-01-01", 0.75)), plots)
    assert (found.park.tolist(), found.is_ambiguous.tolist()) == ([0], [False])


def test_a_point_on_the_border_is_inside() -> None:
    assert stays(_registrations((0, "2020-01-01", 1.0)), ALWAYS).park.tolist() == [0]


_POINTS = st.one_of(st.none(), st.sampled_from([0.25, 0.75, 1.25, 5.0]))
_ROWS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 30), _POINTS),
    min_size=1,
    max_size=12,
    unique_by=lambda row: (row[0], row[1]),
)
_PLOTS = st.lists(
    st.tuples(st.sampled_from([0.0, 0.5, 1.0]), st.integers(0, 2), st.integers(0, 30), st.integers(0, 15)), max_size=6
)
_WORLD = st.tuples(_ROWS, _PLOTS)


@given(_WORLD)
def test_stays_agree_with_the_definition_on_every_day(
    world: tuple[list[tuple[int, int, float | None]], list[tuple[float, int, int, int]]],
) -> None:
    rows = sorted(world[0], key=lambda row: row[:2])
    longitude = np.array([np.nan if row[2] is None else row[2] for row in rows], dtype=np.float64)
    registrations = Registrations(
        enterprise=np.unique([row[0] for row in rows], return_inverse=True)[1].astype(np.int64),
        day=np.array([row[1] for row in rows], dtype=np.int64),
        registered_day=np.zeros(len(rows), dtype=np.int64),
        longitude=longitude,
        latitude=np.where(np.isnan(longitude), np.nan, 0.5),
    )
    geometry = np.empty(len(world[1]), dtype=object)
    for position, plot in enumerate(world[1]):
        geometry[position] = shapely.box(plot[0], 0, plot[0] + 1, 1)
    plots = Plots(
        geometry,
        np.array([plot[1] for plot in world[1]], dtype=np.int64),
        np.array([plot[2] for plot in world[1]], dtype=np.int64),
        np.array([plot[2] + plot[3] if plot[3] else FOREVER for plot in world[1]], dtype=np.int64),
    )

    def park(point: float, day: int) -> int:
        parks = {
            plot[1]
            for plot in world[1]
            if not np.isnan(point)
            and plot[0] <= point <= plot[0] + 1
            and plot[2] <= day
            and (not plot[3] or day < plot[2] + plot[3])
        }
        return parks.pop() if len(parks) == 1 else NO_PARK

    found = stays(registrations, plots)
    for enterprise in range(int(registrations.enterprise[-1]) + 1):
        mine = np.flatnonzero(found.enterprise == enterprise)
        own = np.flatnonzero(registrations.enterprise == enterprise)
        for day in range(50):
            before = own[registrations.day[own] <= day]
            stay = [k for k in mine if found.first_day[k] <= day < found.end_day[k]]
            assert len(stay) == (1 if len(before) else 0)
            if stay:
                assert found.park[stay[0]] == park(longitude[before[-1]], day)
        moved = {
            (int(found.first_day[k]), int(found.previous_park[k]), int(found.park[k]))
            for k in mine[1:]
            if found.is_row_start[k] and found.previous_park[k] != found.park[k]
        }
        assert moved == {
            (int(registrations.day[row]), one, other)
            for former, row in pairwise(own)
            if (one := park(longitude[former], int(registrations.day[row])))
            != (other := park(longitude[row], int(registrations.day[row])))
        }


def test_many_enterprises_are_placed_as_arrays() -> None:
    size = 50_000
    longitude = (np.arange(size) % 400) / 100
    registrations = Registrations(
        enterprise=np.arange(size, dtype=np.int64),
        day=np.full(size, _day("2020-01-01")),
        registered_day=np.full(size, _day("2020-01-01")),
        longitude=longitude,
        latitude=np.full(size, 0.5),
    )
    found = stays(registrations, ALWAYS)
    expected = np.where(longitude <= 1, 0, np.where((longitude >= 1.5) & (longitude <= 2.5), 1, NO_PARK))
    np.testing.assert_array_equal(found.park, expected)
