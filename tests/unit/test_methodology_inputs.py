"""Inputs of single indicators: what is refused, by which rule, and where it is said to stand."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from parkindex import methodology
from parkindex.errors import BadInputError
from parkindex.settings import METHODOLOGY_DIR


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(METHODOLOGY_DIR, tmp_path / "methodology"))


@pytest.mark.parametrize(
    ("file", "old", "new", "rule"),
    [
        ("parameters.yaml", "code: patent_term_years", "code: patent_years", "methodology.schema"),
        (
            "parameters.yaml",
            "code: small_max_revenue_cny",
            "code: small_max_assets_cny",
            "methodology.parameter_unique",
        ),
        ("parameters.yaml", "used_by: [A9]", "used_by: [Z9]", "methodology.indicator_known"),
        (
            "parameters.yaml",
            "plot_adjacency_metres, value: 20",
            "plot_adjacency_metres, value: 1001",
            "methodology.par",
        ),
        ("parameters.yaml", "patent_term_years, value: 20", "patent_term_years, value: 20.5", "methodology.parameters"),
        ("parameters.yaml", "rounds: [种子轮", "rounds: [并购", "methodology.early_rounds"),
        ("parameters.yaml", "kind: 高新技术企业", "kind: 隐形冠军", "methodology.recognition_kind_unique"),
        ("parameters.yaml", "kind: 高新技术企业, points: 2", "kind: 高新技术企业", "methodology.schema"),
        ("self_report_items.csv", "\nB8.2,", "\nB8.1,", "methodology.item_unique"),
        ("self_report_items.csv", "\nB8.2,B8", "\nB8.2,Z8", "methodology.indicator_known"),
        ("self_report_items.csv", ",C1.2,", ",C2.2,", "methodology.item_known"),
        ("self_report_items.csv", ",D3.1,,", ",D3.4,,", "methodology.item_known"),
        ("self_report_items.csv", "numerator,10,", "numerator,ten,", "methodology.schema"),
        ("ipc_sets.csv", "SEI,H01L", "SEI,H01", "methodology.schema"),
        ("exchange_rates.csv", "USD,2019-01-01", "USD,2018-12-31", "methodology.exchange_rates"),
        ("exchange_rates.csv", "2019-01-01,2019-12-31", "2019-01-01,2018-12-31", "methodology.exchange_rates"),
        ("exchange_rates.csv", "2019-12-31", "2019-02-30", "methodology.exchange_rates"),
        ("exchange_rates.csv", "USD,", "CNY,", "methodology.schema"),
    ],
)
def test_a_broken_input_is_refused_by_a_named_rule_with_its_line(
    folder: Path, file: str, old: str, new: str, rule: str
) -> None:
    path = folder / "2025" / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(BadInputError) as refused:
        methodology.load(2025, folder)
    assert refused.value.why.startswith(rule)
    assert f"2025/{file}, line " in refused.value.where


def test_a_missing_parameter_is_refused(folder: Path) -> None:
    path = folder / "2025" / "parameters.yaml"
    lines = path.read_text("utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if "small_max_employees" not in line), "utf-8")
    with pytest.raises(BadInputError, match="small_max_employees is missing"):
        methodology.load(2025, folder)


def test_every_number_is_marked_and_every_item_belongs_to_an_indicator_that_reads_reports() -> None:
    document = methodology.load(2025).document
    feeds = {one["code"]: one["feeds"] for one in document["indicators"]}
    assert all("SELF" in feeds[item["indicator_code"]] for item in document["self_report_items"])
    assert {item["mark"] for item in document["self_report_items"]} == {"assumed"}
    documented = {one["code"] for one in document["parameters"] if one["mark"] == "documented"}
    assert documented == {"patent_term_years", "high_value_kept_years"}
    evidence = next(one for one in document["parameters"] if one["code"] == "self_report_needs_evidence")
    assert set(evidence["used_by"]) == {item["indicator_code"] for item in document["self_report_items"]}
    # The points of B8 and D5 are factors of their items.
    factors = {item["item_code"]: item["factor"] for item in document["self_report_items"]}
    assert [factors[code] for code in ("B8.1", "B8.2", "B8.3", "D5.2")] == ["10", "5", "0.1", "0.1"]


def test_a_changed_input_is_told_with_its_place_and_kind() -> None:
    before, after = methodology.load(2025).document, methodology.load(2025).document
    after["parameters"][0]["value"] = 12
    after["self_report_items"][1]["factor"] = "9"
    found = {one.place: (one.kind, one.before, one.after) for one in methodology.differences(before, after)}
    assert found == {
        "parameters/plot_small_hectares/value": ("rule", 10, 12),
        "self_report_items/B8.1/factor": ("register", "10", "9"),
    }
