"""How each feed stands: who answers for it, what came last, what was set aside, how late it is."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from psycopg import sql
from sqlalchemy import ColumnElement, Engine, func, select
from sqlalchemy.dialects.postgresql import distinct_on

from parkindex import contracts
from parkindex.contracts import Contract
from parkindex.ledger.tables import batches
from parkindex.settings import BUSINESS_TIME_ZONE, Settings

_PARK = "park_code"
_COUNTS = ("rows_landed", "rows_accepted", "rows_rejected", "rows_duplicate")


def feeds(engine: Engine, settings: Settings, at: datetime | None = None) -> list[dict[str, Any]]:
    """Return one row per feed, by name.

    Args:
        engine: The warehouse.
        settings: Where the inbox and configured sources are.
        at: The moment to judge lateness at; None means now.

    Returns:
        Rows with feed, name, owner, frequency (ISO 8601 period), batches, refused, last_batch_id, last_file,
        last_received_at, counts of rows over all files (a row that a replay brought in is accepted and no longer
        rejected), and late_days: days past the day on which the next delivery
        should have come, negative before it, null when nothing ever came.
    """
    moment = at or datetime.now(UTC)
    replayed = batches.c.replays_batch_id.is_not(None)
    loaded = (batches.c.status == "loaded") & ~replayed
    brought_in = func.coalesce(func.sum(batches.c.rows_accepted).filter(replayed), 0)
    of_files: dict[str, ColumnElement[int]] = {
        name: func.coalesce(func.sum(batches.c[name]).filter(loaded), 0) for name in _COUNTS
    }
    of_files["rows_accepted"] += brought_in
    of_files["rows_rejected"] -= brought_in
    totals = select(
        batches.c.feed,
        func.count().filter(loaded).label("batches"),
        func.count().filter(batches.c.status == "refused").label("refused"),
        *(counted.label(name) for name, counted in of_files.items()),
    ).group_by(batches.c.feed)
    last = (
        select(batches.c.feed, batches.c.batch_id, batches.c.source_file, batches.c.received_at)
        .where(loaded)
        .ext(distinct_on(batches.c.feed))
        .order_by(batches.c.feed, batches.c.received_at.desc(), batches.c.batch_id.desc())
    )
    with engine.connect() as connection:
        total_of = {row.feed: row for row in connection.execute(totals)}
        last_of = {row.feed: row for row in connection.execute(last)}
    rows = []
    for feed, contract in contracts.load_all().items():
        total, newest = total_of.get(feed), last_of.get(feed)
        rows.append(
            {
                "feed": feed,
                "name": contract.name,
                "owner": contract.owner,
                "frequency": contract.frequency,
                "source_url": settings.source_url(feed) or contract.source_url,
                "batches": int(total.batches) if total else 0,
                "refused": int(total.refused) if total else 0,
                "last_batch_id": newest.batch_id if newest else None,
                "last_file": newest.source_file if newest else None,
                "last_received_at": newest.received_at if newest else None,
                **{name: int(total._mapping[name]) if total else 0 for name in _COUNTS},
                "late_days": late_days(contract, newest.received_at, moment) if newest else None,
            }
        )
    return rows


def by_park(engine: Engine) -> list[dict[str, Any]]:
    """Return how many rows are set aside per feed and park, where a row names its park itself.

    Only feeds with a column ``park_code`` can say so. Rejects that are settled no longer count; a row whose park cannot
    be read counts under no park.

    Returns:
        Rows with feed, park_code (null when it cannot be read), rows_accepted, rows_rejected and reject_share, by feed
        and park.
    """
    counts: dict[tuple[str, str | None], list[int]] = {}
    with engine.connect() as connection:
        for feed, contract in contracts.load_all().items():
            for table in contract.tables:
                column = next((one for one in table.columns if one.name == _PARK), None)
                if column is None:
                    continue
                accepted = sql.SQL("select {park}, count(*) from {table} group by 1").format(
                    park=sql.Identifier(_PARK), table=sql.Identifier("raw", table.raw_table)
                )
                told = sql.SQL(", ").join(
                    sql.SQL("nullif(btrim(original_row ->> {}), '')").format(sql.Literal(header))
                    for header in column.headers
                )
                rejected = sql.SQL(
                    "select coalesce({told}), count(*) from raw.rejects"
                    " where feed = {feed} and table_name = {table} and resolved_by is null group by 1"
                ).format(told=told, feed=sql.Literal(feed), table=sql.Literal(table.raw_table))
                for place, statement in enumerate((accepted, rejected)):
                    found: Any = connection.exec_driver_sql(statement.as_string(None).replace("%", "%%"), ())
                    for park, count in found:
                        known = park if park is not None and re.fullmatch(column.pattern or ".*", park) else None
                        counts.setdefault((feed, known), [0, 0])[place] += count
    return [
        {
            "feed": feed,
            "park_code": park,
            "rows_accepted": accepted,
            "rows_rejected": rejected,
            "reject_share": round(Decimal(rejected) / Decimal(accepted + rejected), 6),
        }
        for (feed, park), (accepted, rejected) in sorted(
            counts.items(), key=lambda item: (item[0][0], item[0][1] is None, item[0][1] or "")
        )
    ]


def late_days(contract: Contract, last_received_at: datetime, at: datetime) -> int:
    """Return the days from the last day on which a feed was in time to ``at``, in Shanghai days.

    Args:
        contract: The feed's contract: it is late ``latency_days`` after its last delivery.
        last_received_at: When that came.
        at: The moment to judge at.

    Returns:
        Positive when the feed is late, negative when the next delivery is not due yet.
    """
    return (_business_day(at) - _business_day(last_received_at)).days - contract.latency_days


def _business_day(moment: datetime) -> date:
    return moment.astimezone(ZoneInfo(BUSINESS_TIME_ZONE)).date()
