"""What-if on a published edition: published values, other rules, and not a row written."""

from __future__ import annotations

import copy
import json
import shutil
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from sqlalchemy import Engine, func, insert, select

from parkindex import methodology, pipeline
from parkindex.cli.__main__ import cli
from parkindex.errors import BadInputError
from parkindex.ledger import tables
from parkindex.scoring import edition, whatif
from parkindex.settings import METHODOLOGY_DIR, Settings

NOW = datetime(2026, 4, 1, tzinfo=UTC)
RULES = methodology.load(2025)
# One indicator that was not computed when the release was published.
_A6 = next(row for row in RULES.document["indicators"] if row["code"] == "A6")
_A6["state"] = "not_computed"
del _A6["bounds"]
COMPUTED = [row for row in RULES.document["indicators"] if row["state"] == "computed"]


def value_of(place: int, row: dict[str, Any]) -> Decimal:
    """Every park is as good in everything as its place; P22 is best in A1 alone and worst in the rest."""
    low, high = Decimal(str(row["bounds"]["low"])), Decimal(str(row["bounds"]["high"]))
    share = Decimal(24 - place) / 26
    if place == 21:
        share = Decimal(row["code"] == "A1")
    return low + share * (high - low)


@pytest.fixture
def published(warehouse: Settings) -> Engine:
    """A warehouse with one release of 2025, inserted as the publisher does."""
    engine = pipeline.engine_of(warehouse)
    methodology.store(engine, RULES)
    values = [
        (code, row["code"], value_of(place, row)) for place, code in enumerate(RULES.park_codes) for row in COMPUTED
    ]
    scores = {park.park_code: park for park in edition.score(RULES.document, values).parks}
    of_release = {"release_id": "2025.1", "edition": 2025}
    digest = "0" * 64
    with engine.begin() as connection:
        connection.execute(
            insert(tables.releases).values(
                **of_release,
                sequence=1,
                candidate_id="2025-c1",
                **dict.fromkeys(
                    (
                        "content_sha256",
                        "annex_sha256",
                        "previous_sha256",
                        "chain_sha256",
                        "inputs_sha256",
                        "code_sha256",
                    ),
                    digest,
                ),
                methodology_sha256=RULES.sha256,
                as_known=NOW,
                published_at=NOW,
                reason="first release",
                approved_by="nobody",
                gate_run_id=1,
            )
        )
        connection.execute(insert(tables.current).values(edition=2025, release_id="2025.1"))
        connection.execute(
            insert(tables.released_indicator_scores),
            [
                {
                    **of_release,
                    "park_code": park,
                    "indicator_code": code,
                    "value": value,
                    "unit": "x",
                    "evidence_count": 1,
                    "obs_status": "observed",
                }
                for park, code, value in values
            ],
        )
        connection.execute(
            insert(tables.released_park_ranking),
            [
                {
                    **of_release,
                    "park_code": park["park_code"],
                    "park_name_zh": park["name_zh"],
                    "park_name_en": park["name_en"],
                    "rank": scores[park["park_code"]].rank,
                    "is_tied": False,
                    "score": Decimal(repr(scores[park["park_code"]].score)),
                    "tier": scores[park["park_code"]].tier,
                    "status": "not_assessed",
                    "obs_status": "observed",
                }
                for park in RULES.document["parks"]
            ],
        )
    return engine


def rows_kept(engine: Engine) -> dict[str, int]:
    with engine.connect() as connection:
        return {
            str(table): connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in tables.metadata.sorted_tables
        }


def test_nothing_changed_gives_the_published_ranking(published: Engine) -> None:
    answer = whatif.ask(published, 2025, {"weight.A1": "5"})  # what it is
    assert [park.rank_after for park in answer.parks] == [park.rank_before for park in answer.parks] == [*range(1, 23)]
    assert {park.rank_change for park in answer.parks} == {0}
    assert all(park.rank_low_after and park.rank_high_after for park in answer.parks)


def test_other_weights_give_other_ranks_and_write_nothing(published: Engine) -> None:
    before = rows_kept(published)
    changes = {f"weight.{row['code']}": "0" for row in COMPUTED if row["code"] not in ("A1", "A2")}
    answer = whatif.ask(published, 2025, {**changes, "weight.A1": "90"})
    first = answer.parks[0]
    assert (first.park_code, first.rank_before, first.rank_after, first.rank_change) == ("P22", 22, 1, 21)
    assert (first.tier_before, first.tier_after) == (3, 1)
    # of the only area that is left A1 weighs 90 and A2 4: 100 and 0
    assert first.score_after == pytest.approx(100 * 90 / 94)
    assert rows_kept(published) == before


def test_what_is_not_published_cannot_be_tried(published: Engine, tmp_path: Path) -> None:
    framework = {key: copy.deepcopy(RULES.document[key]) for key in ("areas", "indicators")}
    added = next(row for row in framework["indicators"] if row["code"] == "A6")
    added.update(state="computed", bounds={"low": 0, "high": 9, "mark": "assumed"})
    (tmp_path / "framework.yaml").write_text(yaml.safe_dump(framework, allow_unicode=True), "utf-8")
    with pytest.raises(BadInputError, match="A6 has no published values"):
        whatif.ask(published, 2025, {}, tmp_path / "framework.yaml")
    with pytest.raises(BadInputError, match="Nothing of edition 2024 is published"):
        whatif.ask(published, 2024, {"weight.A1": "9"})


def test_the_verb_answers_people_and_programs(
    published: Engine, warehouse: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARKINDEX_HOME", str(warehouse.home))
    monkeypatch.setenv("PARKINDEX_WAREHOUSE_URL", str(warehouse.own_warehouse_url))
    words = ["whatif", "2025", "--set", "weight.A=0", "--set", "rule.rank_decimals=4"]
    shown = CliRunner().invoke(cli, [*words, "--json"])
    assert shown.exit_code == 0, shown.output
    document = json.loads(shown.stdout)
    assert document["published"] is False and document["release_id"] == "2025.1"
    assert document["changes"] == {"weight.A": "0", "rule.rank_decimals": "4"}
    assert [park["rank_after"] for park in document["parks"]] == list(range(1, 23))
    people = CliRunner().invoke(cli, [*words, "--lang", "zh"])
    assert "试算，未发布" in people.output and "P22" in people.output


def test_freezing_a_new_version_tells_its_effect_on_every_park(
    published: Engine, warehouse: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PARKINDEX_HOME", str(warehouse.home))
    monkeypatch.setenv("PARKINDEX_WAREHOUSE_URL", str(warehouse.own_warehouse_url))
    folder = Path(shutil.copytree(METHODOLOGY_DIR, tmp_path / "methodology"))
    for name, old, new in (
        ("edition.yaml", 'version: "2"', 'version: "3"'),
        ("framework.yaml", "weight: {value: 5,", "weight: {value: 44,"),
        ("framework.yaml", "weight: {value: 5,", "weight: {value: 1,"),
    ):
        path = folder / "2025" / name
        path.write_text(path.read_text("utf-8").replace(old, new, 1), "utf-8")
    rules = yaml.safe_load((folder / "2025" / "framework.yaml").read_text("utf-8"))
    spare = sum(row["weight"]["value"] for row in rules["indicators"]) - 100
    for row in rules["indicators"]:
        if row["code"] not in ("A1", "B1") and spare:
            taken = min(row["weight"]["value"], spare)
            row["weight"]["value"] -= taken
            spare -= taken
    (folder / "2025" / "framework.yaml").write_text(yaml.safe_dump(rules, allow_unicode=True), "utf-8")

    words = ["methodology", "freeze", "2025", "--as", "somebody", "--on", "2025-07-01", "--reason", "A1 counts more"]
    shown = CliRunner().invoke(cli, [*words, "--folder", str(folder), "--json"])
    assert shown.exit_code == 0, shown.output
    effects = json.loads(shown.stdout)["effects"]
    assert effects["release_id"] == "2025.1" and len(effects["parks"]) == 22
    best_in_a1 = next(park for park in effects["parks"] if park["park_code"] == "P22")
    assert best_in_a1["rank_before"] == 22 and best_in_a1["rank_change"] > 0
    people = CliRunner().invoke(cli, ["methodology", "diff", str(METHODOLOGY_DIR / "2025"), str(folder / "2025")])
    assert people.exit_code == 0 and "By the values of 2025.1" in people.output, people.output
