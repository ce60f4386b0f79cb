"""What each assumption decides: counted right on a case by hand, and the pages of the project are fresh."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from click.testing import CliRunner

from parkindex import methodology
from parkindex.cli.__main__ import cli
from parkindex.scoring.assumptions import effects
from parkindex.settings import PROJECT_ROOT

PAGES = PROJECT_ROOT / "docs" / "method"


def indicator(code: str, area: str, weight: float) -> dict[str, Any]:
    return {
        "code": code,
        "area": area,
        "state": "computed",
        "direction": 1,
        "weight": {"value": weight},
        "bounds": {"low": 0, "high": 100},
    }


def document() -> dict[str, Any]:
    return {
        "edition": 2025,
        "areas": [{"code": "A"}, {"code": "B"}],
        "indicators": [indicator("A1", "A", 60), indicator("A2", "A", 15), indicator("B1", "B", 25)],
        "parks": [{"park_code": f"P{place}", "peer_group": "all"} for place in (1, 2, 3)],
        "tiers": {"rows": [{"tier": 1, "rank_from": 1, "rank_to": 1}, {"tier": 2, "rank_from": 2, "rank_to": 3}]},
        "rules": [
            {"code": "area_min_share", "value": 0.2},
            {"code": "rank_decimals", "value": 2},
            {"code": "robustness_weight_spread", "value": 0.25},
        ],
        "consequences": {
            "pass_line": 40,
            "failing": {"kind": "last_in_peers", "count": 1},
            "window": {"kind": "any"},
            "commended": {"kind": "first_in_ranking", "count": 1},
            "red_lines": [],
        },
    }


VALUES = [
    *(("P1", "A1", 80.0), ("P1", "A2", 10.0), ("P1", "B1", 40.0)),
    *(("P2", "A1", 50.0), ("P2", "A2", 90.0), ("P2", "B1", 50.0)),
    *(("P3", "A1", 30.0), ("P3", "A2", None), ("P3", "B1", 20.0)),
]


def test_every_effect_is_that_of_the_other_rule_alone() -> None:
    found = effects(document(), VALUES)
    assert found.ranked == 3
    by = {(one.assumption, one.otherwise): one for one in found.rules}
    # As it is: P1 0.75 × 66 + 0.25 × 40 = 59.5, P2 56, P3 27.5. Inside A equal: P1 43.75, P2 65: they change places
    # and tiers.
    equal = by["weights", "equal_inside_areas"]
    assert (equal.parks_moved, equal.largest_shift, equal.tiers_changed) == (2, 1, 2)
    # Areas equal: P1 53, P2 54.
    assert by["weights", "equal_areas"].parks_moved == 2
    # With the whole weight of an area asked for, P3 (without A2) has no rank and no tier; nobody else moves.
    strict = by["area_min_share", "1"]
    assert (strict.parks_moved, strict.largest_shift, strict.tiers_changed) == (1, 0, 1)
    assert by["rank_decimals", "1"].parks_moved == 0
    assert {one.assumption for one in found.rules} == {
        *("weights", "normalisation", "aggregation", "missing", "treatment", "area_min_share", "rank_decimals")
    }
    # Without A1 the order is P2 (74), P1 (28.75), P3 (20, by B1 alone of … no A at all: no rank).
    of = {one.indicator_code: one for one in found.indicators}
    assert (of["A1"].left_out, of["A1"].largest_shift) == (3, 1)
    fails = {one.rule: one.parks for one in found.failing}
    assert fails["last_in_peers 1"] == ["P3"] and fails["score_below_pass_line 40"] == ["P3"]
    assert fails["score_below_pass_line 35"] == ["P3"]


def test_the_pages_of_the_project_are_those_of_its_rules(tmp_path: Path) -> None:
    words = ["methodology", "effects", "2025", "--sample", "2025", "--json"]
    shown = CliRunner().invoke(cli, [*words, "--out", str(tmp_path)])
    assert shown.exit_code == 0, shown.output
    for name in ("assumptions.md", "assumptions.zh-CN.md"):
        fresh = (tmp_path / name).read_text("utf-8").replace(tmp_path.as_posix(), "docs/method")
        assert fresh == (PAGES / name).read_text("utf-8"), f"{name} is stale: make derive"
    document = methodology.load(2025).document
    page = (PAGES / "assumptions.zh-CN.md").read_text("utf-8")
    for row in document["indicators"]:
        assert f"| {row['code']} | {row['name_zh']} | " in page and row["formula"].replace("|", "\\|") in page
    assert all(f"`{one['code']}`" in page for one in document["parameters"])
