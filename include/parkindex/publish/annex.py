"""What is frozen with a release beside its content: the quality of its deliveries, their contracts, what it revises.

All depend on when deliveries and releases came and not on what they say, so they are hashed apart (ADR 0004).
"""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import Column, Connection, MetaData, Table, insert, select

from parkindex import contracts
from parkindex.gate import consequences
from parkindex.ledger import tables
from parkindex.publish import canonical, contents
from parkindex.publish.canonical import Row
from parkindex.raw import quality
from parkindex.scoring import published
from parkindex.settings import BUSINESS_TIME_ZONE

if TYPE_CHECKING:
    from parkindex.publish.candidates import Candidate

NO_PARK = "none"
_MEASURED = (tables.released_data_quality, tables.released_park_quality)


def measured(connection: Connection, edition: int, as_known: datetime) -> dict[str, list[Row]]:
    """Return the quality figures of everything that was known at an instant: per feed, and per feed and park.

    ``late_days`` is by how many days the feed's newest delivery was older than its contract allows at the known time
    (Shanghai dates); negative when the next one was not due yet, null when nothing was ever delivered. Rows of feeds
    that name no park stand under the park ``none``.

    Returns:
        Rows of ``data_quality``, one per feed in the order of names, and of ``park_quality``.
    """
    counted = quality.by_feed(connection, as_known)
    of_feeds: list[Row] = []
    for feed, contract in sorted(contracts.load_all().items()):
        found = counted.get(feed)
        of_feeds.append(
            {
                "edition": edition,
                "feed": feed,
                "batches": found.files if found else 0,
                **{name: getattr(found, name) if found else 0 for name in quality.COUNTS},
                "reject_share": found.reject_share if found else None,
                "late_days": _late_days(found.newest, as_known, contract.latency_days) if found else None,
            }
        )
    of_parks: list[Row] = [
        {
            "edition": edition,
            "feed": one.feed,
            "park_code": one.park_code or NO_PARK,
            "rows_accepted": one.rows_accepted,
            "rows_rejected": one.rows_rejected,
            "reject_share": one.reject_share,
        }
        for one in quality.by_park(connection, as_known)
    ]
    return {tables.released_data_quality.name: of_feeds, tables.released_park_quality.name: of_parks}


def keep(connection: Connection, schema_prefix: str, edition: int, as_known: datetime) -> None:
    """Measure the quality a candidate rests on and keep it in the candidate: who publishes does not see rows."""
    found = measured(connection, edition, as_known)
    for table in _MEASURED:
        kept = _kept(table, schema_prefix)
        kept.create(connection)
        if found[table.name]:
            connection.execute(insert(kept), found[table.name])


def of_candidate(connection: Connection, candidate: Candidate) -> dict[str, list[Row]]:
    """Return the quality figures a candidate keeps, and the contracts in force, by table."""
    rows: dict[str, list[Row]] = {}
    for table in _MEASURED:
        kept = _kept(table, candidate.schema_prefix)
        keys = [kept.c[name] for name in contents.key_columns(table)]
        # By bytes, whatever the server's locale.
        ordered = select(kept).order_by(*(key.collate("C") for key in keys))
        rows[table.name] = [dict(row) for row in connection.execute(ordered).mappings()]
    return {**rows, tables.released_feed_contracts.name: feed_contracts(candidate)}


def _kept(table: Table, schema_prefix: str) -> Table:
    """Return the table of a candidate that a released one is taken from."""
    columns = [Column(one.name, one.type, nullable=one.nullable) for one in table.columns if one.name != "release_id"]
    return Table(table.name, MetaData(), *columns, schema=f"{schema_prefix}park_index")


def feed_contracts(candidate: Candidate) -> list[Row]:
    """Return the contracts in force, whole: what the next ones are compared with (``contract diff --release``)."""
    return [
        {
            "edition": candidate.edition,
            "feed": feed,
            "version": contract.version,
            "contract_sha256": contract.sha256,
            "document": contracts.path_of(feed).read_text("utf-8"),
        }
        for feed, contract in sorted(contracts.load_all().items())
    ]


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


def status_changes(
    connection: Connection, candidate: Candidate, rows: canonical.Rows, previous_release_id: str | None
) -> list[Row]:
    """Return every consequence that differs from the edition's release before; none for a first release."""
    if previous_release_id is None:
        return []
    before = published.current(connection, candidate.edition)
    editions = tables.methodology_editions.c
    document: dict[str, Any] = connection.execute(
        select(editions.document).where(editions.methodology_sha256 == candidate.methodology_sha256)
    ).scalar_one()
    if before is None or before.release_id != previous_release_id:
        raise RuntimeError(f"{previous_release_id} is not the current release of edition {candidate.edition}")
    ranking = [SimpleNamespace(**row) for row in rows[tables.released_park_ranking.name]]
    return [
        {
            "edition": candidate.edition,
            "park_code": change.park_code,
            "what": change.what,
            "old_value": change.old_value,
            "new_value": change.new_value,
            "previous_release_id": previous_release_id,
        }
        for change in consequences.changes(connection, candidate.edition, document, ranking, before)
    ]
