"""One year, run by the command as a person runs it, for the tests that look at what it left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parkindex.runtime import processes
from parkindex.settings import Settings

_SECONDS = 600


@dataclass(frozen=True)
class PublishedYear:
    """What a year left.

    Attributes:
        settings: The installation; its services run.
        options: Options with which it was run.
        document: What the command printed with ``--json``.
        progress: What it said while it ran.
    """

    settings: Settings
    options: tuple[str, ...]
    document: dict[str, Any]
    progress: str

    @property
    def page(self) -> Path:
        """The ranking page in the bundle."""
        return Path(self.document["page"])


def parkindex(settings: Settings, *words: str) -> subprocess.CompletedProcess[str]:
    """Call the command on an installation, in the plainest locale there is."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PARKINDEX_", "AIRFLOW", "LC_"))}
    return subprocess.run(
        [sys.executable, "-m", "parkindex.cli", *words],
        env={**kept, "PARKINDEX_HOME": str(settings.home), "LANG": "C"},
        capture_output=True,
        encoding="utf-8",
        timeout=_SECONDS,
        check=False,
    )


def run_year(settings: Settings, *options: str) -> PublishedYear:
    """Run the year and return what it left; fails with everything it said when it does not end well."""
    done = parkindex(settings, "ranking", *options, "--json")
    assert done.returncode == 0, f"exit {done.returncode}\n{done.stderr}\n{done.stdout}"
    return PublishedYear(settings, options, json.loads(done.stdout), done.stderr)


def processes_of(home: Path) -> list[str]:
    """Return the command lines of live processes that name a home or work in it."""
    found = []
    for seen in processes.everyone():
        folder = Path("/proc") / str(seen.pid)
        try:
            words = (folder / "cmdline").read_bytes().decode("utf-8", "replace")
            where = str((folder / "cwd").readlink())
        except OSError:  # it ended meanwhile
            continue
        if seen.pid != os.getpid() and (str(home) in words or where.startswith(str(home))):
            found.append(words.replace("\0", " "))
    return found
