"""Row 52 of the fault matrix: an objection is upheld and corrected by a release of its own, or rejected and kept."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from parkindex.errors import BadInputError, NotApprovedError, UsageError
from parkindex.publish import approvals, objections, releases, verify

DECIDER = ("赵法", "methodologist")


def best_value(house: Any, park: str, indicator: str) -> str:
    """A value with which the indicator scores 100."""
    (bounds,) = house.sql(
        "select bound_low, bound_high, direction from publish.indicators where indicator_code = :code limit 1",
        code=indicator,
    )
    return str(bounds.bound_high if bounds.direction > 0 else bounds.bound_low)


def computed_indicator(house: Any) -> str:
    (row,) = house.sql(
        "select indicator_code from publish.indicators where state = 'computed' order by weight desc, 1 limit 1"
    )
    return str(row.indicator_code)


def last_park(house: Any) -> str:
    (row,) = house.sql("select park_code from publish.park_ranking order by rank desc nulls last, park_code limit 1")
    return str(row.park_code)


def open_one(house: Any, subject: str = "2025.1", **changed: Any) -> dict[str, Any]:
    park, indicator = last_park(house) if "2025.1" in subject else "P22", computed_indicator(house)
    given = {
        "reason": "two incubators were left out",
        "opened_by": "园区办",
        "indicator_code": indicator,
        "value": best_value(house, park, indicator),
    }
    return objections.open_objection(house.engine, subject, park, **(given | changed))


def decide(house: Any, number: int, decision: str, **changed: Any) -> dict[str, Any]:
    approvals.register(house.engine, *DECIDER)
    given = {"decided_by": DECIDER[0], "role": DECIDER[1], "reason": "the list of the district shows them"}
    return objections.decide(house.engine, number, decision, **(given | changed))


def test_52_an_upheld_objection_becomes_a_correction_that_supersedes_and_the_old_release_stays_readable(
    released_house: Any, tmp_path: Path
) -> None:
    house = released_house
    evidence = tmp_path / "名单.pdf"
    evidence.write_bytes(b"the list")
    opened = open_one(house, evidence=evidence)
    assert (opened["evidence_name"], len(opened["evidence_sha256"])) == ("名单.pdf", 64)
    park, indicator = opened["park_code"], opened["indicator_code"]
    # The effect is told for every park: the one that objects rises, and others fall for it.
    effect = {row["park_code"]: row for row in opened["effect"]}
    assert len(effect) == 22
    assert effect[park]["rank_after"] < effect[park]["rank_before"]
    assert any(row["rank_after"] > row["rank_before"] for row in effect.values())
    # Strikes are counted anew.
    assert (effect[park]["fails_before"], effect[park]["strikes_before"]) == (True, 1)
    assert (effect[park]["fails_after"], effect[park]["strikes_after"]) == (False, 0)
    assert sum(row["strikes_after"] for row in effect.values()) == sum(row["strikes_before"] for row in effect.values())

    made = decide(house, opened["objection_id"], "upheld")
    assert made["effect"] == opened["effect"]
    with pytest.raises(NotApprovedError, match="decided already: upheld"):
        decide(house, opened["objection_id"], "rejected")

    house.cell("indicator_scores", "value", park_code=park, indicator_code=indicator)["value"] = made["decided_value"]
    release = house.publish(house.ready(), "C: objection of the park, two incubators were left out")
    assert (release.revision_type, release.supersedes_release_id) == ("C", "2025.1")
    (row,) = house.sql("select * from serve.objections")
    assert (row.state, row.decided_by, row.corrected_by) == ("upheld", DECIDER[0], "2025.2")
    assert row.parks_moved == sum(one["rank_after"] != one["rank_before"] for one in effect.values())
    (correction,) = house.sql("select * from serve.corrections")
    assert (correction.revision_type, correction.number_in_edition, correction.supersedes_release_id) == (
        "C",
        1,
        "2025.1",
    )
    assert len(house.sql("select * from serve.park_ranking where release_id = '2025.1'")) == 22
    listed = {one["release_id"]: one for one in releases.list_releases(house.engine)}
    assert (listed["2025.1"]["is_current"], listed["2025.2"]["is_current"]) == (False, True)
    assert verify.verify_warehouse(house.engine, house.settings) == []


def test_52_a_rejected_objection_is_recorded_and_changes_nothing(released_house: Any) -> None:
    house = released_house
    opened = open_one(house)
    made = decide(house, opened["objection_id"], "rejected", reason="the incubators closed in March")
    assert made["decided_value"] is None
    assert all(row["rank_before"] == row["rank_after"] for row in made["effect"])
    (row,) = house.sql("select * from serve.objections")
    assert (row.state, row.decision_reason, row.corrected_by) == ("rejected", "the incubators closed in March", None)
    assert len(house.sql("select * from publish.releases")) == 1
    assert [outcome for outcome, _ in house.attempts("decide objection")] == ["done"]


def test_52_a_revision_that_does_not_touch_what_was_upheld_corrects_nothing(released_house: Any) -> None:
    house = released_house
    opened = open_one(house)
    decide(house, opened["objection_id"], "upheld")
    other = next(code for code in ("P01", "P02") if code != opened["park_code"])
    cell = house.cell("indicator_scores", "value", park_code=other, indicator_code=opened["indicator_code"])
    cell["value"] += 1
    house.publish(house.ready(), "C: something else")
    (row,) = house.sql("select * from serve.objections")
    assert (row.state, row.corrected_by) == ("upheld", None)


def test_52_a_candidate_is_not_published_while_an_objection_to_it_waits(house: Any) -> None:
    candidate = house.ready()
    with house.engine.connect() as connection:
        (indicator,) = connection.exec_driver_sql(
            "select indicator_code from cand_1__park_index.indicators where state = 'computed' order by 1 limit 1"
        ).one()
    opened = objections.open_objection(
        house.engine,
        candidate.candidate_id,
        "P05",
        reason="one plot is missing",
        opened_by="园区办",
        indicator_code=indicator,
        value="1",
    )
    assert house.sql("select * from serve.objections") == []  # what is not published is not told to the public
    with pytest.raises(NotApprovedError, match="is not decided"):
        house.publish(candidate)
    decide(house, opened["objection_id"], "rejected")
    assert house.publish(candidate).release_id == "2025.1"
    assert [row.state for row in house.sql("select * from serve.objections")] == ["rejected"]


def test_52_what_makes_no_sense_is_refused_by_name(released_house: Any, tmp_path: Path) -> None:
    house = released_house
    refused: tuple[tuple[type[Exception], dict[str, Any], str], ...] = (
        (UsageError, {"reason": " "}, "needs a reason"),
        (UsageError, {"indicator_code": None}, "one of an indicator"),
        (UsageError, {"value": "NaN"}, "is not a number"),
        (BadInputError, {"indicator_code": "Z9"}, "no computed indicator 'Z9'"),
        (BadInputError, {"evidence": tmp_path / "missing.pdf"}, "cannot be read"),
    )
    for kind, changed, message in refused:
        with pytest.raises(kind, match=message):
            open_one(house, **changed)
    with pytest.raises(BadInputError, match=r"no release '2031\.1'"):
        objections.open_objection(house.engine, "2031.1", "P01", reason="x", opened_by="x")
    opened = open_one(house, value=None, indicator_code=None)
    assert all(row["rank_before"] == row["rank_after"] for row in opened["effect"])
    with pytest.raises(NotApprovedError, match="not registered"):
        objections.decide(house.engine, 1, "upheld", decided_by="某人", role="signatory", reason="x")
    with pytest.raises(UsageError, match="is no decision"):
        decide(house, opened["objection_id"], "perhaps")
    with pytest.raises(BadInputError, match="no objection 99"):
        decide(house, 99, "upheld")
    assert isinstance(Decimal(opened["effect"][0]["score_before"]), Decimal)
