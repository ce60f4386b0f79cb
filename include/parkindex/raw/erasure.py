"""Erase personal fields of deliveries: because their time is over, or because a person asks.

What is erased: personal columns of raw tables, personal cells of rows set aside, and the received bytes. What stays is
the evidence that releases rest on: the batch with its hash, size and counts, the hash of every row, and everything that
is not personal. No hash of a release depends on a personal field, so releases stay verifiable and an edition can still
be built; only a row set aside can no longer be judged again from its file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg import sql
from sqlalchemy import Connection, Engine, insert, select, text, update

from parkindex import contracts
from parkindex.contracts import Contract, Table
from parkindex.errors import BadInputError, UsageError
from parkindex.landing import store
from parkindex.ledger import attempts
from parkindex.ledger.tables import batches, erasures, rejects
from parkindex.privacy import policy
from parkindex.privacy.sealing import ERASED, is_sealed, personal_columns, personal_headers
from parkindex.settings import Settings


@dataclass(frozen=True)
class Erased:
    """What is, or would be, erased of one delivery.

    Attributes:
        batch_id: Batch.
        feed: Feed.
        source_file: File as delivered.
        received_at: When it came.
        due_since: From when it was to be erased; null when a person asks.
        columns: Personal columns of its tables.
        cells_in_raw: Personal cells in raw tables.
        cells_in_rejects: Personal cells in rows set aside.
        file_removed: Whether received bytes are there to be removed.
        open_rejects: Rows set aside that nothing settled yet: they can no longer be judged again from the file.
    """

    batch_id: int
    feed: str
    source_file: str
    received_at: datetime
    due_since: datetime | None
    columns: tuple[str, ...]
    cells_in_raw: int
    cells_in_rejects: int
    file_removed: bool
    open_rejects: int

    def as_dict(self) -> dict[str, Any]:
        """Return it as ``--json`` prints it."""
        return asdict(self)


def due(engine: Engine, settings: Settings, now: datetime) -> list[Erased]:
    """Return the deliveries whose personal fields are kept longer than the policy allows."""
    rules = policy.load()
    found = []
    with engine.connect() as connection:
        for feed, contract in contracts.load_all().items():
            if not _columns(contract):
                continue
            days = timedelta(days=rules.retention(feed))
            for row in connection.execute(_standing(feed).where(batches.c.received_at < now - days)):
                found.append(_look(connection, settings, contract, row, row.received_at + days))
    return found


def of_batches(engine: Engine, settings: Settings, feed: str, batch_ids: list[int]) -> list[Erased]:
    """Return what would be erased of deliveries.

    Raises:
        BadInputError: The feed has no personal fields, or a batch is none of its deliveries or was erased already.
    """
    contract = contracts.load(feed)
    if not _columns(contract):
        raise BadInputError(
            f"The feed {feed} has no personal fields.",
            where=f"contracts/{feed}.odcs.yaml",
            why="no column is classified personal",
            next_step="parkindex privacy report lists them",
        )
    with engine.connect() as connection:
        rows = {
            row.batch_id: row for row in connection.execute(_standing(feed).where(batches.c.batch_id.in_(batch_ids)))
        }
        unknown = sorted(set(batch_ids) - rows.keys())
        if unknown:
            raise BadInputError(
                f"Batch {unknown[0]} is no delivery of {feed} that can be erased.",
                where="raw.batches",
                why="it is unknown, of another feed, or erased already",
                next_step="parkindex feeds; parkindex privacy report",
            )
        return [_look(connection, settings, contract, rows[number], None) for number in sorted(rows)]


def erase(engine: Engine, settings: Settings, found: list[Erased], by: str, reason: str) -> None:
    """Erase personal fields of deliveries, each in a transaction of its own; the bytes go last.

    Args:
        engine: The warehouse, as its owner.
        settings: The installation.
        found: What :func:`due` or :func:`of_batches` returned.
        by: Who erases.
        reason: Why, as recorded.

    Raises:
        UsageError: Nobody is named, or no reason is given.
        BadInputError: A delivery has open rejects.
    """
    if not by.strip() or not reason.strip():
        raise UsageError("Who erases says who, and why.", next_step="add --as NAME --reason TEXT")
    waiting = [one for one in found if one.open_rejects]
    if waiting:
        raise BadInputError(
            f"Batch {waiting[0].batch_id} has {waiting[0].open_rejects} row(s) set aside that nothing settled.",
            where="raw.rejects",
            why="without the received bytes they could not be judged again",
            next_step=f"parkindex rejects list --batch {waiting[0].batch_id}; replay, return or close them",
        )
    for one in found:
        contract = contracts.load(one.feed)
        with engine.begin() as connection:
            row = connection.execute(select(batches).where(batches.c.batch_id == one.batch_id)).one()
            in_raw = sum(_empty(connection, table, one.batch_id) for table in contract.tables)
            in_rejects = _empty_rejects(connection, contract, one.batch_id)
            connection.execute(
                insert(erasures).values(
                    erased_by=by,
                    reason=reason,
                    feed=one.feed,
                    batch_id=one.batch_id,
                    file_sha256=row.sha256,
                    columns=list(one.columns),
                    cells_in_raw=in_raw,
                    cells_in_rejects=in_rejects,
                    file_removed=one.file_removed,
                )
            )
            attempts.done(connection, "erase", f"{one.feed} batch {one.batch_id} {row.sha256}", by=by, reason=reason)
        # A process that dies here leaves bytes that the next run of `retention` removes.
        if row.landing_path:
            store.remove(settings.landing, row.landing_path, settings.landing_store)


def remove_leftovers(engine: Engine, settings: Settings) -> int:
    """Remove received bytes that an interrupted erasure left behind; returns how many files."""
    query = select(batches.c.landing_path).join(erasures, erasures.c.batch_id == batches.c.batch_id)
    with engine.connect() as connection:
        paths: set[str | None] = set(connection.execute(query).scalars())
    return sum(store.remove(settings.landing, path, settings.landing_store) for path in sorted(filter(None, paths)))


# ----------------------------------------------------------------------------------------------------------- internals


def _standing(feed: str) -> Any:
    """Select the batches of a feed that were not erased, refused ones too: their bytes are kept as well."""
    return (
        select(batches)
        .where(batches.c.feed == feed, batches.c.batch_id.not_in(select(erasures.c.batch_id)))
        .order_by(batches.c.batch_id)
    )


def _columns(contract: Contract) -> tuple[str, ...]:
    return tuple(f"{table.raw_table}.{column.name}" for table in contract.tables for column in personal_columns(table))


def _look(connection: Connection, settings: Settings, contract: Contract, row: Any, since: datetime | None) -> Erased:
    in_raw = 0
    for table in contract.tables:
        for column in personal_columns(table):
            query = sql.SQL("select count({}) from {} where _batch_id = {}").format(
                sql.Identifier(column.name), sql.Identifier("raw", table.raw_table), sql.Literal(row.batch_id)
            )
            in_raw += connection.exec_driver_sql(query.as_string(None)).scalar_one()
    open_rejects: int = connection.execute(
        text("select count(*) from raw.rejects where batch_id = :batch and resolved_by is null"),
        {"batch": row.batch_id},
    ).scalar_one()
    return Erased(
        batch_id=row.batch_id,
        feed=contract.feed,
        source_file=row.source_file,
        received_at=row.received_at,
        due_since=since,
        columns=_columns(contract),
        cells_in_raw=in_raw,
        cells_in_rejects=sum(len(personal) for _, _, personal in _personal_cells(connection, contract, row.batch_id)),
        file_removed=bool(row.landing_path)
        and store.is_kept(settings.landing, row.landing_path, settings.landing_store),
        open_rejects=open_rejects if row.status == "loaded" else 0,
    )


def _empty(connection: Connection, table: Table, batch_id: int) -> int:
    """Empty the personal columns of a batch's rows; returns how many cells."""
    emptied = 0
    for column in personal_columns(table):
        statement = sql.SQL("update {table} set {column} = null where _batch_id = {batch} and {column} is not null")
        emptied += connection.exec_driver_sql(
            statement.format(
                table=sql.Identifier("raw", table.raw_table),
                column=sql.Identifier(column.name),
                batch=sql.Literal(batch_id),
            ).as_string(None)
        ).rowcount
    return emptied


def _empty_rejects(connection: Connection, contract: Contract, batch_id: int) -> int:
    emptied = 0
    for reject_id, cells, personal in list(_personal_cells(connection, contract, batch_id)):
        erased = {header: ERASED if header in personal else cell for header, cell in cells.items()}
        connection.execute(update(rejects).where(rejects.c.reject_id == reject_id).values(original_row=erased))
        emptied += len(personal)
    return emptied


def _personal_cells(
    connection: Connection, contract: Contract, batch_id: int
) -> Iterator[tuple[int, dict[str, str | None], set[str]]]:
    """Yield the batch's rows set aside that hold personal cells: number, cells, and the headers of personal ones."""
    query = select(rejects.c.reject_id, rejects.c.table_name, rejects.c.original_row)
    for row in connection.execute(query.where(rejects.c.batch_id == batch_id).order_by(rejects.c.reject_id)):
        headers = personal_headers(contract, row.table_name)
        personal = {
            header
            for header, cell in row.original_row.items()
            if cell and cell != ERASED and (is_sealed(cell) or header.strip() in headers)
        }
        if personal:
            yield row.reject_id, row.original_row, personal
