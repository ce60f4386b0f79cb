"""The same file name with other bytes: a new version. What it changes, and what becomes of the old one's rejects."""

from __future__ import annotations

from typing import Any

from psycopg import sql
from sqlalchemy import Connection, and_, or_, select

from parkindex.contracts import Contract, Table
from parkindex.ledger import attempts
from parkindex.ledger.tables import batches, rejects
from parkindex.raw import history
from parkindex.raw.limits import Loaded


def previous(connection: Connection, contract: Contract, loaded: Loaded) -> int | None:
    """Return the batch of the version of this file that came last before it."""
    found: int | None = connection.execute(
        select(batches.c.batch_id)
        .where(
            batches.c.feed == contract.feed,
            batches.c.source_file == loaded.file,
            batches.c.status == "loaded",
            batches.c.replays_batch_id.is_(None),
            batches.c.batch_id != loaded.batch_id,
            batches.c.received_at <= loaded.received_at,
        )
        .order_by(batches.c.received_at.desc(), batches.c.batch_id.desc())
        .limit(1)
    ).scalar()
    return found


def changes(connection: Connection, contract: Contract, batch_id: int, previous_id: int) -> dict[str, dict[str, int]]:
    """Compare two versions of a file by key.

    Only rows that were accepted are compared, those that replays of the old version brought in included.

    Returns:
        Raw table → keys ``added``, ``removed``, ``changed`` (some cell differs) and ``same``.
    """
    return {table.raw_table: _table_changes(connection, table, batch_id, previous_id) for table in contract.tables}


def described(found: dict[str, dict[str, int]], previous_id: int) -> str:
    """Return the difference of two versions in one line."""
    total = {what: sum(counts[what] for counts in found.values()) for what in ("added", "removed", "changed")}
    listed = ", ".join(f"{count} {what}" for what, count in total.items())
    return f"new version of batch {previous_id}: by key {listed}"


def supersede(connection: Connection, contract: Contract, loaded: Loaded, sha256: str) -> int:
    """Settle what is still open of earlier versions of the file, and of the same bytes when they were held.

    What is wrong with the new version was set aside with it.

    Returns:
        How many rejects were settled.
    """
    earlier = select(batches.c.batch_id).where(
        batches.c.feed == contract.feed,
        batches.c.batch_id != loaded.batch_id,
        batches.c.replays_batch_id.is_(None),
        or_(
            and_(batches.c.source_file == loaded.file, batches.c.received_at <= loaded.received_at),
            and_(batches.c.sha256 == sha256, batches.c.status == "refused"),
        ),
    )
    open_ones = select(rejects.c.reject_id).where(rejects.c.batch_id.in_(earlier), rejects.c.resolved_by.is_(None))
    # One that a person is settling at this moment is theirs.
    mine = open_ones.order_by(rejects.c.reject_id).with_for_update()
    settled: list[int] = list(connection.execute(mine).scalars())
    history.settle(connection, settled, "superseded", f"batch {loaded.batch_id}", attempts.actor(), loaded.batch_id)
    return len(settled)


def _table_changes(connection: Connection, table: Table, batch_id: int, previous_id: int) -> dict[str, int]:
    keys = []
    for name in table.primary_key:
        stored = f"{name}_key" if table.column(name).match_key == "identifier" else name
        keys.append(sql.SQL("coalesce({}::text, '')").format(sql.Identifier(stored)))
    # A key's parts are compared as one text each; an absent part equals another, as in every later step.
    named = sql.SQL(", ").join(
        sql.SQL("{} as {}").format(key, sql.Identifier(f"k{place}")) for place, key in enumerate(keys)
    )
    using = sql.SQL(", ").join(sql.Identifier(f"k{place}") for place in range(len(keys)))
    statement = sql.SQL(
        "with now as (select {named}, _row_sha256 as hash from {table} where _batch_id = {batch}),"
        " before as (select distinct on ({using}) {using}, hash from ("
        " select {named}, _row_sha256 as hash, _known_at from {table} where _batch_id = {previous}"
        " or _batch_id in (select batch_id from raw.batches where replays_batch_id = {previous})"
        " ) as every order by {using}, _known_at desc)"
        " select count(*) filter (where before.hash is null) as added,"
        " count(*) filter (where now.hash is null) as removed,"
        " count(*) filter (where now.hash <> before.hash) as changed,"
        " count(*) filter (where now.hash = before.hash) as same"
        " from now full join before using ({using})"
    ).format(
        named=named,
        using=using,
        table=sql.Identifier("raw", table.raw_table),
        batch=sql.Literal(batch_id),
        previous=sql.Literal(previous_id),
    )
    row: Any = connection.exec_driver_sql(statement.as_string(None)).mappings().one()
    return dict(row)
