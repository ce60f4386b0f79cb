"""Start, find and stop what runs for one installation: the embedded Postgres, Airflow, the sample's HTTP server.

What was started is written to ``<home>/run/services.json`` (pids with start times, addresses) before the next thing
starts, so whoever comes later finds and ends all of it, whatever happened to the one who started it. Every service
leads a session of its own: what it forks is found by that session even when the service itself was killed.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets as tokens
import subprocess
import sys
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psycopg

from parkindex.errors import ServiceDownError
from parkindex.runtime import airflow, processes
from parkindex.runtime.postgres import Cluster
from parkindex.settings import Settings, child_environment, with_driver

POSTGRES = "postgres"
SAMPLE_SERVER = "sample-server"
SAMPLE_WRITER = "sample"
_SAMPLE_SERVER_SECONDS = 30.0


@dataclass(frozen=True)
class Service:
    """A process that was started.

    Attributes:
        name: ``postgres``, ``api-server``, ``scheduler``, ``dag-processor`` or ``sample-server``.
        pid: Its process id, also the id of the session it leads.
        started: Start time, ticks since boot; with the pid it names one process.
        log: What it says.
    """

    name: str
    pid: int
    started: int
    log: str

    @property
    def is_alive(self) -> bool:
        """Whether it still runs."""
        return processes.is_alive(self.pid, self.started)


def cluster(settings: Settings) -> Cluster:
    """Return the embedded Postgres of an installation, running or not."""
    return Cluster(settings.home / "postgres")


def sample_folder(settings: Settings) -> Path:
    """Folder of the sample world that was generated for this installation."""
    return settings.home / "sample"


# ------------------------------------------------------------------------------------------------------------ the verbs


def up(settings: Settings, only_warehouse: bool = False) -> None:
    """Start what does not run yet, wait until it answers, and leave it running.

    Args:
        settings: The installation.
        only_warehouse: Start Postgres, not Airflow.

    Raises:
        ServiceDownError: Somebody else is starting or stopping it, or a service does not start.
    """
    with exclusive(settings, "up"), undone_on_failure(settings):
        launch(settings, only_warehouse=only_warehouse)
        if not only_warehouse:
            with airflow.connected(wait_healthy(settings)) as api:
                airflow.wait_for_dags(api, [airflow.WATCH])
                api.pause(airflow.WATCH, is_paused=False)


def down(settings: Settings) -> list[dict[str, Any]]:
    """Stop everything that was started for this installation; data stays.

    Returns:
        What was stopped: ``[{"name", "pid"}]``.
    """
    with exclusive(settings, "down"):
        return stop_all(settings)


def status(settings: Settings) -> dict[str, Any]:
    """Return what runs, and where; ``state`` is ``running``, ``stopped`` or ``not answering``."""
    noted = settings.services()
    known = noted_services(settings)
    embedded = cluster(settings)
    healthy: dict[str, str] = {}
    if any(service.name == "api-server" and service.is_alive for service in known):
        with airflow.connected(noted["airflow_url"]) as api:
            healthy = api.health()
    rows = []
    for service in known:
        state = "running" if service.is_alive else "stopped"
        if service.name == POSTGRES:
            state = "running" if embedded.is_running() else "stopped"
        elif state == "running" and service.name in airflow.COMPONENTS:
            part = {"api-server": "metadatabase", "dag-processor": "dag_processor"}.get(service.name, service.name)
            state = "running" if healthy.get(part) == "healthy" else "not answering"
        rows.append({"name": service.name, "state": state, "pid": service.pid, "log": service.log})
    is_up = {row["name"] for row in rows if row["state"] != "stopped"}
    return {
        "home": str(settings.home),
        "warehouse_url": settings.own_warehouse_url or (noted.get("warehouse_url") if POSTGRES in is_up else None),
        "airflow_url": noted.get("airflow_url") if "api-server" in is_up else None,
        "source_urls": noted.get("source_urls", {}) if SAMPLE_SERVER in is_up else {},
        "services": rows,
    }


# ------------------------------------------------------------------------------------------------------------- the lock


@contextmanager
def exclusive(settings: Settings, what: str) -> Iterator[None]:
    """Keep others from starting, stopping or running the year of the same installation meanwhile.

    The lock is the kernel's and ends with the process, however it ends.

    Raises:
        ServiceDownError: Another process holds it; names it.
    """
    _make_folders(settings)
    path = settings.run / "lock"
    with path.open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "another process"
            raise ServiceDownError(
                "Another parkindex command is at work on this installation.",
                where=str(path),
                why=f"held by {holder}",
                next_step="wait until it has ended, or interrupt it; or set PARKINDEX_HOME to another folder",
            ) from None
        lock.truncate(0)
        lock.write(f"`parkindex {what}`, process {os.getpid()}")
        lock.flush()
        try:
            yield
        finally:
            lock.truncate(0)


def lock_holder(settings: Settings) -> str | None:
    """Return who holds the lock; None when it is free."""
    try:
        with (settings.run / "lock").open("r", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return lock.read().strip() or "another process"
    except FileNotFoundError:
        return None
    return None


# ------------------------------------------------------------------------------------------------------------- starting


def launch(settings: Settings, only_warehouse: bool = False, say: Callable[[str], None] = lambda _: None) -> None:
    """Start what does not run yet, without waiting for Airflow to answer. The lock must be held.

    Args:
        settings: The installation.
        only_warehouse: Start Postgres, not Airflow.
        say: Told what is being started.

    Raises:
        ServiceDownError: Postgres or the migration of Airflow's metadata failed.
    """
    _make_folders(settings)
    say("postgres")
    _start_databases(settings)
    serve_sample(settings)
    if only_warehouse:
        return
    if set(airflow.COMPONENTS) <= set(running(settings)):
        return
    # Half an Airflow has other ports and secrets in mind: it is replaced whole.
    end_services(settings, airflow.COMPONENTS)
    database = airflow_database_url(settings)
    port = processes.free_port(_kept_ports(settings).get("airflow"))
    _keep_port(settings, "airflow", port)
    env = airflow.environment(settings, _secrets(settings), database, port)
    say("airflow db migrate")
    airflow.migrate(settings, env, database)
    _note(settings, airflow_url=f"http://127.0.0.1:{port}")
    for component in airflow.COMPONENTS:
        say(f"airflow {component}")
        _serve(settings, component, airflow.command(component), env, cwd=airflow.home(settings))
    with (settings.logs / "api-server.log").open("a", encoding="utf-8") as log:
        log.write("parkindex: nobody has to log in to this Airflow; it listens on 127.0.0.1 only, for one person\n")


def wait_healthy(settings: Settings) -> str:
    """Wait until every part of Airflow answers and the DAGs are parsed; returns Airflow's address.

    Raises:
        ServiceDownError: A part ended or does not answer in time, or a DAG file cannot be parsed.
    """
    address = str(settings.services()["airflow_url"])
    until = time.monotonic() + airflow.HEALTHY_SECONDS
    with airflow.connected(address) as api:
        while True:
            for service in noted_services(settings):
                if service.name in airflow.COMPONENTS and not service.is_alive:
                    raise ServiceDownError(
                        f"Airflow's {service.name} ended while starting.",
                        where=service.log,
                        why=airflow.last_words(Path(service.log)),
                        next_step="look at the log; then `make down` and `make up`",
                    )
            health = api.health()
            if health and set(health.values()) == {"healthy"}:
                break
            if time.monotonic() > until:
                raise ServiceDownError(
                    f"Airflow did not become healthy within {airflow.HEALTHY_SECONDS:.0f} s.",
                    where=str(settings.logs),
                    why=", ".join(f"{name}: {state}" for name, state in health.items()) or "no answer",
                    next_step="look at the logs; then `make down` and `make up`",
                )
            time.sleep(0.3)
    return address


def serve_sample(settings: Settings) -> None:
    """Start the HTTP server of the generated sample, if there is one, and note its address as the feed's source."""
    folder = sample_folder(settings)
    if not (folder / "api").exists():
        return
    if SAMPLE_SERVER in running(settings):
        return
    port_file = settings.run / "sample-server.port"
    port_file.unlink(missing_ok=True)
    words = [sys.executable, "-m", "parkindex.sample.server", "--folder", str(folder), "--port-file", str(port_file)]
    kept = _kept_ports(settings).get(SAMPLE_SERVER)
    if kept is not None and processes.free_port(kept) == kept:
        words += ["--port", str(kept)]
    service = _serve(settings, SAMPLE_SERVER, words, child_environment(settings), cwd=settings.run)
    until = time.monotonic() + _SAMPLE_SERVER_SECONDS
    while not (port_file.exists() and port_file.read_text("ascii").strip()):
        if not service.is_alive or time.monotonic() > until:
            raise ServiceDownError(
                "The sample's HTTP server did not start.",
                where=service.log,
                why=airflow.last_words(Path(service.log)),
                next_step="look at the log; then run it again",
            )
        time.sleep(0.05)
    port = int(port_file.read_text("ascii"))
    _keep_port(settings, SAMPLE_SERVER, port)
    _note(settings, source_urls={"patent_events": f"http://127.0.0.1:{port}/api/v1/patent-events"})


def airflow_database_url(settings: Settings) -> str:
    """Address of Airflow's metadata."""
    return with_driver(settings.own_airflow_db_url or cluster(settings).url("airflow"))


def _start_databases(settings: Settings) -> None:
    embedded = cluster(settings)
    if not (settings.own_warehouse_url and settings.own_airflow_db_url):
        embedded.start()
        server = embedded.pid
        started = processes.started(server) if server is not None else None
        if server is None or started is None:
            raise ServiceDownError(
                "The embedded Postgres ended right after its start.",
                where=str(embedded.log),
                why=airflow.last_words(embedded.log),
                next_step="parkindex doctor",
            )
        _note_service(settings, Service(POSTGRES, server, started, str(embedded.log)))
        if not settings.own_airflow_db_url:
            embedded.ensure_database("airflow")
        if not settings.own_warehouse_url:
            embedded.ensure_database("warehouse")
            _note(settings, warehouse_url=embedded.url("warehouse"))
    for variable, url in (
        ("PARKINDEX_WAREHOUSE_URL", settings.own_warehouse_url),
        ("PARKINDEX_AIRFLOW_DB_URL", settings.own_airflow_db_url),
    ):
        if url:
            _require_answer(variable, url)


def _require_answer(variable: str, url: str) -> None:
    try:
        psycopg.connect(with_driver(url).replace("+psycopg", ""), connect_timeout=10).close()
    except psycopg.Error as error:
        raise ServiceDownError(
            f"The Postgres of {variable} does not answer.",
            why=" ".join(str(error).split()),
            next_step=f"start it, correct {variable}, or unset it to use the embedded one",
        ) from error


def spawn(
    settings: Settings, name: str, words: list[str], env: dict[str, str], cwd: Path
) -> tuple[Service, subprocess.Popen[bytes]]:
    """Start a process as the leader of a session of its own, and note it before it is used.

    Raises:
        ServiceDownError: It ended at once.
    """
    log = settings.logs / f"{name}.log"
    with log.open("ab") as output:
        child = subprocess.Popen(
            words, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    start = processes.started(child.pid)
    if start is None:
        raise ServiceDownError(
            f"{name} ended at once.",
            where=str(log),
            why=airflow.last_words(log),
            next_step="look at the log; then run it again",
        )
    service = Service(name, child.pid, start, str(log))
    _note_service(settings, service)
    return service, child


def _serve(settings: Settings, name: str, words: list[str], env: dict[str, str], cwd: Path) -> Service:
    service, child = spawn(settings, name, words, env, cwd)
    child.returncode = 0  # it outlives us on purpose; `processes.end` collects it when it is still our child
    return service


# ------------------------------------------------------------------------------------------------------------- stopping


def stop_all(settings: Settings, keep: Collection[str] = ()) -> list[dict[str, Any]]:
    """End every service and everything it started, Postgres last. The lock must be held.

    Args:
        settings: The installation.
        keep: Names of services that stay.
    """
    ending = [name for name in (*airflow.COMPONENTS, SAMPLE_SERVER, SAMPLE_WRITER) if name not in keep]
    if POSTGRES in keep:
        return end_services(settings, ending)
    stopped = _end(settings, ending)  # nothing is written on the way: the disk may be full
    embedded = cluster(settings)
    if embedded.root.exists():
        server = embedded.pid
        if embedded.stop():
            stopped.append({"name": POSTGRES, "pid": server})
    settings.services_file.unlink(missing_ok=True)
    return stopped


def running(settings: Settings) -> list[str]:
    """Return the names of the services that run."""
    return [service.name for service in noted_services(settings) if service.is_alive]


@contextmanager
def undone_on_failure(settings: Settings) -> Iterator[None]:
    """Stop what was started within when it ends with an error: half a start is of no use. Data and logs stay."""
    before = running(settings)
    with ExitStack() as undo:
        undo.callback(stop_all, settings, keep=before)
        yield
        undo.pop_all()


def end_services(settings: Settings, names: Collection[str]) -> list[dict[str, Any]]:
    """End services and all they started, and forget them. The lock must be held."""
    stopped = _end(settings, names)
    noted = noted_services(settings)
    kept = [asdict(service) for service in noted if service.name not in names]
    if len(kept) < len(noted):
        _write(settings, services=kept)
    return stopped


def _end(settings: Settings, names: Collection[str]) -> list[dict[str, Any]]:
    ending = [service for service in noted_services(settings) if service.name in names]
    stopped: list[dict[str, Any]] = []
    # Twice: a task that was being forked when we looked is still in the session of its service.
    for patience in (10.0, 1.0):
        owners = {pid: service.name for service in ending for pid in processes.started_by(service.pid, service.started)}
        members = {pid: start for pid in owners if (start := processes.started(pid)) is not None}
        stopped += [{"name": owners[pid], "pid": pid} for pid in processes.end(members, patience=patience)]
    return stopped


# ---------------------------------------------------------------------------------------------------------------- notes


def _make_folders(settings: Settings) -> None:
    for folder in (settings.home, settings.run, settings.logs, settings.inbox, airflow.home(settings)):
        folder.mkdir(parents=True, exist_ok=True)
    settings.run.chmod(0o700)


def noted_services(settings: Settings) -> list[Service]:
    """Return what was started since the machine was, running or not."""
    noted = settings.services()
    if noted.get("boot_id") != processes.boot_id():  # the machine was restarted since: nothing noted runs
        return []
    return [_as_service(entry) for entry in noted.get("services", [])]


def _as_service(entry: dict[str, Any]) -> Service:
    return Service(entry["name"], entry["pid"], entry["started"], entry["log"])


def _note_service(settings: Settings, service: Service) -> None:
    others = [asdict(one) for one in noted_services(settings) if one.name != service.name]
    _write(settings, services=[*others, asdict(service)])


def _note(settings: Settings, **facts: Any) -> None:
    _write(settings, **facts)


def _write(settings: Settings, **facts: Any) -> None:
    _write_json(settings.services_file, {**settings.services(), "boot_id": processes.boot_id(), **facts})


def _write_json(path: Path, document: dict[str, Any]) -> None:
    """Replace a file of addresses or secrets whole: a reader sees the former or the new, only we may read it."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(document, ensure_ascii=False, indent=2), "utf-8")
    fresh.replace(path)


def _kept_ports(settings: Settings) -> dict[str, int]:
    try:
        loaded: dict[str, int] = json.loads((settings.run / "ports.json").read_text("utf-8"))
    except FileNotFoundError:
        return {}
    return loaded


def _keep_port(settings: Settings, name: str, port: int) -> None:
    _write_json(settings.run / "ports.json", {**_kept_ports(settings), name: port})


def _secrets(settings: Settings) -> airflow.Secrets:
    path = settings.run / "airflow-secrets.json"
    if not path.exists():
        made = airflow.Secrets(
            jwt=tokens.token_urlsafe(48),
            session=tokens.token_urlsafe(48),
            fernet=urlsafe_b64encode(tokens.token_bytes(32)).decode("ascii"),
        )
        _write_json(path, asdict(made))
    return airflow.Secrets(**json.loads(path.read_text("utf-8")))
