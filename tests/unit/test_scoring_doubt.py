"""Doubt about a ranking: simulations against a plain loop, sensitivity against functions with known shares, leaving out
against building again, coherence against textbook numbers."""

from __future__ import annotations

import copy
import math
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkindex import methodology
from parkindex.errors import BadInputError
from parkindex.scoring import coherence, doubt, leave_out
from parkindex.scoring.draws import uniform
from parkindex.scoring.edition import Value, score

RULES = methodology.load(2025).document
CODES = [row["code"] for row in RULES["indicators"] if row["state"] == "computed"]
PARKS = [park["park_code"] for park in RULES["parks"]]


def values(seed: int = 3, missing: int = 4) -> list[Value]:
    """Values of every park between the bounds, some outside, some missing."""
    drawn = uniform(seed, (len(PARKS), len(CODES)))
    bounds = {row["code"]: row["bounds"] for row in RULES["indicators"] if row["state"] == "computed"}
    found: list[Value] = []
    for (row, park), (column, code) in product(enumerate(PARKS), enumerate(CODES)):
        low, high = bounds[code]["low"], bounds[code]["high"]
        found.append((park, code, low + (1.4 * drawn[row, column] - 0.2) * (high - low)))
    for place in range(missing):
        park, code, _ = found[place * 23]
        found[place * 23] = (park, code, None)
    return found


def test_simulated_totals_are_those_of_a_plain_loop() -> None:
    prepared = doubt.model(RULES, values())
    drawn = uniform(9, (48, prepared.columns))
    totals = prepared.totals(drawn)
    framework, m = prepared.framework, len(CODES)
    for row, numbers in enumerate(drawn):
        weights = framework.weights * (0.75 + 0.5 * numbers[:m])
        normalisation, aggregation, missing, treatment = (
            math.floor(number * count) for number, count in zip(numbers[m:], (3, 2, 2, 2), strict=True)
        )
        filled, present = prepared.scores[normalisation, missing, treatment]
        for column in range(len(prepared.parks)):
            areas, area_weights = [], []
            for member in framework.member:
                inside = [i for i in range(m) if member[i] and present[column, i]]
                areas.append(sum(weights[i] * filled[column, i] for i in inside) / sum(weights[i] for i in inside))
                area_weights.append(sum(weights[i] for i in range(m) if member[i]))
            if aggregation == 0:
                expected = sum(w * a for w, a in zip(area_weights, areas, strict=True)) / sum(area_weights)
            else:
                logs = [w * math.log(max(a, 1)) for w, a in zip(area_weights, areas, strict=True)]
                expected = math.exp(sum(logs) / sum(area_weights))
            assert totals[row, column] == pytest.approx(expected, abs=1e-9)


def test_the_official_choices_without_spread_give_the_official_ranks() -> None:
    document = copy.deepcopy(RULES)
    next(rule for rule in document["rules"] if rule["code"] == "robustness_weight_spread")["value"] = 0
    prepared = doubt.model(document, values())
    official = prepared.ranks(prepared.totals(np.zeros((1, prepared.columns))))[0]
    assert official.tolist() == prepared.official.tolist()


def test_every_normalisation_and_filling_is_what_its_name_says() -> None:
    given_values = values()
    prepared = doubt.model(RULES, given_values)
    column = CODES.index("B2")
    raw = np.array([value for _, code, value in given_values if code == "B2"], dtype=float)[
        [PARKS.index(park) for park in prepared.parks]
    ]
    minmax, there = prepared.scores[1, 0, 0]
    known = there[:, column] == 1
    assert minmax[known, column] == pytest.approx(100 * (raw[known] - raw[known].min()) / np.ptp(raw[known]))
    by_rank = prepared.scores[2, 0, 0][0][known, column]
    assert sorted(by_rank) == pytest.approx([100 * place / (known.sum() - 1) for place in range(known.sum())])
    filled, present = prepared.scores[0, 1, 0]
    assert present.all()
    lacking = np.argwhere(prepared.scores[0, 0, 0][1] == 0)
    assert len(lacking)
    row, place = lacking[0]
    peers = {park["park_code"]: park["peer_group"] for park in RULES["parks"]}
    own = [
        prepared.scores[0, 0, 0][0][other, place]
        for other in range(len(prepared.parks))
        if peers[prepared.parks[other]] == peers[prepared.parks[row]] and prepared.scores[0, 0, 0][1][other, place]
    ]
    assert filled[row, place] == pytest.approx(np.median(own))


def test_doubt_is_the_same_twice_and_its_shares_add_up() -> None:
    first = doubt.measure(RULES, values(), draws=300, sobol_base=64)
    assert first == doubt.measure(RULES, values(), draws=300, sobol_base=64)
    assert first != doubt.measure(RULES, values(), draws=300, sobol_base=64, seed=2)
    assert [park.rank for park in first.parks] == sorted(park.rank for park in first.parks)
    for park in first.parks:
        assert sum(park.tier_shares.values()) == pytest.approx(1)
        assert park.best <= park.low <= park.median <= park.high <= park.worst
        assert park.below_pass_line is not None and 0 <= park.below_pass_line <= 1
    assert first.first_order is not None and set(first.first_order) == set(doubt.SOURCES)
    assert first.mean_shift > 0


def test_published_intervals_hold_the_rank_and_come_from_the_simulations() -> None:
    intervals = doubt.rank_intervals(RULES, values())
    assert intervals == doubt.rank_intervals(RULES, values()[::-1])
    simulated = {park.park_code: park for park in doubt.measure(RULES, values(), sobol_base=8).parks}
    assert [one.park_code for one in intervals] == [park for park in PARKS if park in simulated]
    tiers = {row["tier"]: (row["rank_from"], row["rank_to"]) for row in RULES["tiers"]["rows"]}
    for one in intervals:
        park = simulated[one.park_code]
        assert (one.rank_low, one.rank_high) == (min(park.low, park.rank), max(park.high, park.rank))
        tier = next(tier for tier, (first, last) in tiers.items() if first <= park.rank <= last)
        assert one.tier_share == park.tier_shares[tier]
    assert any(one.rank_low < one.rank_high for one in intervals)
    assert doubt.nearest_rank(5, 201) == 10 and doubt.nearest_rank(95, 201) == 190  # the 11th and the 191st
    assert doubt.rank_intervals(RULES, [(park, code, None) for park in PARKS for code in CODES]) == []


def test_shares_below_the_pass_line_follow_the_line() -> None:
    document = {**RULES, "consequences": {**RULES["consequences"], "pass_line": 0}}
    assert {park.below_pass_line for park in doubt.measure(document, values(), draws=50, sobol_base=8).parks} == {0.0}
    document = {**RULES, "consequences": {**RULES["consequences"], "pass_line": 100}}
    assert {park.below_pass_line for park in doubt.measure(document, values(), draws=50, sobol_base=8).parks} == {1.0}
    without = {key: value for key, value in RULES.items() if key != "consequences"}
    assert {park.below_pass_line for park in doubt.measure(without, values(), draws=50, sobol_base=8).parks} == {None}


def test_nobody_ranked_means_no_doubt_to_measure() -> None:
    nothing: list[Value] = [(park, code, None) for park in PARKS for code in CODES]
    assert doubt.measure(RULES, nothing).parks == []


def ishigami(x: Any) -> Any:
    """Function of Ishigami and Homma (1990) with a = 7, b = 0.1 on [−π, π]³."""
    y = -math.pi + 2 * math.pi * x
    return (np.sin(y[:, 0]) + 7 * np.sin(y[:, 1]) ** 2 + 0.1 * y[:, 2] ** 4 * np.sin(y[:, 0]))[:, None]


def test_sensitivity_finds_the_shares_that_are_known_in_closed_form() -> None:
    drawn = uniform(5, (2 * 20_000, 3))
    alone, part = doubt.sobol(drawn[:20_000], drawn[20_000:], [slice(i, i + 1) for i in range(3)], ishigami)
    assert alone[:, 0] == pytest.approx([0.3139, 0.4424, 0.0], abs=0.02)
    assert part[:, 0] == pytest.approx([0.5576, 0.4424, 0.2437], abs=0.02)
    # Two inputs as one group: alone they explain what each does and what they do together.
    alone, part = doubt.sobol(drawn[:20_000], drawn[20_000:], [slice(0, 2), slice(2, 3)], ishigami)
    assert alone[0, 0] == pytest.approx(0.3139 + 0.4424, abs=0.02)
    assert part[1, 0] == pytest.approx(0.2437, abs=0.02)
    alone, _ = doubt.sobol(drawn[:9], drawn[9:18], [slice(0, 3)], lambda x: np.ones((len(x), 1)))
    assert np.isnan(alone).all()


# ------------------------------------------------------------------------------------------------------- leaving out


def test_without_an_indicator_the_ranking_is_that_of_a_methodology_without_it() -> None:
    found = leave_out.without_indicators(RULES, values())
    assert [one.indicator_code for one in found] == CODES
    document = copy.deepcopy(RULES)
    next(row for row in document["indicators"] if row["code"] == "A2")["state"] = "not_computed"
    expected = {park.park_code: park.rank for park in score(document, values()).parks}
    one = next(one for one in found if one.indicator_code == "A2")
    assert one.ranks == expected
    assert one.parks_moved == sum(park.rank != expected[park.park_code] for park in score(RULES, values()).parks)


SCALES = {"ratio": 100.0, "count": 1.0}


def small_document() -> dict[str, Any]:
    document = copy.deepcopy(RULES)
    document["parks"] = document["parks"][:4]
    document["tiers"]["rows"] = [{"tier": 1, "rank_from": 1, "rank_to": 4}]
    kept = [row for row in document["indicators"] if row["code"] in ("A1", "A5", "B1", "C4")]
    for row in kept:
        row["bounds"] = {"low": 0, "high": 60 if row["code"] == "A5" else 100, "mark": "assumed"}
    document["indicators"] = kept
    return document


def rebuilt(document: dict[str, Any], contributions: list[leave_out.Contribution]) -> list[leave_out.Measured]:
    """Values from contributions, as the warehouse makes them: A5 a count, the others ratios of sums."""
    found = []
    for park, row in product(document["parks"], document["indicators"]):
        code = row["code"]
        own = [one for one in contributions if (one.park_code, one.indicator_code) == (park["park_code"], code)]
        top, bottom = sum(one.numerator for one in own), sum(one.denominator for one in own)
        if code == "A5":
            found.append(leave_out.Measured(park["park_code"], code, top, top, None))
        elif bottom:
            found.append(leave_out.Measured(park["park_code"], code, 100 * top / bottom, top, bottom))
        else:
            found.append(leave_out.Measured(park["park_code"], code, None, None, None))
    return found


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 7),
            st.integers(0, 3),
            st.sampled_from(["A1", "A5", "B1", "C4"]),
            st.integers(0, 9),
            st.integers(0, 9),
        ),
        min_size=1,
        max_size=60,
        unique_by=lambda one: one[:3],
    )
)
def test_without_an_enterprise_the_ranking_is_that_of_building_again(
    rows: list[tuple[int, int, str, int, int]],
) -> None:
    document = small_document()
    contributions = [
        leave_out.Contribution(f"E{who}", f"P{park + 1:02}", code, top, 0 if code == "A5" else top + bottom)
        for who, park, code, top, bottom in rows
    ]
    found = leave_out.without_enterprises(document, rebuilt(document, contributions), contributions)
    assert found.not_updated == [] or all(
        all(one.value is None for one in rebuilt(document, contributions) if one.indicator_code == code)
        for code in found.not_updated
    )
    for row, who in enumerate(found.enterprises):
        rest = rebuilt(document, [one for one in contributions if one.enterprise_id != who])
        expected = score(document, [(one.park_code, one.indicator_code, one.value) for one in rest]).parks
        assert [None if np.isnan(rank) else int(rank) for rank in found.ranks[row]] == [one.rank for one in expected]
        assert found.totals[row] == pytest.approx(
            [np.nan if one.score is None else one.score for one in expected], abs=1e-9, nan_ok=True
        )


def test_a_value_that_is_no_ratio_of_its_sums_is_named_and_kept() -> None:
    document = small_document()
    contributions = [leave_out.Contribution("E1", f"P{park:02}", "A5", 3.0, 0.0) for park in range(1, 5)]
    measured = [
        leave_out.Measured(park["park_code"], row["code"], 7.0 if place else 3.0, 3.0, None)
        if row["code"] == "A5"
        else leave_out.Measured(park["park_code"], row["code"], 50.0, 1.0, 2.0)
        for place, park in enumerate(document["parks"])
        for row in document["indicators"]
    ]
    found = leave_out.without_enterprises(document, measured, contributions)
    assert found.not_updated == ["A5"]
    assert (found.ranks[0] == found.before).all()
    stray = [leave_out.Contribution("E1", "P99", "A5", 1.0, 0.0)]
    with pytest.raises(BadInputError, match="P99"):
        leave_out.without_enterprises(document, measured, stray)


# ---------------------------------------------------------------------------------------------------------- coherence


def test_reliability_and_components_are_those_of_numbers_worked_out_by_hand() -> None:
    # Three columns, variances 1 each, the sum's variance 9: the same column three times.
    same = np.array([[1.0, 1, 1], [2, 2, 2], [3, 3, 3]])
    assert coherence.cronbach_alpha(same) == pytest.approx(1.5 * (1 - 3 / 9))
    assert coherence.components(same) == pytest.approx([1, 0, 0])
    # Uncorrelated columns: alpha 0, components of equal size.
    apart = np.array([[1.0, 1], [1, -1], [-1, 1], [-1, -1]])
    assert coherence.cronbach_alpha(apart) == pytest.approx(0)
    assert coherence.components(apart) == pytest.approx([0.5, 0.5])
    assert coherence.cronbach_alpha(same[:, :1]) is None
    assert coherence.components(same[:2]) == []


def test_weak_opposed_and_redundant_indicators_are_flagged() -> None:
    document = copy.deepcopy(RULES)
    bounds = {row["code"]: row["bounds"] for row in document["indicators"] if row["state"] == "computed"}
    directions = {row["code"]: row["direction"] for row in document["indicators"]}

    def value(place: int, code: str) -> float:
        share = 0.1 + 0.8 * place / (len(PARKS) - 1)
        if (code == "C4") != (directions[code] < 0):
            share = 1 - share
        return float(bounds[code]["low"] + share * (bounds[code]["high"] - bounds[code]["low"]))

    listed: list[Value] = [(park, code, value(place, code)) for place, park in enumerate(PARKS) for code in CODES]
    sizes = {(park, "B1"): float(place + 1) for place, park in enumerate(PARKS)}
    found = coherence.measure(document, listed, sizes)
    by_code = {one.indicator_code: one for one in found.indicators}
    assert by_code["C4"].flag == "negative" and by_code["C4"].with_total == pytest.approx(-1)
    assert by_code["A1"].flag is None and by_code["A1"].with_area == pytest.approx(1)
    assert by_code["B1"].with_size == pytest.approx(1) and by_code["A1"].with_size is None
    assert ("A1", "A2") in {pair[:2] for pair in found.redundant}
    assert not any("C4" in pair[:2] for pair in found.redundant)
    assert sum(one.importance or 0 for one in found.indicators) == pytest.approx(100)
    assert found.largest_gap < 1e-9
    assert found.components[0] == pytest.approx(1)


def test_contributions_add_up_to_totals_where_values_are_missing() -> None:
    assert coherence.measure(RULES, values()).largest_gap < 1e-9
