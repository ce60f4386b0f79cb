"""Outlines of the parks for the map: projected, put together per park, whole numbers."""

from __future__ import annotations

import json

import pytest

from parkindex.publish import geography


def _square(west: float, south: float, side: float) -> str:
    ring = [[west, south], [west + side, south], [west + side, south + side], [west, south + side], [west, south]]
    return json.dumps({"type": "Polygon", "coordinates": [ring]})


def test_plots_are_drawn_in_tens_of_metres_with_north_up() -> None:
    drawn = geography.drawn([("P02", _square(121.6, 31.3, 0.01), 1.05), ("P01", _square(121.5, 31.2, 0.01), 1.06)])
    assert [park["park_code"] for park in drawn["parks"]] == ["P01", "P02"]
    first, second = drawn["parks"]
    # A hundredth of a degree at 31.2° N: 1,109 m north-south (meridian arc), 953 m east-west (× cos 31.2°).
    points = [tuple(map(int, point.split())) for point in first["path"].strip("MZ").split("L")]
    wide = max(x for x, _ in points) - min(x for x, _ in points)
    high = max(y for _, y in points) - min(y for _, y in points)
    assert wide == pytest.approx(95.3, abs=3)
    assert high == pytest.approx(110.9, abs=3)
    assert second["y"] < first["y"] and second["x"] > first["x"]
    assert (first["plots"], first["area_km2"]) == (1, 1.06)


def test_touching_plots_make_one_outline_and_no_plot_makes_no_map() -> None:
    drawn = geography.drawn([("P01", _square(121.50, 31.2, 0.01), 1.0), ("P01", _square(121.51, 31.2, 0.01), 2.0)])
    assert drawn["parks"][0]["path"].count("M") == 1
    assert (drawn["parks"][0]["plots"], drawn["parks"][0]["area_km2"]) == (2, 3.0)
    assert geography.drawn([])["parks"] == []
