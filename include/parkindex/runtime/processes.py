"""Processes that we start and end: by pid and start time, never by name, never by a pid file alone."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_POLL_SECONDS = 0.05
_PROC = Path("/proc")


@dataclass(frozen=True)
class Stat:
    """What the kernel says of a live process.

    Attributes:
        pid: Process id.
        parent: Pid of its parent.
        session: Id of its session: the pid of the process that leads it, which is given to no other process while the
            session has members.
        started: Clock ticks from boot to its start; with the pid it names one process of this boot.
    """

    pid: int
    parent: int
    session: int
    started: int


def stat(pid: int) -> Stat | None:
    """Look at a process; None when it is gone or a zombie."""
    try:
        # "pid (name) state ppid pgrp session …": the name may hold blanks and brackets.
        fields = (_PROC / str(pid) / "stat").read_text("utf-8", errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    if fields[0] in "ZX":
        return None
    return Stat(pid, parent=int(fields[1]), session=int(fields[3]), started=int(fields[19]))


def everyone() -> list[Stat]:
    """Return every live process."""
    pids = (int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit())
    return [seen for pid in pids if (seen := stat(pid)) is not None]


def boot_id() -> str:
    """Return the kernel's name of this boot: pids and start times of another boot mean nothing."""
    return (_PROC / "sys/kernel/random/boot_id").read_text("ascii").strip()


def started(pid: int) -> int | None:
    """Return when a process was started (ticks since boot); None when it is gone or a zombie."""
    seen = stat(pid)
    return None if seen is None else seen.started


def is_alive(pid: int, start: int) -> bool:
    """Whether the process that had this pid and this start time still runs."""
    return started(pid) == start


def working_in(folder: Path) -> list[int]:
    """Return the pids of live processes whose working directory is exactly this folder (as Postgres' all is)."""
    try:
        wanted = folder.stat()
    except FileNotFoundError:
        return []
    found = []
    for entry in _PROC.iterdir():
        if not entry.name.isdigit():
            continue
        # A process may end while we look, and others' processes are not ours to look into.
        with suppress(OSError):
            there = (entry / "cwd").stat()
            if (there.st_dev, there.st_ino) == (wanted.st_dev, wanted.st_ino):
                found.append(int(entry.name))
    return sorted(set(found) - {os.getpid()})


def started_by(leader: int, start: int) -> dict[int, int]:
    """Return the live processes of a session leader: itself, its descendants, and whoever else is in its session.

    The members of a session are found by its id even when their leader was killed and their parents are gone.

    Args:
        leader: Pid of the process that was started as the leader of a session.
        start: Its start time.

    Returns:
        pid → start time; nothing when the pid meanwhile belongs to another process.
    """
    now = everyone()
    present = {seen.pid: seen for seen in now}
    if leader in present and present[leader].started != start:
        return {}
    found = {seen.pid for seen in now if leader in (seen.session, seen.pid)}
    while more := {seen.pid for seen in now if seen.parent in found} - found:
        found |= more
    return {pid: present[pid].started for pid in sorted(found)}


def end(members: dict[int, int], *, patience: float = 10.0, first: signal.Signals = signal.SIGTERM) -> list[int]:
    """End processes: a polite signal, then SIGKILL for those that stay. Returns the pids that were alive.

    Args:
        members: pid → start time; a pid that meanwhile belongs to another process is left alone.
        patience: Seconds between the polite signal and SIGKILL.
        first: The polite signal.
    """
    alive = {pid: start for pid, start in members.items() if is_alive(pid, start)}
    ended = list(alive)
    for wave, seconds in ((first, patience), (signal.SIGKILL, 5.0)):
        for pid in alive:
            with suppress(ProcessLookupError):
                os.kill(pid, wave)
        until = time.monotonic() + seconds
        while alive and time.monotonic() < until:
            reap(alive)
            alive = {pid: start for pid, start in alive.items() if is_alive(pid, start)}
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
