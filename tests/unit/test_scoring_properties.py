"""What must hold of every edition's scores, whatever the rules and values are."""

from __future__ import annotations

import copy
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkindex.scoring.edition import EditionScores, Value, score

Edition = tuple[dict[str, Any], list[Value]]


@st.composite
def editions(draw: st.DrawFn, *, missing: bool = True) -> Edition:
    """Rules of up to three areas and the values of up to six parks."""
    count = draw(st.integers(1, 7))
    indicators = []
    for number in range(count):
        area = draw(st.sampled_from("ABC"))
        low = draw(st.integers(-20, 20))
        indicators.append(
            {
                "code": f"{area}{number + 1}",
                "area": area,
                "weight": {"value": draw(st.integers(1, 9))},
                "bounds": {"low": low, "high": low + draw(st.integers(1, 50))},
                "direction": draw(st.sampled_from([1, -1])),
                "state": "computed",
            }
        )
    parks = [f"P{number}" for number in range(1, draw(st.integers(2, 6)) + 1)]
    numbers = st.integers(-400, 800).map(lambda number: number / 10)
    cells = st.one_of(st.none(), numbers, numbers, numbers) if missing else numbers
    values: list[Value] = [(park, one["code"], draw(cells)) for park in parks for one in indicators]
    return (
        {
            "edition": 2025,
            "areas": [{"code": area} for area in "ABC"],
            "parks": [{"park_code": park} for park in parks],
            "indicators": indicators,
            "tiers": {"rows": [{"tier": 1, "rank_from": 1, "rank_to": len(parks)}]},
            "rules": [
                {"code": "area_min_share", "value": draw(st.sampled_from([0.0, 0.5, 1.0]))},
                {"code": "rank_decimals", "value": 2},
            ],
        },
        values,
    )


def ranks(scores: EditionScores) -> dict[str, int | None]:
    return {park.park_code: park.rank for park in scores.parks}


def totals(scores: EditionScores) -> dict[str, float | None]:
    return {park.park_code: park.score for park in scores.parks}


@settings(max_examples=60, deadline=None)
@given(editions(), st.data())
def test_no_score_falls_and_no_rank_worsens_when_a_value_gets_better(edition: Edition, data: st.DataObject) -> None:
    document, values = edition
    place = data.draw(st.integers(0, len(values) - 1))
    park, code, value = values[place]
    direction = next(one["direction"] for one in document["indicators"] if one["code"] == code)
    if value is None:
        return
    better = [*values[:place], (park, code, float(value) + direction * 7.5), *values[place + 1 :]]
    before, after = score(document, values), score(document, better)
    old, new = totals(before)[park], totals(after)[park]
    assert (old is None) == (new is None)
    if old is not None and new is not None:
        assert new >= old - 1e-9
        assert (ranks(after)[park] or 0) <= (ranks(before)[park] or 0)
    assert {p: t for p, t in totals(before).items() if p != park} == {
        p: t for p, t in totals(after).items() if p != park
    }


@settings(max_examples=40, deadline=None)
@given(editions(), st.sampled_from([0.001, 4.0, 1000.0]))
def test_units_do_not_matter(edition: Edition, factor: float) -> None:
    document, values = edition
    other = copy.deepcopy(document)
    for one in other["indicators"]:
        one["bounds"] = {end: bound * factor for end, bound in one["bounds"].items()}
    scaled: list[Value] = [
        (park, code, None if value is None else float(value) * factor) for park, code, value in values
    ]
    first, second = score(document, values), score(other, scaled)
    assert ranks(first) == ranks(second)
    for park, total in totals(first).items():
        assert totals(second)[park] == (None if total is None else pytest.approx(total, abs=1e-7))


@settings(max_examples=40, deadline=None)
@given(editions(), st.randoms(use_true_random=False))
def test_the_order_of_parks_indicators_and_values_does_not_matter(edition: Edition, chance: Any) -> None:
    document, values = edition
    other, shuffled = copy.deepcopy(document), list(values)
    for listed in (other["parks"], other["indicators"], shuffled):
        chance.shuffle(listed)
    first, second = score(document, values), score(other, shuffled)
    assert ranks(first) == ranks(second)
    for park, total in totals(first).items():
        assert totals(second)[park] == (None if total is None else pytest.approx(total, abs=1e-9))


@settings(max_examples=40, deadline=None)
@given(editions(), st.integers(-400, 800))
def test_a_further_park_moves_no_score_and_turns_no_order_round(edition: Edition, value: int) -> None:
    document, values = edition
    other = copy.deepcopy(document)
    other["parks"].append({"park_code": "P99"})
    other["tiers"]["rows"][0]["rank_to"] += 1
    more = [*values, *(("P99", one["code"], float(value)) for one in other["indicators"])]
    first, second = score(document, values), score(other, more)
    old, new = ranks(first), ranks(second)
    assert {park: total for park, total in totals(second).items() if park != "P99"} == totals(first)
    for one, another in product(old, old):
        if old[one] is not None and old[another] is not None:
            assert ((old[one] or 0) < (old[another] or 0)) == ((new[one] or 0) < (new[another] or 0))


@settings(max_examples=40, deadline=None)
@given(editions(), st.sampled_from([0.01, 3.0, 250.0]))
def test_what_is_aggregated_lies_between_its_parts_and_weights_have_no_scale(edition: Edition, factor: float) -> None:
    document, values = edition
    found = score(document, values)
    for area in found.areas:
        parts = [
            one.score
            for one in found.indicators
            if one.park_code == area.park_code and one.indicator_code[0] == area.area_code and one.score is not None
        ]
        if area.score is not None:
            assert min(parts) - 1e-9 <= area.score <= max(parts) + 1e-9
    for park in found.parks:
        parts = [one.score for one in found.areas if one.park_code == park.park_code and one.score is not None]
        if park.score is not None:
            assert min(parts) - 1e-9 <= park.score <= max(parts) + 1e-9
    other = copy.deepcopy(document)
    for one in other["indicators"]:
        one["weight"] = {"value": one["weight"]["value"] * factor}
    again = score(other, values)
    assert ranks(again) == ranks(found)
    for park_code, total in totals(found).items():
        assert totals(again)[park_code] == (None if total is None else pytest.approx(total, abs=1e-9))
