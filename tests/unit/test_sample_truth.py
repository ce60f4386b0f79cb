"""The sample world's truth against a second reading of the definitions, made from its delivered files alone."""

from __future__ import annotations

import json
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from parkindex import sample
from parkindex.sample import facts, honours, innovation, legal, self_reports, spread, tally, truth, world
from parkindex.sample.days import first_day, last_day
from parkindex.sample.sizes import SIZES
from parkindex.settings import METHODOLOGY_DIR
from sample_oracle import Oracle, Rules

# What needs a park's own report.
_REPORTED = {
    *("A1", "A7", "B8", "B9", "C1", "C2", "C5", "C6", "C7", "C8", "D1", "D3", "D4", "D5", "D6", "D7", "D8"),
}


@pytest.fixture(scope="module", params=[1, 20_25])
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("truth") / "world"
    sample.write(2025, request.param, "tiny", out)
    return out


def test_truth_is_what_the_delivered_files_say(written: Path) -> None:
    oracle = Oracle(written, Rules(METHODOLOGY_DIR / "2025"))
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
    computed = {f"{area}{n}" for area, last in (("A", 9), ("B", 10), ("C", 8), ("D", 8)) for n in range(1, last + 1)}
    assert len(computed) == 35
    for parks in document["values"].values():
        assert sorted(parks) == [f"P{number:02d}" for number in range(1, 23)]
        assert all(set(values) == computed for values in parks.values())
    # P22 made no report on 2023, so nothing was declared, and nothing that only reports say is known
    missing = {code for code, value in document["values"]["2023"]["P22"].items() if value is None}
    assert missing - {"B7"} == _REPORTED
    # in the edition that is published only what parks say of themselves, and the money nobody raised, can be missing
    known = {park: set(values) - _REPORTED - {"B7"} for park, values in document["values"]["2025"].items()}
    assert all(document["values"]["2025"][park][code] is not None for park, codes in known.items() for code in codes)
    # some do miss an item, and nobody so many that an area could not be scored
    gaps = [{c for c in _REPORTED if values[c] is None} for values in document["values"]["2025"].values()]
    assert any(gaps)
    assert max(map(len, gaps)) <= 1


@pytest.fixture(scope="module")
def small() -> world.World:
    return world.make(2025, 1, SIZES["small"])


def test_a_small_world_spreads_over_the_bounds(small: world.World) -> None:
    framework = yaml.safe_load((METHODOLOGY_DIR / "2025" / "framework.yaml").read_text(encoding="utf-8"))
    bounded = {one["code"]: one["bounds"] for one in framework["indicators"] if "bounds" in one}
    assert len(bounded) >= 12
    values = truth.compute(small)["2025"]
    for indicator, bounds in bounded.items():
        known = np.array([values[park.code][indicator] for park in facts.PARKS], dtype=float)
        known = known[~np.isnan(known)]
        low, high = float(bounds["low"]), float(bounds["high"])
        assert np.mean((known < low) | (known > high)) <= 0.2, indicator
        spread = np.quantile(known, 0.9) - np.quantile(known, 0.1)
        assert spread >= 0.08 * (high - low), indicator


def test_the_printed_spread_is_that_of_the_world() -> None:
    page = (METHODOLOGY_DIR.parent / "docs" / "sample_values.md").read_text(encoding="utf-8")
    assert page == spread.table(2025, 1, "small")


def test_every_value_moves_between_parks_and_years(small: world.World) -> None:
    values = truth.compute(small)
    for indicator in values["2025"]["P01"]:
        table = [[values[t][park.code][indicator] for park in facts.PARKS] for t in ("2023", "2024", "2025")]
        for row in table:
            assert len({value for value in row if value is not None}) >= 4, indicator
            assert sum(value is None for value in row) <= 8, indicator
        assert table[0] != table[1] != table[2], indicator


def test_the_corner_cases_are_there(small: world.World) -> None:
    people, versions = small.population, small.population.versions
    years = range(2023, 2026)
    honoured: dict[str, set[int]] = {kind: set() for kind in (honours.UNICORN, honours.HIDDEN_CHAMPION)}
    expired = 0
    for one in small.recognitions:
        if one.kind in honoured:
            honoured[one.kind].add(one.enterprise)
            expired += any(one.valid_to == last_day(year) - 1 for year in years)
    assert honoured[honours.UNICORN] & honoured[honours.HIDDEN_CHAMPION], "nobody on both lists"
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
    assert tally.ratio(3, 0) is None
    assert tally.ratio(None, 3) is None
    third: Any = tally.ratio(1, 3, 100)
    assert third == 100 / 3
    assert tally.plus(1, None) is None
    assert tally.plus(1, Fraction(1, 2)) == Fraction(3, 2)


def test_patents_live_through_every_case(small: world.World) -> None:
    patents, events = small.patents, small.events
    kinds: dict[str, list[legal.Event]] = {}
    for event in events:
        kinds.setdefault(event.what.kind, []).append(event)
    assert set(kinds) == {legal.GRANT, legal.PCT_FILING, legal.TRANSFER, legal.PLEDGE, legal.LAPSE}
    sold = [(event.what.day - int(patents.published[event.patent])) for event in kinds[legal.TRANSFER]]
    assert min(sold) < 0 and 0 in sold and max(sold) > 0
    buyers = [event.what.other for event in kinds[legal.TRANSFER]]
    assert innovation.NOBODY in buyers and max(buyers) >= 0
    amounts = {event.what.amount for event in kinds[legal.PLEDGE]}
    assert {legal.NO_AMOUNT, 5_000_000 * 100} <= amounts
    assert any(amount % 100 for amount in amounts)
    assert any(event.what.day in {last_day(t) for t in range(2020, 2026)} for event in kinds[legal.LAPSE])
    twice = [(event.patent, event.what.day) for event in kinds[legal.PCT_FILING]]
    assert len(set(twice)) < len(twice)
    assert {event.code for event in events} == {legal.NO_CODE, legal.OWN_CODE, legal.STRANGE_CODE}
    kinds_of: dict[str, set[int]] = {}
    for application, kind in zip(patents.application, patents.kind.tolist(), strict=True):
        kinds_of.setdefault(application, set()).add(kind)
    assert {innovation.KIND_A, innovation.KIND_B} in kinds_of.values()
    # after a sale it is the buyer who pledges and lets lapse
    holder: dict[int, int] = {}
    for event in events:
        assert event.holder == holder.get(event.patent, int(patents.enterprise[event.patent]))
        if event.what.kind == legal.TRANSFER:
            holder[event.patent] = event.what.other
    # terms of ten and of twenty years that end on 31 December
    for years in (10, 20):
        days = {(date(t - years, 12, 31) - date(1970, 1, 1)).days for t in range(2023, 2026)}
        assert days & set(patents.filed.tolist()), years


def test_reports_have_every_fault_an_item_can_have(small: world.World) -> None:
    units = {item.code: item.unit for item in facts.REPORT_ITEMS}
    faults = set()
    for report in small.reports:
        latest = max(
            other.reported for other in small.reports if (other.park, other.year) == (report.park, report.year)
        )
        if report.reported < latest:
            continue
        items = {item.code: item for item in report.items}
        known = self_reports.usable(small, report.park, report.year)
        assert set(known) <= set(items)
        for code in set(units) - set(known):
            item = items.get(code)
            if item is None:
                faults.add("missing")
            elif not item.value:
                faults.add("empty" if item.evidence else "nobody scored")
            elif not item.evidence:
                faults.add("no evidence")
            elif item.unit != units[code]:
                faults.add("unit")
            elif Fraction(item.value) < 0:
                faults.add("negative")
            else:
                faults.add("too large")
    assert faults == {"missing", "empty", "nobody scored", "no evidence", "unit", "negative", "too large"}
