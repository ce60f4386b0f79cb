"""Methodology editions: what is accepted, what is refused and how it is named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from parkindex import methodology
from parkindex.cli.__main__ import cli
from parkindex.errors import BadInputError, UsageError
from parkindex.settings import METHODOLOGY_DIR


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(METHODOLOGY_DIR, tmp_path / "methodology"))


def edit(path: Path, change: Callable[[dict], object]) -> None:
    document = yaml.safe_load(path.read_text("utf-8"))
    change(document)
    path.write_text(yaml.safe_dump(document, allow_unicode=True), "utf-8")


@pytest.mark.parametrize("edition", methodology.editions())
def test_every_edition_has_35_indicators_22_parks_and_computes_all(edition: int) -> None:
    document = methodology.load(edition).document
    assert len(document["indicators"]) == 35
    assert len(document["parks"]) == 22
    assert {one["state"] for one in document["indicators"]} == {"computed"}
    assert sum(one["weight"]["value"] for one in document["indicators"]) == pytest.approx(100)


def test_no_weight_bound_tier_or_rule_claims_to_be_documented() -> None:
    document = methodology.load(2025).document
    marks = [one["weight"]["mark"] for one in document["indicators"]]
    marks += [one["bounds"]["mark"] for one in document["indicators"] if "bounds" in one]
    marks += [rule["mark"] for rule in document["rules"]] + [document["tiers"]["mark"]]
    assert set(marks) == {"assumed"}


def test_an_edition_takes_what_it_does_not_say_from_the_one_it_is_based_on(folder: Path) -> None:
    assert (
        methodology.load(2023, folder).document["indicators"] == methodology.load(2025, folder).document["indicators"]
    )
    assert methodology.load(2023, folder).sha256 != methodology.load(2025, folder).sha256


def test_the_hash_follows_the_content_and_not_the_comments(folder: Path) -> None:
    before = methodology.load(2025, folder).sha256
    framework = folder / "2025" / "framework.yaml"
    framework.write_text("# another remark\n" + framework.read_text("utf-8"), "utf-8")
    assert methodology.load(2025, folder).sha256 == before
    edit(framework, lambda document: document["indicators"][0]["bounds"].update(high=99))
    assert methodology.load(2025, folder).sha256 != before


def unknown_key(document: dict) -> None:
    document["indicators"][0]["wieght"] = 1


def doubled_indicator(document: dict) -> None:
    document["indicators"][1]["code"] = document["indicators"][0]["code"]


def heavier(document: dict) -> None:
    document["indicators"][0]["weight"]["value"] += 1


def crossed_bounds(document: dict) -> None:
    document["indicators"][0]["bounds"] = {"low": 5, "high": 5, "mark": "assumed"}


def stray_area(document: dict) -> None:
    document["indicators"][0]["area"] = "Z"


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (unknown_key, "methodology.schema"),
        (doubled_indicator, "methodology.indicator_unique"),
        (heavier, "methodology.weights"),
        (crossed_bounds, "methodology.bounds"),
        (stray_area, "methodology.area_known"),
    ],
)
def test_a_broken_framework_is_refused_by_a_named_rule(
    folder: Path, change: Callable[[dict], object], rule: str
) -> None:
    edit(folder / "2025" / "framework.yaml", change)
    with pytest.raises(BadInputError) as refused:
        methodology.load(2025, folder)
    assert refused.value.why.startswith(rule)
    assert "2025" in refused.value.where
    assert refused.value.next_step


def test_a_missing_rule_and_a_gap_between_tiers_are_refused(folder: Path) -> None:
    edit(folder / "2025" / "edition.yaml", lambda document: document["tiers"]["rows"][1].update(rank_from=9))
    with pytest.raises(BadInputError, match="every rank exactly once"):
        methodology.load(2025, folder)
    edit(folder / "2025" / "edition.yaml", lambda document: document["tiers"]["rows"][1].update(rank_from=8))
    edit(folder / "2025" / "edition.yaml", lambda document: document["rules"].pop())
    with pytest.raises(BadInputError, match="robustness_weight_spread is missing"):
        methodology.load(2025, folder)


def test_an_unknown_edition_and_a_circle_of_editions_are_refused(folder: Path) -> None:
    with pytest.raises(BadInputError, match="no methodology for edition 1999"):
        methodology.load(1999, folder)
    edit(folder / "2025" / "edition.yaml", lambda document: document.update(based_on=2024))
    with pytest.raises(BadInputError, match="based on itself"):
        methodology.load(2024, folder)


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "2025" / "parks.csv").unlink()
    with pytest.raises(BadInputError) as refused:
        methodology.load(2025, folder)
    assert refused.value.where.endswith("parks.csv")


def line_of(path: Path, text: str) -> int:
    return next(number for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1) if text in line)


def test_a_broken_rule_is_named_with_the_file_and_line_it_stands_in(folder: Path) -> None:
    # In the framework, in a change of an edition based on another, and in a table.
    framework = folder / "2025" / "framework.yaml"
    framework.write_text(framework.read_text("utf-8").replace("high: 0.4,", "high: -1,"), "utf-8")
    with pytest.raises(BadInputError) as refused:
        methodology.load(2023, folder)
    assert refused.value.where == f"{framework}, line {line_of(framework, 'high: -1,')}"

    shutil.copy(METHODOLOGY_DIR / "2025" / "framework.yaml", framework)
    own = folder / "2024" / "edition.yaml"
    own.write_text(own.read_text("utf-8").replace("low: 50, high: 100", "low: 500, high: 100"), "utf-8")
    with pytest.raises(BadInputError, match="bounds of C4") as refused:
        methodology.load(2024, folder)
    assert refused.value.where == f"{own}, line {line_of(own, 'low: 500')}"

    parks = folder / "2025" / "parks.csv"
    parks.write_text(parks.read_text("utf-8").replace("\nP03,", "\nP02,"), "utf-8")
    with pytest.raises(BadInputError, match="P02 stands twice") as refused:
        methodology.load(2025, folder)
    assert refused.value.where == f"{parks}, line 4"


def test_a_change_of_what_the_base_does_not_have_is_refused(folder: Path) -> None:
    edit(folder / "2024" / "edition.yaml", lambda document: document["changed_indicators"].append({"code": "Z9"}))
    with pytest.raises(BadInputError, match="Z9") as refused:
        methodology.load(2024, folder)
    assert refused.value.why == "methodology.changed_indicators"
    assert "edition.yaml, line" in refused.value.where


def test_two_editions_have_rules_that_really_differ() -> None:
    found = methodology.differences(methodology.load(2024).document, methodology.load(2025).document)
    assert {"weight", "bounds", "rule", "tiers"} <= {one.kind for one in found}
    places = {one.place: (one.before, one.after) for one in found}
    assert places["indicators/A1/weight/value"] == (6, 5)
    assert places["rules/area_min_share/value"] == (0.6, 0.6667)
    assert methodology.differences(methodology.load(2025).document, methodology.load(2025).document) == []
    # An indicator that one of the two does not have stands there whole.
    less = {**methodology.load(2025).document, "indicators": methodology.load(2025).document["indicators"][1:]}
    (lost,) = methodology.differences(methodology.load(2025).document, less)
    assert (lost.place, lost.kind, lost.after) == ("indicators/A1", "register", None)


def test_the_next_edition_starts_from_an_earlier_one(folder: Path) -> None:
    path = methodology.start(2027, 2025, folder)
    assert path == folder / "2027" / "edition.yaml"
    assert (
        methodology.load(2027, folder).document["indicators"] == methodology.load(2025, folder).document["indicators"]
    )
    with pytest.raises(BadInputError, match="has rules already"):
        methodology.start(2027, 2025, folder)


def test_frozen_rules_that_change_need_a_new_version_with_a_reason(folder: Path) -> None:
    methodology.start(2027, 2025, folder)
    assert methodology.state(methodology.load(2027, folder), folder) == "open"
    first = methodology.freeze(2027, "赵方法", date(2027, 6, 30), "first version", folder=folder)
    assert methodology.freeze(2027, "赵方法", date(2027, 7, 1), "again", folder=folder) == first
    assert methodology.state(methodology.load(2027, folder), folder) == "frozen"

    path = folder / "2027" / "edition.yaml"
    edit(path, lambda document: document.update(changed_rules=[{"code": "rank_decimals", "value": 3}]))
    assert methodology.state(methodology.load(2027, folder), folder) == "changed"
    with pytest.raises(BadInputError, match="frozen and then changed"):
        methodology.freeze(2027, "赵方法", date(2027, 7, 1), "rounding", folder=folder)
    edit(path, lambda document: document.update(version="2"))
    with pytest.raises(UsageError, match="a name and a reason"):
        methodology.freeze(2027, "赵方法", date(2027, 7, 1), " ", folder=folder)
    methodology.freeze(2027, "赵方法", date(2027, 7, 1), "two decimals make too many ties", folder=folder)
    assert [one.version for one in methodology.signoffs(2027, folder)] == ["1", "2"]
    assert methodology.state(methodology.load(2027, folder), folder) == "frozen"
    (folder / "2027" / "frozen.yaml").write_text("- {version: 1}\n", "utf-8")
    with pytest.raises(BadInputError, match="cannot be read"):
        methodology.signoffs(2027, folder)


def test_the_shipped_rules_are_signed_as_they_are_by_stand_ins_that_say_so() -> None:
    # Rules that were changed on purpose take a new `version`, then `parkindex methodology freeze`.
    for edition in (2024, 2025):
        assert methodology.state(methodology.load(edition)) == "frozen"
        assert all(one.is_demo for one in methodology.signoffs(edition))
    assert methodology.state(methodology.load(2026)) == "open"  # nobody has adopted it yet


@pytest.mark.parametrize(
    ("file", "old", "new", "rule", "line"),
    [
        ("edition.yaml", 'version: "2"', 'version: "2"\nverison: 2', "methodology.schema", "verison: 2"),
        ("edition.yaml", 'version: "2"', 'version: "2"\nversion: "3"', "methodology.yaml", 'version: "3"'),
        ("edition.yaml", "pass_line: 40", "pass_line: .nan", "methodology.finite", "pass_line"),
        (
            "edition.yaml",
            "red_lines: []",
            "red_lines: [{edition: 2025, park_code: P99, event: e, document: d}]",
            "methodology.park_known",
            "red_lines",
        ),
        (
            "edition.yaml",
            "code: rank_decimals, value: 2",
            "code: rank_decimals, value: 2.5",
            "methodology.rules",
            "rank_d",
        ),
        ("edition.yaml", "tiers:", "tiers: [", "methodology.yaml", None),
        ("framework.yaml", "weight: {value: 5,", "weight: {value: .inf,", "methodology.finite", "value: .inf"),
        ("parks.csv", "P22,崇明园", "P22", "methodology.ragged", "P22"),
    ],
)
def test_what_a_schema_lets_pass_is_refused_with_its_line(
    folder: Path, file: str, old: str, new: str, rule: str, line: str | None
) -> None:
    path = folder / "2025" / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(BadInputError) as refused:
        methodology.load(2025, folder)
    assert str(refused.value.why).startswith(rule)
    where = str(refused.value.where)
    assert f"{file}, line " in where
    if line is not None:
        number = int(where.partition(", line ")[2].partition(":")[0])
        assert line in path.read_text("utf-8").splitlines()[number - 1]


def test_a_table_that_is_not_text_is_bad_input(folder: Path) -> None:
    (folder / "2025" / "parks.csv").write_bytes(b"\xff\xfe")
    with pytest.raises(BadInputError, match="cannot be read") as refused:
        methodology.load(2025, folder)
    assert str(refused.value.where).endswith("parks.csv")


def test_the_check_refuses_frozen_rules_that_changed_and_freezing_a_new_version_tells_the_effect(folder: Path) -> None:
    edition = folder / "2025" / "edition.yaml"
    text = edition.read_text("utf-8").replace("pass_line: 40", "pass_line: 41")
    edition.write_text(text, "utf-8")
    shown = CliRunner().invoke(cli, ["methodology", "check", "2025", "--folder", str(folder), "--json"])
    assert shown.exit_code == 3 and "was frozen and then changed" in shown.output
    edition.write_text(text.replace('version: "2"', 'version: "3"'), "utf-8")
    shown = CliRunner().invoke(cli, ["methodology", "check", "2025", "--folder", str(folder), "--json"])
    assert shown.exit_code == 0 and '"state": "changed"' in shown.stdout
    words = ["methodology", "freeze", "2025", "--as", "somebody", "--on", "2025-06-30", "--reason", "the line moved"]
    home = {"PARKINDEX_HOME": str(folder / "nothing")}
    shown = CliRunner().invoke(cli, [*words, "--folder", str(folder), "--json"], env=home)
    assert shown.exit_code == 0, shown.output
    told = json.loads(shown.stdout)
    assert told["version"] == "3" and told["effects"] is None and "does not answer" in told["note"]
