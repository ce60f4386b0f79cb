"""Changes to a methodology, one by one."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from parkindex import methodology
from parkindex.cli.__main__ import cli
from parkindex.errors import BadInputError, UsageError
from parkindex.scoring.whatif import change
from parkindex.settings import METHODOLOGY_DIR

DOCUMENT = methodology.load(2025).document
# One indicator that is not computed and has no bounds, as an edition may have.
_A6 = next(row for row in DOCUMENT["indicators"] if row["code"] == "A6")
_A6["state"] = "not_computed"
del _A6["bounds"]


def indicator(document: dict, code: str) -> dict:  # type: ignore[type-arg]
    return next(row for row in document["indicators"] if row["code"] == code)


def test_each_change_changes_its_own_number_and_marks_it_assumed() -> None:
    before = deepcopy(DOCUMENT)
    changed = change(
        DOCUMENT,
        {
            "weight.A1": "7.5",
            "bounds.B2.high": "250",
            "bounds.C3.low": "-10",
            "direction.A3": "-1",
            "state.A5": "not_computed",
            "rule.area_min_share": "0.5",
            "rule.rank_decimals": "3",
        },
    )
    assert indicator(changed, "A1")["weight"] == {"value": 7.5, "mark": "assumed"}
    assert indicator(changed, "B2")["bounds"] == {"low": 0, "high": 250.0, "mark": "assumed"}
    assert indicator(changed, "C3")["bounds"]["low"] == -10
    assert indicator(changed, "A3")["direction"] == -1
    assert indicator(changed, "A5")["state"] == "not_computed"
    rules = {row["code"]: row.get("value") for row in changed["rules"]}
    assert (rules["area_min_share"], rules["rank_decimals"]) == (0.5, 3)
    assert before == DOCUMENT


def test_the_weight_of_an_area_is_shared_as_before() -> None:
    changed = change(DOCUMENT, {"weight.A": "60"})
    inside = [row["weight"]["value"] for row in changed["indicators"] if row["area"] == "A"]
    assert sum(inside) == pytest.approx(60)
    old = [row["weight"]["value"] for row in DOCUMENT["indicators"] if row["area"] == "A"]
    assert [new / was for new, was in zip(inside, old, strict=True)] == pytest.approx([60 / sum(old)] * len(old))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("weight.Z9", "1"),
        ("weight", "1"),
        ("bounds.A1", "1"),
        ("bounds.A1.middle", "1"),
        ("bounds.A6.low", "1"),  # has none
        ("rule.status_rule", "1"),
        ("rule.area_min_share", "1.5"),
        ("rule.rank_decimals", "2.5"),
        ("rule.robustness_draws", "0"),
        ("weight.A1", "-1"),
        ("weight.A1", "much"),
        ("weight.A1", "nan"),
    ],
)
def test_an_unknown_key_or_a_value_that_does_not_fit_is_a_usage_error(key: str, value: str) -> None:
    with pytest.raises(UsageError):
        change(DOCUMENT, {key: value})


@pytest.mark.parametrize(
    ("key", "value"),
    [("direction.A1", "0"), ("state.A1", "maybe"), ("bounds.A1.low", "100")],
)
def test_a_methodology_that_is_not_valid_is_bad_input(key: str, value: str) -> None:
    with pytest.raises(BadInputError):
        change(DOCUMENT, {key: value})


def test_a_framework_file_takes_the_place_of_areas_and_indicators(tmp_path: Path) -> None:
    framework = yaml.safe_load((METHODOLOGY_DIR / "2025" / "framework.yaml").read_text("utf-8"))
    framework["indicators"][0]["weight"]["value"] = 50
    (tmp_path / "f.yaml").write_text(yaml.safe_dump(framework, allow_unicode=True), "utf-8")
    changed = change(DOCUMENT, {"weight.A2": "1"}, tmp_path / "f.yaml")
    assert (indicator(changed, "A1")["weight"]["value"], indicator(changed, "A2")["weight"]["value"]) == (50, 1)
    framework["indicators"][0]["weight"]["value"] = float("nan")
    (tmp_path / "f.yaml").write_text(yaml.safe_dump(framework, allow_unicode=True), "utf-8")
    with pytest.raises(BadInputError, match="not finite"):
        change(DOCUMENT, {}, tmp_path / "f.yaml")
    framework["indicators"][0]["weight"]["value"] = 50
    framework["indicators"][0]["area"] = "Q"
    (tmp_path / "f.yaml").write_text(yaml.safe_dump(framework, allow_unicode=True), "utf-8")
    with pytest.raises(BadInputError, match="unknown area"):
        change(DOCUMENT, {}, tmp_path / "f.yaml")
    (tmp_path / "f.yaml").write_text("areas: []", "utf-8")
    with pytest.raises(BadInputError, match="does not hold"):
        change(DOCUMENT, {}, tmp_path / "f.yaml")
    (tmp_path / "f.yaml").write_text("areas: [", "utf-8")
    with pytest.raises(BadInputError, match="cannot be read"):
        change(DOCUMENT, {}, tmp_path / "f.yaml")


@pytest.mark.parametrize("words", [[], ["--set", "weight.A1"], ["--set", "weight.A1=1", "--set", "weight.A1=2"]])
def test_the_verb_needs_something_to_change_once(words: list[str]) -> None:
    assert CliRunner().invoke(cli, ["whatif", "2025", *words]).exit_code == 2
