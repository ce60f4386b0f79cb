"""Distances between plots of one park, against lengths on the ellipsoid worked out by another formula."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely

from parkindex.identity import plots

# CGCS2000: semi-major axis in metres, flattening (GB/T 28584-2012).
_A, _F = 6_378_137.0, 1 / 298.257_222_101
_E2 = _F * (2 - _F)


def radii(latitude: float) -> tuple[float, float]:
    """Metres of a degree of longitude and of latitude, from the radii of curvature."""
    phi = math.radians(latitude)
    root = math.sqrt(1 - _E2 * math.sin(phi) ** 2)
    return math.radians(1) * _A / root * math.cos(phi), math.radians(1) * _A * (1 - _E2) / root**3


def square(west: float, south: float, size: float = 0.001) -> shapely.Polygon:
    return shapely.box(west, south, west + size, south + size)


def measured(
    polygons: list[shapely.Polygon], parks: list[int], ids: list[int] | None = None
) -> dict[tuple[int, int], float]:
    one, other, metres = plots.distances(
        np.array(polygons, dtype=object), np.array(parks), np.array(ids or range(len(polygons)))
    )
    return dict(zip(zip(one.tolist(), other.tolist(), strict=True), metres.tolist(), strict=True))


def test_gaps_are_as_long_as_on_the_ellipsoid() -> None:
    east, north = square(121.5, 31.2), square(121.5, 31.2)
    beside, above = square(121.503, 31.2), square(121.5, 31.2025)
    found = measured([east, beside, above], [1, 1, 1])
    per_lon, per_lat = radii(31.2005)
    assert north.equals(east)
    assert found[0, 1] == found[1, 0] == pytest.approx(0.002 * per_lon, abs=0.002)
    assert found[0, 2] == pytest.approx(0.0015 * per_lat, abs=0.002)


def test_touching_and_overlapping_plots_are_no_distance_apart() -> None:
    found = measured([square(121.5, 31.2), square(121.501, 31.2), square(121.5005, 31.2)], [1, 1, 1])
    assert set(found.values()) == {0.0}
    assert len(found) == 6


def test_other_parks_far_plots_and_another_delivery_of_a_plot_are_no_pair() -> None:
    same = square(121.5, 31.2)
    assert measured([same, same], [1, 2]) == {}
    assert measured([same, same], [1, 1], [7, 7]) == {}
    assert measured([same, square(121.513, 31.2)], [1, 1]) == {}
    assert measured([], []) == {}


def test_a_park_in_the_north_of_the_country_is_measured_to_the_same_reach() -> None:
    # At 53° a kilometre is half again as many degrees eastwards as in Shanghai.
    per_lon, _ = radii(53.0)
    gap = 990 / per_lon
    found = measured([square(122.0, 53.0), square(122.001 + gap, 53.0)], [1, 1])
    assert found[0, 1] == pytest.approx(990, abs=0.1)
