"""Run dbt in a child process, with its own target and log folders, and say which node failed and why.

A child process because dbt keeps global state and must not share an Airflow task's interpreter. The child stays for
the next call of the same process: importing dbt costs as much as building a small layer. One call builds a whole layer.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from sqlalchemy.engine import make_url

from parkindex import settings as settings_module
from parkindex.errors import BadInputError, ParkindexError, ServiceDownError
from parkindex.settings import DBT_PROJECT_DIR, Settings
from parkindex.transform import leftovers

THREADS = 2
_STOP_SECONDS = 10.0
_TAIL_CHARACTERS = 2000
_PARSED = "partial_parse.msgpack"
# Unit tests prove the code and not the data: they run with the other tests of the code (tests/integration).
_WITHOUT = {"build": ("--exclude-resource-type", "unit_test"), "test": ()}
_LATE_VARIABLES = {"identity_run_id", "previous_identity_run_id", "edition"}


def build(
    settings: Settings,
    select: Sequence[str],
    variables: Mapping[str, str | int],
    *,
    command: str = "build",
) -> None:
    """Build models, seeds and their tests.

    Args:
        settings: The installation: its warehouse and the home that target and logs are written under.
        select: dbt selectors, for example ``path:models/staging``.
        variables: dbt variables (docs/architecture.md); they are part of what is built, so they are given by name.
        command: ``build`` (models, seeds and their data tests) or ``test``.

    Raises:
        BadInputError: A model could not be built or a test failed; names the first node, its file and message.
        ServiceDownError: The warehouse does not answer, or dbt itself failed.
    """
    with _working_folder(settings) as folder:
        options = [
            *("--project-dir", str(DBT_PROJECT_DIR), "--profiles-dir", str(DBT_PROJECT_DIR)),
            *("--target-path", str(folder / "target"), "--log-path", str(folder / "logs")),
            *("--vars", json.dumps(dict(variables), sort_keys=True)),
            *("--quiet", "--no-use-colors", "--no-version-check", "--threads", str(THREADS)),
        ]
        connection = connection_environment(settings)
        request = {
            "parse": ["parse", *options],
            # a test runs with the layer that completes what it looks at
            "run": [command, *options, *_WITHOUT[command], "--indirect-selection", "buildable", "--select", *select],
            "parsed_as": json.dumps([_fixed(variables), connection], sort_keys=True),
            "environment": connection,
        }
        answer, output = _ask(settings, request)
        if not answer["success"]:
            raise _failure(answer, output, _keep_log(settings, folder))


def connection_environment(settings: Settings) -> dict[str, str]:
    """Return the variables that ``dbt_project/profiles.yml`` reads: the warehouse, taken from its URL."""
    url = make_url(settings.warehouse_url)
    host = url.host or url.query.get("host", "localhost")
    return {
        "PARKINDEX_DBT_HOST": host if isinstance(host, str) else host[0],
        "PARKINDEX_DBT_PORT": str(url.port or url.query.get("port", "5432")),
        "PARKINDEX_DBT_USER": url.username or "",
        "DBT_ENV_SECRET_PARKINDEX_PASSWORD": url.password or "",
        "PARKINDEX_DBT_DBNAME": url.database or "",
        "PARKINDEX_DBT_SSLMODE": str(url.query.get("sslmode", "prefer")),
        "PARKINDEX_DBT_ROLE": settings.acting_as or "",
    }


def _fixed(variables: Mapping[str, str | int]) -> dict[str, str | int]:
    """Return the variables that a parse depends on: all but those that only stand in the text of a query."""
    return {name: value for name, value in variables.items() if name not in _LATE_VARIABLES}


def _failure(answer: dict[str, Any], output: str, log: Path) -> ParkindexError:
    if answer["failed"]:
        first = answer["failed"][0]
        more = len(answer["failed"]) - 1
        return BadInputError(
            f"dbt: {first['node']} failed ({first['status']})" + (f", and {more} more." if more else "."),
            where=f"dbt_project/{first['path']}",
            why=" ".join(str(first["message"]).split()),
            next_step=f"correct the model or the data it names, and build again; dbt's log: {log}",
        )
    return ServiceDownError(
        "dbt did not run.",
        where=str(DBT_PROJECT_DIR),
        why=answer["error"] or output[-_TAIL_CHARACTERS:].strip() or "no message",
        next_step=f"is the warehouse up (`parkindex status`)? dbt's log: {log}",
    )


@contextmanager
def _working_folder(settings: Settings) -> Iterator[Path]:
    """Give a folder of this run alone, and keep dbt's parse of the project for the next run.

    dbt checks the kept parse against files, variables and version itself. It is put in place by renaming, so that runs
    at the same time never read a half-written one.
    """
    work = settings.home / "dbt"
    work.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=leftovers.PREFIX, dir=work))
    with leftovers.held(folder):
        parsed = folder / "target" / _PARSED
        parsed.parent.mkdir()
        with suppress(FileNotFoundError):
            shutil.copyfile(work / _PARSED, parsed)
        try:
            yield folder
            with suppress(FileNotFoundError):
                parsed.replace(work / _PARSED)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _keep_log(settings: Settings, folder: Path) -> Path:
    """Keep the log of a failed run with the other logs; return where it is."""
    kept = settings.logs / "dbt" / f"{folder.name}.log"
    kept.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        shutil.copyfile(folder / "logs" / "dbt.log", kept)
    return kept


# --------------------------------------------------------------------------------------------------------- the child


@dataclass(frozen=True)
class _Child:
    """A running child and the process that started it (a fork must not talk to its parent's)."""

    process: subprocess.Popen[str]
    output: IO[bytes]
    owner: int

    def ask(self, request: dict[str, Any]) -> dict[str, Any] | None:
        """Return the answer to a request; None when the child ended instead."""
        if self.process.stdin is None or self.process.stdout is None:
            raise RuntimeError("the child was started without pipes")
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            return None
        answer: dict[str, Any] | None = json.loads(line) if line else None
        return answer

    def stop(self) -> None:
        """End the child; what it is running is cancelled on the server too."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()
        try:
            self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.output.close()


_children: list[_Child] = []
_one_at_a_time = threading.Lock()


def _ask(settings: Settings, request: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Run dbt in the child; return its answer and the end of what it printed."""
    with _one_at_a_time:
        child = _child(settings)
        start = child.output.seek(0, os.SEEK_END)
        try:
            answer = child.ask(request)
        except BaseException:
            _stop_children()
            raise
        child.output.seek(start)
        output = child.output.read().decode("utf-8", "replace")
        if answer is None:
            code = child.process.wait()
            _stop_children()
            return {"success": False, "failed": [], "error": None}, f"{output}\ndbt's process ended with code {code}"
    return answer, output


def _child(settings: Settings) -> _Child:
    """Return the running child of this process, started when there is none."""
    for known in list(_children):
        if known.owner != os.getpid():
            _children.remove(known)
        elif known.process.poll() is not None:
            known.stop()
            _children.remove(known)
    if not _children:
        output = tempfile.TemporaryFile()  # noqa: SIM115 (it lives as long as the child)
        process = subprocess.Popen(
            [sys.executable, "-m", "parkindex.transform.dbt_runner"],
            env=settings_module.child_environment(settings),
            cwd=DBT_PROJECT_DIR,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
            encoding="utf-8",
        )
        _children.append(_Child(process, output, os.getpid()))
    return _children[0]


@atexit.register
def _stop_children() -> None:
    while _children:
        child = _children.pop()
        if child.owner == os.getpid():
            child.stop()
