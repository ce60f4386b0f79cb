"""Every reader on damaged deliveries, some hundred cases; ``fuzz.py`` runs as many as wanted."""

from __future__ import annotations

import time
from pathlib import Path

import fuzz
import pytest


def test_damaged_deliveries_end_in_rows_rejects_or_a_named_refusal(tmp_path: Path) -> None:
    ends = fuzz.run(330, 5, tmp_path)
    assert ends["loaded"] > 20
    assert len(ends) > 8


def test_the_same_deliveries_are_the_same_bytes_whenever_they_are_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = {one.name: one.content for one in fuzz.seeds(tmp_path)}
    # Later than the two seconds in which a ZIP keeps time, and in another year.
    later = time.time() + 40_000_000
    monkeypatch.setattr(time, "time", lambda: later)
    monkeypatch.setattr(
        time, "localtime", lambda seconds=None, _of=time.localtime: _of(later if seconds is None else seconds)
    )
    assert {one.name: one.content for one in fuzz.seeds(tmp_path)} == first
