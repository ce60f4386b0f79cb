"""The proofs that take long: kills, restarts, races and mutations on a tiny world; the figures go to docs/reliability.

As a command: ``python tests/faults/kill_publication.py`` does all of it; ``… release --times 20`` does one part, 20
times. Each part writes its figures into ``docs/reliability/chaos.json``; ``docs/reliability/figures.md`` is made
from that file.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
for _path in (FOLDER, FOLDER.parent):
    if str(_path) not in sys.path:
        sys.path.insert(0, str(_path))

import kill_build  # noqa: E402
import kill_release  # noqa: E402
import race  # noqa: E402
import reliability_page  # noqa: E402
from kill_release import EDITION, Expected, Naive, Reads, Scene, Stage  # noqa: E402
from sqlalchemy import text  # noqa: E402

from parkindex import contracts, gate, pipeline, sample  # noqa: E402
from parkindex.landing.fetch import fetch  # noqa: E402
from parkindex.publish import approvals, bundle, candidates, releases, waivers  # noqa: E402
from parkindex.raw import inbox  # noqa: E402
from parkindex.runtime.postgres import Cluster  # noqa: E402
from parkindex.sample.server import Answers, Server  # noqa: E402
from parkindex.settings import Settings  # noqa: E402

SEED = 11
SIGNER = ("周法", pipeline.SIGNING_ROLE)


@dataclass(frozen=True)
class Chaos:
    """What the parts work with.

    Attributes:
        stage: Where scenes come from.
        expected: What an undisturbed release gives.
        folder: Folder for homes.
        moments: Source of random moments.
        times: How often, where a part counts; None is what the part asks for.
    """

    stage: Stage
    expected: Expected
    folder: Path
    moments: random.Random
    times: int | None

    def count(self, asked: int) -> int:
        """How often a part is to do it."""
        return asked if self.times is None else self.times


# ----------------------------------------------------------------------------------------------------------- the world


@contextmanager
def world(folder: Path) -> Iterator[Stage]:
    """Make the stage: a tiny world on a cluster with durable settings, 2025.1 published, a second candidate gated."""
    cluster = Cluster(folder / "postgres")
    cluster.start()
    try:
        cluster.ensure_database("chaos")
        settings = Settings(home=folder / "home", inbox=folder / "home/inbox", own_warehouse_url=cluster.url("chaos"))
        settings.inbox.mkdir(parents=True)
        pipeline.prepare(settings)
        _land(settings, folder / "world")
        engine = pipeline.engine_of(settings)
        # The first release was made before the newest delivery came: the second has something to revise.
        with engine.connect() as connection:
            query = "select distinct received_at from raw.batches where status = 'loaded' order by 1 desc limit 2"
            _, before = connection.execute(text(query)).scalars().all()
        first = candidates.build(engine, settings, EDITION, before, built_by="airflow")
        _pass_gate(settings, first.candidate_id)
        _publish(settings, first.candidate_id)
        second, rival = (candidates.build(engine, settings, EDITION, built_by="airflow").candidate_id for _ in "ab")
        for candidate_id in (second, rival):
            _pass_gate(settings, candidate_id)
        yield Stage(cluster, "chaos", settings.home, second, rival, made_up=False)
    finally:
        cluster.stop()


def _land(settings: Settings, folder: Path) -> None:
    sample.write(EDITION, SEED, "tiny", folder)
    for source in sorted(path for path in (folder / "feeds").rglob("*") if path.is_file()):
        target = settings.inbox / source.relative_to(folder / "feeds")
        target.parent.mkdir(parents=True, exist_ok=True)
        source.rename(target)
    with Server(Answers.of(folder)) as server:
        answering = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        answering.start()
        fetch(contracts.load("patent_events"), server.url, settings.inbox / "patent_events")
        server.shutdown()
        answering.join()
    for feed in contracts.load_all():
        inbox.land(pipeline.engine_of(settings), settings, feed)


def _pass_gate(settings: Settings, candidate_id: str) -> None:
    """Sign what a person has to sign, as in the year, and let the gate judge."""
    scene = Scene(settings, candidate_id, candidate_id, made_up=False)
    approvals.register(scene.engine, *SIGNER)
    waivers.sign(scene.engine, candidate_id, None, signed_by=SIGNER[0], role=SIGNER[1], reason="looked at it")
    verdict = gate.run(scene.engine, settings, kill_build.subject_of(scene))
    assert verdict.verdict == "pass", [one.id for one in verdict.expectations if not one.success]


def _publish(settings: Settings, candidate_id: str) -> None:
    scene = Scene(settings, candidate_id, candidate_id, made_up=False)
    candidate = candidates.get(scene.engine, candidate_id)
    for name, role in kill_release.PEOPLE:
        approvals.register(scene.engine, name, role)
        approvals.decide(scene.engine, candidate_id, candidate.content_sha256, name, role, "approve", "seen")
    bundle.write(scene.engine, settings, releases.publish(scene.engine, settings, candidate_id).release_id)


# ----------------------------------------------------------------------------------------------------------- the parts


def kill_at_release_steps(chaos: Chaos) -> dict[str, Any]:
    """SIGKILL at each named step of approve–publish–bundle."""
    reads = Reads()
    for step in kill_release.STEPS:
        with chaos.stage.scene(chaos.folder) as scene:
            died, seen = kill_release.check(scene, chaos.expected, step)
        assert died, step
        reads += seen
    return {"kills": len(kill_release.STEPS), "steps": list(kill_release.STEPS), **_read_figures(reads)}


def kill_releases(chaos: Chaos) -> dict[str, Any]:
    """SIGKILL at random moments of approve–publish–bundle."""
    reads, died, times = Reads(), 0, chaos.count(200)
    for _ in range(times):
        with chaos.stage.scene(chaos.folder) as scene:
            moment = chaos.moments.uniform(0, chaos.expected.seconds * 1.05)
            one, seen = kill_release.check(scene, chaos.expected, moment)
        died += one
        reads += seen
    return {"moments": times, "kills": died, "broken": 0, **_read_figures(reads)}


def kill_the_naive_way(chaos: Chaos) -> dict[str, Any]:
    """SIGKILL at random moments of truncate-and-insert, the way that ours stands beside, in the same harness."""
    reads, died, broken, times = Reads(), 0, 0, chaos.count(200)
    with chaos.stage.scene(chaos.folder) as scene:
        assert not kill_release.killed(kill_release.work, (scene,), None)
        url = scene.settings.warehouse_url
        naive = Naive(url)
        known = frozenset(naive.prepare())
        began = time.perf_counter()
        assert not kill_release.killed(kill_release.replace_rows, (url,), None)
        took = time.perf_counter() - began
        for _ in range(times):
            naive.prepare()
            with kill_release.reader(url, known, "naive.park_ranking") as seen:
                died += kill_release.killed(kill_release.replace_rows, (url,), chaos.moments.uniform(0, took * 1.05))
            rows = kill_release.served(url, "naive.park_ranking")
            broken += [row[2] for row in rows] not in [[digest] for digest in known]
            reads += seen
    return {"moments": times, "kills": died, "broken": broken, **_read_figures(reads)}


def restart_postgres(chaos: Chaos) -> dict[str, Any]:
    """Stop Postgres in immediate mode at random moments of approve–publish–bundle."""
    reads, times, interrupted = Reads(), chaos.count(50), 0
    for _ in range(times):
        with chaos.stage.scene(chaos.folder) as scene:
            known = frozenset(chaos.expected.served)
            with kill_release.reader(scene.settings.warehouse_url, known, home=scene.settings.releases) as seen:
                child = kill_release.processes().Process(target=kill_release.work_quietly, args=(scene,))
                child.start()
                child.join(chaos.moments.uniform(0, chaos.expected.seconds * 1.05))
                server = chaos.stage.cluster.pid
                assert server is not None
                os.kill(server, signal.SIGQUIT)  # immediate: no checkpoint, recovery at the next start
                child.join(120)
                interrupted += child.exitcode != 0
                chaos.stage.cluster.start()
                kill_release.oracles(scene, chaos.expected, done=False)
                assert not kill_release.killed(kill_release.work, (scene,), None)
            kill_release.oracles(scene, chaos.expected, done=True)
            assert seen.bad == [], seen.bad[:3]
            reads += seen
    return {"moments": times, "kills": interrupted, "broken": 0, **_read_figures(reads)}


def kill_builds(chaos: Chaos) -> dict[str, Any]:
    """SIGKILL at each named step and at random moments of a build."""
    times = chaos.count(20)
    with chaos.stage.scene(chaos.folder) as scene:
        began = time.perf_counter()
        assert not kill_release.killed(kill_build.build, (scene,), None)
        took = time.perf_counter() - began
    steps = list(kill_build.BUILD_STEPS)[: None if chaos.times is None else times]
    died = 0
    for step in (*steps, *(chaos.moments.uniform(0, took) for _ in range(times))):
        with chaos.stage.scene(chaos.folder) as scene:
            died += kill_build.check_build(scene, chaos.expected, step)
    return {"moments": times, "steps": steps, "kills": died, "broken": 0}


def kill_gates(chaos: Chaos) -> dict[str, Any]:
    """SIGKILL at each named step and at random moments of a gate."""
    times = chaos.count(20)
    with chaos.stage.scene(chaos.folder) as scene:
        began = time.perf_counter()
        assert not kill_release.killed(kill_build.judge, (scene,), None)
        took = time.perf_counter() - began
    steps = list(kill_build.GATE_STEPS)
    died = 0
    for step in (*steps, *(chaos.moments.uniform(0, took) for _ in range(times))):
        with chaos.stage.scene(chaos.folder) as scene:
            died += kill_build.check_gate(scene, chaos.expected, step)
    return {"moments": times, "steps": steps, "kills": died, "broken": 0}


def races(chaos: Chaos) -> dict[str, Any]:
    """Two publishers of a candidate, two runs of the DAG's steps, command line and DAG: all at once."""
    times = chaos.count(50)
    told = dict.fromkeys(race.KINDS, 0)
    for number in range(times * len(race.KINDS)):
        kind = race.KINDS[number % len(race.KINDS)]
        with chaos.stage.scene(chaos.folder) as scene:
            told[kind] += race.check(scene, chaos.expected, kind)
    return {"races": times * len(race.KINDS), "told": told, "broken": 0}


def _read_figures(reads: Reads) -> dict[str, Any]:
    return {
        "reads": reads.whole + len(reads.bad),
        "bad_reads": len(reads.bad),
        "unanswered": reads.unanswered,
        "releases_seen": sorted(reads.releases),
    }


PARTS: dict[str, Callable[[Chaos], dict[str, Any]]] = {
    "naive": kill_the_naive_way,
    "steps": kill_at_release_steps,
    "gate": kill_gates,
    "race": races,
    "restart": restart_postgres,
    "release": kill_releases,
    "build": kill_builds,
}


def main() -> int:
    """Do the parts that were asked for; exit code 1 when one of them found something."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="default: all")
    parser.add_argument("--times", type=int, help="how often instead of what is asked for (a trial)")
    parser.add_argument("--seed", type=int, default=2025)
    parser.add_argument("--no-figures", action="store_true", help="keep docs/reliability as it is")
    options = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory(prefix="chaos-") as name, world(Path(name)) as stage:
        with stage.scene(Path(name)) as scene:
            expected = kill_release.undisturbed(scene)
        for part in options.parts or PARTS:
            chaos = Chaos(stage, expected, Path(name), random.Random(options.seed), options.times)  # noqa: S311
            began = time.perf_counter()
            try:
                figures = PARTS[part](chaos)
            except Exception:  # noqa: BLE001 - the other parts are still worth their time
                traceback.print_exc()
                failed += 1
                continue
            figures["seconds"] = round(time.perf_counter() - began)
            print(part, json.dumps(figures, ensure_ascii=False), flush=True)  # noqa: T201
            if not options.no_figures:
                reliability_page.keep(part, figures)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
