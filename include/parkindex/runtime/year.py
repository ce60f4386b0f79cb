"""The whole year on the sample world: from feeds to a published ranking, through the real Airflow."""

from __future__ import annotations

import json
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

import click
from sqlalchemy import Engine, func, select, text

from parkindex import methodology, pipeline
from parkindex.errors import ServiceDownError, UsageError
from parkindex.ledger import tables
from parkindex.publish import code
from parkindex.runtime import airflow, follow, services
from parkindex.runtime.airflow import Api
from parkindex.runtime.view import View
from parkindex.settings import Settings, child_environment

INTERRUPTED = 130
# Stand-ins of the sample world; the release names them as such.
DEMO_APPROVERS = {"methodologist": "示例审批人甲", "signatory": "示例审批人乙"}
DEMO_SIGNER = "示例审批人丙"
_RUN_PREFIX = "year-"
_SAMPLE_POLL_SECONDS = 0.1
_FIRST_RANKS = 5


def run(settings: Settings, edition: int, seed: int, size: str, as_json: bool = False) -> int:
    """Run the year, or what is not done of it yet, and leave Airflow running.

    Args:
        settings: The installation.
        edition: Evaluation year to publish.
        seed: Seed of the sample world.
        size: tiny, small or city.
        as_json: Progress on stderr, one JSON document on stdout.

    Returns:
        Exit code: 0 when the ranking is published, 130 when it was interrupted.

    Raises:
        ParkindexError: A stage failed; names the task, the reason and the log.
    """
    began = time.monotonic()
    with services.exclusive(settings, "ranking"), _signals_interrupt():
        before = services.running(settings)
        try:
            with View(sys.stderr if as_json else sys.stdout) as view:
                document = _year(settings, view, edition, seed, size)
        except KeyboardInterrupt:
            with _signals_ignored():
                click.echo("interrupted: stopping what was started ...", err=True)
                _stop(settings, before)
            click.echo("Stopped; what is done stays done. Run it again to go on.", err=True)
            return INTERRUPTED
    _report(document | {"seconds": round(time.monotonic() - began, 1)}, as_json)
    return 0


def _year(settings: Settings, view: View, edition: int, seed: int, size: str) -> dict[str, Any]:
    _refuse_other_sample(settings, edition, seed, size)
    with services.undone_on_failure(settings):
        engine, address = _start(settings, view, edition, seed, size)
    # From here on Airflow stays up when something fails: what failed is best looked at there.
    release_id = pipeline.up_to_date(settings, edition)
    already_there = release_id is not None
    if release_id is None:
        with airflow.connected(address) as api:
            release_id = _through_airflow(api, settings, view, edition)
            api.pause(airflow.WATCH, is_paused=False)
    return _facts(settings, engine, edition, release_id, already_there) | {"airflow_url": address}


def _start(settings: Settings, view: View, edition: int, seed: int, size: str) -> tuple[Engine, str]:
    """Start the services and put the sample's deliveries into the inbox; returns the warehouse, Airflow's address."""
    writing = _start_sample(settings, edition, seed, size)
    with view.step("start", "services"):
        services.launch(settings)
    with view.step("start", "warehouse") as notes:
        notes.extend(pipeline.prepare(settings)["warnings"])
        engine = pipeline.engine_of(settings)
        _refuse_other_deliveries(settings, engine)
    with view.step("start", "sample world") as notes:
        notes.append(_finish_sample(settings, writing, edition, seed, size))
        notes.append(f"{_deliver(settings)} new files in the inbox")
        services.serve_sample(settings)
    with view.step("start", "airflow") as notes:
        address = services.wait_healthy(settings)
        notes.append(address)
    return engine, address


def _through_airflow(api: Api, settings: Settings, view: View, edition: int) -> str:
    """Run the DAGs one stage after the other; returns the release."""
    ingest = [f"ingest_{plan['feed']}" for plan in pipeline.feed_plans()]
    airflow.wait_for_dags(api, [*ingest, "build_marts", "publish_ranking", "maintenance", airflow.WATCH])
    # It would start the same feeds beside us.
    api.pause(airflow.WATCH, is_paused=True)
    follow.end_leftover_runs(api, _RUN_PREFIX)
    run_id = f"{_RUN_PREFIX}{edition}-{datetime.now(UTC):%Y%m%dT%H%M%S}"

    def answer(task: dict[str, Any]) -> None:
        role = task["task_id"].removeprefix("approve_")
        form = {
            "approver": DEMO_APPROVERS.get(role, DEMO_SIGNER),
            "note": "Synthetic data: answered by the demo, not by a person.",
        }
        api.answer(task["dag_id"], run_id, task["task_id"], pipeline.APPROVE, form)

    follow.follow(api, settings, view, "ingest", run_id, {dag_id: {"tasks": 1} for dag_id in ingest})
    follow.follow(api, settings, view, "marts", run_id, {"build_marts": {}})
    params = {"edition": edition, "as_known": None, "reason": _reason(settings, edition)}
    published = follow.follow(api, settings, view, "publish", run_id, {"publish_ranking": params}, answer)
    follow.follow(api, settings, view, "check", run_id, {"maintenance": {}})
    return str(published["publish_ranking.publish"]["release_id"])


def _reason(settings: Settings, edition: int) -> str | None:
    """Say why an edition that is published already is published again, with the type of the revision."""
    with pipeline.engine_of(settings).connect() as connection:
        current = connection.execute(
            select(tables.releases)
            .join(tables.current, tables.current.c.release_id == tables.releases.c.release_id)
            .where(tables.current.c.edition == edition)
        ).first()
        if current is None:
            return None
        inputs = code.inputs_sha256(connection, code.newest_delivery(connection))
    if current.methodology_sha256 != methodology.load(edition).sha256:
        return f"R3: the methodology changed since {current.release_id}"
    if current.inputs_sha256 != inputs:
        return f"R1: deliveries came since {current.release_id}"
    return f"R2: computed again by other code than {current.release_id}"


# ----------------------------------------------------------------------------------------------------------- the sample


def _parameters(settings: Settings) -> Path:
    return services.sample_folder(settings) / "parameters.json"


def _refuse_other_sample(settings: Settings, edition: int, seed: int, size: str) -> None:
    """Refuse to mix two worlds in one warehouse."""
    folder = services.sample_folder(settings)
    if not folder.exists():
        return
    wanted = {"edition": edition, "seed": seed, "size": size}
    there = json.loads(_parameters(settings).read_text("utf-8")) if _parameters(settings).exists() else {}
    if there != wanted:
        raise UsageError(
            "Another sample world lives here already.",
            where=str(folder),
            why=f"it is {_described(there)}, you asked for {_described(wanted)}",
            next_step="set PARKINDEX_HOME to another folder, or remove this one with `make purge`",
        )


def _described(parameters: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in parameters.items()) or "of unknown parameters"


def _refuse_other_deliveries(settings: Settings, engine: Engine) -> None:
    """Refuse to put synthetic deliveries beside others."""
    if pipeline.is_synthetic(settings):
        return
    with engine.connect() as connection:
        count = connection.execute(select(func.count()).select_from(tables.batches)).scalar_one()
    files = sum(1 for path in settings.inbox.rglob("*") if path.is_file())
    if count or files:
        raise UsageError(
            "This installation holds deliveries that are not a sample's; synthetic ones are not put beside them.",
            where=f"{settings.inbox}, raw.batches",
            why=f"{files} files in the inbox, {count} batches in the warehouse",
            next_step="set PARKINDEX_HOME (and PARKINDEX_WAREHOUSE_URL, if you set it) to fresh ones",
        )


Writing = tuple[services.Service, Any] | None


def _start_sample(settings: Settings, edition: int, seed: int, size: str) -> Writing:
    """Start writing the world beside everything else; None when it is there already."""
    if services.sample_folder(settings).exists():
        return None
    services.end_services(settings, (services.SAMPLE_WRITER,))
    fresh = _fresh(settings)
    shutil.rmtree(fresh, ignore_errors=True)
    words = [sys.executable, "-m", "parkindex.cli", "sample", "--out", str(fresh)]
    words += ["--edition", str(edition), "--seed", str(seed), "--size", size]
    return services.spawn(settings, services.SAMPLE_WRITER, words, child_environment(settings), settings.run)


def _fresh(settings: Settings) -> Path:
    return settings.home / "sample.new"


def _finish_sample(settings: Settings, writing: Writing, edition: int, seed: int, size: str) -> str:
    """Wait until the world is written, and put it in its place whole."""
    described = _described({"edition": edition, "seed": seed, "size": size})
    if writing is None:
        return f"{described} (was there)"
    service, child = writing
    while child.poll() is None:
        time.sleep(_SAMPLE_POLL_SECONDS)
    if child.returncode != 0:
        raise ServiceDownError(
            "The sample world could not be written.",
            where=service.log,
            why=airflow.last_words(Path(service.log)),
            next_step="look at the log; then run it again",
        )
    services.end_services(settings, (services.SAMPLE_WRITER,))
    fresh = _fresh(settings)
    (fresh / "parameters.json").write_text(json.dumps({"edition": edition, "seed": seed, "size": size}), "utf-8")
    fresh.rename(services.sample_folder(settings))
    return described


def _deliver(settings: Settings) -> int:
    """Copy the feeds into the inbox with the times at which their providers sent them; returns how many were new."""
    feeds = services.sample_folder(settings) / "feeds"
    count = 0
    for source in sorted(path for path in feeds.rglob("*") if path.is_file()):
        target = settings.inbox / source.relative_to(feeds)
        if target.exists() and target.stat().st_size == source.stat().st_size:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        # A file of the inbox is whole: it is written beside the feeds' folders and moved in.
        part = settings.inbox / f".{source.name}.part"
        shutil.copy2(source, part)
        part.replace(target)
        count += 1
    return count


# ------------------------------------------------------------------------------------------------------------ the end


def _facts(settings: Settings, engine: Engine, edition: int, release_id: str, already_there: bool) -> dict[str, Any]:
    query = text(
        "select rank, park_code, park_name_zh, park_name_en, score from serve.park_ranking_current"
        " where edition = :edition and rank is not null order by rank, park_code limit :first"
    )
    with engine.connect() as connection:
        rows = connection.execute(query, {"edition": edition, "first": _FIRST_RANKS}).mappings().all()
        release = (
            connection.execute(select(tables.releases).where(tables.releases.c.release_id == release_id))
            .mappings()
            .one()
        )
    return {
        "release_id": release_id,
        "edition": edition,
        "content_sha256": release["content_sha256"],
        "approved_by": release["approved_by"],
        "already_there": already_there,
        "ranking": [dict(row) for row in rows],
        "page": str(pipeline.release_folder(settings, release_id) / "index.html"),
    }


def _report(document: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False, indent=2, default=str))
        return
    click.echo()
    for row in document["ranking"]:
        click.echo(f"{row['rank']:>3}  {row['score']:6.2f}  {row['park_name_zh']} {row['park_name_en']}")
    click.echo()
    was_there = " (was there already; nothing it was made from has changed)" if document["already_there"] else ""
    click.echo(f"release  {document['release_id']}{was_there}")
    click.echo(f"approved {document['approved_by']}")
    click.echo(f"page     {document['page']}")
    click.echo(f"airflow  {document['airflow_url']}  (still runs; stop it with: make down)")
    click.echo(f"The data is synthetic. {document['seconds']:.0f} s.")


# ------------------------------------------------------------------------------------------------------- interruptions


@contextmanager
def _signals_interrupt() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the year as Ctrl-C does, and Ctrl-C too where the caller's shell ignores it."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    former = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


@contextmanager
def _signals_ignored() -> Iterator[None]:
    """Let nothing interrupt the stopping."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    former = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _stop(settings: Settings, before: list[str]) -> None:
    """End our runs, and the services that did not run before us."""
    address = settings.services().get("airflow_url")
    if address:
        with airflow.connected(address) as api:
            if api.health():
                follow.end_leftover_runs(api, _RUN_PREFIX)
    services.stop_all(settings, keep=before)
