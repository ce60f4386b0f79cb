"""Working folders of dbt runs that were killed: found, and removed, without touching a run that is at work.

Every run works in a folder of its own, ``<home>/dbt/run-*``, and holds a lock on it; the kernel gives the lock up with
the process, however that ended.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from parkindex.settings import Settings

PREFIX = "run-"


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a run's folder: while this lasts, nobody takes it for left behind."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def of(settings: Settings) -> list[Path]:
    """Return the folders that no run holds, in the order of their names."""
    return sorted(folder for folder in (settings.home / "dbt").glob(f"{PREFIX}*") if _is_free(folder))


def clear(settings: Settings) -> list[Path]:
    """Remove the folders that no run holds; return them."""
    found = of(settings)
    for folder in found:
        shutil.rmtree(folder, ignore_errors=True)
    return found


def _is_free(folder: Path) -> bool:
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:  # its run has just ended
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True
