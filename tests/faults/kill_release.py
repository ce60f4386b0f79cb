"""Kill approve–publish–bundle at a named step or at any moment, while a reader looks; then do it again, whole.

The oracles are those of the fault matrix: O1 conservation, O2 what is served changes only with a release, O3 the same
content again, O4 a reader sees one whole release, O5 one release per candidate, O7 no leak, O8 the ledger says it.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
for _path in (FOLDER, FOLDER.parent):
    if str(_path) not in sys.path:
        sys.path.insert(0, str(_path))

import psycopg  # noqa: E402
from sqlalchemy import Engine, create_engine, text  # noqa: E402
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError  # noqa: E402
from sqlalchemy.pool import NullPool  # noqa: E402

import house  # noqa: E402
from parkindex import methodology  # noqa: E402
from parkindex.publish import approvals, bundle, bundle_check, candidates, code, releases, verify  # noqa: E402
from parkindex.runtime.postgres import Cluster  # noqa: E402
from parkindex.settings import Settings  # noqa: E402
from parkindex.site import ReleaseRecord  # noqa: E402

EDITION = 2025
PEOPLE = (("李评", "evaluator"), ("王签", "signatory"))
REASON = "R2: calculated again"
# Step → function at which the process dies, and whether it dies before or behind it.
STEPS: dict[str, tuple[Any, str, bool]] = {
    "approve: before the decision is recorded": (approvals, "_renewal", True),
    "approve: behind the decision, before its commit": (approvals.attempts, "done", False),
    "approve: between two people": (approvals, "decide", False),
    "publish: behind the checks": (releases, "_require_same_content", False),
    "publish: before the release is inserted": (releases, "_freeze", True),
    "publish: behind the inserted release": (releases, "_freeze", False),
    "publish: behind the moved pointer, before the commit": (releases, "_move_pointer", False),
    "publish: behind the commit": (releases, "publish", False),
    "export: before what is served is compared": (bundle, "_require_served", True),
    "export: behind the pages": (bundle, "render", False),
    "export: behind the tables": (bundle, "write_tables", False),
    "sign: before the signature": (bundle.signing, "public_hex", True),
    "sign: behind the signature, before the folder is in place": (bundle, "fill", False),
    "sign: before the folder is renamed": (bundle, "_flush", False),
    "export: before the link to the current bundle": (bundle, "_link_current", True),
    "export: behind the link to the current bundle": (bundle, "_link_current", False),
}
_RANKING = "serve.park_ranking_current"
_PERSONAL = re.compile(r"(?<![0-9a-f])(\d{17}[\dXx]|1[3-9]\d{9})(?![0-9a-f])")


@dataclass(frozen=True)
class Scene:
    """A warehouse in which 2025.1 is served and a candidate passed the gate.

    Attributes:
        settings: The warehouse and a home of its own.
        candidate_id: The candidate to be published as 2025.2.
        rival_id: Another candidate of the same content that passed the gate.
        made_up: Whether the made-up house built it: its code hash is made up too.
    """

    settings: Settings
    candidate_id: str
    rival_id: str
    made_up: bool

    @property
    def engine(self) -> Engine:
        """An engine that shares no connection with a fork."""
        return create_engine(self.settings.warehouse_url, poolclass=NullPool)


@dataclass(frozen=True)
class Expected:
    """What an undisturbed release gives.

    Attributes:
        served: Digest of what is served, by number of releases of the candidate (0 or 1).
        content_sha256: Content of the candidate.
        seconds: How long approve–publish–bundle takes in a child.
    """

    served: tuple[str, str]
    content_sha256: str
    seconds: float


@dataclass
class Reads:
    """What a reader saw.

    Attributes:
        whole: Reads that gave exactly one whole release.
        bad: What else was seen.
        unanswered: Times nobody answered (Postgres was down).
        releases: Releases seen.
    """

    whole: int = 0
    bad: list[str] = field(default_factory=list)
    unanswered: int = 0
    releases: set[str] = field(default_factory=set)

    def __iadd__(self, other: Reads) -> Reads:
        self.whole += other.whole
        self.bad += other.bad
        self.unanswered += other.unanswered
        self.releases |= other.releases
        return self


# ------------------------------------------------------------------------------------------------------------- the work


def release(scene: Scene) -> str:
    """Approve by two people, publish and bundle; what is done already stays done. Returns the release."""
    engine = scene.engine
    candidate = candidates.get(engine, scene.candidate_id)
    with engine.connect() as connection:
        published = releases.published(connection, scene.candidate_id) is not None
    if not published:
        for name, role in PEOPLE:
            approvals.register(engine, name, role)
            approvals.decide(engine, scene.candidate_id, candidate.content_sha256, name, role, "approve", "seen")
    made = releases.publish(engine, scene.settings, scene.candidate_id, REASON)
    bundle.write(engine, scene.settings, made.release_id)
    return made.release_id


def arrange(scene: Scene) -> None:
    """Make this process one that may publish the scene's candidate."""
    if scene.made_up:
        loaded = methodology.load(EDITION)
        code.code_sha256 = lambda: house.CODE
        methodology.load = lambda _: loaded
        bundle.render = plain_pages


def arrange_here(scene: Scene, patched: Any) -> None:
    """Make this process one that may publish the scene's candidate, until the patch is taken back."""
    if scene.made_up:
        loaded = methodology.load(EDITION)
        patched.setattr(code, "code_sha256", lambda: house.CODE)
        patched.setattr(methodology, "load", lambda _: loaded)
        patched.setattr(bundle, "render", plain_pages)


def plain_pages(record: ReleaseRecord, out: Path) -> list[Path]:
    """Stand in for the pages in a made-up house: how they look has tests of its own, and takes seconds."""
    (out / "index.html").write_text(f"<p>{record.release_id}</p>", "utf-8")
    (out / bundle_check.NOTICE).write_text("", "utf-8")
    return [out / "index.html"]


def work(scene: Scene, step: str | float | None) -> None:
    arrange(scene)
    if isinstance(step, str):
        owner, name, before = STEPS[step]
        setattr(owner, name, deadly(getattr(owner, name), before=before))
    release(scene)


def work_quietly(scene: Scene) -> None:
    """Release; when the server goes away, end with a code and no traceback."""
    try:
        work(scene, None)
    except (OperationalError, InterfaceError, InternalError):
        os._exit(7)


def deadly(function: Callable[..., Any], *, before: bool) -> Callable[..., Any]:
    """Return the function that kills its process before or behind a function."""

    def dying(*arguments: Any, **keywords: Any) -> Any:
        if not before:
            function(*arguments, **keywords)
        os.kill(os.getpid(), signal.SIGKILL)

    return dying


def processes() -> Any:
    """Return the context whose server has imported everything: a killed child costs no second to start."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["kill_release"])
    # The server takes its path from the environment alone, and says nothing of a module that it does not find.
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)
    try:
        forkserver.ensure_running()
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before
    return context


def killed(
    work: Callable[..., None], arguments: tuple[Any, ...], step: str | float | None, seconds: float = 300
) -> bool:
    """Run work in a child that dies at a named step, after some seconds, or never; return whether it died."""
    child = processes().Process(target=work, args=(*arguments, step))
    child.start()
    if isinstance(step, float):
        child.join(step)
        child.kill()
    child.join(seconds)
    assert child.exitcode in (0, -signal.SIGKILL), (step, child.exitcode)
    died = child.exitcode == -signal.SIGKILL
    child.close()
    return bool(died)


# ----------------------------------------------------------------------------------------------------------- the reader


def digest_query(relation: str) -> str:
    """Return SQL: per release that is seen, its number of rows and a digest of all their cells."""
    return (
        f"select release_id, count(*), md5(string_agg(seen::text, '|' order by park_code))"
        f" from {relation} as seen where edition = {EDITION} group by release_id"
    )


def served(url: str, relation: str = _RANKING) -> list[tuple[Any, ...]]:
    """Return what is seen now."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        return connection.execute(digest_query(relation)).fetchall()


def _read(
    url: str, relation: str, home: Path | None, known: frozenset[str], begun: Any, stop: Any, answer: Any
) -> None:
    """Read until told to stop; every read must give one of the known digests, and a bundle that is whole."""
    reads = Reads()
    connection = None
    while not stop.is_set():
        try:
            if connection is None:
                connection = psycopg.connect(url.replace("+psycopg", ""), autocommit=True, connect_timeout=5)
            rows = connection.execute(digest_query(relation)).fetchall()
        except psycopg.Error:
            reads.unanswered += 1
            connection = None
            time.sleep(0.01)
            continue
        if len(rows) == 1 and rows[0][2] in known:
            reads.whole += 1
            reads.releases.add(rows[0][0])
        else:
            reads.bad.append(f"rows seen: {[(row[0], row[1]) for row in rows]}")
        if home is not None and not _bundle_is_whole(home):
            reads.bad.append("the current bundle is not whole")
        begun.set()
        time.sleep(0.002)  # the killed ones need the machine as well
    answer.send(reads)
    answer.close()


def _bundle_is_whole(releases_folder: Path) -> bool:
    folder = (releases_folder / "current").resolve()
    try:
        listed = json.loads((folder / "manifest.json").read_bytes())["files"]
    except (OSError, ValueError):
        return False
    return all((folder / name).is_file() for name in listed)


@contextmanager
def reader(url: str, known: frozenset[str], relation: str = _RANKING, home: Path | None = None) -> Iterator[Reads]:
    """Look all the while, in a process of its own; the reads are filled in at the end."""
    context = processes()
    begun, stop = context.Event(), context.Event()
    receiving, sending = context.Pipe(duplex=False)
    looking = context.Process(target=_read, args=(url, relation, home, known, begun, stop, sending))
    looking.start()
    sending.close()
    reads = Reads()
    try:
        assert begun.wait(300)
        yield reads
    finally:
        stop.set()
        reads += receiving.recv()
        looking.join()
        looking.close()


# ---------------------------------------------------------------------------------------------------------- the oracles


def content_of(scene: Scene) -> str:
    """Return the hash of the candidate's content."""
    return candidates.get(scene.engine, scene.candidate_id).content_sha256


def undisturbed(scene: Scene) -> Expected:
    """Release in a child that nobody kills; return what it gives and takes."""
    (before,) = served(scene.settings.warehouse_url)
    began = time.perf_counter()
    assert not killed(work, (scene,), None)
    seconds = time.perf_counter() - began
    (after,) = served(scene.settings.warehouse_url)
    assert (before[:2], after[:2]) == (("2025.1", 22), ("2025.2", 22))
    oracles(scene, Expected((before[2], after[2]), content_of(scene), seconds), done=True)
    return Expected((before[2], after[2]), content_of(scene), seconds)


def oracles(scene: Scene, expected: Expected, *, done: bool) -> None:
    """Check what must hold at any moment, and what must hold when the release is done."""
    engine, settings = scene.engine, scene.settings
    with engine.connect() as connection:

        def count(statement: str) -> int:
            return int(connection.execute(text(statement), {"candidate": scene.candidate_id}).scalar_one())

        published = count("select count(*) from publish.releases where candidate_id = :candidate")
        assert published <= 1, "O5"
        lost = "rows_landed <> rows_accepted + rows_rejected + rows_duplicate"
        assert count(f"select count(*) from raw.batches where status = 'loaded' and {lost}") == 0, "O1"
        told = count(
            "select count(*) from audit.attempts where action = 'publish' and outcome = 'done'"
            " and starts_with(subject, :candidate || ' ')"
        )
        assert told == published, "O8"
        said = connection.execute(text("select concat(subject, ' ', reason) from audit.attempts")).scalars().all()
        assert not [one for one in said if _PERSONAL.search(one)], "O7"
        approved = count("select count(*) from publish.approvals where candidate_id = :candidate")
        assert approved == 2 if done or published else approved <= 2, "one approval per person"
    rows = served(settings.warehouse_url)
    assert [row[2] for row in rows] == [expected.served[published]], "O2"
    assert [one.as_dict() for one in verify.verify_warehouse(engine, settings)] == []
    folder = settings.releases / "2025.2"
    assert not folder.exists() or bundle_check.check(folder) == [], "O4: half a bundle"
    if done:
        assert published == 1
        assert content_of(scene) == expected.content_sha256, "O3"
        with engine.connect() as connection:
            assert releases.find(connection, "2025.2").content_sha256 == expected.content_sha256, "O3"
        assert (settings.releases / "current").resolve() == folder.resolve()
        left = [one.name for one in settings.releases.iterdir() if one.name.startswith(".")]
        assert left == [], left


def check(scene: Scene, expected: Expected, step: str | float) -> tuple[bool, Reads]:
    """Kill, look, do it again, look; return whether the process was killed before it was done, and the reads."""
    known = frozenset(expected.served)
    with reader(scene.settings.warehouse_url, known, home=scene.settings.releases) as reads:
        died = killed(work, (scene,), step)
        oracles(scene, expected, done=False)
        for _ in ("what the killed one left", "a retry that is not needed"):
            assert not killed(work, (scene,), None)
    oracles(scene, expected, done=True)
    assert reads.bad == [], (step, reads.bad[:3])
    return died, reads


# ------------------------------------------------------------------------------------------ a scene from a template


@dataclass
class Stage:
    """A database and a home to copy scenes from.

    Attributes:
        cluster: Cluster of the databases.
        template: Database in which 2025.1 is served and the candidate passed the gate.
        home: Home with the signing key and the bundle of 2025.1.
        candidate_id: The candidate.
        rival_id: The other one.
        made_up: As in :class:`Scene`.
    """

    cluster: Cluster
    template: str
    home: Path
    candidate_id: str
    rival_id: str
    made_up: bool
    made: int = 0

    @contextmanager
    def scene(self, folder: Path) -> Iterator[Scene]:
        """Give a scene of its own; its database and home are removed when it went well."""
        self.made += 1
        name = f"{self.template}_{os.getpid()}_{self.made}"
        self.cluster.ensure_database(name, template=self.template)
        home = folder / name
        shutil.copytree(self.home, home, symlinks=True)
        settings = Settings(home=home, inbox=home / "inbox", own_warehouse_url=self.cluster.url(name))
        yield Scene(settings, self.candidate_id, self.rival_id, self.made_up)
        self.cluster.drop_database(name)
        shutil.rmtree(home)


def moved(scene: Scene, cluster: Cluster) -> Scene:
    """Return the scene at the address its cluster has now."""
    name = str(scene.settings.own_warehouse_url).rpartition("/")[2]
    return replace(scene, settings=replace(scene.settings, own_warehouse_url=cluster.url(name)))


# -------------------------------------------------------------------------------- the other way, in the same harness


@dataclass
class Naive:
    """The customary way: truncate a table that is read, then insert, each statement on its own."""

    url: str

    def prepare(self) -> tuple[str, str]:
        """Make the table with the rows of 2025.1; return the digests of both whole releases."""
        with psycopg.connect(self.url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("create schema if not exists naive")
            connection.execute("drop table if exists naive.park_ranking, naive.next_ranking")
            whole = "select * from serve.park_ranking where release_id = "
            connection.execute(f"create table naive.park_ranking as {whole} '2025.1'")
            connection.execute(f"create table naive.next_ranking as {whole} '2025.2'")
        (one,) = served(self.url, "naive.park_ranking")
        (other,) = served(self.url, "naive.next_ranking")
        return one[2], other[2]


def replace_rows(url: str, _step: str | float | None = None) -> None:
    """Publish the customary way, row by row."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        parks = connection.execute("select park_code from naive.next_ranking order by park_code").fetchall()
        connection.execute("truncate naive.park_ranking")
        for (park,) in parks:
            connection.execute(
                "insert into naive.park_ranking select * from naive.next_ranking where park_code = %s", [park]
            )
