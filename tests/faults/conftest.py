"""Fixture of the fault tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from feed_under_fault import FeedUnderFault

from parkindex.settings import Settings


@pytest.fixture
def feed(warehouse: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FeedUnderFault:
    """The small contract as the only feed of an empty warehouse."""
    return FeedUnderFault(warehouse, tmp_path, monkeypatch)
