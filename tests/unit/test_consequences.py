"""The state machine 正常 → 通报 → 摘牌: every transition, window and line, by hand."""

from __future__ import annotations

from typing import Any

import pytest

from parkindex import methodology
from parkindex.scoring.consequences import Assessed, Decided, Proposal, propose, words


def rules(**changes: Any) -> dict[str, Any]:
    return {
        "pass_line": 40,
        "failing": {"kind": "last_in_ranking", "count": 1},
        "window": {"kind": "years", "years": 3},
        "commended": {"kind": "first_in_ranking", "count": 1},
        "red_lines": [],
        **changes,
    }


def year(edition: int, *order: str, low: int = 0, high: int = 0, groups: str = "abcd") -> list[Assessed]:
    """Parks in the order of their ranks; intervals reach some places up and down; scores 90, 80, 70, …"""
    return [
        Assessed(
            edition,
            f"{edition}.1",
            park,
            groups["PQRS".index(park)],
            place,
            max(place - low, 1),
            min(place + high, len(order)),
            100.0 - 10 * place,
        )
        for place, park in enumerate(order, start=1)
    ]


def of(park: str, found: list[Proposal]) -> Proposal:
    return next(one for one in found if one.park_code == park)


def test_the_first_failure_is_a_notice_and_the_second_a_delisting() -> None:
    first = year(2023, "P", "Q", "R", "S")
    assert of("S", propose(rules(), 2023, first, {})).proposed == "notice"
    assert of("P", propose(rules(), 2023, first, {})).proposed == "commended"
    assert of("Q", propose(rules(), 2023, first, {})).proposed is None
    both = first + year(2024, "P", "Q", "R", "S")
    # Nobody decided the notice: the second failure is a first one for the record.
    undecided = of("S", propose(rules(), 2024, both, {}))
    assert (undecided.proposed, undecided.strikes, undecided.status) == ("notice", 2, "normal")
    decided = {"S": [Decided(2023, "notice")]}
    second = of("S", propose(rules(), 2024, both, decided))
    assert (second.proposed, second.status, second.strikes) == ("delisted", "notice", 2)
    assert second.evidence["mean_score_of_failing"] == 60
    # The same edition again proposes nothing more; nothing follows a delisting.
    assert of("S", propose(rules(), 2023, first, decided)).proposed is None
    assert of("S", propose(rules(), 2024, both, {"S": [*decided["S"], Decided(2024, "delisted")]})).proposed is None


@pytest.mark.parametrize(
    ("window", "second", "proposed"),
    [
        ({"kind": "consecutive"}, 2024, "delisted"),
        ({"kind": "consecutive"}, 2025, "notice"),
        ({"kind": "years", "years": 3}, 2025, "delisted"),
        ({"kind": "years", "years": 3}, 2026, "notice"),
        ({"kind": "any"}, 2040, "delisted"),
    ],
)
def test_the_window_says_what_counts_as_twice(window: dict[str, Any], second: int, proposed: str) -> None:
    history = year(2023, "P", "Q", "R", "S") + year(second, "P", "Q", "R", "S")
    found = of("S", propose(rules(window=window), second, history, {"S": [Decided(2023, "notice")]}))
    assert found.proposed == proposed


def test_a_notice_ends_when_its_window_is_over() -> None:
    history = [one for edition in (2023, 2024, 2025) for one in year(edition, "P", "S", "Q", "R")]
    decided = {"S": [Decided(2023, "notice")]}
    assert of("S", propose(rules(), 2024, history, decided)).proposed is None
    assert of("S", propose(rules(), 2025, history, decided)).proposed == "normal"


def test_the_line_is_drawn_among_peers_or_by_score_and_an_event_needs_none() -> None:
    ranking = year(2025, "P", "Q", "R", "S", groups="aabb")
    peers = propose(rules(failing={"kind": "last_in_peers", "count": 1}), 2025, ranking, {})
    assert [one.failing for one in peers] == [False, True, False, True]
    # A group of one has no last.
    alone = propose(rules(failing={"kind": "last_in_peers", "count": 1}), 2025, year(2025, "P", "Q", groups="abcd"), {})
    assert [one.failing for one in alone] == [False, False]
    score = propose(rules(failing={"kind": "score_below_pass_line"}, pass_line=75), 2025, ranking, {})
    assert [one.failing for one in score] == [False, False, True, True]
    event = {"edition": 2025, "park_code": "P", "event": "重大安全事故", "document": "x"}
    red = propose(rules(failing={"kind": "red_line"}, red_lines=[event]), 2025, ranking, {})
    assert [one.failing for one in red] == [True, False, False, False]
    assert red[0].proposed == "notice" and red[0].evidence["red_lines"] == ["重大安全事故"]


def test_an_interval_on_both_sides_of_the_line_is_flagged() -> None:
    found = propose(rules(), 2025, year(2025, "P", "Q", "R", "S", low=1, high=1), {})
    assert [one.crosses_line for one in found] == [False, False, True, True]
    assert not any(one.crosses_line for one in propose(rules(), 2025, year(2025, "P", "Q", "R", "S"), {}))


def test_who_stands_exactly_on_the_line_or_shares_it_is_flagged() -> None:
    on_line = propose(
        rules(failing={"kind": "score_below_pass_line"}, pass_line=80), 2025, year(2025, "P", "Q", "R"), {}
    )
    assert [(one.failing, one.crosses_line) for one in on_line] == [(False, False), (False, True), (True, False)]
    shared = [*year(2025, "P", "Q"), Assessed(2025, "2025.1", "R", "c", 2, 2, 2, 80.0)]
    assert [one.crosses_line for one in propose(rules(), 2025, shared, {})] == [False, True, True]


def test_a_park_without_a_rank_fails_by_no_rank_and_is_not_commended() -> None:
    nobody = Assessed(2025, "2025.1", "S", "d", None, None, None, None)
    found = propose(rules(), 2025, [*year(2025, "P", "Q"), nobody], {})
    assert (found[-1].failing, found[-1].proposed, found[-1].crosses_line) == (False, None, False)


def test_the_shipped_rule_says_itself_in_one_line() -> None:
    assert words(methodology.load(2025).document["consequences"]) == "last_in_peers 1; window years 3"
    assert words(rules(failing={"kind": "score_below_pass_line"})) == "score_below_pass_line 40; window years 3"
