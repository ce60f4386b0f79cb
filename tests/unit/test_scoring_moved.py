"""What moved a park: the parts, worked out by hand and adding up whatever the numbers are."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkindex.scoring.edition import Value
from parkindex.scoring.moved import PARTS, Past, split

PARKS = ("P1", "P2", "P3")


def document(weight: float = 50, parks: tuple[str, ...] = PARKS) -> dict[str, Any]:
    """One area, two indicators from 0 to 100."""
    return {
        "edition": 2025,
        "areas": [{"code": "A"}],
        "parks": [{"park_code": park} for park in parks],
        "indicators": [
            {
                "code": code,
                "area": "A",
                "weight": {"value": share},
                "bounds": {"low": 0, "high": 100},
                "direction": 1,
                "state": "computed",
            }
            for code, share in (("A1", weight), ("A2", 100 - weight))
        ],
        "tiers": {"rows": [{"tier": 1, "rank_from": 1, "rank_to": len(parks)}]},
        "rules": [{"code": "area_min_share", "value": 0.5}, {"code": "rank_decimals", "value": 2}],
    }


def listed(*pairs: tuple[float | None, float | None]) -> list[Value]:
    return [
        (park, code, value)
        for park, pair in zip(PARKS, pairs, strict=False)
        for code, value in zip(("A1", "A2"), pair, strict=True)
    ]


def test_each_cause_alone_is_found_as_that_cause() -> None:
    start = listed((50, 50), (40, 40), (30, 30))
    told = {"P1": (50.0, 1), "P2": (40.0, 2), "P3": (30.0, 3)}

    def parts(**changes: Any) -> dict[str, dict[str, float] | None]:
        values = changes.pop("values", start)
        past = Past(
            **{"document": document(), "published": told, "values": start, "matched": start, **changes.pop("past", {})}
        )
        moves = split(past, changes.pop("document", document()), values, changes.pop("matched", values))
        return {move.park_code: {k: v for k, v in (move.rank_parts or {}).items() if v} for move in moves}

    assert parts() == {"P1": {}, "P2": {}, "P3": {}}
    # P3 rises past both by itself; the others fall because of another park.
    assert parts(values=listed((50, 50), (40, 40), (60, 60))) == {
        "P1": {"others": -1.0},
        "P2": {"others": -1.0},
        "P3": {"own": 2.0},
    }
    # P1 falls to 45 and P2 rises to 48: each alone changes nothing, so each has half of it.
    assert parts(values=listed((45, 45), (48, 48), (30, 30))) == {
        "P1": {"own": -0.5, "others": -0.5},
        "P2": {"own": 0.5, "others": 0.5},
        "P3": {},
    }
    # The same, brought about by a boundary: without it the values are those of last year.
    assert parts(values=listed((50, 50), (60, 60), (30, 30)), matched=start)["P2"] == {"sample": 1.0}
    # Last year's values turn out to have been others.
    revised = listed((50, 50), (55, 55), (30, 30))
    assert parts(values=revised, past={"values": revised, "matched": revised})["P2"] == {"revisions": 1.0}
    # Other rules on the same values.
    lopsided = listed((50, 50), (0, 90), (30, 30))
    changed = parts(
        values=lopsided,
        document=document(10),
        past={
            "values": lopsided,
            "matched": lopsided,
            "published": {"P1": (50.0, 1), "P2": (45.0, 2), "P3": (30.0, 3)},
        },
    )
    assert changed["P2"] == {"methodology": 1.0}


def test_points_are_never_moved_by_other_parks() -> None:
    past = Past(document(), None, listed((50, 50), (40, 40), (30, 30)), listed((50, 50), (40, 40), (30, 30)))
    moves = split(past, document(), listed((55, 50), (90, 40), (30, 35)), listed((55, 50), (90, 40), (30, 35)))
    assert [move.score_parts["others"] for move in moves if move.score_parts] == [0, 0, 0]
    assert moves[0].score_parts is not None and moves[0].score_parts["own"] == pytest.approx(2.5)
    # Nothing was published: the last edition is what is known of it now, so nothing was revised.
    assert {move.rank_parts["revisions"] for move in moves if move.rank_parts} == {0}


def test_a_park_without_a_rank_on_some_step_has_no_parts() -> None:
    before = listed((50, 50), (40, 40), (None, None))
    past = Past(document(), None, before, before)
    now = listed((50, 50), (40, 40), (60, 60))
    moves = {move.park_code: move for move in split(past, document(), now, now)}
    assert (moves["P3"].rank_before, moves["P3"].rank_after, moves["P3"].rank_change) == (None, 1, None)
    assert moves["P3"].rank_parts is None and moves["P3"].score_parts is None
    assert moves["P1"].rank_parts is not None and moves["P1"].rank_change == -1


def test_a_park_that_the_old_rules_did_not_know_is_new() -> None:
    before = [value for value in listed((50, 50), (40, 40), (None, None)) if value[0] != "P3"]
    past = Past(document(parks=PARKS[:2]), None, before, listed((50, 50), (40, 40), (None, None)))
    # The same values by this edition's rules: the new park has none.
    now = listed((50, 50), (40, 40), (60, 60))
    moves = {move.park_code: move for move in split(past, document(), now, now)}
    assert moves["P3"].rank_before is None and moves["P3"].rank_parts is None
    assert moves["P1"].rank_change == -1


numbers = st.one_of(st.none(), st.integers(0, 100).map(float))
tables = st.lists(st.tuples(numbers, numbers), min_size=3, max_size=3)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(tables, min_size=4, max_size=4), st.integers(1, 99), st.lists(st.integers(1, 3), min_size=3, max_size=3)
)
def test_the_parts_always_add_up_to_the_change(four: list[Any], weight: int, told: list[int]) -> None:
    before, matched_before, after, matched_after = (listed(*pairs) for pairs in four)
    published = {park: (50.0 + rank, rank) for park, rank in zip(PARKS, told, strict=True)}
    past = Past(copy.deepcopy(document()), published, before, matched_before)
    for move in split(past, document(weight), after, matched_after):
        if move.rank_parts is not None and move.score_parts is not None:
            assert set(move.rank_parts) == set(PARTS)
            assert sum(move.rank_parts.values()) == move.rank_change
            assert sum(move.score_parts.values()) == pytest.approx(
                (move.score_after or 0) - (move.score_before or 0), abs=1e-9
            )
