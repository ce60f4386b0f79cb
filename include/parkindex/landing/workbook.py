"""XLSX and XLS workbooks, sheet by sheet, with calamine.

A workbook has types of its own: a number is read to the 15 digits that a spreadsheet keeps, a date is written in the
contract's format, and an identifier that was stored as a number is refused by name, since its last digits are lost
before anyone could read them. What calamine does not say (formulas without a stored result, rows that a sheet holds) is
read from the sheet's XML beside it, see :mod:`parkindex.landing.sheet_xml`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fnmatch import fnmatchcase
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

from parkindex.contracts import Column, Contract, Server, Table
from parkindex.landing.archives import DOCUMENT_BYTES, WORKBOOK, members
from parkindex.landing.blocks import Block, CellFault, Continuation, Header, fits, map_header, without_blank
from parkindex.landing.refusal import refuse
from parkindex.landing.sheet_xml import Facts, facts_of

# A title, a subtitle and an explanation may stand above the header; data do not begin lower than this.
_HEADER_WITHIN = 10
_BLOCK_ROWS = 50_000
_STRFTIME = {"yyyy-MM-dd": "%Y-%m-%d", "yyyy/M/d": "%Y/%m/%d", "yyyyMMdd": "%Y%m%d", "yyyy-MM": "%Y-%m"}
_ERRORS = frozenset({"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#GETTING_DATA"})

# Day 0 of the date systems; 1900 counts a 29 February 1900 that never was, hence the day before its first.
_EPOCHS = {"1900": date(1899, 12, 30), "1904": date(1904, 1, 1)}
_SERIALS = {"1900": range(61, 2_958_466), "1904": range(2_957_004)}

_Cell = int | float | str | bool | date | datetime | time | timedelta | None
_Range = tuple[tuple[int, int], tuple[int, int]]


def read(contract: Contract, server: Server, path: Path, *, notes: list[str]) -> Iterator[Block]:
    """Yield the records of a workbook, table by table.

    Raises:
        FileRefusedError: It is no workbook, exceeds its budget, or a sheet or column is missing.
    """
    if server.format == "xlsx":
        members(path, WORKBOOK)
    elif path.stat().st_size > DOCUMENT_BYTES:
        refuse("file.budget", f"The workbook has {path.stat().st_size} bytes; {DOCUMENT_BYTES} are allowed.")
    try:
        with path.open("rb") as stream:
            workbook = CalamineWorkbook.from_filelike(stream)
            for table in contract.tables:
                for sheet in _sheets(workbook, table):
                    facts = facts_of(path, sheet.name) if server.format == "xlsx" else Facts()
                    for block in _table(contract, table, server, sheet, facts, notes):
                        yield block if table.sheets is None else _of_sheet(block, sheet.name)
    except PasswordError:
        refuse("file.format", "The workbook is protected by a password.")
    except (CalamineError, XmlError, ZipError, OSError) as error:
        refuse("file.format", f"The file is no {str(server.format).upper()} workbook that can be read: {error}")
    except BaseException as error:
        # calamine is written in Rust, and a damaged file makes it panic: that class can be caught by its name only.
        if type(error).__name__ != "PanicException":
            raise
        refuse("file.format", f"The workbook is damaged: {error}")


def _of_sheet(block: Block, name: str) -> Block:
    """Return a block that says which sheet its records come from: row numbers alone would be ambiguous."""
    return replace(
        block,
        members=pl.Series([name] * len(block.rows), dtype=pl.String),
        set_aside=tuple(replace(one, member=name) for one in block.set_aside),
    )


def _sheets(workbook: CalamineWorkbook, table: Table) -> list[CalamineSheet]:
    """Return the visible sheets that hold a table: hidden ones are drafts, lists of choices, last year's figures."""
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
        return [workbook.get_sheet_by_name(named[0])]
    if table.sheets is not None:
        named = [name for name in visible if fnmatchcase(name.strip(), table.sheets)]
        if not named:
            listed = ", ".join(visible) or "none"
            refuse("file.sheet_missing", f"No visible sheet is named like {table.sheets!r} (visible: {listed}).")
        return [workbook.get_sheet_by_name(name) for name in named]
    sheets = [workbook.get_sheet_by_name(name) for name in visible]
    if len(sheets) > 1:
        sheets = [sheet for sheet in sheets if any(fits(table, texts) for texts in _top(sheet))]
    if len(sheets) != 1:
        refuse("file.sheet_missing", f"{len(sheets)} of the visible sheets have the columns of {table.name}; one must.")
    return sheets


def _top(sheet: CalamineSheet) -> list[list[str]]:
    rows = sheet.to_python(skip_empty_area=False, nrows=_HEADER_WITHIN)
    return [[_as_text(cell) or "" for cell in row] for row in rows]


def _table(
    contract: Contract, table: Table, server: Server, sheet: CalamineSheet, facts: Facts, notes: list[str]
) -> Iterator[Block]:
    where = f"sheet {sheet.name}"
    top = _top(sheet)
    candidates = [place for place, texts in enumerate(top) if fits(table, texts)]
    filled = [place for place, texts in enumerate(top) if any(text.strip() for text in texts)]
    if not filled:
        refuse("file.empty", "The sheet is empty.", where)
    header_at = candidates[0] if candidates else filled[0]
    merged = sheet.merged_cell_ranges or []
    _check_header(merged, header_at, where)
    texts = _trimmed(top[header_at])
    header = map_header(contract, table, texts, f"{where}, row {header_at + 1}", notes)
    columns = {place: table.column(name) for name, place in header.places.items()}
    rows = sheet.to_python(skip_empty_area=False)
    if facts.last_row is not None and facts.last_row > len(rows):
        refuse("file.rows_lost", f"The sheet holds {facts.last_row} rows, {len(rows)} were read.", where)
    rows = rows[header_at + 1 :]
    faults = _cell_faults(table, columns, facts, merged)
    continuation = Continuation(table)
    for begin in range(0, len(rows), _BLOCK_ROWS):
        part = rows[begin : begin + _BLOCK_ROWS]
        block = _block(table, header, columns, part, header_at + 2 + begin, faults, server.serial_dates)
        yield continuation.fill(without_blank(block))


def _check_header(merged: Sequence[_Range], header_at: int, where: str) -> None:
    """Refuse a header with merged cells: the columns under one have no name of their own, or two rows make the name."""
    for (top, left), (bottom, right) in merged:
        if top <= header_at <= bottom and (bottom > top or right > left):
            cells = f"{_letters(left)}{top + 1}:{_letters(right)}{bottom + 1}"
            refuse("file.header_merged", f"The header's cells {cells} are merged.", where)


def _letters(column: int) -> str:
    """Return a column as a spreadsheet names it: A, B … Z, AA."""
    made = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        made = chr(ord("A") + rest) + made
    return made


def _cell_faults(
    table: Table, columns: dict[int, Column], facts: Facts, merged: Sequence[_Range]
) -> dict[tuple[int, int], str]:
    """Return cells without a value of their own: sheet row (from 1) and place → the rule they break."""
    found = dict.fromkeys(facts.without_value, "cell.formula_without_value")
    for (top, left), (bottom, right) in merged:
        for row in range(top, bottom + 1):
            for place in range(left, right + 1):
                column = columns.get(place)
                is_carried = column is not None and column.name in table.continuation_columns and left == right
                if column is not None and (row, place) != (top, left) and not is_carried:
                    found[row + 1, place] = "cell.merged"
    return found


def _trimmed(texts: list[str]) -> list[str]:
    """Return a header without the empty cells behind its last text."""
    end = max((place + 1 for place, text in enumerate(texts) if text.strip()), default=0)
    return texts[:end]


def _block(
    table: Table,
    header: Header,
    columns: dict[int, Column],
    rows: Sequence[Sequence[_Cell]],
    first_row: int,
    cell_faults: dict[tuple[int, int], str],
    serial_dates: str | None,
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
            if serial_dates is not None and column is not None and column.logical_type == "date":
                cell = _dated(cell, serial_dates)
            made.append(_as_text(cell, column))
            rule = _fault(cell, column)
            if cell_faults and column is not None:
                rule = cell_faults.get((first_row + index, place), rule)
            if rule:
                faults.append(CellFault(index, place, rule))
        cells[str(place)] = made
    unknown = (*header.unknown, *range(len(header.texts), width))
    frame = pl.DataFrame(cells, schema=dict.fromkeys(cells, pl.String))
    numbers = pl.Series(range(first_row, first_row + len(rows)), dtype=pl.Int64)
    return Block(table, Header(texts, header.places, unknown), frame, numbers, faults=tuple(faults))


def _dated(cell: _Cell, system: str) -> _Cell:
    """Return the day that a whole number means in a date system; any other cell as it is."""
    if isinstance(cell, bool) or not isinstance(cell, int | float) or cell != int(cell):
        return cell
    return _EPOCHS[system] + timedelta(days=int(cell)) if int(cell) in _SERIALS[system] else cell


def _fault(cell: _Cell, column: Column | None) -> str | None:
    """Return the rule that a cell breaks by its type alone."""
    if column is None:
        return None
    if isinstance(cell, str):
        return "cell.error" if cell in _ERRORS else None
    is_number = isinstance(cell, int | float) and not isinstance(cell, bool)
    if is_number and (column.check is not None or column.match_key == "identifier") and column.logical_type == "string":
        return "cell.number_as_identifier"
    if is_number and column.logical_type == "date" and column.date_format != "yyyyMMdd":
        return "cell.number_as_date"
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
