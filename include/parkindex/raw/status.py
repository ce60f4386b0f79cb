"""How each feed stands: who answers for it, what came last, what was set aside, how late it is."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, func, select
from sqlalchemy.dialects.postgresql import distinct_on

from parkindex import contracts
from parkindex.contracts import Contract
from parkindex.ledger.tables import batches, rejects
from parkindex.raw import inbox, quality
from parkindex.settings import BUSINESS_TIME_ZONE, Settings


def feeds(engine: Engine, settings: Settings, at: datetime | None = None) -> list[dict[str, Any]]:
    """Return one row per feed, by name.

    Args:
        engine: The warehouse.
        settings: Where the inbox and configured sources are.
        at: The moment to judge lateness at; None means now.

    Returns:
        Rows with feed, name, owner, frequency (ISO 8601 period), batches, refused (files, held ones included), waiting
        (files in the inbox that nothing was done with), last_batch_id, last_file, last_received_at, counts of rows over
        all files and their reject_share (:mod:`parkindex.raw.quality`), rejects_open (rows that nothing settled yet),
        and late_days: days past the day on which the next delivery should have come, negative before it, null when
        nothing ever came.
    """
    moment = at or datetime.now(UTC)
    loaded = (batches.c.status == "loaded") & batches.c.replays_batch_id.is_(None)
    refused = (
        select(batches.c.feed, func.count().label("files"))
        .where(batches.c.status == "refused")
        .group_by(batches.c.feed)
    )
    still_open = (
        select(rejects.c.feed, func.count().label("rows"))
        .where(rejects.c.resolved_by.is_(None))
        .group_by(rejects.c.feed)
    )
    last = (
        select(batches.c.feed, batches.c.batch_id, batches.c.source_file, batches.c.received_at)
        .where(loaded)
        .ext(distinct_on(batches.c.feed))
        .order_by(batches.c.feed, batches.c.received_at.desc(), batches.c.batch_id.desc())
    )
    with engine.connect() as connection:
        counts_of = quality.by_feed(connection)
        refused_of: dict[str, int] = {
            row.feed: row.files for row in connection.execute(refused.group_by(batches.c.feed))
        }
        open_of: dict[str, int] = {
            row.feed: row.rows for row in connection.execute(still_open.group_by(rejects.c.feed))
        }
        last_of = {row.feed: row for row in connection.execute(last)}
    rows = []
    for feed, contract in contracts.load_all().items():
        counts, newest = counts_of.get(feed), last_of.get(feed)
        rows.append(
            {
                "feed": feed,
                "name": contract.name,
                "owner": contract.owner,
                "frequency": contract.frequency,
                "source_url": settings.source_url(feed) or contract.source_url,
                "batches": counts.files if counts else 0,
                "refused": refused_of.get(feed, 0),
                "waiting": len(inbox.waiting(engine, settings, feed)),
                "last_batch_id": newest.batch_id if newest else None,
                "last_file": newest.source_file if newest else None,
                "last_received_at": newest.received_at if newest else None,
                **{name: getattr(counts, name) if counts else 0 for name in quality.COUNTS},
                "rejects_open": open_of.get(feed, 0),
                "reject_share": counts.reject_share if counts else None,
                "late_days": late_days(contract, newest.received_at, moment) if newest else None,
            }
        )
    return rows


def by_park(engine: Engine) -> list[dict[str, Any]]:
    """Return how many rows were set aside per feed and park, as it is published with a release.

    Returns:
        Rows with feed, park_code (null of rows that name no park), rows_accepted, rows_rejected and reject_share, by
        feed and park.
    """
    with engine.connect() as connection:
        return [
            {
                "feed": one.feed,
                "park_code": one.park_code,
                "rows_accepted": one.rows_accepted,
                "rows_rejected": one.rows_rejected,
                "reject_share": one.reject_share,
            }
            for one in quality.by_park(connection)
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
