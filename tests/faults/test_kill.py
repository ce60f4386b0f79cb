"""SIGKILL during a load: landing the file again gives what an undisturbed load gives (faults marked K)."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import kill
import pytest

from parkindex.settings import Settings


@pytest.fixture
def undisturbed(make_warehouse: Callable[[], Settings], tmp_path: Path) -> list[str]:
    settings = make_warehouse()
    kill.prepare(settings, tmp_path)
    batch = kill.land(settings, tmp_path, kill.delivery(tmp_path))
    assert batch.status == "loaded"
    assert min(batch.rows_accepted or 0, batch.rows_rejected or 0, batch.rows_duplicate or 0) > 0
    return kill.content(settings)


def test_killed_at_steps_of_a_load(
    make_warehouse: Callable[[], Settings], tmp_path: Path, undisturbed: list[str]
) -> None:
    for step in list(kill.STEPS)[1::3]:  # the others: python tests/faults/kill.py
        settings = make_warehouse()
        kill.prepare(settings, tmp_path)
        assert kill.check(undisturbed, settings, tmp_path, tmp_path / "到 货.csv", step), step


def test_killed_at_random_moments(
    make_warehouse: Callable[[], Settings], tmp_path: Path, undisturbed: list[str]
) -> None:
    moments = random.Random(7)  # noqa: S311 - a moment is no secret
    for _ in range(3):
        settings = make_warehouse()
        kill.prepare(settings, tmp_path)
        kill.check(undisturbed, settings, tmp_path, tmp_path / "到 货.csv", moments.uniform(0.05, 0.6))
