"""What is hidden, and that it cannot be computed back: held against a linear program that knows all that is public."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from parkindex.privacy import policy, suppression
from parkindex.privacy.suppression import Cell, Place

RULES = policy.load().disclosure
MANY = {f"firm{number}": Decimal(10 + number) for number in range(8)}


def cell(
    park: str, indicator: str, score: float = 40, sides: Mapping[str, Decimal] | None = None, **more: object
) -> Cell:
    """A cell whose value is its score: bounds 0 to 100, direction 1."""
    made = Cell(
        park_code=park,
        indicator_code=indicator,
        area_code=indicator[0],
        value=Decimal(str(score)),
        score=Decimal(str(score)),
        weight=Decimal(5),
        low=Decimal(0),
        high=Decimal(100),
        direction=1,
        sides={"numerator": MANY if sides is None else sides},
    )
    return replace(made, **more)  # type: ignore[arg-type]


def park(name: str, **own: Mapping[str, Decimal]) -> list[Cell]:
    """A park with four indicators in one area; ``A1=amounts`` replaces the enterprises behind one."""
    return [
        cell(name, code, score, own.get(code, {f"{code}-{firm}": amount for firm, amount in MANY.items()}))
        for code, score in (("A1", 40), ("A2", 55), ("A3", 30), ("A4", 70))
    ]


@pytest.mark.parametrize(
    ("amounts", "rule"),
    [
        ([], None),
        (["0", "0"], None),
        (["5"], "minimum_count"),
        (["5", "0", "6"], "minimum_count"),
        (["-5", "6"], "minimum_count"),
        (["86", "7", "7"], "dominance"),
        (["85", "8", "7"], "p_percent"),
        (["60", "34", "6"], None),
        (["61", "34", "6"], "p_percent"),
        (["1", "1"], None),  # a count of enterprises, from a public list
        (["1", "1.5"], "minimum_count"),
    ],
)
def test_primary_rules(amounts: list[str], rule: str | None) -> None:
    assert suppression.unsafe(map(Decimal, amounts), RULES) == rule


def test_a_cell_of_one_enterprise_is_hidden_and_another_with_it() -> None:
    decision = suppression.decide(park("P01", A2={"only": Decimal(900)}), RULES)
    assert decision.withheld["P01", "A2"] == suppression.Withheld("C", "minimum_count")
    secondary = [place for place, why in decision.withheld.items() if why.conf_status == "D"]
    assert len(secondary) == 1 and decision.unprotected == ()
    assert decision.withheld[secondary[0]].rule == "complement of A2 in P01"


def test_nothing_is_hidden_where_nothing_discloses() -> None:
    assert suppression.decide(park("P01") + park("P02"), RULES) == suppression.Decision({}, ())


def test_a_group_that_two_published_sums_differ_by_is_not_left_over() -> None:
    leading = dict(list(MANY.items())[:-1])
    cells = [cell("P01", "A1", sides=leading), cell("P01", "A4", sides=MANY), *park("P01")[1:3]]
    decision = suppression.decide(cells, RULES)
    assert decision.withheld["P01", "A1"] == suppression.Withheld("C", "margin")
    # Four that are left over, none of them dominant, disclose nobody.
    fewer = dict(list(MANY.items())[:4])
    assert suppression.decide([cell("P01", "A1", sides=fewer), *cells[1:]], RULES).withheld == {}


def test_a_score_at_a_bound_needs_no_complement() -> None:
    cells = park("P01", A2={"only": Decimal(900)})
    cells[1] = replace(cells[1], value=Decimal(250), score=Decimal(100))
    assert list(suppression.decide(cells, RULES).withheld) == [("P01", "A2")]


def test_what_one_enterprise_changed_between_two_releases_stays_hidden() -> None:
    first = {one.place: one for one in park("P01")}
    moved = {**first["P01", "A3"].sides["numerator"], "A3-firm2": Decimal(99)}
    decision = suppression.decide(park("P01", A3=moved), RULES, first, {})
    assert decision.withheld["P01", "A3"] == suppression.Withheld("C", "differencing")
    many = {firm: amount + 1 for firm, amount in first["P01", "A3"].sides["numerator"].items()}
    assert suppression.decide(park("P01", A3=many), RULES, first, {}).withheld == {}


def test_what_the_release_before_hid_is_not_shown_by_the_next() -> None:
    cells = park("P01", A2={"only": Decimal(900)})
    first = suppression.decide(cells, RULES)
    statuses = {place: why.conf_status for place, why in first.withheld.items()}
    # Now others report too: the cell itself would be free, and with it the old figure as good as published.
    again = suppression.decide(
        park("P01", A2={"only": Decimal(900), "second": Decimal(800)}),
        RULES,
        {one.place: one for one in cells},
        statuses,
    )
    assert first.withheld.keys() <= again.withheld.keys()


def test_a_public_sum_over_the_parks_takes_a_second_park_along() -> None:
    cells = [
        cell(f"P0{number}", "B1", 20 + number, {"only": Decimal(7)} if number == 1 else MANY, in_public_sum=True)
        for number in range(1, 5)
    ]
    cells += [cell(f"P0{number}", "B2", 50) for number in range(1, 5)]
    decision = suppression.decide(cells, RULES)
    parks = {place[0] for place in decision.withheld if place[1] == "B1"}
    assert "P01" in parks and len(parks) > 1 and decision.unprotected == ()


# ---------------------------------------------------------------------------------- what an outsider can compute


def program(cells: list[Cell], withheld: Mapping[Place, object], wanted: Place) -> tuple[float, float]:
    """Return the least and greatest value a hidden cell can have by everything published, by linear programming.

    Only for cells whose values are strictly inside their bounds.
    """
    hidden = [one for one in cells if one.place in withheld]
    places = [one.place for one in hidden]
    rows, totals = [], []
    groups: dict[tuple[str, str], list[Cell]] = {}
    for one in hidden:
        groups.setdefault(("area", one.park_code + one.area_code), []).append(one)
        if one.in_public_sum:
            groups.setdefault(("sum", one.indicator_code), []).append(one)
    for (kind, _), members in groups.items():
        row = np.zeros(len(hidden))
        for one in members:
            row[places.index(one.place)] = float(one.weight or 0) if kind == "area" else 1.0
        rows.append(row)
        totals.append(
            sum(
                float(one.weight or 0) * float(one.score or 0) if kind == "area" else float(one.value or 0)
                for one in members
            )
        )
    goal = np.zeros(len(hidden))
    goal[places.index(wanted)] = 1
    ends = []
    for sign in (1, -1):
        found = linprog(sign * goal, A_eq=np.array(rows), b_eq=np.array(totals), bounds=[(0, 100)] * len(hidden))
        assert found.success
        ends.append(sign * found.fun)
    return ends[0], ends[1]


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    st.lists(st.lists(st.integers(2, 98), min_size=4, max_size=4), min_size=3, max_size=4),
    st.sets(st.tuples(st.integers(0, 2), st.integers(0, 3)), min_size=1, max_size=3),
)
def test_no_hidden_value_can_be_computed_back(scores: list[list[int]], lonely: set[tuple[int, int]]) -> None:
    cells = [
        cell(
            f"P{row}",
            f"B{place}",
            score,
            {f"{row}/{place}": Decimal(score)}
            if (row, place) in lonely
            else {f"{row}/{place}/{one}": x for one, x in MANY.items()},
            in_public_sum=place == 0,
        )
        for row, line in enumerate(scores)
        for place, score in enumerate(line)
    ]
    decision = suppression.decide(cells, RULES)
    confidential = {f"{row}/{place}" for row, place in lonely}
    assert {
        f"{p[1:]}/{i[1:]}" for (p, i), why in decision.withheld.items() if why.rule == "minimum_count"
    } == confidential
    ours = suppression.bounds(cells, decision.withheld)
    for one in cells:
        if one.place not in decision.withheld:
            continue
        low, high = program(cells, decision.withheld, one.place)
        least, most = ours[one.place].low, ours[one.place].high
        # Ours are never wider than what is true allows, and never narrower than what can be computed.
        assert least is None or float(least) <= low + 1e-6
        assert most is None or float(most) >= high - 1e-6
        if decision.withheld[one.place].conf_status == "C" and one.place not in decision.unprotected:
            needed = 2 * float(one.value or 0) * RULES.protection_percent / 100
            touches_an_end = low <= 1e-9 or high >= 100 - 1e-9
            assert high - low >= min(needed, 1e-6) and (high - low >= needed - 1e-6 or touches_an_end)


def test_bounds_follow_the_direction_and_open_at_clipped_ends() -> None:
    cells = park("P01")
    cells[0] = replace(cells[0], direction=-1, low=Decimal(10), high=Decimal(20), value=Decimal(16))
    hidden: dict[Place, object] = {("P01", "A1"): None}
    known = suppression.bounds(cells, hidden)["P01", "A1"]
    assert (known.low, known.high) == (Fraction(16), Fraction(16))
    both = suppression.bounds(cells, {**hidden, ("P01", "A2"): None})["P01", "A1"]
    assert both.low is not None and both.low < 16 and both.high is None
