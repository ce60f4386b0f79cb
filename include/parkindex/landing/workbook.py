"""XLSX workbooks, sheet by sheet, with calamine.

A workbook has types of its own: a number is read to the 15 digits that a spreadsheet keeps, a date is written in the
contract's format, and an identifier that was stored as a number is refused by name, since its last digits are lost
before anyone could read them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
    XmlError,
    ZipError,
)

from parkindex.contracts import Column, Contract, Table
from parkindex.landing.archives import WORKBOOK, members
from parkindex.landing.blocks import Block, CellFault, Continuation, Header, fits, map_header, without_blank
from parkindex.landing.refusal import refuse

# A title, a subtitle and an explanation may stand above the header; data do not begin lower than this.
_HEADER_WITHIN = 10
_BLOCK_ROWS = 50_000
_STRFTIME = {"yyyy-MM-dd": "%Y-%m-%d", "yyyy/M/d": "%Y/%m/%d", "yyyyMMdd": "%Y%m%d", "yyyy-MM": "%Y-%m"}
_ERRORS = frozenset({"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#GETTING_DATA"})

_Cell = int | float | str | bool | date | datetime | time | timedelta | None


def read(contract: Contract, path: Path, *, notes: list[str]) -> Iterator[Block]:
    """Yield the records of a workbook, table by table.

    Raises:
        FileRefusedError: It is no workbook, exceeds its budget, or a sheet or column is missing.
    """
    members(path, WORKBOOK)
    try:
        with path.open("rb") as stream:
            workbook = CalamineWorkbook.from_filelike(stream)
            for table in contract.tables:
                yield from _table(contract, table, _sheet(workbook, table), notes)
    except PasswordError:
        refuse("file.format", "The workbook is protected by a password.")
    except (CalamineError, XmlError, ZipError) as error:
        refuse("file.format", f"The file is no XLSX workbook that can be read: {error}")


def _sheet(workbook: CalamineWorkbook, table: Table) -> CalamineSheet:
    visible = [
        sheet.name
        for sheet in workbook.sheets_metadata
        if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible
    ]
    if table.sheet is not None:
        named = [name for name in visible if name.strip() == table.sheet]
        if not named:
            listed = ", ".join(visible) or "none"
            refuse("file.sheet_missing", f"There is no visible sheet {table.sheet!r} (visible: {listed}).")
        return workbook.get_sheet_by_name(named[0])
    sheets = [workbook.get_sheet_by_name(name) for name in visible]
    if len(sheets) > 1:
        sheets = [sheet for sheet in sheets if any(fits(table, texts) for texts in _top(sheet))]
    if len(sheets) != 1:
        refuse("file.sheet_missing", f"{len(sheets)} of the visible sheets have the columns of {table.name}; one must.")
    return sheets[0]


def _top(sheet: CalamineSheet) -> list[list[str]]:
    rows = sheet.to_python(skip_empty_area=False, nrows=_HEADER_WITHIN)
    return [[_as_text(cell) or "" for cell in row] for row in rows]


def _table(contract: Contract, table: Table, sheet: CalamineSheet, notes: list[str]) -> Iterator[Block]:
    where = f"sheet {sheet.name}"
    top = _top(sheet)
    candidates = [place for place, texts in enumerate(top) if fits(table, texts)]
    filled = [place for place, texts in enumerate(top) if any(text.strip() for text in texts)]
    if not filled:
        refuse("file.empty", "The sheet is empty.", where)
    header_at = candidates[0] if candidates else filled[0]
    texts = _trimmed(top[header_at])
    header = map_header(contract, table, texts, f"{where}, row {header_at + 1}", notes)
    columns = {place: table.column(name) for name, place in header.places.items()}
    rows = sheet.to_python(skip_empty_area=False)[header_at + 1 :]
    continuation = Continuation(table)
    for begin in range(0, len(rows), _BLOCK_ROWS):
        block = _block(table, header, columns, rows[begin : begin + _BLOCK_ROWS], header_at + 2 + begin)
        yield continuation.fill(without_blank(block))


def _trimmed(texts: list[str]) -> list[str]:
    """Return a header without the empty cells behind its last text."""
    end = max((place + 1 for place, text in enumerate(texts) if text.strip()), default=0)
    return texts[:end]


def _block(
    table: Table, header: Header, columns: dict[int, Column], rows: Sequence[Sequence[_Cell]], first_row: int
) -> Block:
    faults: list[CellFault] = []
    width = max([len(header.texts), *(len(row) for row in rows)])
    texts = header.texts + ("",) * (width - len(header.texts))
    cells: dict[str, list[str | None]] = {}
    for place in range(width):
        column = columns.get(place)
        made: list[str | None] = []
        for index, row in enumerate(rows):
            cell = row[place] if place < len(row) else None
            made.append(_as_text(cell, column))
            rule = _fault(cell, column)
            if rule:
                faults.append(CellFault(index, place, rule))
        cells[str(place)] = made
    unknown = (*header.unknown, *range(len(header.texts), width))
    frame = pl.DataFrame(cells, schema=dict.fromkeys(cells, pl.String))
    numbers = pl.Series(range(first_row, first_row + len(rows)), dtype=pl.Int64)
    return Block(table, Header(texts, header.places, unknown), frame, numbers, faults=tuple(faults))


def _fault(cell: _Cell, column: Column | None) -> str | None:
    """Return the rule that a cell breaks by its type alone."""
    if column is None:
        return None
    if isinstance(cell, str):
        return "cell.error" if cell in _ERRORS else None
    is_number = isinstance(cell, int | float) and not isinstance(cell, bool)
    if is_number and (column.check is not None or column.match_key == "identifier") and column.logical_type == "string":
        return "cell.number_as_identifier"
    return None


def _as_text(cell: _Cell, column: Column | None = None) -> str | None:
    """Return a cell as the text a person would type for it; the empty cell is the empty text."""
    if cell is None or isinstance(cell, str):
        return cell or ""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        return format(Decimal(f"{cell:.15g}"), "f")
    if isinstance(cell, datetime):
        return _date_text(cell.date(), column) if cell.time() == time() else cell.isoformat(sep=" ")
    if isinstance(cell, date):
        return _date_text(cell, column)
    return str(cell)  # a whole number, a time or a duration


def _date_text(day: date, column: Column | None) -> str:
    style = column.date_format if column and column.logical_type == "date" else "yyyy-MM-dd"
    if style == "yyyy-MM" and day.day != 1:
        return day.isoformat()
    return day.strftime(_STRFTIME[style])
