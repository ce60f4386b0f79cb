"""The tables of a release as files: CSV for machines, CSV and XLSX for spreadsheets, Parquet.

The same rows give the same bytes: no clock, no locale, a fixed order of rows, LF, UTF-8. In the files for spreadsheets
a text that a spreadsheet would run as a formula stands behind an apostrophe; numbers are numbers.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter
from sqlalchemy import BigInteger, Boolean, Integer, Numeric, Table, Text

from parkindex.publish import canonical, contents
from parkindex.publish.bundle_check import spreadsheet_safe
from parkindex.publish.canonical import Row

_BOM = "\ufeff"
# Every workbook says it was made then: the file format has a date, the release has its own.
_FIXED_CREATED = datetime(2000, 1, 1)  # noqa: DTZ001 - the format knows no zones
_WIDEST = 40


def in_order(declared: Table, rows: Iterable[Row]) -> list[Row]:
    """Return rows in the order of the file: the ranking best first, everything else by its key."""
    keys = contents.key_columns(declared)

    def place(row: Row) -> tuple[Any, ...]:
        rank = row["rank"] if declared.name == "park_ranking" else None
        return (rank is None, rank or 0, *(str(row[name]) for name in keys))

    return sorted(rows, key=place)


def columns(declared: Table) -> list[str]:
    """Return the columns of a table's file: edition and release first."""
    names = [column.name for column in declared.columns if column.name not in {"edition", "release_id"}]
    return ["edition", "release_id", *names]


def data_csv(declared: Table, release_id: str, rows: Iterable[Row]) -> bytes:
    """Return a table for machines: canonical texts, a null is empty, no byte order mark."""
    return _csv(declared, release_id, rows, safe=False).encode()


def safe_csv(declared: Table, release_id: str, rows: Iterable[Row]) -> bytes:
    """Return a table for spreadsheets: byte order mark, texts that look like formulas behind an apostrophe."""
    return (_BOM + _csv(declared, release_id, rows, safe=True)).encode()


def _csv(declared: Table, release_id: str, rows: Iterable[Row], *, safe: bool) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    names = columns(declared)
    writer.writerow(names)
    for row in in_order(declared, rows):
        texts = [canonical.text_of(value) or "" for value in _stamped(row, release_id, names)]
        writer.writerow([spreadsheet_safe(text) if safe else text for text in texts])
    return stream.getvalue()


def _stamped(row: Row, release_id: str, names: Sequence[str]) -> list[Any]:
    return [release_id if name == "release_id" else row[name] for name in names]


def parquet(declared: Table, release_id: str, rows: Iterable[Row]) -> bytes:
    """Return a table as Parquet with the types of the warehouse (decimals stay decimals)."""
    names = columns(declared)
    schema = pa.schema([(name, _arrow_type(declared.columns[name].type)) for name in names])
    cells = [_stamped(row, release_id, names) for row in in_order(declared, rows)]
    arrays = [
        pa.array([_scaled(line[place], field.type) for line in cells], type=field.type)
        for place, field in enumerate(schema)
    ]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), sink, compression="zstd", version="2.6")
    written: bytes = sink.getvalue().to_pybytes()
    return written


def _scaled(value: Any, arrow_type: Any) -> Any:
    """Return a decimal with the digits of its column, as Arrow wants it."""
    return value.quantize(Decimal(1).scaleb(-arrow_type.scale)) if isinstance(value, Decimal) else value


def _arrow_type(column_type: Any) -> Any:
    """Return the Arrow type of a ledger column.

    Raises:
        TypeError: The ledger has a type that was never published.
    """
    if isinstance(column_type, Numeric):
        return pa.decimal128(column_type.precision, column_type.scale)
    for known, arrow in ((BigInteger, pa.int64()), (Boolean, pa.bool_()), (Integer, pa.int32()), (Text, pa.string())):
        if isinstance(column_type, known):
            return arrow
    raise TypeError(f"no Arrow type for {column_type!r}")


def workbook(
    path: Path, release_id: str, sheets: Mapping[str, tuple[Table, Iterable[Row]]], notes: Sequence[tuple[str, str]]
) -> None:
    """Write a workbook: a notes sheet first, then one table per sheet with typed numbers and a frozen header.

    Args:
        path: File to write.
        release_id: Release.
        sheets: Name of the sheet → table and rows.
        notes: Lines of the notes sheet: what, and the text.
    """
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"title": f"{release_id}", "created": _FIXED_CREATED})
        bold = book.add_format({"bold": True})
        wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        sheet = book.add_worksheet("Notes 说明")
        sheet.set_column(0, 0, 24, bold)
        sheet.set_column(1, 1, 100, wrapped)
        for place, (what, text) in enumerate(notes):
            sheet.write_string(place, 0, what)
            sheet.write_string(place, 1, text)
        for name, (declared, rows) in sheets.items():
            _write_sheet(book.add_worksheet(name), bold, declared, release_id, rows)


def _write_sheet(sheet: Any, bold: Any, declared: Table, release_id: str, rows: Iterable[Row]) -> None:
    names = columns(declared)
    widths = [len(name) + 2 for name in names]
    sheet.freeze_panes(1, 0)
    for place, name in enumerate(names):
        sheet.write_string(0, place, name, bold)
    ordered = in_order(declared, rows)
    for line, row in enumerate(ordered, start=1):
        for place, value in enumerate(_stamped(row, release_id, names)):
            if value is None:
                continue
            if isinstance(value, bool):
                sheet.write_boolean(line, place, value)
            elif isinstance(value, int | Decimal):
                sheet.write_number(line, place, value)
            else:
                sheet.write_string(line, place, str(value))
                widths[place] = min(_WIDEST, max(widths[place], len(str(value)) + 2))
    for place, width in enumerate(widths):
        sheet.set_column(place, place, width)
    sheet.autofilter(0, 0, len(ordered), len(names) - 1)
