"""The layers that dbt builds, each under a schema prefix: staging, then (after identity) marts, then the index."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from psycopg import sql
from sqlalchemy import Connection, Engine, text

from parkindex.errors import ServiceDownError, UsageError
from parkindex.settings import Settings
from parkindex.transform import dbt, generations

# Dated reference data that intermediate models and marts read (seeds/index belongs to the index).
_REFERENCE = ("path:seeds/classifications", "path:seeds/cultivation", "path:seeds/patents")
LAYERS = ("staging", "intermediate", "marts", "park_index")
RANK_INTERVALS_DDL = """
create table {schema}.rank_intervals (
    park_code text primary key,
    rank_low integer not null,
    rank_high integer not null,
    tier_share numeric(9, 6) not null
)
"""
_PREFIX = re.compile(r"[a-z][a-z0-9_]{0,30}__")
# Serialises what builds or promotes one prefix; the second number of the lock is a hash of the prefix.
PREFIX_LOCK = 720_316


def stage(
    engine: Engine,
    settings: Settings,
    prefix: str,
    as_known: datetime,
    methodology_sha256: str,
    *,
    keep: bool = False,
) -> None:
    """Build the staging models under a prefix, from nothing unless a generation there can be brought forward.

    Whatever an earlier, perhaps broken, build left under the prefix is dropped first, in every layer: no layer may
    rest on another generation of the one before. With ``keep`` a complete generation of the same rules and models stays
    and takes in what came since (:mod:`parkindex.transform.generations`); the result is the same.

    Args:
        engine: The warehouse, as its owner.
        settings: The installation.
        prefix: Schema prefix, for example ``cand_3__``.
        as_known: Rows received later do not count.
        methodology_sha256: Hash of the methodology.
        keep: Whether this build and the next ones under the prefix may rest on each other.

    Raises:
        UsageError: The prefix is not one (an empty prefix is the served generation, which is only ever promoted).
        BadInputError: A model could not be built or a test failed.
        ServiceDownError: Another build under this prefix is running, or dbt failed.
    """
    with locked(engine, prefix):
        with engine.connect() as connection:
            seen = generations.deliveries(connection, as_known)
        with engine.begin() as connection:
            if not (keep and generations.begin(connection, prefix, as_known, methodology_sha256)):
                for layer in LAYERS:
                    _drop_schema(connection, f"{prefix}{layer}")
        dbt.build(settings, ["path:models/staging"], _variables(prefix, as_known, methodology_sha256))
        if keep:
            with engine.begin() as connection:
                generations.note(connection, prefix, as_known, methodology_sha256, seen)


def relate(
    engine: Engine,
    settings: Settings,
    prefix: str,
    as_known: datetime,
    methodology_sha256: str,
    identity_run_id: int,
) -> None:
    """Build intermediate models and marts under a prefix that was staged and resolved.

    Args:
        engine: The warehouse, as its owner.
        settings: The installation.
        prefix: Schema prefix.
        as_known: As for :func:`stage`, and the same.
        methodology_sha256: Hash of the methodology.
        identity_run_id: Resolution of names and places to use.

    Raises:
        UsageError: As for :func:`stage`.
        BadInputError: A model could not be built or a test failed.
        ServiceDownError: As for :func:`stage`.
    """
    with locked(engine, prefix):
        with engine.connect() as connection:
            previous = generations.previous_run(connection, prefix) or 0
        dbt.build(
            settings,
            [*_REFERENCE, "path:models/intermediate", "path:models/marts", "path:tests/marts"],
            _variables(
                prefix,
                as_known,
                methodology_sha256,
                identity_run_id=identity_run_id,
                previous_identity_run_id=previous,
            ),
        )
        with engine.begin() as connection:
            generations.finish(connection, prefix, identity_run_id)


def index(
    engine: Engine,
    settings: Settings,
    prefix: str,
    as_known: datetime,
    methodology_sha256: str,
    identity_run_id: int,
    edition: int,
) -> None:
    """Build the index of an edition under a prefix whose marts are built.

    Args:
        engine: The warehouse, as its owner.
        settings: The installation.
        prefix: Schema prefix.
        as_known: As for :func:`stage`, and the same.
        methodology_sha256: Hash of the methodology.
        identity_run_id: As for :func:`relate`, and the same.
        edition: Evaluation year.

    Raises:
        UsageError: As for :func:`stage`.
        BadInputError: A model could not be built or a test failed.
        ServiceDownError: As for :func:`stage`.
    """
    schema = f"{prefix}park_index"
    with locked(engine, prefix):
        with engine.begin() as connection:
            _drop_schema(connection, schema)
            quoted = sql.Identifier(schema)
            for statement in ("create schema {schema}", RANK_INTERVALS_DDL):
                connection.exec_driver_sql(sql.SQL(statement).format(schema=quoted).as_string(None))
        dbt.build(
            settings,
            ["path:models/park_index", "path:seeds/index", "path:tests/park_index"],
            _variables(prefix, as_known, methodology_sha256, identity_run_id=identity_run_id, edition=edition),
        )


@contextmanager
def locked(engine: Engine, prefix: str) -> Iterator[None]:
    """Hold the build lock of a prefix, for this session.

    Raises:
        UsageError: The prefix is not one.
        ServiceDownError: Another session holds it.
    """
    if not _PREFIX.fullmatch(prefix):
        raise UsageError(
            f"{prefix!r} is not a schema prefix.",
            why=f"it must match {_PREFIX.pattern}: only prefixed schemas are built",
            next_step="use next__ for the continuous marts or cand_<n>__ for a candidate",
        )
    lock = {"space": PREFIX_LOCK, "prefix": prefix}
    with engine.connect() as holder:
        free: bool = holder.execute(text("select pg_try_advisory_lock(:space, hashtext(:prefix))"), lock).scalar_one()
        holder.commit()  # the lock is the session's; no transaction stays open while dbt works
        if not free:
            raise ServiceDownError(
                f"Another build is working under {prefix}.",
                where=f"schemas {prefix}*",
                why="one build at a time may write there",
                next_step="wait for it to end, then call again",
            )
        try:
            yield
        finally:
            holder.execute(text("select pg_advisory_unlock(:space, hashtext(:prefix))"), lock)
            holder.commit()


def _variables(prefix: str, as_known: datetime, methodology_sha256: str, **more: int) -> dict[str, str | int]:
    return {
        "schema_prefix": prefix,
        "as_known": as_known.isoformat(),
        "methodology_sha256": methodology_sha256,
        **more,
    }


def _drop_schema(connection: Connection, schema: str) -> None:
    statement = sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema))
    connection.exec_driver_sql(statement.as_string(None))
