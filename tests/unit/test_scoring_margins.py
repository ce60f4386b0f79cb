"""What a next rank takes, and where an order holds: by hand, and checked by trying."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from test_scoring_moved import document, listed

from parkindex.errors import BadInputError, UsageError
from parkindex.scoring import margins, whatif
from parkindex.scoring.edition import Value, score

VALUES = listed((60, 60), (50, 40), (20, 30))


def ranks(rules: dict[str, Any], values: list[Value]) -> dict[str, int | None]:
    return {park.park_code: park.rank for park in score(rules, values).parks}


def test_the_value_that_brings_the_next_rank_does_so_and_no_nearer_one() -> None:
    points = {point.indicator_code: point for point in margins.next_points(document(), VALUES, "P2")}
    # P1 has 60, P2 has 45: 15 points more need 30 more of either; a shared rank is reached when totals round alike.
    assert points["A1"].rank_value == pytest.approx(80, abs=0.02)
    assert points["A1"].point_change == pytest.approx(2)
    assert points["A2"].value_change == pytest.approx(30, abs=0.02)
    reached = points["A1"].rank_value
    assert ranks(document(), [(p, c, reached if (p, c) == ("P2", "A1") else v) for p, c, v in VALUES])["P2"] == 1
    nearer = [(p, c, (reached or 0) - 0.03 if (p, c) == ("P2", "A1") else v) for p, c, v in VALUES]
    assert ranks(document(), nearer)["P2"] == 2


def test_the_easiest_stands_first_and_what_cannot_help_last() -> None:
    at_bound = listed((90, 60), (100, 40), (20, 30))
    points = margins.next_points(document(), at_bound, "P2")
    assert [point.indicator_code for point in points] == ["A2", "A1"]
    assert points[1].rank_value is None and points[1].point_change is None
    # The first has no next rank; a value below its bound starts to count at the bound.
    assert {point.rank_value for point in margins.next_points(document(), at_bound, "P1")} == {None}
    below = listed((90, 60), (-50, 40), (20, 30))
    change = {point.indicator_code: point for point in margins.next_points(document(), below, "P2")}
    assert change["A1"].point_change == pytest.approx(2)
    missing = listed((90, 60), (None, 40), (20, 30))
    lacking = {point.indicator_code: point for point in margins.next_points(document(), missing, "P2")}
    assert lacking["A1"].value is None and lacking["A1"].effort is None
    with pytest.raises(BadInputError, match="P9 has no rank"):
        margins.next_points(document(), VALUES, "P9")


def test_an_order_holds_between_the_weights_that_are_told() -> None:
    values = listed((80, 20), (40, 50), (10, 10))
    # P1 leads P2 while 40·w > 30·50: w > 37.5 of A1 (A2 stays 50).
    found = margins.region(document(), values, ["P1", "P2"])
    a1, a2 = found.ranges
    assert found.holds and a1.low == pytest.approx(37.5, abs=0.05) and a1.high == 100
    assert a2.low == 0 and a2.high == pytest.approx(50 * 40 / 30, abs=0.05)
    # All together: (40·50 − 30·50) ÷ (40·50 + 30·50).
    assert found.all_together == pytest.approx(500 / 3500)
    share = found.all_together or 0
    for factor, first in ((share - 0.01, 1), (share + 0.01, 2)):
        changed = copy.deepcopy(document())
        changed["indicators"][0]["weight"]["value"] *= 1 - factor
        changed["indicators"][1]["weight"]["value"] *= 1 + factor
        assert ranks(changed, values)["P1"] == first
    assert margins.region(document(), values, ["P2", "P1"]).holds is False
    assert margins.region(document(), listed((80, None), (40, 50), (10, 10)), ["P1", "P2"]).all_together is None
    with pytest.raises(BadInputError, match="two different parks"):
        margins.region(document(), values, ["P1", "P1"])


def test_own_values_take_the_place_of_published_ones() -> None:
    rules = document()
    for park in rules["parks"]:
        park["name_zh"] = {"P1": "核心园"}.get(park["park_code"], park["park_code"])
    put = whatif.with_values(rules, VALUES, {"A1[P3]": "100", "A2[P3]": "100", "A1[核心园]": "none"})
    assert ranks(rules, put)["P3"] == 1
    assert ("P1", "A1", None) in put and ("P2", "A1", 50) in put
    for key, value in (("A1[P9]", "1"), ("Z9[P1]", "1"), ("A1[P1]", "much")):
        with pytest.raises(UsageError):
            whatif.with_values(rules, VALUES, {key: value})
