"""A third of the corruptions of a good candidate (all: ``make chaos``): stopped at the gate, or listed as beyond it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import mutate_gate
import pytest
from sqlalchemy import Engine

import gate_fixture
from parkindex import gate, pipeline
from parkindex.runtime.postgres import Cluster
from parkindex.settings import Settings

_NAME = "gate_mutations"


@pytest.fixture(scope="module")
def candidate(
    postgres: Cluster, _empty_warehouse: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Engine, gate.CandidateSubject]]:
    """A good candidate in a warehouse of its own."""
    postgres.ensure_database(_NAME, template=_empty_warehouse)
    home = tmp_path_factory.mktemp(_NAME)
    engine = pipeline.engine_of(Settings(home=home, inbox=home, own_warehouse_url=postgres.url(_NAME)))
    yield engine, gate_fixture.make(engine)
    engine.dispose()
    postgres.drop_database(_NAME)


def test_there_are_enough_corruptions_and_few_are_beyond_the_gate() -> None:
    names = [mutation.name for mutation in mutate_gate.MUTATIONS]
    beyond = [mutation for mutation in mutate_gate.MUTATIONS if mutation.beyond is not None]

    assert len(set(names)) == len(names)
    assert len(names) - len(beyond) >= 60
    assert len(beyond) <= 5
    assert all(mutation.beyond for mutation in beyond)


def test_every_third_corruption_is_judged_rightly(candidate: tuple[Engine, gate.CandidateSubject]) -> None:
    engine, subject = candidate

    assert mutate_gate.wrongly_judged(engine, subject, mutate_gate.MUTATIONS[::3]) == []


def test_a_dropped_expectation_stops_a_good_candidate(
    candidate: tuple[Engine, gate.CandidateSubject], tmp_path: Path
) -> None:
    engine, subject = candidate
    lost = "marts.patents_are_not_lost"

    stopped = mutate_gate.stopped_without(engine, subject, "marts", lost, tmp_path / "expectations")

    assert stopped == ["gate.suites_are_registered"]
