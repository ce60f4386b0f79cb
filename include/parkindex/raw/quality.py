"""How much of what came was set aside: per feed, and per park where rows name theirs.

A row is landed once, with its file: one that a replay brought in counts as accepted and no longer as rejected, and the
batch of the replay adds nothing else. Hence rows landed are rows accepted, rejected and duplicate, per feed as per
file, and what is counted per park adds up to what is counted per feed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from psycopg import sql
from sqlalchemy import ColumnElement, Connection, exists, func, select

from parkindex import contracts
from parkindex.contracts import Column, Contract, Table
from parkindex.ledger.tables import batches, reject_events, rejects

COUNTS = ("rows_landed", "rows_accepted", "rows_rejected", "rows_duplicate")
_PARK = "park_code"
_SHARE = Decimal("0.000000000001")
_ALWAYS = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class FeedCounts:
    """What came of a feed.

    Attributes:
        files: Files loaded.
        rows_landed: Records in them.
        rows_accepted: Of these, rows in raw tables.
        rows_rejected: Of these, rows set aside that no replay brought in.
        rows_duplicate: Exact repetitions inside a file.
        newest: When the last file came.
    """

    files: int
    rows_landed: int
    rows_accepted: int
    rows_rejected: int
    rows_duplicate: int
    newest: datetime

    @property
    def reject_share(self) -> Decimal | None:
        """Rows set aside per row landed; None when nothing was."""
        return share(self.rows_rejected, self.rows_landed)


@dataclass(frozen=True)
class ParkCounts:
    """What came of a feed and concerns one park.

    Attributes:
        feed: Feed.
        park_code: Park that the rows name; None for rows of feeds that name none, and where it cannot be read.
        rows_accepted: Rows in raw tables.
        rows_rejected: Rows set aside that no replay brought in.
    """

    feed: str
    park_code: str | None
    rows_accepted: int
    rows_rejected: int

    @property
    def reject_share(self) -> Decimal | None:
        """Rows set aside per row accepted or set aside; None when there is neither."""
        return share(self.rows_rejected, self.rows_accepted + self.rows_rejected)


def share(part: int, whole: int) -> Decimal | None:
    """Return a share with twelve decimals; None of nothing."""
    return (Decimal(part) / Decimal(whole)).quantize(_SHARE) if whole else None


def by_feed(connection: Connection, as_known: datetime | None = None) -> dict[str, FeedCounts]:
    """Return what came of every feed of which anything came, by its name.

    Args:
        connection: The warehouse.
        as_known: What came or was replayed later does not count; None means everything does.
    """
    until = as_known or _ALWAYS
    sums: list[ColumnElement[int]] = [func.sum(batches.c[name]).label(name) for name in COUNTS]
    files = (
        select(batches.c.feed, func.count().label("files"), *sums, func.max(batches.c.received_at).label("newest"))
        .where(batches.c.status == "loaded", batches.c.replays_batch_id.is_(None), batches.c.received_at <= until)
        .group_by(batches.c.feed)
    )
    replayed = (
        select(batches.c.feed, func.count().label("rows"))
        .join(reject_events, reject_events.c.batch_id == batches.c.batch_id)
        .where(reject_events.c.event == "accepted", batches.c.received_at <= until)
        .group_by(batches.c.feed)
    )
    brought_in: dict[str, int] = {row.feed: row.rows for row in connection.execute(replayed)}
    return {
        row.feed: FeedCounts(
            row.files,
            int(row.rows_landed),
            int(row.rows_accepted) + brought_in.get(row.feed, 0),
            int(row.rows_rejected) - brought_in.get(row.feed, 0),
            int(row.rows_duplicate),
            row.newest,
        )
        for row in connection.execute(files)
    }


def by_park(connection: Connection, as_known: datetime | None = None) -> list[ParkCounts]:
    """Return what came of every feed by the park its rows name, by feed and park, rows without one last.

    A row set aside names its park by the cell as it was delivered, if that is a park's code. Only feeds with a column
    ``park_code`` name parks; all rows of another feed stand under none.

    Args:
        connection: The warehouse.
        as_known: What came or was replayed later does not count; None means everything does.
    """
    until = as_known or _ALWAYS
    known = contracts.load_all()
    counted: dict[tuple[str, str | None], list[int]] = {}
    for feed, counts in by_feed(connection, as_known).items():
        placed = [0, 0]
        for code, accepted, rejected in _placed(connection, known[feed], until) if feed in known else ():
            found = counted.setdefault((feed, code), [0, 0])
            for place, rows in enumerate((accepted, rejected)):
                found[place] += rows
                placed[place] += rows
        rest = [counts.rows_accepted - placed[0], counts.rows_rejected - placed[1]]
        if any(rest):
            counted[feed, None] = rest
    return [
        ParkCounts(feed, code, accepted, rejected)
        for (feed, code), (accepted, rejected) in sorted(
            counted.items(), key=lambda item: (item[0][0], item[0][1] is None, item[0][1] or "")
        )
    ]


def _placed(connection: Connection, contract: Contract, until: datetime) -> Iterable[tuple[str, int, int]]:
    """Yield park, rows accepted and rows rejected of the tables whose rows name a park."""
    for table in contract.tables:
        column = next((one for one in table.columns if one.name == _PARK), None)
        if column is None:
            continue
        for code, rows in _accepted(connection, table, until):
            if _is_park(column, code):
                yield code, rows, 0
        for told, rows in _rejected(connection, contract.feed, table, column, until):
            if told is not None and _is_park(column, told):
                yield told, 0, rows


def _is_park(column: Column, code: str) -> bool:
    return re.fullmatch(column.pattern or ".+", code) is not None


def _accepted(connection: Connection, table: Table, until: datetime) -> list[tuple[str, int]]:
    """Count the rows of a raw table by park; a row that a replay replaced counts once."""
    statement = sql.SQL(
        "select kept.{park}, count(*) from {table} as kept"
        " join raw.batches using (batch_id)"
        " where batches.received_at <= %(until)s and not exists ("
        "select 1 from raw.withdrawn_rows as gone"
        " where gone.is_replaced and gone.known_at <= %(until)s and gone.batch_id = kept.batch_id"
        " and gone.table_name = {name} and gone.source_file = kept._source_file"
        " and gone.source_row = kept._source_row) group by 1"
    ).format(
        park=sql.Identifier(_PARK),
        table=sql.SQL("(select *, _batch_id as batch_id from {})").format(sql.Identifier("raw", table.raw_table)),
        name=sql.Literal(table.raw_table),
    )
    found: Any = connection.exec_driver_sql(statement.as_string(None), {"until": until})
    return [(code, rows) for code, rows in found]


def _rejected(
    connection: Connection, feed: str, table: Table, column: Column, until: datetime
) -> list[tuple[str | None, int]]:
    """Count the rows set aside of a table by the park their cells name, as delivered."""
    replay = batches.alias()
    told = [func.nullif(func.btrim(rejects.c.original_row[header].as_string()), "") for header in column.headers]
    park = func.coalesce(*told).label("park")
    brought_in = exists().where(
        reject_events.c.reject_id == rejects.c.reject_id,
        reject_events.c.event == "accepted",
        reject_events.c.batch_id == replay.c.batch_id,
        replay.c.received_at <= until,
    )
    statement = (
        select(park, func.count())
        .join(batches, batches.c.batch_id == rejects.c.batch_id)
        .where(
            rejects.c.feed == feed,
            rejects.c.table_name == table.raw_table,
            batches.c.status == "loaded",
            batches.c.received_at <= until,
            ~brought_in,
        )
        .group_by(park)
    )
    found: Any = connection.execute(statement)
    return [(code, rows) for code, rows in found]
