"""What is frozen with a release beside its content: the quality of its deliveries, and what it revises.

Both depend on when deliveries and releases came and not on what they say, so they are hashed apart (ADR 0004).
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, func, select

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
    (Shanghai dates); negative when the next one was not due yet, null when nothing was ever delivered. A row that a
    replay brought in by then is accepted and no longer rejected: it was landed once, with its file.
    """
    batches = tables.batches.c
    delivered = batches.replays_batch_id.is_(None)
    brought_in = func.coalesce(func.sum(batches.rows_accepted).filter(~delivered), 0)
    of_files: dict[str, ColumnElement[int]] = {
        name: func.coalesce(func.sum(batches[name]).filter(delivered), 0) for name in _COUNTS
    }
    of_files["rows_accepted"] += brought_in
    of_files["rows_rejected"] -= brought_in
    totals = connection.execute(
        select(
            batches.feed,
            func.count().filter(delivered).label("batches"),
            *(counted.label(name) for name, counted in of_files.items()),
            func.max(batches.received_at).filter(delivered).label("newest"),
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
