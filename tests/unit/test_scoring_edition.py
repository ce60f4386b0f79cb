"""An edition's scores, against numbers worked out by hand."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkindex import methodology
from parkindex.errors import BadInputError
from parkindex.scoring.edition import score


def _indicator(code: str, weight: float, *, low: float = 0, high: float = 10, direction: int = 1) -> dict[str, Any]:
    return {
        "code": code,
        "area": code[0],
        "weight": {"value": weight},
        "bounds": {"low": low, "high": high},
        "direction": direction,
        "state": "computed",
    }


def _document(**rules: float) -> dict[str, Any]:
    """Three areas, of which C has nothing computed; four parks in two tiers."""
    values = {
        "area_min_share": 0.5,
        "rank_decimals": 2,
        "robustness_draws": 400,
        "robustness_seed": 7,
        "robustness_weight_spread": 0.25,
        **rules,
    }
    return {
        "edition": 2025,
        "areas": [{"code": code} for code in "ABC"],
        "parks": [{"park_code": f"P{number}"} for number in range(1, 5)],
        "indicators": [
            _indicator("A1", 30),
            _indicator("A2", 10, low=-5, high=5),
            _indicator("B1", 20, direction=-1),
            {"code": "B2", "area": "B", "weight": {"value": 20}, "direction": 1, "state": "not_computed"},
            {"code": "C1", "area": "C", "weight": {"value": 20}, "direction": 1, "state": "not_computed"},
        ],
        "tiers": {"rows": [{"tier": 1, "rank_from": 1, "rank_to": 2}, {"tier": 2, "rank_from": 3, "rank_to": 4}]},
        "rules": [{"code": code, "value": value} for code, value in values.items()] + [{"code": "x", "text": "none"}],
    }


VALUES: list[tuple[str, str, Decimal | None]] = [
    ("P1", "A1", Decimal(5)),
    ("P1", "A2", Decimal(0)),
    ("P1", "B1", Decimal(2)),
    ("P2", "A1", Decimal(12)),  # above its bound
    ("P2", "A2", Decimal(-9)),  # below its bound
    ("P2", "B1", Decimal(10)),
    ("P3", "A1", Decimal(5)),
    ("P3", "A2", None),
    ("P3", "B1", Decimal(2)),
    ("P4", "A1", None),
    ("P4", "A2", Decimal(5)),
    ("P4", "B1", Decimal(0)),
]


def test_scores_ranks_and_tiers_are_those_of_the_hand() -> None:
    scores = score(_document(), VALUES)

    assert {(s.park_code, s.indicator_code): s.score for s in scores.indicators} == {
        ("P1", "A1"): 50,
        ("P1", "A2"): 50,
        ("P1", "B1"): 80,
        ("P2", "A1"): 100,
        ("P2", "A2"): 0,
        ("P2", "B1"): 0,
        ("P3", "A1"): 50,
        ("P3", "A2"): None,
        ("P3", "B1"): 80,
        ("P4", "A1"): None,
        ("P4", "A2"): 100,
        ("P4", "B1"): 100,
    }
    areas = {(s.park_code, s.area_code): s for s in scores.areas}
    assert [areas[park, "A"].score for park in ("P1", "P2", "P3", "P4")] == [50, 75, 50, None]
    assert [areas[park, "A"].weight_share for park in ("P1", "P2", "P3", "P4")] == [1, 1, 0.75, 0.25]
    assert [areas[park, "A"].rank for park in ("P1", "P2", "P3", "P4")] == [2, 1, 2, None]
    assert [areas[park, "C"].score for park in ("P1", "P2", "P3", "P4")] == [None] * 4
    # A weighs 40, B 20 of the 60 that are computed: (50·40 + 80·20) / 60 and (75·40 + 0·20) / 60
    parks = {s.park_code: s for s in scores.parks}
    assert parks["P1"].score == pytest.approx(60, abs=1e-12)
    assert parks["P2"].score == pytest.approx(50, abs=1e-12)
    assert parks["P3"].score == pytest.approx(60, abs=1e-12)
    assert parks["P4"].score is None
    assert [parks[f"P{n}"].rank for n in range(1, 5)] == [1, 3, 1, None]
    assert [parks[f"P{n}"].is_tied for n in range(1, 5)] == [True, False, True, False]
    assert [parks[f"P{n}"].tier for n in range(1, 5)] == [1, 2, 1, None]


def test_a_missing_indicator_leaves_its_weight_to_the_others_of_its_area() -> None:
    scores = {(s.park_code, s.indicator_code): s for s in score(_document(), VALUES).indicators}
    assert scores["P1", "A1"].weight == pytest.approx(50)
    assert scores["P3", "A1"].weight == pytest.approx(100 * 40 / 60)
    assert scores["P3", "A2"].weight is None
    assert scores["P3", "A1"].contribution == pytest.approx(50 * 40 / 60)
    assert scores["P4", "B1"].weight is None  # its park has no total


def test_contributions_add_up_to_the_total() -> None:
    scores = score(_document(), VALUES)
    for park in scores.parks:
        parts = [
            s.contribution for s in scores.indicators if s.park_code == park.park_code and s.contribution is not None
        ]
        weights = [s.weight for s in scores.indicators if s.park_code == park.park_code and s.weight is not None]
        if park.score is None:
            assert not parts
        else:
            assert sum(parts) == pytest.approx(park.score, abs=1e-12)
            assert sum(weights) == pytest.approx(100, abs=1e-12)


@pytest.mark.parametrize(("least", "scored"), [(0.75, True), (0.7500001, False)])
def test_an_area_is_scored_at_exactly_the_least_share(least: float, scored: bool) -> None:
    park = next(p for p in score(_document(area_min_share=least), VALUES).parks if p.park_code == "P3")
    assert (park.score is not None) == scored


def test_equal_rounded_totals_share_a_rank_and_a_half_goes_up() -> None:
    document = _document(rank_decimals=0, area_min_share=0)
    values = [(park, code, 0.0) for park in ("P1", "P2", "P3", "P4") for code in ("A1", "A2", "B1")]
    replaced = {("P1", "A1"): 10, ("P2", "A1"): 9.9, ("P3", "A1"): 9.899}
    values = [(park, code, replaced.get((park, code), value)) for park, code, value in values]
    parks = {p.park_code: p for p in score(document, values).parks}
    # B1 scores 100 at 0 and weighs a third; A2 scores 50 and weighs a sixth; A1 weighs a half: 91.67, 91.17, 91.16, …
    assert parks["P2"].score == pytest.approx(100 / 3 + 50 / 6 + 99 / 2)
    assert [parks[f"P{n}"].rank for n in (1, 2, 3, 4)] == [1, 2, 2, 4]
    half = [(park, code, replaced.get((park, code), value)) for park, code, value in values]
    half = [(p, c, (10 * (62.5 - 100 / 3 - 50 / 6) / 50 if (p, c) == ("P1", "A1") else v)) for p, c, v in half]
    half = [(p, c, (10 * (63.4 - 100 / 3 - 50 / 6) / 50 if (p, c) == ("P2", "A1") else v)) for p, c, v in half]
    assert [p.rank for p in score(document, half).parks][:2] == [2, 2]  # 62.5 and 63.4 are both 63


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda values: values[1:], "scores.complete"),
        (lambda values: [*values, values[0]], "scores.unique"),
        (lambda values: [*values, ("P9", "A1", 1)], "scores.known"),
        (lambda values: [*values, ("P1", "Z1", 1)], "scores.known"),
        (lambda values: [("P1", "A1", float("nan")), *values[1:]], "scores.finite"),
        (lambda values: [("P1", "A1", Decimal("Infinity")), *values[1:]], "scores.finite"),
    ],
)
def test_values_that_are_not_whole_are_refused(change: Any, rule: str) -> None:
    with pytest.raises(BadInputError) as caught:
        score(_document(), change(VALUES))
    assert caught.value.why == rule


def test_a_computed_indicator_without_bounds_is_refused() -> None:
    document = _document()
    del document["indicators"][0]["bounds"]
    with pytest.raises(BadInputError, match="A1 is computed but has no bounds"):
        score(document, VALUES)


def test_what_is_not_computed_may_have_a_value_and_does_not_count() -> None:
    assert score(_document(), [*VALUES, ("P1", "C1", Decimal(99))]) == score(_document(), VALUES)


def by_decimals(document: dict[str, Any], values: list[tuple[str, str, Decimal | None]]) -> dict[str, Any]:
    """The page's steps once more, in decimal arithmetic as a database does them."""

    def stored(number: Decimal) -> Decimal:
        return number.quantize(Decimal("1e-12"), ROUND_HALF_UP)

    rules = {row["code"]: Decimal(str(row["value"])) for row in document["rules"] if "value" in row}
    computed = [row for row in document["indicators"] if row["state"] == "computed"]
    weight = {row["code"]: Decimal(str(row["weight"]["value"])) for row in computed}
    present = {(park, code): value for park, code, value in values}
    totals: dict[str, Decimal | None] = {}
    for park in (row["park_code"] for row in document["parks"]):
        areas = []
        for area in "AB":
            own = [row for row in computed if row["area"] == area]
            scored = {}
            for row in own:
                value = present[park, row["code"]]
                if value is not None:
                    low, high = (Decimal(str(row["bounds"][end])) for end in ("low", "high"))
                    way = min(max((stored(value) - low) / (high - low), Decimal(0)), Decimal(1))
                    scored[row["code"]] = stored(100 * (way if row["direction"] == 1 else 1 - way))
            whole = sum((weight[row["code"]] for row in own), Decimal(0))
            available = sum((weight[code] for code in scored), Decimal(0))
            if available == 0 or available < rules["area_min_share"] * whole:
                areas.append((whole, None))
            else:
                total = sum((weight[code] * points for code, points in scored.items()), Decimal(0))
                areas.append((whole, stored(total / available)))
        known = [(whole, points) for whole, points in areas if points is not None]
        totals[park] = (
            stored(sum(whole * points for whole, points in known) / sum(weight.values()))
            if len(known) == len(areas)
            else None
        )
    step = Decimal(1).scaleb(-int(rules["rank_decimals"]))
    rounded = {park: total.quantize(step, ROUND_HALF_UP) for park, total in totals.items() if total is not None}
    rank = {park: 1 + sum(other > own for other in rounded.values()) for park, own in rounded.items()}
    return {park: (total, rank.get(park)) for park, total in totals.items()}


@settings(max_examples=150, deadline=None)
@given(st.lists(st.none() | st.decimals(-12, 12, places=3), min_size=12, max_size=12), st.sampled_from([0, 1, 2, 4]))
def test_the_steps_are_those_of_decimal_arithmetic(numbers: list[Decimal | None], decimals: int) -> None:
    document = _document(rank_decimals=decimals)
    values = [(park, code, number) for (park, code, _), number in zip(VALUES, numbers, strict=True)]
    expected = by_decimals(document, values)
    for park in score(document, values).parks:
        total, rank = expected[park.park_code]
        assert park.rank == rank
        assert (park.score is None) == (total is None)
        assert park.score is None or abs(Decimal(park.score) - total) < Decimal("1e-11")


def test_the_2025_methodology_scores_the_same_in_any_order() -> None:
    edition = methodology.load(2025)
    generator = np.random.Generator(np.random.PCG64(3))
    values = [
        (
            park,
            str(indicator["code"]),
            float(generator.uniform(indicator["bounds"]["low"], indicator["bounds"]["high"])),
        )
        for park in edition.park_codes
        for indicator in edition.document["indicators"]
        if indicator["state"] == "computed"
    ]
    scores = score(edition.document, values)
    assert sorted(p.rank for p in scores.parks if p.rank) == list(range(1, 23))
    assert scores == score(edition.document, values[::-1])
