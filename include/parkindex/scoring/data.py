"""The field's customary pair of files: units × indicators, and a table of indicators with parents and weights.

As COINr's iData and iMeta (Becker et al. 2022, J. Open Source Softw. 7(78), 4567).
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from parkindex.errors import BadInputError
from parkindex.scoring.ranks import Floats

_META_COLUMNS = ("Level", "iCode", "Direction", "Weight", "Parent", "Type")
_TYPES = ("Indicator", "Aggregate", "Group", "Denominator", "Other")
_MISSING = ("", "NA")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True)
class Node:
    """An indicator or aggregate of the framework.

    Attributes:
        code: iCode.
        level: 1 for indicators.
        direction: 1 (more is better) or -1; always 1 for aggregates.
        weight: Weight inside its parent; None where the file leaves it open.
        parent: iCode of the parent; None at the top.
        target: Target of ``dist2target``.
        denominator: Column to divide by.
    """

    code: str
    level: int
    direction: int
    weight: float | None
    parent: str | None
    target: float | None = None
    denominator: str | None = None


@dataclass(frozen=True)
class Framework:
    """The hierarchy. Sizes: m indicators, k aggregates.

    Attributes:
        where: File it was read from, for messages.
        indicators: Level 1, in the order of the file.
        aggregates: Levels 2 and up, by level, then in the order of the file: children always come before parents.
    """

    where: str
    indicators: tuple[Node, ...]
    aggregates: tuple[Node, ...]

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Indicators, then aggregates: the order of columns everywhere."""
        return (*self.indicators, *self.aggregates)

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """Codes of all nodes, ``(m + k,)``."""
        return tuple(node.code for node in self.nodes)

    @cached_property
    def children(self) -> dict[str, tuple[int, ...]]:
        """Per aggregate the positions of its children in ``codes``."""
        return {
            parent.code: tuple(place for place, node in enumerate(self.nodes) if node.parent == parent.code)
            for parent in self.aggregates
        }

    @property
    def top_level(self) -> int:
        """The highest level."""
        return max(node.level for node in self.nodes)

    @property
    def roots(self) -> tuple[str, ...]:
        """Aggregates without a parent."""
        return tuple(node.code for node in self.aggregates if node.parent is None)


@dataclass(frozen=True)
class Dataset:
    """The units' data.

    Attributes:
        where: File it was read from, for messages.
        units: uCode per row, ``(n,)``.
        values: ``(n, m)``, NaN is missing.
        denominators: Per denominator column ``(n,)``.
        texts: Every other column as text, per column ``(n,)``.
    """

    where: str
    units: tuple[str, ...]
    values: Floats
    denominators: dict[str, Floats]
    texts: dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class _File:
    """A CSV file as read, and how to refuse it."""

    path: Path
    what: str
    header: list[str]
    rows: list[tuple[int, dict[str, str]]]

    def refusal(self, message: str, rule: str, line: int | None = None, column: str = "") -> BadInputError:
        place = str(self.path) + (f", line {line}" if line else "") + (f", column {column}" if column else "")
        return BadInputError(message, where=place, why=rule, next_step=f"correct the {self.what} file")

    def number(self, row: dict[str, str], line: int, column: str, owner: str) -> float | None:
        """Return a cell's number, None when it is missing or its column is."""
        try:
            return _number(row.get(column, ""))
        except ValueError:
            raise self.refusal(
                f"`{row[column]}` of {owner} is not a number.", f"score.{self.what}.number", line, column
            ) from None

    def require(self, columns: Iterable[str]) -> None:
        for name in columns:
            if name not in self.header:
                raise self.refusal(f"The column `{name}` is missing.", f"score.{self.what}.column")

    def key(self, column: str) -> dict[str, int]:
        """Return the line of every value of a column that has to be there once."""
        lines: dict[str, int] = {}
        for line, row in self.rows:
            value = row[column]
            if not value:
                raise self.refusal(f"A row has no {column}.", f"score.{self.what}.code", line, column)
            if value in lines:
                raise self.refusal(
                    f"The {column} {value} stands twice (line {lines[value]}).",
                    f"score.{self.what}.unique",
                    line,
                    column,
                )
            lines[value] = line
        return lines


def read_meta(path: Path) -> Framework:
    """Read the table of indicators.

    Columns ``Level, iCode, Direction, Weight, Parent, Type``; ``iName, Unit, Target, Denominator`` and others may be
    there. Only rows of Type Indicator and Aggregate make the hierarchy.

    Raises:
        BadInputError: A column is missing, a code stands twice, an indicator has no parent, a parent does not exist or
            is not above its child, there is a cycle, an aggregate has no children, or a weight is not a number from 0.
    """
    file = _read(path, "meta")
    file.require(_META_COLUMNS)
    lines = file.key("iCode")
    nodes = [node for line, row in file.rows if (node := _node(file, line, row)) is not None]
    indicators = tuple(node for node in nodes if node.level == 1)
    if not indicators:
        raise file.refusal("There is no indicator.", "score.meta.empty")
    aggregates = sorted((node for node in nodes if node.level > 1), key=lambda node: node.level)
    framework = Framework(str(path), indicators, tuple(aggregates))
    _check_parents(file, lines, nodes)
    _check_children(file, lines, framework)
    return framework


def _node(file: _File, line: int, row: dict[str, str]) -> Node | None:
    """Return the node of a row; None for a row that is not part of the hierarchy."""
    code, kind = row["iCode"], row["Type"]
    if kind not in _TYPES:
        raise file.refusal(
            f"The type `{kind}` is not known; known: {', '.join(_TYPES)}.", "score.meta.type", line, "Type"
        )
    if kind not in ("Indicator", "Aggregate"):
        return None
    is_indicator = kind == "Indicator"
    level, direction, weight, target = (
        file.number(row, line, column, code) for column in ("Level", "Direction", "Weight", "Target")
    )
    if level is None or level != int(level) or (level != 1 if is_indicator else level < 2):
        expected = "1" if is_indicator else "a whole number from 2"
        raise file.refusal(f"The level of {code} is not {expected}.", "score.meta.level", line, "Level")
    if direction not in ((1, -1) if is_indicator else (1, None)):
        expected = "1 or -1" if is_indicator else "1"
        raise file.refusal(f"The direction of {code} is not {expected}.", "score.meta.direction", line, "Direction")
    if weight is not None and weight < 0:
        raise file.refusal(f"The weight of {code} is negative.", "score.meta.weight", line, "Weight")
    parent = _named(row["Parent"])
    if is_indicator and parent is None:
        raise file.refusal(f"The indicator {code} has no parent.", "score.meta.parent", line, "Parent")
    denominator = _named(row.get("Denominator", ""))
    return Node(code, int(level), int(direction or 1), weight, parent, target, denominator)


def _check_parents(file: _File, lines: dict[str, int], nodes: list[Node]) -> None:
    known = {node.code: node for node in nodes}
    for node in nodes:
        if node.parent is None:
            continue
        line = lines[node.code]
        if node.parent not in known or known[node.parent].level == 1:
            raise file.refusal(
                f"The parent {node.parent} of {node.code} is not an aggregate of this file.",
                "score.meta.parent",
                line,
                "Parent",
            )
        cycle = _cycle(known, node.code)
        if cycle:
            raise file.refusal(
                f"The hierarchy runs in a circle: {' → '.join(cycle)}.", "score.meta.cycle", line, "Parent"
            )
    for node in nodes:
        if node.parent is not None and known[node.parent].level <= node.level:
            raise file.refusal(
                f"The parent {node.parent} of {node.code} is not on a higher level.",
                "score.meta.level",
                lines[node.code],
                "Level",
            )


def _check_children(file: _File, lines: dict[str, int], framework: Framework) -> None:
    for parent, children in framework.children.items():
        if not children:
            raise file.refusal(f"The aggregate {parent} has no children.", "score.meta.children", lines[parent])


def read_data(path: Path, framework: Framework, *, denominate: bool = False) -> Dataset:
    """Read the units' data.

    Args:
        path: CSV with ``uCode`` and one column per indicator; other columns (names, groups, denominators) may be there.
        framework: What the columns mean.
        denominate: Whether the denominator columns are needed.

    Raises:
        BadInputError: A column is missing or a cell is not a number (with line and column), or a uCode is missing or
            stands twice.
    """
    file = _read(path, "data")
    codes = [node.code for node in framework.indicators]
    denominators = [node.denominator for node in framework.indicators if denominate and node.denominator is not None]
    columns = list(dict.fromkeys((*codes, *denominators)))
    file.require(("uCode", *columns))
    units = tuple(file.key("uCode"))
    if not units:
        raise file.refusal("There is no unit.", "score.data.empty")
    numbers = {
        name: np.array(
            [_or_nan(file.number(row, line, name, row["uCode"])) for line, row in file.rows], dtype=np.float64
        )
        for name in columns
    }
    return Dataset(
        where=str(path),
        units=units,
        values=np.column_stack([numbers[code] for code in codes]),
        denominators={name: numbers[name] for name in denominators},
        texts={name: tuple(row[name] for _, row in file.rows) for name in file.header if name not in numbers},
    )


def read_weight_sets(path: Path, framework: Framework) -> dict[str, Floats]:
    """Read weight sets: one row per set, one column per indicator or aggregate whose weight it replaces.

    Returns:
        Per code ``(sets,)``.

    Raises:
        BadInputError: A column is no code of the framework, or a cell is not a number from 0.
    """
    file = _read(path, "weight_sets")
    for name in file.header:
        if name not in framework.codes:
            raise file.refusal(f"`{name}` is not a code of {framework.where}.", "score.weight_sets.code", column=name)
    if not file.rows:
        raise file.refusal("There is no weight set.", "score.weight_sets.empty")
    columns: dict[str, list[float]] = {name: [] for name in file.header}
    for line, row in file.rows:
        for name, column in columns.items():
            weight = file.number(row, line, name, "a weight set")
            if weight is None or weight < 0:
                raise file.refusal(f"`{row[name]}` is not a weight.", "score.weight_sets.number", line, name)
            column.append(weight)
    return {name: np.array(column, dtype=np.float64) for name, column in columns.items()}


def _cycle(nodes: dict[str, Node], start: str) -> list[str]:
    """Return the codes of the circle that leads from a node back to it; empty when there is none."""
    path = [start]
    while (parent := nodes[path[-1]].parent) in nodes and parent is not None:
        if parent == start:
            return [*path, start]
        if parent in path:
            return []  # a circle further up; it is found from one of its own nodes
        path.append(parent)
    return []


def _number(text: str) -> float | None:
    """Return the number of a cell, None for a missing one.

    Raises:
        ValueError: It is neither, or not finite.
    """
    if text in _MISSING:
        return None
    if not _NUMBER.fullmatch(text) or not np.isfinite(float(text)):
        raise ValueError(text)
    return float(text)


def _or_nan(number: float | None) -> float:
    return math.nan if number is None else number


def _named(text: str) -> str | None:
    return None if text in _MISSING else text


def _read(path: Path, what: str) -> _File:
    """Read a CSV: header and rows, each with the line it starts on; cells are stripped of blanks."""
    refuse = _File(path, what, [], []).refusal

    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            records = list(_records(csv.reader(stream, strict=True)))
    except FileNotFoundError:
        raise refuse(f"The {what} file is not there.", "score.file") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise refuse(f"The {what} file is not UTF-8 CSV: {error}.", "score.file") from error
    if not records:
        raise refuse(f"The {what} file is empty.", "score.file.empty")
    (_, header), *body = records
    repeated = next((name for name in header if header.count(name) > 1), None)
    if repeated is not None:
        raise refuse(f"The column `{repeated}` stands twice.", "score.file.header", 1)
    for line, cells in body:
        if len(cells) != len(header):
            raise refuse(f"The row has {len(cells)} cells, the header {len(header)}.", "score.file.ragged", line)
    return _File(path, what, header, [(line, dict(zip(header, cells, strict=True))) for line, cells in body])


def _records(reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """Yield the records that are not blank, each with the line it starts on."""
    start = 1
    for record in reader:
        cells = [cell.strip() for cell in record]
        if any(cells):
            yield start, cells
        start = reader.line_num + 1  # type: ignore[attr-defined]
