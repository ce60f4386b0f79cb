"""Airflow as we start it and talk to it: environment, commands, REST API. It runs beside us, it is never imported."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
import psycopg

from parkindex.errors import BadInputError, ServiceDownError
from parkindex.settings import DAGS_DIR, Settings, child_environment, with_driver

COMPONENTS = ("api-server", "scheduler", "dag-processor")
HEALTHY_SECONDS = 120.0
DAGS_SECONDS = 60.0
# The DAG that sees files as they are dropped into the inbox.
WATCH = "watch_inbox"
_REQUEST_SECONDS = 30.0
_ATTEMPTS = 5


@dataclass(frozen=True)
class Secrets:
    """Generated once per installation, shared by Airflow's processes.

    Attributes:
        jwt: Signs the tokens between API and tasks.
        session: Signs browser sessions.
        fernet: Encrypts connections in the metadata.
    """

    jwt: str
    session: str
    fernet: str


def home(settings: Settings) -> Path:
    """Airflow's own folder, also the working directory of its processes."""
    return settings.home / "airflow"


def task_logs(settings: Settings) -> Path:
    """Folder of the tasks' logs."""
    return settings.logs / "tasks"


def environment(settings: Settings, secrets: Secrets, database_url: str, port: int) -> dict[str, str]:
    """Return the environment of Airflow's processes and of the tasks they run.

    Nobody logs in (SimpleAuthManager, all admins): it listens on loopback only, and whoever is on this machine as this
    user can read the secrets anyway. A real installation has logins.

    Args:
        settings: The installation.
        secrets: Its generated secrets.
        database_url: Airflow's metadata.
        port: Port of the API server on 127.0.0.1.
    """
    address = f"http://127.0.0.1:{port}"
    options = {
        "CORE__DAGS_FOLDER": str(DAGS_DIR),
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": str(max(2, min(8, os.cpu_count() or 2))),
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "CORE__FERNET_KEY": secrets.fernet,
        "CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
        "CORE__AUTH_MANAGER": "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager",
        "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "DATABASE__SQL_ALCHEMY_CONN": database_url.replace("postgresql+psycopg://", "postgresql+psycopg2://"),
        "API__HOST": "127.0.0.1",
        "API__PORT": str(port),
        "API__BASE_URL": address,
        "API__SECRET_KEY": secrets.session,
        "API__WORKERS": "1",
        "API_AUTH__JWT_SECRET": secrets.jwt,
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.3",
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "60",
        "LOGGING__BASE_LOG_FOLDER": str(task_logs(settings)),
        "USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    own = {
        "PARKINDEX_WAREHOUSE_URL": settings.own_warehouse_url,
        "PARKINDEX_AIRFLOW_DB_URL": settings.own_airflow_db_url,
        "PARKINDEX_WATCH": "paused",  # until everything that was there at the start is landed
        **{f"PARKINDEX_SOURCE_{feed.upper()}": url for feed, url in settings.source_urls.items()},
    }
    inherited = child_environment(settings, **{name: value for name, value in own.items() if value})
    # What the caller has set for an Airflow of their own must not reach into this one.
    clean = {name: value for name, value in inherited.items() if not name.startswith("AIRFLOW")}
    return {
        **clean,
        **{f"AIRFLOW__{name}": value for name, value in options.items()},
        "AIRFLOW_HOME": str(home(settings)),
        "SCARF_ANALYTICS": "false",
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), clean.get("PATH", os.defpath))),
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


def command(component: str, *arguments: str) -> list[str]:
    """Command line of one of Airflow's processes."""
    extra = {"scheduler": ("--skip-serve-logs",)}.get(component, ())
    return [sys.executable, "-m", "airflow", component, *extra, *arguments]


def migrate(settings: Settings, env: dict[str, str], database_url: str) -> None:
    """Bring Airflow's metadata to the installed version; a second call with nothing to do takes no time.

    Raises:
        ServiceDownError: The migration failed; names its log.
    """
    stamp = home(settings) / "migrated"
    if stamp.exists() and stamp.read_text("utf-8") == _migrated(database_url):
        return
    log = settings.logs / "airflow-migrate.log"
    with log.open("ab") as output:
        done = subprocess.run(
            command("db", "migrate"),
            env=env,
            cwd=home(settings),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            check=False,
            start_new_session=True,
        )
    if done.returncode != 0:
        raise ServiceDownError(
            "Airflow's metadata could not be brought to this version.",
            where=str(log),
            why=last_words(log),
            next_step="look at the log; then `make down` and `make up`",
        )
    stamp.write_text(_migrated(database_url), "utf-8")


def _migrated(database_url: str) -> str:
    """What a migrated database and this version of Airflow say of themselves."""
    with psycopg.connect(with_driver(database_url).replace("+psycopg", "")) as connection:
        if connection.execute("select to_regclass('alembic_version')").fetchone() in (None, (None,)):
            return ""
        row = connection.execute("select version_num from alembic_version").fetchone()
    return f"{version('apache-airflow-core')} {row[0] if row else ''}"


def last_words(log: Path, count: int = 5) -> str:
    """Return the last lines of a log that say anything."""
    try:
        lines = log.read_text("utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return "no log was written"
    return " | ".join([line.strip() for line in lines if line.strip()][-count:])[-600:]


class Api:
    """Airflow's REST API, version 2, on loopback.

    Args:
        address: ``http://127.0.0.1:<port>``.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        # No proxy of the environment: this is loopback.
        self._client = httpx.Client(base_url=address, timeout=_REQUEST_SECONDS, trust_env=False)
        self._token: str | None = None

    def close(self) -> None:
        """Close connections."""
        self._client.close()

    def health(self) -> dict[str, str]:
        """Return component → status (``healthy``, ``unhealthy``); empty when nobody answers."""
        try:
            answer = self._client.get("/api/v2/monitor/health", timeout=5.0)
            answer.raise_for_status()
            document: dict[str, Any] = answer.json()
        except (httpx.HTTPError, ValueError):
            return {}
        return {name: str((part or {}).get("status")) for name, part in document.items() if name != "triggerer"}

    def dags(self) -> dict[str, dict[str, Any]]:
        """Return the DAGs that were parsed, by id."""
        return {dag["dag_id"]: dag for dag in self._get("/api/v2/dags", limit=100)["dags"]}

    def import_errors(self) -> list[dict[str, Any]]:
        """Return the files that could not be parsed, with their tracebacks."""
        found: list[dict[str, Any]] = self._get("/api/v2/importErrors")["import_errors"]
        return found

    def trigger(self, dag_id: str, run_id: str, conf: dict[str, Any]) -> None:
        """Start a run of a DAG."""
        body = {"dag_run_id": run_id, "logical_date": None, "conf": conf}
        self._request("POST", f"/api/v2/dags/{dag_id}/dagRuns", body)

    def pause(self, dag_id: str, *, is_paused: bool) -> None:
        """Pause a DAG, or let it go on."""
        self._request("PATCH", f"/api/v2/dags/{dag_id}", {"is_paused": is_paused})

    def runs(self, run_id: str) -> dict[str, str]:
        """Return the runs of this id, DAG → state."""
        found = self._get("/api/v2/dags/~/dagRuns", run_id_prefix_pattern=run_id, limit=100)["dag_runs"]
        return {one["dag_id"]: one["state"] for one in found if one["dag_run_id"] == run_id}

    def active_runs(self) -> list[dict[str, Any]]:
        """Return every run that is queued or running."""
        found: list[dict[str, Any]] = []
        for state in ("queued", "running"):
            found += self._get("/api/v2/dags/~/dagRuns", state=state, limit=100)["dag_runs"]
        return found

    def fail_run(self, dag_id: str, run_id: str) -> None:
        """End a run: its tasks are stopped."""
        self._request("PATCH", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}", {"state": "failed"})

    def tasks(self, run_id: str) -> list[dict[str, Any]]:
        """Return the task instances of the runs of this id, of every DAG."""
        found: list[dict[str, Any]] = self._get(
            "/api/v2/dags/~/dagRuns/~/taskInstances", run_id_prefix_pattern=run_id, limit=100
        )["task_instances"]
        return [task for task in found if task["dag_run_id"] == run_id]

    def result(self, dag_id: str, run_id: str, task_id: str) -> Any:
        """Return what a task returned; None when it returned nothing."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/return_value"
        answer = self._send("GET", path, None, {"deserialize": "false"})
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        return self._checked(answer)["value"]

    def answer(self, dag_id: str, run_id: str, task_id: str, option: str, form: dict[str, Any]) -> None:
        """Answer a task that waits for a person."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/-1/hitlDetails"
        self._request("PATCH", path, {"chosen_options": [option], "params_input": form})

    def _get(self, path: str, **query: Any) -> dict[str, Any]:
        return self._checked(self._send("GET", path, None, query))

    def _request(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return self._checked(self._send(method, path, body, {}))

    def _send(self, method: str, path: str, body: dict[str, Any] | None, query: dict[str, Any]) -> httpx.Response:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                if self._token is None:
                    self._token = self._checked(self._client.get("/auth/token"))["access_token"]
                answer = self._client.request(
                    method, path, json=body, params=query, headers={"Authorization": f"Bearer {self._token}"}
                )
            except httpx.TransportError as error:
                # Reading again is harmless; a write may have arrived, so it is only repeated when none was sent.
                if attempt == _ATTEMPTS or not (method == "GET" or isinstance(error, httpx.ConnectError)):
                    raise ServiceDownError(
                        "Airflow does not answer.",
                        where=self._address,
                        why=f"{type(error).__name__}: {error}",
                        next_step="parkindex status; then `make down` and `make up`",
                    ) from error
                time.sleep(attempt)
                continue
            if answer.status_code == httpx.codes.UNAUTHORIZED and attempt < _ATTEMPTS:
                self._token = None
                continue
            return answer
        raise AssertionError("every attempt returns or raises")

    def _checked(self, answer: httpx.Response) -> dict[str, Any]:
        if answer.is_error:
            raise ServiceDownError(
                "Airflow refused a request.",
                where=f"{answer.request.method} {answer.request.url}",
                why=f"HTTP {answer.status_code}: {answer.text[:300]}",
                next_step="look at logs/api-server.log in PARKINDEX_HOME",
            )
        document: dict[str, Any] = answer.json()
        return document


def wait_for_dags(api: Api, expected: list[str]) -> None:
    """Wait until Airflow has parsed these DAGs.

    Raises:
        BadInputError: A DAG file cannot be read.
        ServiceDownError: They do not appear in time.
    """
    until = time.monotonic() + DAGS_SECONDS
    while missing := sorted(set(expected) - set(api.dags())):
        broken = api.import_errors()
        if broken:
            raise BadInputError(
                "A DAG file cannot be read.",
                where=str(broken[0]["filename"]),
                why=str(broken[0]["stack_trace"]).strip().splitlines()[-1],
                next_step="correct the file, or the contract it reads; then run it again",
            )
        if time.monotonic() > until:
            raise ServiceDownError(
                f"Airflow did not find the DAGs within {DAGS_SECONDS:.0f} s.",
                why=f"missing: {', '.join(missing)}",
                next_step="look at logs/dag-processor.log in PARKINDEX_HOME",
            )
        time.sleep(0.3)


@contextmanager
def connected(address: str) -> Iterator[Api]:
    """Open the REST API for a block."""
    api = Api(address)
    try:
        yield api
    finally:
        api.close()
