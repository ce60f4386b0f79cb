"""Kill a build or a gate at a named step or at any moment; then clear away and do it again, whole."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
for _path in (FOLDER, FOLDER.parent):
    if str(_path) not in sys.path:
        sys.path.insert(0, str(_path))

from kill_release import EDITION, Expected, Scene, arrange, deadly, killed, processes, reader, served  # noqa: E402
from sqlalchemy import Engine, text  # noqa: E402

from parkindex import gate  # noqa: E402
from parkindex.publish import candidates, verify  # noqa: E402
from parkindex.settings import Settings  # noqa: E402
from parkindex.transform import dbt, leftovers  # noqa: E402

# Step → function at which the process dies, and whether it dies before or behind it.
BUILD_STEPS: dict[str, tuple[Any, str, bool]] = {
    "stage: before": (candidates.warehouse, "stage", True),
    "stage: behind": (candidates.warehouse, "stage", False),
    "identity: behind": (candidates.resolve, "run", False),
    "dbt: behind the marts": (candidates.warehouse, "relate", False),
    "dbt: behind the index": (candidates.warehouse, "index", False),
    "build: behind the rank intervals": (candidates, "_fill_rank_intervals", False),
    "build: behind the doubts": (candidates.doubts, "fill", False),
    "build: before the candidate is recorded": (candidates, "_refuse_other_editions", False),
    "build: behind the record, before its commit": (candidates.attempts, "done", False),
}
GATE_STEPS: dict[str, tuple[Any, str, bool]] = {
    "gate: before anything is evaluated": (gate.run.__globals__["verdict"], "record", True),
    "gate: behind the verdict": (gate.run.__globals__["verdict"], "record", False),
}


def build(scene: Scene, step: str | float | None) -> None:
    """Build a candidate, in a child."""
    _die_at(BUILD_STEPS, step)
    candidates.build(scene.engine, scene.settings, EDITION, built_by="airflow")


def judge(scene: Scene, step: str | float | None) -> None:
    """Gate the scene's candidate, in a child."""
    _die_at(GATE_STEPS, step)
    gate.run(scene.engine, scene.settings, subject_of(scene))


def _die_at(steps: dict[str, tuple[Any, str, bool]], step: str | float | None) -> None:
    if isinstance(step, str):
        owner, name, before = steps[step]
        setattr(owner, name, deadly(getattr(owner, name), before=before))


def subject_of(scene: Scene) -> gate.CandidateSubject:
    """Return the scene's candidate as the gate sees it."""
    one = candidates.get(scene.engine, scene.candidate_id)
    return gate.CandidateSubject(
        one.candidate_id, one.schema_prefix, one.edition, one.content_sha256, one.methodology_sha256, one.as_known
    )


def check_build(scene: Scene, expected: Expected, step: str | float) -> bool:
    """Kill a build; nothing of it counts, `gc` drops what it left and nothing else, and a build gives the same."""
    engine = scene.engine
    before = {one.candidate_id for one in candidates.list_candidates(engine)}
    schemas = schemas_of(scene)
    with reader(scene.settings.warehouse_url, frozenset(expected.served)) as reads:
        died = killed(build, (scene,), step)
        recorded = {one.candidate_id for one in candidates.list_candidates(engine)} - before
        _unharmed(scene, expected)
        clear_away(scene)
        whole = {f"{candidates.get(engine, name).schema_prefix}{stage}" for name in recorded for stage in _STAGES}
        assert schemas_of(scene) == schemas | whole, "what a killed build left is dropped, and nothing else"
        leftovers.clear(scene.settings)
        assert leftovers.of(scene.settings) == []
        assert not killed(build, (scene,), None)
    newest = candidates.list_candidates(engine)[0]
    assert newest.candidate_id not in before | recorded
    assert newest.content_sha256 == expected.content_sha256, "O3"
    _unharmed(scene, expected)
    assert reads.bad == [], (step, reads.bad[:3])
    return died


def check_gate(scene: Scene, expected: Expected, step: str | float) -> bool:
    """Kill a gate; there is no half verdict, and the next one says the same."""
    with reader(scene.settings.warehouse_url, frozenset(expected.served)) as reads:
        died = killed(judge, (scene,), step)
        _whole_verdicts(scene)
        assert not killed(judge, (scene,), None)
    verdicts = _whole_verdicts(scene)
    assert len(set(verdicts)) == 1, verdicts
    _unharmed(scene, expected)
    assert reads.bad == [], (step, reads.bad[:3])
    return died


_STAGES = candidates.STAGES


def clear_away(scene: Scene) -> None:
    """Drop what nobody builds any more; the server takes a moment to see that a killed builder is gone."""
    with scene.engine.connect() as connection:
        recorded = {one.schema_prefix for one in candidates.list_candidates(scene.engine)}
        for _ in range(200):
            candidates.gc(scene.engine)
            left = connection.execute(text("select nspname from pg_namespace where nspname like 'cand\\_%'")).scalars()
            if {name.partition("__")[0] + "__" for name in left} <= recorded:
                return
            time.sleep(0.05)
    raise AssertionError("schemas of a killed build stay behind")


@contextmanager
def hanging_build(scene: Scene) -> Iterator[Any]:
    """Give a child that has made its schemas, is inside a run of dbt, and stays there."""
    ready = processes().Event()
    child = processes().Process(target=_hang, args=(scene, ready))
    child.start()
    try:
        assert ready.wait(120)
        yield child
    finally:
        child.kill()
        child.join()
        child.close()


def _hang(scene: Scene, ready: Any) -> None:
    def stage(engine: Engine, settings: Settings, prefix: str, *_: Any) -> None:
        with engine.begin() as connection:
            connection.execute(text(f"create schema {prefix}staging"))
        with dbt._working_folder(settings):
            ready.set()
            time.sleep(600)

    arrange(scene)
    candidates.warehouse.stage = stage
    candidates.build(scene.engine, scene.settings, EDITION, built_by="airflow")


def schemas_of(scene: Scene) -> set[str]:
    """Return the schemas of candidates."""
    with scene.engine.connect() as connection:
        names = connection.execute(text("select nspname from pg_namespace where nspname like 'cand\\_%'")).scalars()
        return set(names)


def _unharmed(scene: Scene, expected: Expected) -> None:
    """O2, and the chain: nothing is published by a build or a gate, and nothing that is published changes."""
    assert [row[2] for row in served(scene.settings.warehouse_url)] == [expected.served[0]], "O2"
    assert [one.as_dict() for one in verify.verify_warehouse(scene.engine, scene.settings)] == []


def _whole_verdicts(scene: Scene) -> list[str]:
    """Return the verdicts on the candidate, each of which must have all its results."""
    query = text(
        "select runs.verdict, runs.expectations_evaluated, count(results.expectation_id) as results"
        " from audit.gate_runs as runs left join audit.expectation_results as results"
        " on results.gate_run_id = runs.gate_run_id where runs.candidate_id = :candidate"
        " group by runs.gate_run_id, runs.verdict, runs.expectations_evaluated"
    )
    with scene.engine.connect() as connection:
        rows = connection.execute(query, {"candidate": scene.candidate_id}).all()
    assert all(row.results == row.expectations_evaluated for row in rows), rows
    return [row.verdict for row in rows]
