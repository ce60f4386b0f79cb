"""The verbs about what a published ranking is worth: doubt and moved, on a release."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from parkindex.cli.__main__ import cli
from parkindex.publish import doubts


def test_doubt_and_moves_of_a_release_are_told_and_kept(released_house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARKINDEX_HOME", str(released_house.settings.home))
    monkeypatch.setenv("PARKINDEX_WAREHOUSE_URL", str(released_house.settings.own_warehouse_url))

    def call(*words: str) -> Any:
        return CliRunner().invoke(cli, list(words))

    told = json.loads(call("doubt", "2025", "--draws", "50", "--json").stdout)
    assert told["candidate_id"] == "2025-c1" and told["simulation"]["draws"] == 50
    assert len(told["simulation"]["parks"]) >= 20
    assert json.loads(call("doubt", "2025-c1", "--draws", "50", "--json").stdout) == told
    assert (
        "没有弱相关指标" in (people := call("doubt", "2025", "--lang", "zh").output)
        or "negative" in people
        or "weak" in people
    )
    moves = json.loads(call("moved", "2025", "--json").stdout)
    assert moves["against"] is None and len(moves["parks"]) == 22
    one = call("moved", "2025", "P01", "--lang", "en")
    assert "Nothing was published last year" in one.output and one.output.count("P01") == 1
    assert call("moved", "2025", "P99").exit_code == 3
    with released_house.engine.connect() as connection:
        kept = doubts.read(connection, "cand_1__")
        assert set(kept) == set(doubts.TOPICS)
        assert [park["park_code"] for park in kept["zone"]["map"]["parks"]] == ["P01"]
        assert kept["zone"]["moves"] == [{"from_park_code": "P01", "to_park_code": "P02", "enterprises": 1}]
        assert doubts.read(connection, "cand_99__") == {}
