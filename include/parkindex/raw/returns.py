"""Rows that came back corrected: the spreadsheet of ``rejects export``, as its provider filled it in.

A returned file is a delivery like any other: its bytes are kept, its rows are judged by the contract, and it is known
when it came. What makes it different is that each row names the reject it answers: a row that is good settles it, a row
that breaks a rule again puts a new reject in its place, and a row that nobody changed stays what it is.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
from python_calamine import CalamineError, CalamineWorkbook, PasswordError, XmlError, ZipError
from sqlalchemy import Connection, Engine, select

from parkindex import contracts
from parkindex.contracts import Contract, Server, Table
from parkindex.errors import BadInputError
from parkindex.landing import store
from parkindex.landing.archives import WORKBOOK, members
from parkindex.landing.blocks import Block, CellFault, ReadResult, SetAside, map_header
from parkindex.landing.refusal import FileRefusedError, refuse
from parkindex.ledger import attempts
from parkindex.ledger.tables import rejects
from parkindex.privacy.sealing import Sealer
from parkindex.raw import amend, history
from parkindex.raw.load import Batch, Delivery, Loader
from parkindex.raw.rejects import EXPORTED, SHEET, as_delivered
from parkindex.settings import Settings

DELIVERY = "returned"


@dataclass(frozen=True)
class _Row:
    """One row of a returned file.

    Attributes:
        number: Sheet row, or record of a CSV file, from 1; the header is 1.
        reject_id: Reject it answers.
        cells: Header → cell, as the provider left it.
        numeric: Headers whose cell is a number in the workbook.
    """

    number: int
    reject_id: int
    cells: dict[str, str]
    numeric: frozenset[str]


@dataclass(frozen=True)
class _Answer:
    """A row of a returned file, the reject it answers, and that one's cells as they were delivered."""

    row: _Row
    reject: Any
    delivered: dict[str, str | None]

    @property
    def is_unchanged(self) -> bool:
        """Whether every cell is as it was delivered."""
        original = {header: (cell or "") for header, cell in self.delivered.items()}
        filled = {header for header, cell in self.row.cells.items() if cell}
        return all(self.row.cells.get(header, "") == cell for header, cell in original.items()) and filled <= set(
            original
        )


def land(
    engine: Engine, settings: Settings, path: Path, received_at: datetime | None = None, by: str | None = None
) -> list[Batch]:
    """Land a returned file.

    Args:
        engine: The warehouse.
        settings: Where the landing folder is.
        path: The file.
        received_at: When it came; None means now.
        by: Who lands it; None means the account of this process.

    Returns:
        One batch per feed that its rows belong to.

    Raises:
        FileRefusedError: It is no such file, or names rejects that are unknown or settled; nothing was changed.
    """
    if not path.is_file():
        raise BadInputError(
            "There is no such file.", where=str(path), next_step="parkindex rejects return FILE, with a file's path"
        )
    known = received_at or datetime.now(UTC)
    rows = _read(path, path.name)
    sha256 = store.sha256_of(path)
    with engine.connect() as connection, connection.begin():
        answers = _answers(connection, rows, settings.keys)
        made = []
        for feed in sorted({answer.reject.feed for answer in answers}):
            contract = contracts.load(feed)
            stored = store.keep(settings.landing, feed, path, settings.landing_store)
            if stored.sha256 != sha256:
                refuse("file.return", "The file was written to while it was read.", path.name)
            delivery = Delivery(contract, path.name, stored, known, settings.keys)
            earlier = delivery.lock(connection)
            own = [answer for answer in answers if answer.reject.feed == feed]
            if earlier is None:
                _refuse_settled(own, path.name)
            made.append(earlier or _ReturnLoader(connection, delivery, own).run_return(by or attempts.actor()))
        return made


def read(
    contract: Contract, connection: Connection, path: Path, name: str, keys: Path | None = None
) -> Iterator[Block]:
    """Yield the rows of a returned file again that were changed, as blocks of the feed's tables.

    Args:
        contract: The contract of the feed.
        connection: The warehouse.
        path: Where the bytes are kept.
        name: Name under which the file came.
        keys: Folder of the installation's keys.
    """
    answers = _answers(connection, _read(path, name), keys)
    return _blocks(contract, [answer for answer in answers if answer.reject.feed == contract.feed], [])


class _ReturnLoader(Loader):
    """Loads the rows of one feed out of a returned file."""

    def __init__(self, connection: Connection, delivery: Delivery, answers: list[_Answer]) -> None:
        super().__init__(connection, delivery)
        self.answers = answers

    def open(self) -> ReadResult:
        """Open the rows that were changed."""
        notes: list[str] = []
        changed = [answer for answer in self.answers if not answer.is_unchanged]
        form = Server(DELIVERY, "local", None, None, "UTF-8", None, None, None)
        return ReadResult(form, _blocks(self.amendments.contract, changed, notes), notes)

    def run_return(self, by: str) -> Batch:
        """Load the rows and settle what they answer."""
        unchanged = sum(answer.is_unchanged for answer in self.answers)
        reading = self.open()
        self.begin(reading.delivery.name)
        # A row that nobody touched repeats one that was landed.
        self.counts.landed = self.counts.duplicate = unchanged
        self.read(reading)
        amend.record(self.connection, self.amendments, self.batch_id, self.source_file)
        notes = [*reading.notes, *self.amendments.notes()]
        if unchanged:
            notes.append(f"note: {unchanged} row(s) came back unchanged and stay open")
        batch = self.finish("; ".join(notes) or None)
        self._settle(by)
        subject = f"{self.contract.feed} batch {self.batch_id} {self.delivery.stored.sha256}"
        attempts.done(self.connection, "return", subject, by=by)
        return batch

    def _settle(self, by: str) -> None:
        columns = (rejects.c.source_row, rejects.c.reject_id)
        again = {
            row.source_row: row.reject_id
            for row in self.connection.execute(select(*columns).where(rejects.c.batch_id == self.batch_id))
        }
        changed = [answer for answer in self.answers if not answer.is_unchanged]
        good = [answer.row.reject_id for answer in changed if answer.row.number not in again]
        bad = {answer.row.reject_id: again[answer.row.number] for answer in changed if answer.row.number in again}
        settled_by = f"batch {self.batch_id}"
        history.settle(self.connection, good, "returned", settled_by, by, self.batch_id)
        notes = {old: f"reject {new}" for old, new in bad.items()}
        history.settle(self.connection, list(bad), "rejected_again", settled_by, by, self.batch_id, notes)


def _answers(connection: Connection, rows: list[_Row], keys: Path | None) -> list[_Answer]:
    sealer = Sealer(keys)
    known = contracts.load_all()

    def delivered(reject: Any) -> dict[str, str | None]:
        contract = known.get(reject.feed)
        if contract is None:
            return dict(reject.original_row)
        return sealer.opened(contract, reject.table_name, reject.original_row)

    numbers = [row.reject_id for row in rows]
    found = {
        row.reject_id: row
        for begin in range(0, len(numbers), 10_000)
        for row in connection.execute(select(rejects).where(rejects.c.reject_id.in_(numbers[begin : begin + 10_000])))
    }
    unknown = [row for row in rows if row.reject_id not in found]
    if unknown:
        refuse("file.return", f"There is no reject {unknown[0].reject_id}.", f"row {unknown[0].number}")
    return [_Answer(row, found[row.reject_id], delivered(found[row.reject_id])) for row in rows]


def _refuse_settled(answers: list[_Answer], where: str) -> None:
    settled = [answer for answer in answers if answer.reject.resolved_by is not None]
    if settled:
        listed = ", ".join(f"{one.row.reject_id} (by {one.reject.resolved_by})" for one in settled[:5])
        raise FileRefusedError(
            "file.return",
            f"{len(settled)} reject(s) are settled already: {listed}.",
            where=where,
            next_step="take their rows out of the file, or land what they say as a delivery of its own",
        )


# ------------------------------------------------------------------------------------------------------------- reading


def _read(path: Path, name: str) -> list[_Row]:
    """Read the rows of a returned file."""
    lines = _workbook_lines(path, name) if name.lower().endswith(".xlsx") else _csv_lines(path, name)
    header = [text.strip() for text, _ in next(lines, [])]
    width = len(EXPORTED)
    if tuple(header[:width]) != EXPORTED:
        refuse("file.return", f"The columns do not begin with {', '.join(EXPORTED)}.", name)
    rows: list[_Row] = []
    for number, line in enumerate(lines, start=2):
        cells = [as_delivered(text) for text, _ in line]
        if not any(cell.strip() for cell in cells):
            continue
        told = cells[0].strip() if cells else ""
        if not told.isdecimal():
            refuse("file.return", "A row does not say which reject it answers.", f"{name}, row {number}")
        named = {header[place]: cells[place] for place in range(width, min(len(cells), len(header)))}
        if any(cell.strip() for cell in cells[len(header) :]):
            refuse("file.return", "A row has a value beyond the header.", f"{name}, row {number}")
        numeric = frozenset(header[place] for place in range(width, min(len(line), len(header))) if line[place][1])
        rows.append(_Row(number, int(told), named, numeric))
    if not rows:
        refuse("file.empty", "The file holds no row.", name)
    counted = Counter(row.reject_id for row in rows)
    doubled = [number for number, count in counted.items() if count > 1]
    if doubled:
        refuse("file.return", f"Two rows answer reject {min(doubled)}.", name)
    return rows


def _csv_lines(path: Path, name: str) -> Iterator[list[tuple[str, bool]]]:
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        # What a spreadsheet program of Windows in Chinese makes of the file when it saves it.
        try:
            text = content.decode("gb18030")
        except UnicodeDecodeError as error:
            refuse("file.encoding", f"The file is neither UTF-8 nor GB18030: {error.reason}.", name)
    for record in csv.reader(io.StringIO(text, newline="")):
        yield [(cell, False) for cell in record]


def _workbook_lines(path: Path, name: str) -> Iterator[list[tuple[str, bool]]]:
    members(path, WORKBOOK)
    try:
        with path.open("rb") as stream:
            workbook = CalamineWorkbook.from_filelike(stream)
            if SHEET not in workbook.sheet_names:
                refuse("file.sheet_missing", f"There is no sheet {SHEET!r}.", name)
            rows = workbook.get_sheet_by_name(SHEET).to_python(skip_empty_area=False)
    except (CalamineError, PasswordError, XmlError, ZipError) as error:
        refuse("file.format", f"The file is no XLSX workbook that can be read: {error}", name)
    for row in rows:
        yield [(_typed_by_a_person(cell), isinstance(cell, int | float)) for cell in row]


def _typed_by_a_person(cell: Any) -> str:
    """Return a cell as the text a person would type for it."""
    if isinstance(cell, float):
        return format(Decimal(f"{cell:.15g}"), "f")
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time().isoformat() == "00:00:00" else cell.isoformat(sep=" ")
    if isinstance(cell, date):
        return cell.isoformat()
    return "" if cell is None else str(cell)


def _blocks(contract: Contract, answers: list[_Answer], notes: list[str]) -> Iterator[Block]:
    for table in contract.tables:
        own = [answer for answer in answers if answer.reject.table_name == table.raw_table]
        if own:
            yield _block(contract, table, own, notes)


def _block(contract: Contract, table: Table, answers: list[_Answer], notes: list[str]) -> Block:
    """Make one block of the rows of a table; a cell that still stands beyond its row's header sets the row aside."""
    delivered = [header for answer in answers for header in answer.delivered]
    added = [header for answer in answers for header, cell in answer.row.cells.items() if cell.strip()]
    headers = [header for header in dict.fromkeys((*delivered, *added)) if not header.startswith("#")]
    header = map_header(contract, table, headers, "returned file", notes)
    shifted = [one for one in answers if any(cell.strip() for name, cell in one.row.cells.items() if name[:1] == "#")]
    rows = [answer.row for answer in answers if answer not in shifted]
    aside = tuple(
        SetAside(one.row.number, None, "row.ragged", dict(one.row.cells), "cells beyond the header") for one in shifted
    )
    codes = {
        place: headers[place]
        for name, place in header.places.items()
        if (column := table.column(name)).check is not None or column.match_key == "identifier"
    }
    faults = tuple(
        CellFault(index, place, "cell.number_as_identifier")
        for index, row in enumerate(rows)
        for place, name in sorted(codes.items())
        if name in row.numeric and row.cells[name]
    )
    cells = {
        str(place): pl.Series([row.cells.get(name, "") for row in rows], dtype=pl.String)
        for place, name in enumerate(headers)
    }
    numbers = pl.Series([row.number for row in rows], dtype=pl.Int64)
    return Block(table, header, pl.DataFrame(cells), numbers, faults=faults, set_aside=aside)
