"""Publish twice at once: two publishers, two DAG runs, command line and DAG. One wins, the other says so."""

from __future__ import annotations

import io
import json
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
for _path in (FOLDER, FOLDER.parent):
    if str(_path) not in sys.path:
        sys.path.insert(0, str(_path))

from kill_release import PEOPLE, REASON, Expected, Scene, arrange, processes, reader, served  # noqa: E402
from sqlalchemy import text  # noqa: E402

from parkindex import pipeline  # noqa: E402
from parkindex.cli.__main__ import cli as command  # noqa: E402
from parkindex.errors import ParkindexError  # noqa: E402
from parkindex.publish import approvals, bundle_check, candidates, verify  # noqa: E402

PUBLISHERS, RUNS, COMMAND = "two publishers", "two runs of the DAG", "command line and DAG"
KINDS = (PUBLISHERS, RUNS, COMMAND)


def check(scene: Scene, expected: Expected, kind: str) -> int:
    """Publish twice at once; return how many of the two said that the other one was first (always 1)."""
    engine = scene.engine
    wanted = [scene.candidate_id, scene.rival_id if kind == RUNS else scene.candidate_id]
    for candidate_id in sorted(set(wanted)):
        for name, role in PEOPLE:
            approvals.register(engine, name, role)
            content = candidates.get(engine, candidate_id).content_sha256
            approvals.decide(engine, candidate_id, content, name, role, "approve", "seen")
    with reader(scene.settings.warehouse_url, frozenset(expected.served), home=scene.settings.releases) as reads:
        outcomes = _at_once(scene, kind, wanted)
    said = _said(kind, outcomes)
    with engine.connect() as connection:
        found = connection.execute(text("select release_id from publish.releases order by sequence")).scalars().all()
        told = connection.execute(
            text("select outcome, reason from audit.attempts where action = 'publish' order by attempt_id")
        ).all()
    assert found == ["2025.1", "2025.2"], (kind, found)
    assert [row.outcome for row in told[-2:]] == ["done", "refused"], (kind, told)
    assert "2025.2" in told[-1].reason, told
    assert [row[2] for row in served(scene.settings.warehouse_url)] == [expected.served[1]]
    assert [one.as_dict() for one in verify.verify_warehouse(engine, scene.settings)] == []
    assert bundle_check.check(scene.settings.releases / "2025.2") == []
    assert reads.bad == [], (kind, reads.bad[:3])
    return said


def _at_once(scene: Scene, kind: str, wanted: list[str]) -> list[tuple[int, str]]:
    """Run two publishers that wait for each other; return exit code and words of each."""
    context = processes()
    start = context.Barrier(2)
    running = []
    for place, candidate_id in enumerate(wanted):
        receiving, sending = context.Pipe(duplex=False)
        by_command = kind == COMMAND and place == 0
        child = context.Process(target=_publish, args=(scene, candidate_id, by_command, start, sending))
        child.start()
        sending.close()
        running.append((child, receiving))
    outcomes = [receiving.recv() for _, receiving in running]
    for child, _ in running:
        child.join()
        child.close()
    return outcomes


def _publish(scene: Scene, candidate_id: str, by_command: bool, start: Any, answer: Any) -> None:
    arrange(scene)
    os.environ["PARKINDEX_HOME"] = str(scene.settings.home)
    os.environ["PARKINDEX_WAREHOUSE_URL"] = scene.settings.warehouse_url
    start.wait()
    answer.send(_by_command(candidate_id) if by_command else _by_dag(candidate_id))
    answer.close()


def _by_dag(candidate_id: str) -> tuple[int, str]:
    """Do what the DAG's tasks `publish` and `bundle` do."""
    try:
        made = pipeline.publish_built(candidate_id, REASON)
        pipeline.write_bundle(made["release_id"])
    except ParkindexError as error:
        return int(error.exit_code), json.dumps(error.as_dict(), ensure_ascii=False)
    return 0, json.dumps(made)


def _by_command(candidate_id: str) -> tuple[int, str]:
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(io.StringIO()):
        try:
            command(["publish", candidate_id, "--reason", REASON, "--json"])
        except SystemExit as ended:
            return int(ended.code or 0), out.getvalue()
    return 0, out.getvalue()


def _said(kind: str, outcomes: list[tuple[int, str]]) -> int:
    """Return how many said that the other was first."""
    codes = sorted(code for code, _ in outcomes)
    if kind == RUNS:
        assert codes == [0, 5], (kind, outcomes)
        (lost,) = (words for code, words in outcomes if code == 5)
        assert "now it is 2025.2" in lost, lost
        return 1
    assert codes == [0, 0], (kind, outcomes)
    made = [json.loads(words) for _, words in outcomes]
    assert {one["release_id"] for one in made} == {"2025.2"}
    return sum(one["already_published"] for one in made)
