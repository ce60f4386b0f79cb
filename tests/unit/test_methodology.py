"""Methodology editions: what is accepted, what is refused and how it is named."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from parkindex import methodology
from parkindex.errors import BadInputError
from parkindex.settings import METHODOLOGY_DIR

COMPUTED = ["A1", "A2", "A3", "A4", "A5", "B1", "B2", "B5", "B6", "B10", "C3", "C4"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(METHODOLOGY_DIR, tmp_path / "methodology"))


def edit(path: Path, change: Callable[[dict], object]) -> None:
    document = yaml.safe_load(path.read_text("utf-8"))
    change(document)
    path.write_text(yaml.safe_dump(document, allow_unicode=True), "utf-8")


@pytest.mark.parametrize("edition", methodology.editions())
def test_every_edition_has_35_indicators_22_parks_and_computes_the_first_twelve(edition: int) -> None:
    document = methodology.load(edition).document
    assert len(document["indicators"]) == 35
    assert len(document["parks"]) == 22
    assert [one["code"] for one in document["indicators"] if one["state"] == "computed"] == COMPUTED
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
