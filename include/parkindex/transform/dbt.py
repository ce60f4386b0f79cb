"""Run dbt in a child process, with its own target and log folders, and say which node failed and why.

A child process because dbt keeps global state, and because a build must not share an Airflow task's interpreter; one
call builds a whole layer or more, since a start costs seconds.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from parkindex import settings as settings_module
from parkindex.errors import BadInputError, ParkindexError, ServiceDownError
from parkindex.settings import DBT_PROJECT_DIR, Settings

_STOP_SECONDS = 10.0
_TAIL_CHARACTERS = 2000
_KEPT_FILES = ("partial_parse.msgpack",)


def build(
    settings: Settings,
    select: Sequence[str],
    variables: Mapping[str, str | int],
    *,
    exclude: Sequence[str] = (),
    command: str = "build",
) -> None:
    """Build models, seeds and their tests.

    Args:
        settings: The installation: its warehouse and the home that target and logs are written under.
        select: dbt selectors, for example ``path:models/staging``.
        variables: dbt variables (docs/architecture.md); they are part of what is built, so they are given by name.
        exclude: dbt selectors of what is left out.
        command: ``build`` (models, seeds, tests) or another verb of dbt that takes a selection.

    Raises:
        BadInputError: A model could not be built or a test failed; names the first node, its file and message.
        ServiceDownError: The warehouse does not answer, or dbt itself failed.
    """
    logs = settings.logs / "dbt"
    with _working_folder(settings) as folder:
        result_path = folder / "result.json"
        arguments = [
            sys.executable,
            "-m",
            "parkindex.transform.dbt_runner",
            str(result_path),
            command,
            *("--project-dir", str(DBT_PROJECT_DIR), "--profiles-dir", str(DBT_PROJECT_DIR)),
            *("--target-path", str(folder / "target"), "--log-path", str(folder / "logs")),
            *("--vars", json.dumps(dict(variables), sort_keys=True)),
            *("--quiet", "--no-use-colors", "--no-version-check", "--threads", "2"),
            *("--select", *select),
            *(("--exclude", *exclude) if exclude else ()),
        ]
        code, output = _run(arguments, settings)
        found = json.loads(result_path.read_text("utf-8")) if result_path.exists() else {"failed": [], "error": None}
        if code:
            logs.mkdir(parents=True, exist_ok=True)
            kept = logs / f"{folder.name}.log"
            written = folder / "logs" / "dbt.log"
            if written.exists():
                shutil.copyfile(written, kept)
            raise _failure(found, output, kept)


def _failure(found: dict[str, Any], output: str, log: Path) -> ParkindexError:
    if found["failed"]:
        first = found["failed"][0]
        more = len(found["failed"]) - 1
        return BadInputError(
            f"dbt: {first['node']} failed ({first['status']})" + (f", and {more} more." if more else "."),
            where=f"dbt_project/{first['path']}",
            why=" ".join(str(first["message"]).split()),
            next_step=f"correct the model or the data it names, and build again; dbt's log: {log}",
        )
    return ServiceDownError(
        "dbt did not run.",
        where=str(DBT_PROJECT_DIR),
        why=found["error"] or output[-_TAIL_CHARACTERS:].strip() or "no message",
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
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=work))
    (folder / "target").mkdir()
    kept = work / "parsed"
    for name in _KEPT_FILES:
        if (kept / name).exists():
            shutil.copyfile(kept / name, folder / "target" / name)
    try:
        yield folder
        kept.mkdir(exist_ok=True)
        for name in _KEPT_FILES:
            if (folder / "target" / name).exists():
                (folder / "target" / name).replace(kept / name)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(arguments: list[str], settings: Settings) -> tuple[int, str]:
    """Run the child to its end; end it too when we are interrupted."""
    child = subprocess.Popen(
        arguments,
        env=settings_module.child_environment(settings, **connection_environment(settings)),
        cwd=DBT_PROJECT_DIR,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    try:
        output, _ = child.communicate()
    except BaseException:
        child.send_signal(signal.SIGINT)  # dbt cancels its queries on the server
        try:
            child.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
        raise
    return child.returncode, output


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
    }
