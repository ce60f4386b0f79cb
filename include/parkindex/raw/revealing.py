"""Open sealed personal fields: for a named person and purpose, and only after that was logged."""

from __future__ import annotations

from typing import Any

from psycopg import sql
from sqlalchemy import Engine, text

from parkindex import contracts
from parkindex.errors import BadInputError, UsageError
from parkindex.privacy import access
from parkindex.privacy.sealing import Sealer, personal_columns
from parkindex.settings import Settings


def reveal(engine: Engine, settings: Settings, feed: str, batch_id: int, by: str, purpose: str) -> list[dict[str, Any]]:
    """Return the personal fields of a delivery, opened, with the file and row they stand in.

    The entry of the log is committed before anything is opened.

    Args:
        engine: The warehouse, as its owner.
        settings: The installation; it holds the key.
        feed: Feed.
        batch_id: Delivery.
        by: Who reads.
        purpose: What for.

    Raises:
        BadInputError: The delivery is none of the feed's, or the key is another.
        UsageError: Nobody or no purpose is named.
    """
    if not by.strip():
        raise UsageError("Who opens personal fields says who.", next_step="add --as NAME")
    contract = contracts.load(feed)
    sealer = Sealer(settings.keys)
    found: list[dict[str, Any]] = []
    with engine.connect() as connection:
        known = connection.execute(
            text("select 1 from raw.batches where batch_id = :batch and feed = :feed"),
            {"batch": batch_id, "feed": feed},
        ).first()
        if known is None:
            raise BadInputError(
                f"Batch {batch_id} is no delivery of {feed}.", where="raw.batches", next_step="parkindex feeds"
            )
        for table in contract.tables:
            names = [column.name for column in personal_columns(table) if column.at_landing == "seal"]
            if not names:
                continue
            query = sql.SQL("select _source_file, _source_row, {} from {} where _batch_id = {} order by 1, 2").format(
                sql.SQL(", ").join(map(sql.Identifier, names)),
                sql.Identifier("raw", table.raw_table),
                sql.Literal(batch_id),
            )
            found += [dict(row) for row in connection.exec_driver_sql(query.as_string(None)).mappings()]
    with engine.begin() as connection:
        access.log(connection, "personal", f"{feed} batch {batch_id}", purpose, len(found), by)
    return [
        {name: value if name.startswith("_") else sealer.open([name], value) for name, value in row.items()}
        for row in found
    ]
