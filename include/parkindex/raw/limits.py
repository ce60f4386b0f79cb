"""What holds a file that could be loaded: too many rejects, a full delivery that shrank, a unit that changed.

A file that is held is refused like any other, by a rule that names what is odd about it; unlike the others it can be
let in by a named person with a reason, which the ledger keeps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from psycopg import sql
from sqlalchemy import Connection, func, insert, select, text

from parkindex.contracts import Contract, Table
from parkindex.errors import UsageError
from parkindex.landing.refusal import FileRefusedError
from parkindex.ledger import tables

REJECTS, SHRINK, SHIFT = "file.reject_limit", "file.shrunk", "file.unit_shift"
# What the command line calls them.
ACCEPT_OPTIONS = {REJECTS: "--accept-rejects", SHRINK: "--accept-shrink", SHIFT: "--accept-shift"}

# One bad row of three says nothing about a file; their number, where it is limited, does.
_FEWEST_ROWS = 20
# The median of few values says little, and twelve deliveries hold a year of months.
_FEWEST_VALUES = 30
_DELIVERIES_COMPARED = 12
# From here on the nearest power of ten is 100 or more: no year changes a median that much, a unit does.
_SHIFT_DECADES = Decimal("1.5")


@dataclass(frozen=True)
class Acceptance:
    """Who lets a file in that would be held, and why.

    Attributes:
        rules: Rules that shall not hold it.
        by: Name.
        reason: Reason, as the ledger keeps it.
    """

    rules: frozenset[str]
    by: str
    reason: str

    def __post_init__(self) -> None:
        if not self.by.strip() or not self.reason.strip():
            raise UsageError(
                "Who lets a file in says who, and why.",
                why="both go into the ledger",
                next_step=f"add --as NAME --reason TEXT to {' '.join(ACCEPT_OPTIONS[rule] for rule in self.rules)}",
            )


@dataclass(frozen=True)
class Loaded:
    """A file that is in the raw tables, in a transaction that can still be undone.

    Attributes:
        batch_id: Its batch.
        file: Its name.
        received_at: When it came.
        rows_landed: Records in it.
        rows_rejected: Rows set aside.
        rows_duplicate: Repetitions.
    """

    batch_id: int
    file: str
    received_at: datetime
    rows_landed: int = 0
    rows_rejected: int = 0
    rows_duplicate: int = 0


class FileHeldError(FileRefusedError):
    """A file is held until a named person lets it in.

    Attributes:
        loaded: The file, as it would have been loaded.
    """

    def __init__(self, rule: str, what: str, loaded: Loaded) -> None:
        option = ACCEPT_OPTIONS[rule]
        next_step = f"ask the provider; if the file is right, land it with {option} --as NAME --reason TEXT"
        super().__init__(rule, what, where=loaded.file, next_step=next_step)
        self.loaded = loaded


def check(connection: Connection, contract: Contract, loaded: Loaded, acceptance: Acceptance | None) -> list[str]:
    """Hold the file if its contract says so, unless that was accepted.

    Args:
        connection: In the loading transaction.
        contract: The contract.
        loaded: The file.
        acceptance: Who lets it in.

    Returns:
        What was let in, by whom and why, for the batch's reason.

    Raises:
        FileHeldError: The file is held; the transaction must be rolled back.
    """
    notes = []
    for rule, what in _findings(connection, contract, loaded):
        if acceptance is None or rule not in acceptance.rules:
            raise FileHeldError(rule, what, loaded)
        notes.append(f"accepted by {acceptance.by}: {acceptance.reason} ({rule}: {what})")
    return notes


def _findings(connection: Connection, contract: Contract, loaded: Loaded) -> Iterator[tuple[str, str]]:
    limit = contract.reject_limit
    if limit is not None:
        share = Decimal(loaded.rows_rejected) / Decimal(loaded.rows_landed)
        counted = f"{loaded.rows_rejected} of {loaded.rows_landed} rows are set aside"
        if limit.count is not None and loaded.rows_rejected > limit.count:
            yield REJECTS, f"{counted}; the contract allows {limit.count}"
        elif limit.share is not None and share > limit.share and loaded.rows_landed >= _FEWEST_ROWS:
            yield REJECTS, f"{counted}; the contract allows {_plain(limit.share * 100)} %"
    if contract.max_shrink_share is not None:
        yield from _shrunk(connection, contract, loaded, contract.max_shrink_share)
    for table in contract.tables:
        yield from _shifted(connection, table, loaded)


def _shrunk(
    connection: Connection, contract: Contract, loaded: Loaded, max_shrink_share: Decimal
) -> Iterator[tuple[str, str]]:
    """Compare with the full delivery received last before this one."""
    batches = tables.batches.c
    before = connection.execute(
        select(batches.batch_id, batches.rows_landed)
        .where(
            batches.feed == contract.feed,
            batches.status == "loaded",
            batches.replays_batch_id.is_(None),
            batches.batch_id != loaded.batch_id,
            batches.received_at <= loaded.received_at,
        )
        .order_by(batches.received_at.desc(), batches.batch_id.desc())
        .limit(1)
    ).first()
    if before is None:
        return
    least = Decimal(before.rows_landed) * (1 - max_shrink_share)
    if loaded.rows_landed < least:
        yield (
            SHRINK,
            f"{loaded.rows_landed} rows after {before.rows_landed} in batch {before.batch_id}: a full delivery may "
            f"shrink by {_plain(max_shrink_share * 100)} %; possible truncation",
        )


def _shifted(connection: Connection, table: Table, loaded: Loaded) -> Iterator[tuple[str, str]]:
    """Compare the median of each guarded column with those of the deliveries nearest in time, and keep it."""
    for column in table.columns:
        if not column.guards_unit:
            continue
        statement = sql.SQL(
            "select count({0}), percentile_disc(0.5) within group (order by {0}) from {1}"
            " where _batch_id = {2} and {0} > 0"
        ).format(sql.Identifier(column.name), sql.Identifier("raw", table.raw_table), sql.Literal(loaded.batch_id))
        figures: Any = connection.exec_driver_sql(statement.as_string(None)).one()
        count, median = figures
        connection.execute(
            insert(tables.batch_figures).values(
                batch_id=loaded.batch_id,
                table_name=table.raw_table,
                column_name=column.name,
                positive_values=count,
                median=median,
            )
        )
        usual = _usual_median(connection, table.raw_table, column.name, loaded)
        if count < _FEWEST_VALUES or usual is None:
            continue
        ratio = Decimal(median) / usual
        if abs(ratio.log10()) >= _SHIFT_DECADES:
            power = int(ratio.log10().to_integral_value())
            unit = f" {column.unit}" if column.unit else ""
            yield (
                SHIFT,
                f"the median of {table.name}.{column.name} is {_plain(median)}{unit} where {_plain(usual)} is usual: "
                f"about 10^{power} times as much; was the unit changed?",
            )


def _usual_median(connection: Connection, table: str, column: str, loaded: Loaded) -> Decimal | None:
    """Return the median of the medians of the deliveries nearest in time."""
    figures, batches = tables.batch_figures.c, tables.batches.c
    nearest = (
        select(figures.median)
        .join(tables.batches, batches.batch_id == figures.batch_id)
        .where(
            figures.table_name == table,
            figures.column_name == column,
            figures.batch_id != loaded.batch_id,
            figures.positive_values >= _FEWEST_VALUES,
        )
        .order_by(
            func.abs(func.extract("epoch", batches.received_at - loaded.received_at)),
            batches.received_at,
            batches.batch_id,
        )
        .limit(_DELIVERIES_COMPARED)
        .subquery()
    )
    return connection.execute(
        select(func.percentile_disc(0.5).within_group(nearest.c.median)).where(text("true"))
    ).scalar_one()


def _plain(value: Decimal | int) -> str:
    return format(Decimal(value).normalize(), "f")
