"""What a measurement was made on, as plain data that stands beside its numbers."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any


def described(packages: Iterable[str]) -> dict[str, Any]:
    """Return processor, cores, memory, load, and versions of Python and of packages."""
    cpu = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text("ascii", "replace").splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": cpu,
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory / 2**30, 1),
        "load_1m": round(os.getloadavg()[0], 1),
        "kernel": platform.release(),
        "python": sys.version.split()[0],
        "packages": {name: version(name) for name in packages},
    }


def peak_rss() -> int:
    """Return the most memory this process has held, bytes."""
    line = next(line for line in Path("/proc/self/status").read_text("ascii").splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def cpu_seconds() -> float:
    """Return the processor time of this process and of the children it has waited for."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system
