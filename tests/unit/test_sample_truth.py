"""The sample world's truth against a second reading of the definitions, made from its delivered files alone."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from parkindex import sample
from parkindex.sample import facts, innovation, truth, world
from parkindex.sample.days import first_day, last_day
from parkindex.sample.sizes import SIZES
from parkindex.settings import METHODOLOGY_DIR
from sample_oracle import Oracle


def _sets() -> dict[str, set[str]]:
    sets: dict[str, set[str]] = defaultdict(set)
    with (METHODOLOGY_DIR / "2025" / "industry_sets.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            sets[row["set_code"]].add(row["industry_code"])
    return sets


@pytest.fixture(scope="module", params=[1, 20_25])
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("truth") / "world"
    sample.write(2025, request.param, "tiny", out)
    return out


def test_truth_is_what_the_delivered_files_say(written: Path) -> None:
    oracle = Oracle(written, _sets())
    values = json.loads((written / "truth.json").read_text(encoding="utf-8"))["values"]
    different = []
    for edition, parks in values.items():
        for park, told in parks.items():
            for indicator, value in oracle.values(park, int(edition)).items():
                found = None if value is None else float(value)
                if found != told[indicator]:
                    different.append((edition, park, indicator, told[indicator], found))
    assert different == []


def test_truth_holds_every_value_of_three_editions(written: Path) -> None:
    document = json.loads((written / "truth.json").read_text(encoding="utf-8"))
    assert document["synthetic"] is True
    assert list(document["values"]) == ["2023", "2024", "2025"]
    computed = {"A1", "A2", "A3", "A4", "A5", "B1", "B2", "B5", "B6", "B10", "C3", "C4"}
    for parks in document["values"].values():
        assert sorted(parks) == [f"P{number:02d}" for number in range(1, 23)]
        assert all(set(values) == computed for values in parks.values())
    # P22 made no report on 2023, so nothing was declared
    assert document["values"]["2023"]["P22"]["A1"] is None
    # in the edition that is published every park has every value
    assert all(value is not None for park in document["values"]["2025"].values() for value in park.values())


@pytest.fixture(scope="module")
def small() -> world.World:
    return world.make(2025, 1, SIZES["small"])


def test_a_small_world_spreads_over_the_bounds(small: world.World) -> None:
    bounds: dict[str, tuple[float, float]] = {
        **{"A1": (0, 100), "A2": (0, 400), "A3": (-20, 60), "A4": (0, 120), "A5": (0, 12), "B1": (0, 12)},
        **{"B2": (0, 300), "B5": (0, 0.4), "B6": (0, 60), "B10": (0, 20000), "C3": (-5, 20), "C4": (60, 100)},
    }
    values = truth.compute(small)["2025"]
    for indicator, (low, high) in bounds.items():
        known = np.array([values[park.code][indicator] for park in facts.PARKS], dtype=float)
        assert np.mean((known < low) | (known > high)) <= 0.2, indicator
        spread = np.quantile(known, 0.9) - np.quantile(known, 0.1)
        assert spread >= 0.08 * (high - low), indicator


def test_the_corner_cases_are_there(small: world.World) -> None:
    people, versions = small.population, small.population.versions
    years = range(2023, 2026)
    honoured: dict[str, set[int]] = {kind: set() for kind in (innovation.UNICORN, innovation.HIDDEN_CHAMPION)}
    expired = 0
    for one in small.recognitions:
        if one.kind in honoured:
            honoured[one.kind].add(one.enterprise)
            expired += any(one.valid_to == last_day(year) - 1 for year in years)
    assert honoured[innovation.UNICORN] & honoured[innovation.HIDDEN_CHAMPION], "nobody on both lists"
    assert expired, "no recognition that ends the day before the year's last"
    assert any(int((people.ended == edge(year)).sum()) for year in years for edge in (first_day, last_day))
    assert any(int((people.registered == edge(year)).sum()) for year in years for edge in (first_day, last_day))
    assert small.population.names.ambiguous.sum() >= 4
    # moved into another park and ended within one year
    owner = versions.enterprise
    moved = np.flatnonzero((owner[1:] == owner[:-1]) & (versions.cell[1:] != versions.cell[:-1])) + 1
    left = people.ended[owner[moved]] - versions.effective[moved]
    assert ((left > 0) & (left < 200)).any()
    # first geocoded after registration, and left without a point
    births = versions.cell[versions.first]
    assert (births == -1).any()
    assert (versions.cell[moved] == -1).any()
    # plots that begin, end and change hands within the editions
    low, high = first_day(2023), last_day(2025)
    assert sum(low <= plot.valid_from <= high for plot in small.land.plots) >= 4
    assert sum(low <= plot.valid_to <= high for plot in small.land.plots) >= 3
    twice = [n for n, c in zip(*np.unique(small.patents.application, return_counts=True), strict=True) if c > 1]
    assert twice


def test_a_value_without_a_denominator_is_none() -> None:
    assert truth._ratio(3, 0) is None
    assert truth._ratio(None, 3) is None
    third: Any = truth._ratio(1, 3, 100)
    assert third == 100 / 3
