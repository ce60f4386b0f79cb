"""Fixtures of the fault tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import kill_release
import pytest
from feed_under_fault import FeedUnderFault

import house
from parkindex.publish import bundle
from parkindex.runtime.postgres import Cluster
from parkindex.settings import Settings


@pytest.fixture
def feed(warehouse: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FeedUnderFault:
    """The small contract as the only feed of an empty warehouse."""
    return FeedUnderFault(warehouse, tmp_path, monkeypatch)


@pytest.fixture(scope="session")
def _stage(postgres: Cluster, _released_warehouse: str, tmp_path_factory: pytest.TempPathFactory) -> kill_release.Stage:
    """Where 2025.1 is served and two candidates of other, equal content passed the gate."""
    name = "stage_warehouse"
    postgres.ensure_database(name, template=_released_warehouse)
    home = tmp_path_factory.mktemp(name)
    settings = Settings(home=home, inbox=home / "inbox", own_warehouse_url=postgres.url(name))
    with pytest.MonkeyPatch.context() as patched:
        made = house.furnish(settings, patched)
        patched.setattr(bundle, "render", kill_release.plain_pages)
        bundle.write(made.engine, settings, "2025.1")
        made.cell("indicator_scores", "value", park_code="P03", indicator_code="B2")["value"] += 1
        candidate, rival = made.build(), made.build()
        made.gate(candidate)
        made.gate(rival)
    return kill_release.Stage(postgres, name, home, candidate.candidate_id, rival.candidate_id, made_up=True)


@pytest.fixture(scope="session")
def expected(_stage: kill_release.Stage, tmp_path_factory: pytest.TempPathFactory) -> kill_release.Expected:
    """What an undisturbed release of the stage's candidate gives."""
    with _stage.scene(tmp_path_factory.mktemp("undisturbed")) as scene:
        return kill_release.undisturbed(scene)


@pytest.fixture
def scene(_stage: kill_release.Stage, tmp_path: Path) -> Iterator[kill_release.Scene]:
    """A warehouse of its own in which 2025.1 is served and a candidate waits for its approvals."""
    with _stage.scene(tmp_path) as made:
        yield made
