"""What a person sees while the year runs: a live table on a terminal, plain lines everywhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import TracebackType
from typing import TextIO

from rich.console import Console
from rich.live import Live
from rich.table import Table

WAITING, RUNNING, DONE, FAILED = "waiting", "running", "done", "failed"
_MARKS = {WAITING: "·", RUNNING: "▸", DONE: "✓", FAILED: "✗"}
_COLOURS = {WAITING: "dim", RUNNING: "cyan", DONE: "green", FAILED: "bold red"}


@dataclass(frozen=True)
class Line:
    """One step as shown.

    Attributes:
        stage: Stage of the year.
        task: What is done.
        state: waiting, running, done or failed.
        seconds: How long it has taken.
        rows: Rows it landed; None when it does not land any.
        note: What there is to say of it.
    """

    stage: str
    task: str
    state: str = WAITING
    seconds: float | None = None
    rows: int | None = None
    note: str = ""


class View:
    """The steps of the year, in the order in which they were first shown.

    Args:
        stream: Where to; a live table when it is a terminal.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._lines: dict[tuple[str, str], Line] = {}
        self._started: dict[tuple[str, str], float] = {}
        self._live: Live | None = None
        if self._stream.isatty():
            console = Console(file=self._stream)
            self._live = Live(console=console, get_renderable=self._table, refresh_per_second=4)

    def __enter__(self) -> View:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def show(self, line: Line) -> None:
        """Show a step in its present state; a state already shown is not repeated in plain lines."""
        key = (line.stage, line.task)
        former = self._lines.get(key)
        self._lines[key] = line
        if line.state == RUNNING and (former is None or former.state != RUNNING):
            self._started[key] = time.monotonic() - (line.seconds or 0.0)
        if self._live is None and (former is None or former.state != line.state) and line.state != WAITING:
            print(_plain(line), file=self._stream, flush=True)

    @contextmanager
    def step(self, stage: str, task: str) -> Iterator[list[str]]:
        """Show a step of our own while it runs; what is appended to the list becomes its note."""
        began = time.monotonic()
        line = Line(stage, task, RUNNING)
        notes: list[str] = []
        self.show(line)
        try:
            yield notes
        except BaseException:
            self.show(replace(line, state=FAILED, seconds=time.monotonic() - began))
            raise
        self.show(replace(line, state=DONE, seconds=time.monotonic() - began, note=", ".join(notes)))

    def _table(self) -> Table:
        table = Table(box=None, pad_edge=False)
        for name, justify in (("", "left"), ("stage", "left"), ("task", "left"), ("rows", "right"), ("s", "right")):
            table.add_column(name, justify=justify, no_wrap=True)  # type: ignore[arg-type]
        table.add_column("", overflow="ellipsis", no_wrap=True)
        stage = ""
        for key, line in list(self._lines.items()):
            seconds = line.seconds
            if line.state == RUNNING:
                seconds = time.monotonic() - self._started[key]
            table.add_row(
                _MARKS[line.state],
                line.stage if line.stage != stage else "",
                line.task,
                "" if line.rows is None else f"{line.rows:,}",
                "" if seconds is None else f"{seconds:.0f}",
                line.note,
                style=_COLOURS[line.state],
            )
            stage = line.stage
        return table


def _plain(line: Line) -> str:
    parts = [f"{line.stage:10} {line.task:28} {line.state:8}"]
    if line.state != RUNNING:
        parts.append("" if line.seconds is None else f"{line.seconds:6.1f} s")
        parts.append("" if line.rows is None else f"{line.rows:>9,} rows")
        parts.append(line.note)
    return " ".join(part for part in parts if part).rstrip()
