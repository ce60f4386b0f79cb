"""Distance to the zone's targets, by hand."""

from __future__ import annotations

from parkindex.scoring.targets import Progress, progress

RULES = {
    "due": 2025,
    "rows": [
        {"code": "T1", "operator": ">", "low": 100},
        {"code": "T3", "operator": "range", "low": 3, "high": 5},
        {"code": "T4", "operator": ">=", "low": 800},
        {"code": "T7", "operator": "<=", "low": 3},
    ],
}


def of(code: str, edition: int = 2023, **more: dict) -> Progress:
    given = {"values": {}, "before": {}, "ends": {}, **more}
    return next(one for one in progress(RULES, edition, **given) if one.target_code == code)


def test_what_is_missing_is_spread_over_the_years_that_are_left() -> None:
    found = of("T4", values={"T4": 700.0}, before={"T4": 660.0})
    assert (found.met, found.distance, found.years_left, found.per_year, found.gained) == (False, 100, 2, 50, 40)
    assert of("T4", 2025, values={"T4": 700.0}).per_year == 100
    assert of("T4", 2027, values={"T4": 900.0}).distance == 0
    assert of("T4").distance is None and of("T4").met is None


def test_each_operator_has_its_own_way() -> None:
    assert of("T1", values={"T1": 100.0}).met is False and of("T1", values={"T1": 101.0}).met is True
    assert [of("T3", values={"T3": value}).distance for value in (2.0, 4.0, 7.0)] == [1, 0, 2]
    assert [of("T7", values={"T7": value}).met for value in (3.0, 4.0)] == [True, False]


def test_both_ends_of_an_open_definition_may_disagree() -> None:
    assert of("T4", values={"T4": 900.0}, ends={"T4": (700.0, 900.0)}).met_by_all is False
    assert of("T4", values={"T4": 900.0}, ends={"T4": (820.0, 900.0)}).met_by_all is True
    assert of("T4", values={"T4": 900.0}).met_by_all is None
