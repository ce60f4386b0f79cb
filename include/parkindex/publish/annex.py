"""What is frozen with a release beside its content: the quality of its deliveries, and what it revises.

Both depend on when deliveries and releases came and not on what they say, so they are hashed apart (ADR 0004).
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select

from parkindex import contracts
from parkindex.ledger import tables
from parkindex.publish import canonical, contents
from parkindex.publish.candidates import Candidate
from parkindex.publish.canonical import Row
from parkindex.settings import BUSINESS_TIME_ZONE

_SHARE = Decimal("0.000000000001")
_COUNTS = ("rows_landed", "rows_accepted", "rows_rejected", "rows_duplicate")


def data_quality(connection: Connection, candidate: Candidate) -> list[Row]:
    """Return the quality figures of the deliveries a candidate rests on, one row per feed in the order of names.

    ``late_days`` is by how many days the feed's newest delivery was older than its contract allows at the known time
    (Shanghai dates); negative when the next one was not due yet, null when nothing was ever delivered.
    """
    batches = tables.batches.c
    totals = connection.execute(
        select(
            batches.feed,
            func.count().label("batches"),
            *(func.sum(batches[name]).label(name) for name in _COUNTS),
            func.max(batches.received_at).label("newest"),
        )
        .where(batches.status == "loaded", batches.received_at <= candidate.as_known)
        .group_by(batches.feed)
    ).mappings()
    by_feed = {row["feed"]: row for row in totals}
    quality: list[Row] = []
    for feed, contract in sorted(contracts.load_all().items()):
        row = by_feed.get(feed)
        counts = {name: int(row[name]) if row else 0 for name in _COUNTS}
        landed, rejected = counts["rows_landed"], counts["rows_rejected"]
        quality.append(
            {
                "edition": candidate.edition,
                "feed": feed,
                "batches": int(row["batches"]) if row else 0,
                **counts,
                "reject_share": (Decimal(rejected) / Decimal(landed)).quantize(_SHARE) if landed else None,
                "late_days": _late_days(row["newest"], candidate.as_known, contract.latency_days) if row else None,
            }
        )
    return quality


def _late_days(newest: datetime, as_known: datetime, latency_days: int) -> int:
    zone = ZoneInfo(BUSINESS_TIME_ZONE)
    return (as_known.astimezone(zone).date() - newest.astimezone(zone).date()).days - latency_days


def revisions(connection: Connection, edition: int, rows: canonical.Rows, previous_release_id: str | None) -> list[Row]:
    """Return every cell that differs from the edition's release before; none for a first release."""
    if previous_release_id is None:
        return []
    before = contents.of_release(connection, previous_release_id)
    return [
        {
            "edition": edition,
            "table_name": change.table_name,
            "row_key": change.row_key,
            "column_name": change.column_name,
            "old_value": change.old_value,
            "new_value": change.new_value,
            "previous_release_id": previous_release_id,
        }
        for change in contents.changes(before, rows)
    ]
