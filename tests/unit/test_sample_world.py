"""The sample world on disk: same seed same bytes, right numbers, every planted row where the register says."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import math
import re
import zipfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from python_calamine import CalamineWorkbook
from shapely import STRtree
from shapely.geometry import Point, Polygon

from parkindex import sample
from parkindex.errors import BadInputError, UsageError
from parkindex.landing.checks import CHECKS
from parkindex.sample import facts, files, land, world
from parkindex.sample.population import CODES
from parkindex.settings import METHODOLOGY_DIR

FEEDS = [
    *("enterprise_accounts", "enterprise_registry", "financing_rounds", "headcounts", "park_members", "park_plots"),
    *("park_reports", "patent_events", "patents", "recognitions", "street_ranges"),
]


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> sample.Summary:
    return sample.write(2025, 3, "tiny", tmp_path_factory.mktemp("sample") / "样本 world")


@pytest.fixture(scope="module")
def out(summary: sample.Summary) -> Path:
    return summary.out


def _bytes(folder: Path) -> dict[str, tuple[str, float]]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    found = {}
    for path in paths:
        is_sent = path.relative_to(folder).parts[0] in {"feeds", "api"}
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        found[str(path.relative_to(folder))] = (digest, path.stat().st_mtime if is_sent else 0.0)
    return found


def test_a_seed_gives_the_same_bytes_and_times_and_another_seed_others(out: Path, tmp_path: Path) -> None:
    sample.write(2025, 3, "tiny", tmp_path / "again")
    sample.write(2025, 4, "tiny", tmp_path / "other")
    first, other = _bytes(out), _bytes(tmp_path / "other")
    assert _bytes(tmp_path / "again") == first
    same = [name for name in first.keys() & other.keys() if first[name][0] == other[name][0]]
    assert same == []


def test_every_feed_comes_with_the_time_it_was_sent(out: Path) -> None:
    assert sorted(path.name for path in (out / "feeds").iterdir()) == FEEDS
    sent = [path.stat().st_mtime for feed in FEEDS for path in (out / "feeds" / feed).iterdir()]
    low, high = datetime(2021, 1, 1, tzinfo=UTC), datetime(2026, 12, 31, tzinfo=UTC)
    assert all(low.timestamp() < moment < high.timestamp() for moment in sent)
    # ten o'clock in Shanghai
    assert {datetime.fromtimestamp(moment, tz=UTC).strftime("%H:%M:%S") for moment in sent} == {"02:00:00"}
    newest = max((out / "feeds" / "enterprise_registry").iterdir(), key=lambda path: path.stat().st_mtime)
    assert newest.name == "synthetic-registry-changes-2025H2_gb18030.csv"


def test_every_product_says_that_it_is_synthetic(out: Path) -> None:
    notice = (out / "SYNTHETIC.txt").read_text(encoding="utf-8")
    assert "合成数据" in notice
    assert "describes no real enterprise" in notice
    for feed in FEEDS:
        for path in (out / "feeds" / feed).iterdir():
            assert path.name.startswith("synthetic-")
    for name in ("truth.json", "truth_links.json", "noise.json"):
        assert json.loads((out / name).read_text(encoding="utf-8"))["synthetic"] is True
    assert "SYNTHETIC" in json.loads((out / "api/patent_events/events.json").read_text(encoding="utf-8"))["notice"]
    with zipfile.ZipFile(next((out / "feeds/patents").iterdir())) as archive:
        assert b"SYNTHETIC" in archive.comment
        assert b"SYNTHETIC" in archive.read(archive.infolist()[0])
    with zipfile.ZipFile(next((out / "feeds/recognitions").iterdir())) as book:
        assert b"SYNTHETIC" in book.read("docProps/core.xml")


def _checked(code: str) -> bool:
    """GB 32100-2015, worked out character by character."""
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    total = sum(alphabet.index(letter) * pow(3, place) for place, letter in enumerate(code[:17]))
    inner = sum(int(letter) * weight for letter, weight in zip(code[8:16], (3, 7, 9, 10, 5, 8, 4, 2), strict=True))
    expected = {10: "X", 11: "0"}.get(11 - inner % 11, str(11 - inner % 11))
    return alphabet[(31 - total % 31) % 31] == code[17] and code[16] == expected


def test_codes_have_right_check_digits_and_are_distinct() -> None:
    made = world.make(2025, 8, sample.SIZES["tiny"])
    codes = made.population.uscc
    assert len(set(codes)) == len(codes)
    assert all(_checked(code) for code in codes)
    assert all(_checked(files.Ghosts().code()) for _ in range(5))
    assert not _checked(files.miscoded(codes[0]))
    districts = set(facts.DISTRICT_CODES.values())
    assert {code[2:8] for code in codes} <= districts
    for number in made.patents.application:
        weights = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)
        check = sum(int(digit) * weight for digit, weight in zip(number[:12], weights, strict=True)) % 11
        assert number[13] == ("X" if check == 10 else str(check))


def test_names_are_distinct_but_for_the_planted_pairs() -> None:
    names = world.make(2025, 8, sample.SIZES["small"]).population.names
    counts = Counter(names.text)
    shared = {name for name, count in counts.items() if count > 1}
    assert shared == {name for name, is_ambiguous in zip(names.text, names.ambiguous, strict=True) if is_ambiguous}
    assert all(counts[name] == 2 for name in shared)
    assert len(set(facts.SYLLABLES)) == len(facts.SYLLABLES)
    # a brand ends where the trade word begins, so that two brands never make one name
    assert not {word[0] for words in facts.TRADE_WORDS for word in words} & set(facts.SYLLABLES)


def test_plots_of_a_day_do_not_overlap_and_hold_their_points() -> None:
    made = world.make(2025, 5, sample.SIZES["tiny"])
    plots = made.land.plots
    rings = [Polygon(plot.ring) for plot in plots]
    assert all(ring.is_valid for ring in rings)
    for a, b in STRtree(rings).query(rings, predicate="intersects").T.tolist():
        meet = plots[a].valid_from < plots[b].valid_to and plots[b].valid_from < plots[a].valid_to
        if a < b and meet:
            assert rings[a].intersection(rings[b]).area == 0, (plots[a].plot_id, plots[b].plot_id)
    versions = made.population.versions
    for row in range(0, len(versions.cell), 7):
        point = Point(versions.longitude[row] / 1e7, versions.latitude[row] / 1e7)
        cell = int(versions.cell[row])
        if cell >= 0:
            holding = {plot.plot_id for plot, ring in zip(plots, rings, strict=True) if ring.contains(point)}
            assert holding == {plot.plot_id for plot in plots if cell in plot.cells}


def test_neighbours_are_the_plots_that_are_near() -> None:
    """By geometry: what was laid out as neighbours is within 20 m, and nothing else nearly is."""
    laid = land.lay_out(2025, world.stream(7, 1))
    east = math.cos(math.radians(31.2)) * 111_320
    rings = {
        number: Polygon([(x * east, y * 110_900) for x, y in cell.ring])
        for number, cell in enumerate(laid.cells)
        if cell.ring
    }
    pairs = {(a, b): rings[a].distance(rings[b]) for a in rings for b in rings if a < b}
    assert {pair for pair, metres in pairs.items() if metres <= 12} == laid.neighbours
    assert not [pair for pair, metres in pairs.items() if 12 < metres < 35]
    small = [plot for plot in laid.plots if plot.area <= 1000]
    assert {plot.area == 1000 for plot in small} == {True, False}
    assert any(metres < 1 and pair[1] >= min(plot.cells[0] for plot in small) for pair, metres in pairs.items())


def test_parks_industries_and_rounds_are_those_of_the_methodology() -> None:
    folder = METHODOLOGY_DIR / "2025"
    with (folder / "parks.csv").open(encoding="utf-8", newline="") as stream:
        assert [(row["park_code"], row["name_zh"]) for row in csv.DictReader(stream)] == [
            (park.code, park.name) for park in facts.PARKS
        ]
    with (folder / "industry_sets.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["industry_code"] for row in rows if row["set_code"] in {"IC", "BIO", "AI"}} == facts.LEADING
    assert {row["industry_code"] for row in rows if row["set_code"] == "TECH"} == facts.TECHNOLOGY
    by_set: dict[str, set[str]] = {}
    for row in rows:
        by_set.setdefault(row["set_code"], set()).add(row["industry_code"])
    assert by_set["HARD"] & set(CODES) == facts.HARD
    assert by_set["SERVICE"] & set(CODES) == facts.SERVICE
    edition = yaml.safe_load((folder / "edition.yaml").read_text(encoding="utf-8"))
    assert tuple(edition["equity_rounds"]["rounds"]) == facts.EQUITY_ROUNDS
    with (folder / "ipc_sets.csv").open(encoding="utf-8", newline="") as stream:
        strategic = {row["ipc_subclass"] for row in csv.DictReader(stream)}
    assert {text[:4] for texts in facts.IPC for text in texts} & strategic == facts.STRATEGIC
    with (folder / "exchange_rates.csv").open(encoding="utf-8", newline="") as stream:
        rates = {
            (row["currency"], int(row["valid_from"][:4])): row["cny_per_unit"]
            for row in csv.DictReader(stream)
            if (row["valid_from"][4:], row["valid_to"][4:]) == ("-01-01", "-12-31")
        }
    assert rates == facts.EXCHANGE_RATES
    with (folder / "self_report_items.csv").open(encoding="utf-8", newline="") as stream:
        asked = {
            (row["item_code"], row["name_zh"], row["unit"], row["part_of"] or "") for row in csv.DictReader(stream)
        }
    assert asked == {(item.code, item.name, item.unit, item.part_of) for item in facts.REPORT_ITEMS}
    assert all(len(park.declared) <= 3 for park in facts.PARKS)
    assert all(re.fullmatch(r"[0-9]{4}", code) for code in CODES[1:])


def _records(path: Path, table: str) -> list[Any]:
    """The records of a file as a person numbers them: record n is what ``source_row`` n means."""
    if path.name.endswith((".csv", ".csv.gz")):
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        gb = path.parent.name == "headcounts" or path.name.endswith("_gb18030.csv")
        return [None, *csv.reader(raw.decode("gb18030" if gb else "utf-8").splitlines())]
    if path.suffix == ".xlsx":
        book = CalamineWorkbook.from_path(str(path))
        place = {"covers": 0, "declared_industries": 1, "items": 2}.get(table, 0)
        return [None, *book.get_sheet_by_index(place).to_python(skip_empty_area=False)]
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            return [None, *(archive.read(member) for member in archive.infolist())]
    document = json.loads(path.read_text(encoding="utf-8"))
    return [None, *(document["data"] if "data" in document else document["features"])]


def test_every_planted_row_stands_where_the_register_says(out: Path) -> None:
    noise = json.loads((out / "noise.json").read_text(encoding="utf-8"))["rows"]
    assert {row["feed"] for row in noise} >= set(FEEDS) - {"park_reports"}
    cache: dict[tuple[str, str, str], list[Any]] = {}
    for row in noise:
        at = (row["feed"], row["file"], row["table"])
        folder = out / ("api" if row["file"] == "events.json" else "feeds") / row["feed"]
        records = cache.setdefault(at, _records(folder / row["file"], row["table"]))
        assert 1 <= row["source_row"] < len(records), row
        if row["rule"] == files.DUPLICATE:
            assert records[row["source_row"]] in records[1 : row["source_row"]], row
        else:
            assert row["rule"] in CHECKS, row
            assert records.count(records[row["source_row"]]) == 1, row


def test_a_replaced_row_is_replaced_in_a_later_delivery(out: Path) -> None:
    superseded = json.loads((out / "noise.json").read_text(encoding="utf-8"))["superseded"]
    kinds = Counter(row["feed"] for row in superseded)
    assert set(kinds) >= {"enterprise_registry", "enterprise_accounts", "headcounts", "park_reports", "park_plots"}
    for row in superseded:
        folder = out / "feeds" / row["feed"]
        assert (folder / row["file"]).stat().st_mtime < (folder / row["replaced_by"]).stat().st_mtime


def test_the_summary_counts_the_rows_that_are_there(summary: sample.Summary) -> None:
    plain = summary.as_dict()
    assert (plain["synthetic"], sorted(plain["feeds"])) == (True, FEEDS)
    assert plain["feeds"]["patents"]["rows"] == sum(summary.files["patents"].values())
    for feed in ("enterprise_registry", "headcounts", "patents", "recognitions"):
        for name, count in summary.files[feed].items():
            records = _records(summary.out / "feeds" / feed / name, "")
            assert len(records) - 1 - (0 if feed == "patents" else 1) == count, name


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep", encoding="utf-8")
    with pytest.raises(BadInputError, match="not empty"):
        sample.write(2025, 1, "tiny", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(("edition", "seed", "size"), [(2025, 1, "huge"), (2025, -1, "tiny"), (1999, 1, "tiny")])
def test_a_world_that_cannot_be_is_refused(tmp_path: Path, edition: int, seed: int, size: str) -> None:
    with pytest.raises(UsageError):
        sample.write(edition, seed, size, tmp_path / "w")


def test_noise_stands_behind_the_row_of_its_position() -> None:
    bad = files.Planted("bad", "value.required", "", "")
    again: files.Planted[str] = files.Planted(None, files.DUPLICATE, "", "")
    rows = [row for row, _ in files.mixed(["a", "b"], [(-1, bad), (0, again), (1, bad)])]
    assert rows == ["bad", "a", "a", "b", "bad"]


def test_cells_without_a_point_are_in_no_park() -> None:
    import numpy as np

    laid = land.lay_out(2025, world.stream(1, 1))
    assert laid.park(np.array([-1, 0]), np.array([20_000, 20_000])).tolist() == [-1, 0]
    assert laid.park(np.array([laid.outside[0]]), np.array([20_000])).tolist() == [-1]
