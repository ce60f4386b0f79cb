"""How files are written: noise planted and registered, workbooks, CSV, times of delivery."""

from __future__ import annotations

import csv
import gzip
import io
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Generic, TextIO, TypeVar

import numpy as np
import xlsxwriter

from parkindex.sample import identifiers
from parkindex.sample.days import day

SYNTHETIC = "合成数据 SYNTHETIC DATA"
DUPLICATE = "duplicate"
# What a cell may be: text, a number, a date (written as a real date cell), nothing.
Cell = str | int | float | date | None
Row = TypeVar("Row")


@dataclass(frozen=True)
class Planted(Generic[Row]):
    """A row that must not be accepted. ``row`` None repeats the row above it: an exact duplicate.

    Attributes:
        row: The row as delivered.
        rule: Rule it breaks first, in column order.
        column: Column that breaks it.
        note: What is wrong, in words.
    """

    row: Row | None
    rule: str
    column: str
    note: str


@dataclass
class Noise:
    """The register of everything in the feeds that is not as it should be."""

    rows: list[dict[str, str | int]] = field(default_factory=list)
    superseded: list[dict[str, str | int]] = field(default_factory=list)

    def plant(self, feed: str, file: str, table: str, source_row: int, planted: Planted[Row]) -> None:
        """Note a planted row with its place as a person sees it."""
        self.rows.append(
            {
                "feed": feed,
                "file": file,
                "table": table,
                "source_row": source_row,
                "rule": planted.rule,
                "column": planted.column,
                "note": planted.note,
            }
        )

    def supersede(self, feed: str, file: str, key: str, replaced_by: str, note: str) -> None:
        """Note a row that is accepted and replaced by a later delivery or report."""
        self.superseded.append({"feed": feed, "file": file, "key": key, "replaced_by": replaced_by, "note": note})


@dataclass
class Ghosts:
    """Codes of enterprises that do not exist, for rows that must be refused for another reason."""

    district: int = 310115
    used: int = 0

    def code(self) -> str:
        """Return a fresh code with right check digits, of no enterprise of any world."""
        self.used += 1
        serial = np.array([10_000_000 + self.used])
        return identifiers.unified_codes(np.array([self.district]), serial)[0]


def miscoded(code: str) -> str:
    """Return a code whose check character is wrong."""
    return code[:-1] + ("A" if code[-1] != "A" else "B")


def positions(rows: int, count: int, rng: np.random.Generator) -> list[int]:
    """Return places of noise among rows: after which row (0-based) each stands, sorted."""
    return sorted(rng.integers(0, max(rows, 1), count).tolist()) if rows else []


def mixed(
    rows: Iterable[Row], planted: Sequence[tuple[int, Planted[Row]]]
) -> Iterator[tuple[Row, Planted[Row] | None]]:
    """Yield the rows with the planted ones behind the row of their position (−1: before the first)."""
    waiting = list(reversed(planted))

    def due(position: int, row: Row | None) -> Iterator[tuple[Row, Planted[Row] | None]]:
        while waiting and waiting[-1][0] <= position:
            one = waiting.pop()[1]
            repeated = row if one.row is None else one.row
            if repeated is not None:
                yield repeated, one

    yield from due(-1, None)
    for position, row in enumerate(rows):
        yield row, None
        yield from due(position, row)


def sent(path: Path, when: date, hour: int = 10) -> None:
    """Set the time at which the provider sent a file: a whole hour, Shanghai time."""
    seconds = day(when) * 86_400 + (hour - 8) * 3_600
    os.utime(path, (seconds, seconds))


@contextmanager
def csv_stream(path: Path, encoding: str) -> Iterator[TextIO]:
    """Open a CSV for writing; compressed without name and time when the path ends in ``.gz``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix != ".gz":
        with path.open("w", encoding=encoding, newline="") as stream:
            yield stream
        return
    with (
        path.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0, compresslevel=1) as packed,
        io.TextIOWrapper(packed, encoding=encoding, newline="") as stream,
    ):
        yield stream


def write_csv(
    path: Path,
    header: Sequence[str],
    rows: Iterable[tuple[Sequence[str], Planted[Sequence[str]] | None]],
    noise: Noise,
    feed: str,
    *,
    encoding: str,
    line_end: str = "\n",
) -> int:
    """Write a CSV and register its planted rows. Returns the number of rows below the header."""
    count = 0
    with csv_stream(path, encoding) as stream:
        writer = csv.writer(stream, lineterminator=line_end)
        writer.writerow(header)
        for row, planted in rows:
            count += 1
            writer.writerow(row)
            if planted:
                noise.plant(feed, path.name, "", count + 1, planted)
    return count


@dataclass(frozen=True)
class Sheet:
    """A sheet: name, header, rows with what is planted among them, table of the contract."""

    name: str
    header: Sequence[str]
    rows: Iterable[tuple[Sequence[Cell], Planted[Sequence[Cell]] | None]]
    table: str = ""


def write_workbook(path: Path, sheets: Sequence[Sheet], noise: Noise, feed: str, created: date) -> int:
    """Write a workbook, row by row, without temporary files. Returns the number of rows below the headers."""
    path.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with xlsxwriter.Workbook(str(path), {"constant_memory": True, "in_memory": True}) as book:
        book.set_properties(
            {
                "title": SYNTHETIC,
                "comments": SYNTHETIC,
                "created": datetime(created.year, created.month, created.day, tzinfo=UTC).replace(tzinfo=None),
            }
        )
        day_format = book.add_format({"num_format": "yyyy-mm-dd"})
        for sheet in sheets:
            page = book.add_worksheet(sheet.name)
            for column, title in enumerate(sheet.header):
                page.write_string(0, column, title)
            for number, (row, planted) in enumerate(sheet.rows, start=1):
                count += 1
                for column, cell in enumerate(row):
                    if isinstance(cell, str):
                        page.write_string(number, column, cell)
                    elif isinstance(cell, date):
                        page.write_datetime(number, column, datetime(cell.year, cell.month, cell.day), day_format)  # noqa: DTZ001
                    elif cell is not None:
                        page.write_number(number, column, cell)
                if planted:
                    noise.plant(feed, path.name, sheet.table, number + 1, planted)
    return count


def printed(name: str, rng: np.random.Generator, *, exactly: bool = False) -> str:
    """Return a name as somebody else types it: the name is the same.

    Brackets and blanks vary; now and then also the length of the legal form, 市 behind the city, or a second name in
    Latin letters, unless the name has to stand ``exactly``.
    """
    kind = int(rng.integers(0, 12))
    as_typed = (
        name.replace("（", "(").replace("）", ")"),
        name.replace("(", "（").replace(")", "）"),
        f"{name[:2]} {name[2:]}",
        f"{name}\u3000",
        name.replace("（", "〔").replace("）", "〕"),
    )
    is_limited = name.endswith("有限公司") and not name.endswith("股份有限公司")
    in_other_words = (
        f"{name.removesuffix('有限公司')}有限责任公司" if is_limited else name,
        f"上海市{name.removeprefix('上海')}" if name.startswith("上海") else name,
        f"{name}(Synthetic Co., Ltd.)",
    )
    forms = as_typed if exactly else (*as_typed, *in_other_words)
    return forms[kind] if kind < len(forms) else name
