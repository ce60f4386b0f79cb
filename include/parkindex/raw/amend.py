"""What stands between a record as delivered and its judgement: corrections, and the drift that a contract allows.

The bytes, the hash of a row and the row that a reject keeps are always those delivered. What is judged, and stored when
it is good, is the row after the feed's corrections; which of them touched it is recorded.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo

import polars as pl
from sqlalchemy import Connection, insert, select

from parkindex import text
from parkindex.contracts import Column, Contract
from parkindex.contracts import corrections as corrections_module
from parkindex.contracts.corrections import Correction
from parkindex.landing.blocks import Block
from parkindex.landing.refusal import refuse
from parkindex.ledger import attempts
from parkindex.ledger.tables import corrected_rows, rejects
from parkindex.raw import history
from parkindex.raw.rules import Judged, Rule, judge
from parkindex.settings import BUSINESS_TIME_ZONE
from parkindex.text import masked

DROPPED = "correction.dropped"
_NEXT_STEP = "look whether the source was corrected; then remove the correction, or say what it shows now"
# Spellings of one day; all of them name year, month and day.
_DATE_SHAPES = tuple(
    re.compile(shape)
    for shape in (
        r"([1-9][0-9]{3})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})",
        r"([1-9][0-9]{3})年([0-9]{1,2})月([0-9]{1,2})日",
        r"([1-9][0-9]{3})([0-9]{2})([0-9]{2})",
    )
)
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?")
_PLAIN = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
_DECIMAL = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]{1,2})?")
_DATE_WRITTEN = {"yyyy-MM-dd": "%Y-%m-%d", "yyyy/M/d": "%Y/%m/%d", "yyyyMMdd": "%Y%m%d"}


@dataclass(frozen=True)
class Touched:
    """A correction that met a row.

    Attributes:
        correction: The correction.
        raw_table: Raw table of the row.
        member: Member of an archive, or None.
        row: Source row.
        column: Column that it changed; empty when the row was dropped or flagged.
        old: Cell as delivered, as it may stand in a message.
        new: Cell that was judged instead, likewise.
    """

    correction: Correction
    raw_table: str
    member: str | None
    row: int
    column: str
    old: str | None
    new: str | None


class Amendments:
    """Judges the blocks of one file as its contract and its corrections want it.

    Attributes:
        contract: The contract to read the file by: without the code lists that may grow.
        received_on: Day in Shanghai on which the file came.
        touched: Every correction that met a row, in the order of the file.
    """

    def __init__(self, contract: Contract, file_name: str, received_at: datetime) -> None:
        self._declared = contract
        self.contract = _without_code_lists(contract) if contract.on_unknown_code == "evolve" else contract
        self.received_on = day = received_at.astimezone(ZoneInfo(BUSINESS_TIME_ZONE)).date()
        self._corrections = [
            one
            for one in corrections_module.of_feed(contract)
            if day <= one.valid_until and (one.file is None or fnmatchcase(file_name, one.file))
        ]
        self._frozen = "freeze" in (contract.on_type_mismatch, contract.on_unknown_code)
        self._respells = contract.on_type_mismatch == "evolve"
        self.touched: list[Touched] = []
        self._new_codes: dict[str, Counter[str]] = {}
        self._respelt: Counter[str] = Counter()

    def judge(self, block: Block, repeated: pl.Series | None = None) -> tuple[Block, Judged]:
        """Judge a block; what was done to it is remembered unless ``repeated`` is None (a second look).

        Args:
            block: Records as delivered.
            repeated: Rows that repeat an earlier one: nothing is remembered of them.

        Returns:
            The block that was judged, and the judgement.

        Raises:
            FileRefusedError: A correction no longer finds its error, or the contract allows no drift.
        """
        dropped: list[int] = []
        amended = block
        for correction in self._corrections:
            if correction.table == block.table.name:
                amended = self._correct(correction, amended, block, repeated, dropped)
        if self._respells:
            amended = self._respell(amended, repeated)
        judged = judge(self.contract, amended, self.received_on)
        if self._frozen:
            _refuse_drift(self.contract, amended, judged)
        if self.contract is not self._declared and repeated is not None:
            self._note_new_codes(block, ~(judged.broken | repeated))
        if dropped:
            mask = pl.Series(range(len(block.rows)), dtype=pl.Int64).is_in(dropped)
            judged = Judged(judged.values, (Rule("", DROPPED, mask), *judged.rules), judged.broken | mask)
        return amended, judged

    def notes(self) -> Iterator[str]:
        """Yield what was taken by the contract's leave."""
        for column, codes in sorted(self._new_codes.items()):
            listed = ", ".join(f"{code!r} in {count} row(s)" for code, count in sorted(codes.items()))
            yield f"note: codes that the contract does not have in {column}: {listed}"
        for column, count in sorted(self._respelt.items()):
            yield f"note: {count} value(s) of {column} in another spelling"
        if self.touched:
            counted = Counter(one.correction.id for one in self.touched)
            yield "note: corrected by " + ", ".join(f"{name} ({count})" for name, count in sorted(counted.items()))

    # ------------------------------------------------------------------------------------------------- corrections

    def _correct(
        self, correction: Correction, amended: Block, block: Block, repeated: pl.Series | None, dropped: list[int]
    ) -> Block:
        """Apply one correction to the rows it names."""
        meant = _where(block, correction.locate)
        if not meant.any():
            return amended
        unchanged = meant & ~_where(block, correction.expect)
        if unchanged.any():
            row = block.rows.filter(unchanged)[0]
            expected = ", ".join(sorted(correction.expect))
            refuse(
                "file.correction_stale",
                f"The correction {correction.id} no longer finds its error in {expected}.",
                f"row {row}",
                next_step=f"{_NEXT_STEP}: contracts/corrections/{correction.id}.yaml",
            )
        indexes = meant.arg_true().to_list()
        first = [index for index in indexes if repeated is None or not repeated[index]]
        if correction.action == "drop":
            dropped += indexes
        if correction.action in ("drop", "flag"):
            self._remember(correction, block, first, "", {}, repeated)
            return amended
        for name in correction.new or correction.factors:
            place = block.header.places.get(name)
            if place is None:
                refuse(
                    "file.correction_stale",
                    f"The file has no column {name}, which the correction {correction.id} would change.",
                    next_step=f"{_NEXT_STEP}: contracts/corrections/{correction.id}.yaml",
                )
            cells = amended.cells[str(place)].to_list()
            made = {index: _corrected(correction, name, cells[index]) for index in indexes}
            self._remember(correction, block, first, name, made, repeated)
            for index, value in made.items():
                cells[index] = value
            changed = amended.cells.with_columns(pl.Series(str(place), cells, dtype=pl.String))
            faults = tuple(one for one in amended.faults if one.place != place or one.index not in made)
            amended = dataclasses.replace(amended, cells=changed, faults=faults)
        return amended

    def _remember(
        self,
        correction: Correction,
        block: Block,
        indexes: list[int],
        column: str,
        made: dict[int, str | None],
        repeated: pl.Series | None,
    ) -> None:
        if repeated is None:
            return
        hidden = bool(column) and block.table.column(column).is_personal
        for index in indexes:
            old = block.cells[str(block.header.places[column])][index] if column else None
            new = made.get(index)
            member = None if block.members is None else block.members[index]
            shown = (masked(old), masked(new)) if hidden else (old, new)
            self.touched.append(Touched(correction, block.table.raw_table, member, block.rows[index], column, *shown))

    # ------------------------------------------------------------------------------------------------------- drift

    def _respell(self, block: Block, repeated: pl.Series | None) -> Block:
        """Write values of a type in the contract's spelling where they say the same in another."""
        made: dict[str, pl.Series] = {}
        for column in block.table.columns:
            place = block.header.places.get(column.name)
            if place is None or column.logical_type == "string":
                continue
            cells = block.cells[str(place)].to_list()
            new = [_in_contract_spelling(column, cell) for cell in cells]
            differ = [index for index, (old, value) in enumerate(zip(cells, new, strict=True)) if old != value]
            if differ:
                made[str(place)] = pl.Series(str(place), new, dtype=pl.String)
                self._respelt[column.name] += sum(repeated is not None and not repeated[index] for index in differ)
        return dataclasses.replace(block, cells=block.cells.with_columns(made.values())) if made else block

    def _note_new_codes(self, block: Block, good: pl.Series) -> None:
        table = self._declared.table(block.table.name)
        for column in table.columns:
            place = block.header.places.get(column.name)
            if place is None or not column.allowed:
                continue
            tokens = [*self._declared.null_tokens, *column.allowed]
            cells = block.cells[str(place)].filter(good).str.strip_chars().drop_nulls()
            found = cells.filter(~cells.is_in(tokens))
            if len(found):
                codes = [masked(code) if column.is_personal else code for code in found.to_list()]
                self._new_codes.setdefault(column.name, Counter()).update(codes)


def has_corrections(contract: Contract) -> bool:
    """Whether there is a correction for the feed, expired or not."""
    return bool(corrections_module.of_feed(contract))


def record_touched(
    connection: Connection, amendments: Amendments, batch_id: int, source_file: Callable[[str | None], str]
) -> None:
    """Write down which corrections met which rows.

    Args:
        connection: In the loading transaction.
        amendments: Of the file.
        batch_id: Batch that loads it, or replays it.
        source_file: Name of a member of the file, as lineage has it.
    """
    rows = [
        {
            "batch_id": batch_id,
            "table_name": one.raw_table,
            "source_file": source_file(one.member),
            "source_row": one.row,
            "correction_id": one.correction.id,
            "correction_sha256": one.correction.sha256,
            "action": one.correction.action,
            "column_name": one.column,
            "old_value": one.old,
            "new_value": one.new,
        }
        for one in amendments.touched
    ]
    if rows:
        connection.execute(insert(corrected_rows), rows)


def record(
    connection: Connection, amendments: Amendments, batch_id: int, source_file: Callable[[str | None], str]
) -> None:
    """Write down which corrections met which rows, and settle the rejects of those that were dropped.

    Args:
        connection: In the loading transaction.
        amendments: Of the file.
        batch_id: Its batch.
        source_file: Name of a member of the file, as lineage has it.
    """
    record_touched(connection, amendments, batch_id, source_file)
    dropped: dict[str, set[tuple[str, int]]] = {}
    for one in amendments.touched:
        if one.correction.action == "drop":
            dropped.setdefault(one.correction.id, set()).add((source_file(one.member), one.row))
    for name, places in sorted(dropped.items()):
        found = connection.execute(
            select(rejects.c.reject_id, rejects.c.source_file, rejects.c.source_row)
            .where(rejects.c.batch_id == batch_id, rejects.c.rule == DROPPED, rejects.c.resolved_by.is_(None))
            .order_by(rejects.c.reject_id)
        )
        numbers = [row.reject_id for row in found if (row.source_file, row.source_row) in places]
        notes = dict.fromkeys(numbers, name)
        history.settle(connection, numbers, "dropped", f"correction {name}", attempts.actor(), batch_id, notes)


def _without_code_lists(contract: Contract) -> Contract:
    tables = tuple(
        dataclasses.replace(table, columns=tuple(dataclasses.replace(one, allowed=()) for one in table.columns))
        for table in contract.tables
    )
    return dataclasses.replace(contract, tables=tables)


def _where(block: Block, cells: Mapping[str, str]) -> pl.Series:
    """Return which rows have these cells; codes are compared by their match key."""
    tests: list[pl.Expr] = []
    for name, wanted in cells.items():
        place = block.header.places.get(name)
        if place is None:
            tests.append(pl.lit(value=not wanted))
            continue
        column = block.table.column(name)
        cell = pl.col(str(place)).fill_null("").str.strip_chars()
        if column.match_key == "identifier":
            tests.append(text.identifier_key(cell) == text.key_of("identifier", wanted))
        else:
            tests.append(cell == wanted)
    frame = block.cells.with_row_index("\0index")
    met = frame.filter(pl.all_horizontal(tests))["\0index"]
    return pl.Series(range(len(block.rows)), dtype=pl.UInt32).is_in(met.implode())


def _corrected(correction: Correction, name: str, cell: str | None) -> str | None:
    if name in correction.new:
        return correction.new[name]
    try:
        value = Decimal((cell or "").strip())
    except InvalidOperation:
        return cell  # no number: the rules of its type say so
    scaled = value * correction.factors[name]
    return format(scaled.normalize(), "f") if scaled else "0"


def _in_contract_spelling(column: Column, cell: str | None) -> str | None:
    """Return a cell as the contract writes it when it says the same in another spelling, else as it is."""
    value = (cell or "").strip()
    if not value:
        return cell
    if column.logical_type == "date":
        return _date_in_contract_spelling(column, cell, value)
    bare = value.replace(",", "") if _GROUPED.fullmatch(value) else value
    if not _DECIMAL.fullmatch(bare):
        return cell
    number = Decimal(bare)
    if column.logical_type == "integer" and number != number.to_integral_value():
        return cell
    written = format(number.to_integral_value() if column.logical_type == "integer" else number, "f")
    is_plain = _PLAIN.fullmatch(value) and (column.logical_type == "number" or "." not in value)
    return cell if is_plain else written


def _date_in_contract_spelling(column: Column, cell: str | None, value: str) -> str | None:
    style = _DATE_WRITTEN.get(column.date_format)
    if style is None:
        return cell
    found = next((match for shape in _DATE_SHAPES if (match := shape.fullmatch(value))), None)
    if found is None:
        return cell
    try:
        day = date(*(int(part) for part in found.groups()))
    except ValueError:
        return cell
    written = day.strftime(style)
    return cell if written == value else written


def _refuse_drift(contract: Contract, block: Block, judged: Judged) -> None:
    """Refuse the file where the contract allows no other types or codes."""
    for rule in judged.rules:
        if rule.id.startswith("type.") and contract.on_type_mismatch == "freeze":
            _refuse_values(block, rule, "file.type_drift", f"is no {rule.id.removeprefix('type.')}")
        if rule.id == "value.enum" and contract.on_unknown_code == "freeze":
            _refuse_values(block, rule, "file.code_unknown", "is not in the code list")


def _refuse_values(block: Block, rule: Rule, refusal: str, words: str) -> None:
    index = rule.mask.arg_true()[0]
    column = block.table.column(rule.column)
    cell = (block.cells[str(block.header.places[rule.column])][index] or "").strip()
    near = difflib.get_close_matches(cell, column.allowed, n=1) if refusal == "file.code_unknown" else []
    hint = f" (is {near[0]!r} meant?)" if near else ""
    shown = masked(cell) if column.is_personal else cell[:200]
    count = int(rule.mask.sum())
    more = f", and {count - 1} more in this block" if count > 1 else ""
    refuse(refusal, f"{shown!r} of {rule.column} {words}{hint}{more}.", f"row {block.rows[index]}")
