"""Which files a run of an ingest DAG lands: by its params, by its interval, in how many tasks."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from parkindex import pipeline
from parkindex.errors import BadInputError
from parkindex.raw import inbox

PARAMS = {"received_from": None, "received_until": None, "tasks": 3}
# A night in Shanghai: 02:15 of the 8th, a week after the last.
WEEK = (datetime(2025, 2, 28, 18, 15, tzinfo=UTC), datetime(2025, 3, 7, 18, 15, tzinfo=UTC))


def test_a_nightly_run_lands_whatever_is_there() -> None:
    assert pipeline.span_of_run(PARAMS, "scheduled", WEEK) == {"since": None, "until": None, "tasks": 3}


def test_a_backfill_lands_what_came_in_its_own_interval() -> None:
    assert pipeline.span_of_run(PARAMS, "backfill", WEEK) == {"since": "2025-03-01", "until": "2025-03-07", "tasks": 3}
    assert pipeline.span_of_run(PARAMS, "backfill", (None, None))["since"] is None


def test_days_of_the_params_come_first() -> None:
    asked = PARAMS | {"received_from": "2024-01-01"}
    for kind in ("manual", "backfill"):
        assert pipeline.span_of_run(asked, kind, WEEK) == {"since": "2024-01-01", "until": None, "tasks": 3}


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (1, [1]), (3, [1, 1, 1]), (4, [1, 1, 2]), (8, [2, 3, 3])])
def test_files_are_dealt_out_whole_and_in_order(monkeypatch: pytest.MonkeyPatch, count: int, sizes: list[int]) -> None:
    names = [f"{number}.csv" for number in range(count)]
    asked: list[object] = []

    def found(_engine: object, _settings: object, *told: object) -> list[Path]:
        asked.extend(told)
        return [Path("in") / name for name in names]

    monkeypatch.setattr(inbox, "not_landed", found)
    monkeypatch.setattr(pipeline, "_open", lambda *_: (SimpleNamespace(), None))
    groups = pipeline.files_to_land("shops", "2025-03-01", None, 3)
    assert [len(group) for group in groups] == sizes
    assert [name for group in groups for name in group] == names
    assert [str(one) for one in asked] == ["shops", "2025-03-01", "None"]


def test_a_day_that_is_none_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "_open", lambda *_: (SimpleNamespace(), None))
    with pytest.raises(BadInputError, match="is no day") as caught:
        pipeline.files_to_land("shops", "2025-02-30")
    assert "2025-12-31" in caught.value.next_step
