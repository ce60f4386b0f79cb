"""Rows set aside: list, count, show, export. Personal values are masked except in the file for their provider."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import xlsxwriter
from sqlalchemy import ColumnElement, Engine, func, select

from parkindex import contracts
from parkindex.contracts import Contract
from parkindex.errors import BadInputError, UsageError
from parkindex.landing.checks import CHECKS
from parkindex.ledger import attempts
from parkindex.ledger.tables import rejects
from parkindex.privacy import access
from parkindex.privacy.sealing import Sealer, is_sealed
from parkindex.raw import history
from parkindex.text import MASKED, masked

_LISTED = (
    "reject_id",
    "batch_id",
    "feed",
    "table_name",
    "source_file",
    "source_row",
    "column_name",
    "rule",
    "value",
    "message",
    "reported_at",
    "resolved_by",
)
# The columns of an export that are ours; the row as delivered follows. A returned file begins with them.
EXPORTED = (
    "reject_id",
    "feed",
    "table_name",
    "source_file",
    "source_row",
    "column_name",
    "rule",
    "rule_zh",
    "rule_en",
)
SHEET = "rejects"
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
# Workbooks of the same rejects are the same bytes.
_CREATED = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)


def list_rejects(
    engine: Engine,
    *,
    feed: str | None = None,
    batch_id: int | None = None,
    rule: str | None = None,
    only_open: bool = False,
    limit: int | None = 100,
) -> list[dict[str, Any]]:
    """Return rows set aside, newest batch first, in the order of the file; all, or those that nothing settled yet."""
    columns = [rejects.c[name] for name in _LISTED]
    statement = (
        select(*columns)
        .where(*_filters(feed, batch_id, rule, only_open))
        .order_by(rejects.c.batch_id.desc(), rejects.c.source_row, rejects.c.reject_id)
        .limit(limit)
    )
    with engine.connect() as connection:
        return [dict(row._mapping) for row in connection.execute(statement)]


def count(
    engine: Engine,
    *,
    feed: str | None = None,
    batch_id: int | None = None,
    rule: str | None = None,
    only_open: bool = False,
) -> int:
    """Return how many rows are set aside."""
    statement = select(func.count()).select_from(rejects).where(*_filters(feed, batch_id, rule, only_open))
    with engine.connect() as connection:
        return int(connection.execute(statement).scalar_one())


def show(engine: Engine, reject_id: int) -> dict[str, Any]:
    """Return one row set aside, with every rule it breaks, its cells and its history; personal cells are masked.

    Raises:
        BadInputError: There is no such reject.
    """
    with engine.connect() as connection:
        row = connection.execute(select(rejects).where(rejects.c.reject_id == reject_id)).first()
        told = history.of_reject(connection, reject_id)
    if row is None:
        raise BadInputError(
            f"There is no reject {reject_id}.",
            where="raw.rejects",
            next_step="parkindex rejects list shows their numbers",
        )
    found = dict(row._mapping)
    contract = contracts.load_all().get(found["feed"])
    if contract is not None:
        found["original_row"] = _masked_row(contract, found)
    found["history"] = told
    return found


def close(engine: Engine, reject_id: int, by: str, reason: str) -> None:
    """Settle a reject by hand: the row is not to come in any more.

    Raises:
        BadInputError: There is no such reject, or it is settled.
    """
    if not by.strip() or not reason.strip():
        raise UsageError("Who closes a reject says who, and why.", next_step="add --as NAME --reason TEXT")
    found = show(engine, reject_id)
    if found["resolved_by"] is not None:
        raise BadInputError(
            f"Reject {reject_id} is settled by {found['resolved_by']} already.",
            where="raw.rejects",
            next_step=f"parkindex rejects show {reject_id}",
        )
    with engine.begin() as connection:
        history.settle(connection, [reject_id], "closed", by, by, notes={reject_id: reason})
        attempts.done(connection, "close reject", str(reject_id), by=by, reason=reason)


def export(
    engine: Engine,
    out: Path,
    *,
    feed: str | None = None,
    batch_id: int | None = None,
    rule: str | None = None,
    keys: Path | None = None,
    by: str | None = None,
) -> int:
    """Write rows that are still set aside to a file for their provider: where, why, and the row as it was delivered.

    The provider corrects the cells and sends the file back; :func:`parkindex.raw.returns.land` takes it.

    The cells are the provider's own and therefore not masked; that they were given out stands in
    ``privacy.access_log``. A text that a spreadsheet would run as a formula gets an
    apostrophe in front.

    Args:
        engine: The warehouse.
        out: A ``.csv`` (UTF-8 with byte order mark, as spreadsheets want it) or ``.xlsx`` file.
        feed: Only this feed.
        batch_id: Only this batch.
        rule: Only this rule.
        keys: Folder of the installation's keys, to open personal cells; None writes them masked.
        by: Who writes it; None means the account of this process.

    Returns:
        How many rows were written.

    Raises:
        BadInputError: Personal cells were sealed with another key.
        UsageError: The file is neither.
    """
    if out.suffix.lower() not in (".csv", ".xlsx"):
        raise UsageError(
            "Rejects are written to .csv or .xlsx.",
            where=str(out),
            next_step="--out rejects.csv, or --out rejects.xlsx",
        )
    ours = [name for name in EXPORTED if name in rejects.c]
    statement = (
        select(*(rejects.c[name] for name in (*ours, "original_row")))
        .where(*_filters(feed, batch_id, rule), rejects.c.resolved_by.is_(None))
        .order_by(rejects.c.batch_id, rejects.c.source_row, rejects.c.reject_id)
    )
    sealer = Sealer(keys)
    known = contracts.load_all()
    with engine.begin() as connection:
        rows = [dict(row._mapping) for row in connection.execute(statement)]
        gave_out = 0
        for row in rows:
            if any(is_sealed(cell) for cell in row["original_row"].values()):
                row["original_row"] = _opened_row(sealer, known.get(row["feed"]), row, opens=keys is not None)
                gave_out += keys is not None
        if gave_out:
            subject = ", ".join(sorted({row["feed"] for row in rows}))
            access.log(connection, "rejects", subject, "sent to their provider to be corrected", gave_out, by)
    for row in rows:
        row["rule_zh"], row["rule_en"] = CHECKS[row["rule"]].zh, CHECKS[row["rule"]].en
    headers = list(dict.fromkeys(name for row in rows for name in row["original_row"]))
    lines = [[*EXPORTED, *headers]]
    lines += [
        [*(_cell(row[name]) for name in EXPORTED), *(_cell(row["original_row"].get(name)) for name in headers)]
        for row in rows
    ]
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.suffix.lower() == ".csv":
        with out.open("w", encoding="utf-8-sig", newline="") as stream:
            csv.writer(stream).writerows(lines)
    else:
        _write_workbook(out, lines)
    return len(rows)


def _write_workbook(out: Path, lines: list[list[str]]) -> None:
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(str(out), options) as workbook:
        workbook.set_properties({"created": _CREATED})
        sheet = workbook.add_worksheet(SHEET)
        for row, line in enumerate(lines):
            sheet.write_row(row, 0, line)
        sheet.freeze_panes(1, 0)


def _filters(
    feed: str | None, batch_id: int | None, rule: str | None, only_open: bool = False
) -> list[ColumnElement[bool]]:
    wanted = {"feed": feed, "batch_id": batch_id, "rule": rule}
    made = [rejects.c[name] == value for name, value in wanted.items() if value is not None]
    return [*made, rejects.c.resolved_by.is_(None)] if only_open else made


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.removeprefix("'").startswith(_FORMULA_STARTS) else text


def as_delivered(cell: str) -> str:
    """Return a cell of an export without the apostrophe that an export put in front."""
    return cell[1:] if cell.startswith("'") and cell[1:].removeprefix("'").startswith(_FORMULA_STARTS) else cell


def _masked_row(contract: Contract, found: Mapping[str, Any]) -> dict[str, str | None]:
    """Mask personal cells; where cells are shifted against the header, everything from the first personal one on."""
    personal = {
        header
        for table in contract.tables
        if table.raw_table == found["table_name"]
        for column in table.columns
        if column.is_personal
        for header in column.headers
    }
    shifted = found["rule"] == "row.ragged"
    made: dict[str, str | None] = {}
    hidden = False
    for header, cell in found["original_row"].items():
        hidden = header.strip() in personal or (hidden and shifted)
        made[header] = masked_cell(cell) if hidden or is_sealed(cell) else cell
    return made


def masked_cell(cell: str | None) -> str:
    """Return a personal cell as it may be shown; of a sealed one not even the first character is known."""
    return MASKED if is_sealed(cell) else masked(cell)


def _opened_row(
    sealer: Sealer, contract: Contract | None, row: Mapping[str, Any], *, opens: bool
) -> dict[str, str | None]:
    if contract is None or not opens:
        return {header: masked_cell(cell) if is_sealed(cell) else cell for header, cell in row["original_row"].items()}
    return sealer.opened(contract, row["table_name"], row["original_row"])
