"""Processes that we start and end: by pid and start time, never by name, never by a pid file alone."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil

_POLL_SECONDS = 0.05


def start_time(pid: int) -> float | None:
    """Return when a process was created (seconds since the epoch); None when it is gone or a zombie.

    Pid and start time together name one process: a pid alone may be that of a later one.
    """
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.Error:
        return None


def is_alive(pid: int, started: float) -> bool:
    """Whether the process that had this pid at this start time still runs."""
    now = start_time(pid)
    return now is not None and abs(now - started) < 1


def working_in(folder: Path) -> list[int]:
    """Return the pids of live processes whose working directory is exactly this folder (as Postgres' all is)."""
    try:
        wanted = folder.stat()
    except FileNotFoundError:
        return []
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        # A process may end while we look, and others' processes are not ours to look into.
        with suppress(OSError):
            there = (entry / "cwd").stat()
            if (there.st_dev, there.st_ino) == (wanted.st_dev, wanted.st_ino):
                found.append(int(entry.name))
    return sorted(set(found) - {os.getpid()})


def group_members(group: int) -> list[int]:
    """Return the pids of the live processes of a process group."""
    members = []
    for process in psutil.process_iter(["pid", "status"]):
        with suppress(ProcessLookupError, PermissionError):
            if os.getpgid(process.pid) == group and process.info["status"] != psutil.STATUS_ZOMBIE:
                members.append(process.pid)
    return members


def family(pid: int) -> dict[int, float]:
    """Return a process and its descendants, pid → start time; empty when it is gone."""
    try:
        parent = psutil.Process(pid)
        members = [parent, *parent.children(recursive=True)]
    except psutil.Error:
        return {}
    found = {}
    for member in members:
        with suppress(psutil.Error):
            found[member.pid] = member.create_time()
    return found


def end(members: dict[int, float], *, patience: float = 10.0, first: signal.Signals = signal.SIGTERM) -> list[int]:
    """End processes: a polite signal, then SIGKILL for those that stay. Returns the pids that were alive.

    Args:
        members: pid → start time; a pid that meanwhile belongs to another process is left alone.
        patience: Seconds between the polite signal and SIGKILL.
        first: The polite signal.
    """
    alive = {pid: started for pid, started in members.items() if is_alive(pid, started)}
    ended = list(alive)
    for wave, seconds in ((first, patience), (signal.SIGKILL, 5.0)):
        for pid in alive:
            with suppress(ProcessLookupError):
                os.kill(pid, wave)
        until = time.monotonic() + seconds
        while alive and time.monotonic() < until:
            reap(alive)
            alive = {pid: started for pid, started in alive.items() if is_alive(pid, started)}
            if alive:
                time.sleep(_POLL_SECONDS)
        if not alive:
            break
    return ended


def reap(pids: Iterable[int]) -> None:
    """Collect the exit status of those of our own children that ended, so that they do not stay as zombies."""
    for pid in pids:
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


def free_port(preferred: int | None = None) -> int:
    """Return a loopback port nobody listens on: the preferred one when it is free, else the system's choice."""
    for port in (preferred, 0) if preferred else (0,):
        with socket.socket() as probe:
            # As servers do: a port of which only closed connections are left is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no free port on 127.0.0.1")
