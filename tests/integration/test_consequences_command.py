"""Decisions about a park's status, effects of other rules, and what a next rank takes: on a published edition."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, insert, select, update
from sqlalchemy.exc import DBAPIError

from parkindex import methodology, pipeline
from parkindex.cli.__main__ import cli
from parkindex.errors import BadInputError, NotApprovedError, UsageError
from parkindex.ledger import tables
from parkindex.publish import approvals, statuses
from parkindex.scoring import edition as scoring
from parkindex.settings import Settings

NOW = datetime(2026, 4, 1, tzinfo=UTC)
LAST_IN_BELT = "P22"


def publish(engine: Engine, edition: int, sequence: int, *, spread: int) -> None:
    """Insert a release as the publisher does: every park is as good in everything as its place."""
    rules = methodology.load(edition)
    methodology.store(engine, rules)
    computed = [row for row in rules.document["indicators"] if row["state"] == "computed"]
    values: list[scoring.Value] = []
    for place, park in enumerate(rules.park_codes):
        for number, row in enumerate(computed):
            low, high = Decimal(str(row["bounds"]["low"])), Decimal(str(row["bounds"]["high"]))
            share = (Decimal(24 - place) + Decimal(number % 3) / 2) / 26
            share = share if row["direction"] > 0 else 1 - share
            values.append((park, row["code"], low + share * (high - low)))
    parks = {one.park_code: one for one in scoring.score(rules.document, values).parks}
    names = {park["park_code"]: park for park in rules.document["parks"]}
    release = {"release_id": f"{edition}.1", "edition": edition}
    hashes = ("content", "annex", "previous", "chain", "inputs", "code")
    with engine.begin() as connection:
        connection.execute(
            insert(tables.releases).values(
                **release,
                sequence=sequence,
                candidate_id=f"{edition}-c1",
                **{f"{name}_sha256": "0" * 64 for name in hashes},
                methodology_sha256=rules.sha256,
                as_known=NOW,
                published_at=NOW,
                reason="first release",
                approved_by="nobody",
                gate_run_id=1,
            )
        )
        connection.execute(insert(tables.current).values(**release))
        connection.execute(
            insert(tables.released_indicator_scores),
            [
                {
                    **release,
                    "park_code": park,
                    "indicator_code": code,
                    "value": value,
                    "unit": "x",
                    "evidence_count": 1,
                    "obs_status": "normal",
                }
                for park, code, value in values
            ],
        )
        connection.execute(
            insert(tables.released_park_ranking),
            [
                {
                    **release,
                    "park_code": code,
                    "park_name_zh": names[code]["name_zh"],
                    "park_name_en": names[code]["name_en"],
                    "rank": one.rank,
                    "rank_low": max((one.rank or 0) - spread, 1),
                    "rank_high": min((one.rank or 0) + spread, 22),
                    "is_tied": one.is_tied,
                    "score": Decimal(repr(one.score)),
                    "tier": one.tier,
                    "status": "not_assessed",
                    "obs_status": "normal",
                }
                for code, one in parks.items()
            ],
        )


@pytest.fixture
def engine(warehouse: Settings, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Two published editions: sure ranks in 2024, wide intervals in 2025."""
    made = pipeline.engine_of(warehouse)
    publish(made, 2024, 1, spread=0)
    publish(made, 2025, 2, spread=3)
    approvals.register(made, "王签", "signatory")
    monkeypatch.setenv("PARKINDEX_HOME", str(warehouse.home))
    monkeypatch.setenv("PARKINDEX_WAREHOUSE_URL", str(warehouse.own_warehouse_url))
    return made


def decide(engine: Engine, edition: int, status: str, park: str = LAST_IN_BELT, **more: Any) -> dict[str, Any]:
    given = {"decided_by": "王签", "role": "signatory", "reason": "考核不合格", **more}
    return statuses.decide(engine, edition, park, status, **given)


def proposed(engine: Engine, edition: int, park: str = LAST_IN_BELT) -> Any:
    return next(one for one in statuses.proposals(engine, edition) if one.park_code == park)


def call(*words: str) -> Result:
    return CliRunner().invoke(cli, list(words))


def test_a_notice_and_a_delisting_are_proposed_by_rule_and_decided_by_a_person(engine: Engine) -> None:
    assert proposed(engine, 2024).proposed == "notice"
    assert statuses.decisions(engine) == []  # a proposal is not a decision
    with pytest.raises(NotApprovedError, match="was not on notice"):
        decide(engine, 2024, "delisted")
    decide(engine, 2024, "notice")
    assert (proposed(engine, 2025).proposed, proposed(engine, 2025).crosses_line) == ("delisted", True)
    with pytest.raises(NotApprovedError, match="crosses the line"):
        decide(engine, 2025, "delisted")
    made = decide(engine, 2025, "delisted", despite_doubt=True)
    assert (made["proposed"], made["crosses_line"]) == ("delisted", True)
    assert [one["status"] for one in statuses.decisions(engine)] == ["delisted", "notice"]
    # What was published stays what it was; what was decided is never rewritten.
    with engine.begin() as connection:
        column = tables.released_park_ranking.c.status
        assert set(connection.execute(select(column)).scalars()) == {"not_assessed"}
        with pytest.raises(DBAPIError, match="append-only"):
            connection.execute(update(tables.status_decisions).values(status="normal"))


def test_only_a_registered_person_with_a_reason_decides_on_a_park_that_is_there(engine: Engine) -> None:
    with pytest.raises(NotApprovedError, match="路人 is not registered"):
        decide(engine, 2024, "notice", decided_by="路人")
    with pytest.raises(NotApprovedError, match="registered as signatory, not as evaluator"):
        decide(engine, 2024, "notice", role="evaluator")
    with pytest.raises(UsageError, match="needs a reason"):
        decide(engine, 2024, "notice", reason=" ")
    with pytest.raises(UsageError, match="not a status"):
        decide(engine, 2024, "fired")
    with pytest.raises(BadInputError, match="has no park"):
        decide(engine, 2024, "notice", park="P99")
    with pytest.raises(BadInputError, match="Nothing of edition 2021 is published"):
        statuses.proposals(engine, 2021)
    with engine.connect() as connection:
        outcomes = connection.execute(
            select(tables.attempts.c.outcome).where(tables.attempts.c.action == "decide status")
        )
        assert set(outcomes.scalars()) == {"refused"}


def test_the_verbs_propose_decide_and_list(engine: Engine) -> None:
    shown = json.loads(call("consequences", "propose", "2024", "--json").stdout)
    assert shown["decided"] is False
    assert {one["park_code"] for one in shown["parks"] if one["proposed"] == "commended"} == {"P01", "P02", "P03"}
    words = ("--as", "王签", "--role", "signatory", "--reason", "考核不合格", "--lang", "zh")
    assert "已记录" in call("consequences", "decide", "2024", LAST_IN_BELT, "--status", "notice", *words).output
    refused = call("consequences", "decide", "2025", LAST_IN_BELT, "--status", "delisted", *words)
    assert refused.exit_code == 5 and "--despite-doubt" in refused.output
    assert LAST_IN_BELT in call("consequences", "list").output


def test_two_methodologies_are_compared_with_the_effect_on_every_park(engine: Engine) -> None:
    found = json.loads(call("methodology", "diff", "2024", "2025", "--json").stdout)
    assert {"weight", "bounds", "rule", "tiers"} <= {one["kind"] for one in found["differences"]}
    assert found["effects"]["release_id"] == "2025.1"
    assert len(found["effects"]["parks"]) == 22
    assert any(one["score_before"] != one["score_after"] for one in found["effects"]["parks"])
    of_last = json.loads(call("methodology", "diff", "2024", "2025", "--values-of", "2024", "--json").stdout)
    assert of_last["effects"]["release_id"] == "2024.1"
    none = json.loads(call("methodology", "diff", "2024", "2025", "--values-of", "2021", "--json").stdout)
    assert none["effects"] is None and "2021" in none["note"]
    assert "名次" in call("methodology", "diff", "2024", "2025", "--lang", "zh").output


def test_what_if_a_park_had_other_values_and_what_its_next_rank_takes(engine: Engine) -> None:
    better = [word for code in ("A1", "A2", "B1", "B2") for word in ("--set", f"{code}[P09]=99999")]
    found = json.loads(call("whatif", "2025", *better, "--json").stdout)
    after = {one["park_code"]: one for one in found["parks"]}
    assert after["P09"]["rank_after"] < after["P09"]["rank_before"] == 9
    assert sum(one["rank_change"] for one in found["parks"]) == 0
    points = json.loads(call("whatif", "2025", "--next-rank", "P09", "--json").stdout)["points"]
    point = next(one for one in points if one["indicator_code"] == "A1")
    one_more = f"A1[P09]={point['value'] + point['point_change']!r}"
    again = json.loads(call("whatif", "2025", "--set", one_more, "--json").stdout)
    moved = next(one for one in again["parks"] if one["park_code"] == "P09")
    assert moved["score_after"] - float(moved["score_before"]) == pytest.approx(1, abs=1e-6)
    order = json.loads(call("whatif", "2025", "--order", "P01,P02", "--json").stdout)
    assert order["holds"] and order["all_together"] > 0
    assert "所有权重" in call("whatif", "2025", "--order", "P01,P02", "--lang", "zh").output
    assert call("whatif", "2025", "--order", "P01,P02", "--set", "weight.A1=1").exit_code == 2
