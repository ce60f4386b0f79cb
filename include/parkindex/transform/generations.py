"""Bring a generation of marts forward by what came since, instead of building it from nothing.

A generation is what stands under a prefix: staging, intermediate and marts of one known time, one methodology, one
identity run and one version of the models. It remembers which batches and withdrawals it has seen. The next build under
the prefix lists those that it has not seen; the models with the macros of ``dbt_project/macros/generations.sql`` make
only their keys again, all others are small and built whole. Whatever does not fit (an earlier known time, other rules,
other models, a build that broke off) is built from nothing: the result is the same, row by row (tests/integration/
test_generations.py).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from psycopg import sql
from sqlalchemy import Connection, text

from parkindex.settings import DBT_PROJECT_DIR

BUILT = "built"
BUILDING = "building"
SERVED = "served"
_FOLDERS = ("macros", "models", "seeds")
_TABLES = """
create table if not exists {staging}.generation (
    state text not null,
    as_known timestamptz not null,
    methodology_sha256 text not null,
    models_sha256 text not null,
    identity_run_id bigint
);
create table if not exists {staging}.seen_batches (batch_id bigint primary key);
create table if not exists {staging}.seen_withdrawals (withdrawn_id bigint primary key);
"""
_UNSEEN = """
drop table if exists {staging}.changed__batches, {staging}.changed__withdrawals;
create table {staging}.changed__batches as
select batch_id from raw.batches
where status = 'loaded' and received_at <= {as_known}
    and batch_id not in (select batch_id from {staging}.seen_batches);
create table {staging}.changed__withdrawals as
select batch_id, table_name, source_file, source_row from raw.withdrawn_rows
where known_at <= {as_known}
    and withdrawn_id not in (select withdrawn_id from {staging}.seen_withdrawals);
"""


@dataclass(frozen=True)
class Deliveries:
    """What was there before a build began: it may see more, never less."""

    batch_ids: list[int]
    withdrawn_ids: list[int]


def models_sha256() -> str:
    """Return the hash of models, macros and seeds: a generation of other ones is not brought forward."""
    digest = hashlib.sha256()
    for folder in _FOLDERS:
        for path in sorted((DBT_PROJECT_DIR / folder).rglob("*")):
            if path.suffix in {".sql", ".csv", ".yml"}:
                digest.update(f"{path.relative_to(DBT_PROJECT_DIR).as_posix()}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def deliveries(connection: Connection, as_known: datetime) -> Deliveries:
    """Return the batches and withdrawals that are known by a time; asked before a build begins."""
    at = {"as_known": as_known}
    batches = "select batch_id from raw.batches where status = 'loaded' and received_at <= :as_known"
    withdrawals = "select withdrawn_id from raw.withdrawn_rows where known_at <= :as_known"
    return Deliveries(
        list(connection.execute(text(batches), at).scalars()), list(connection.execute(text(withdrawals), at).scalars())
    )


def begin(connection: Connection, prefix: str, as_known: datetime, methodology_sha256: str) -> bool:
    """List what the generation under a prefix has not seen, and mark it as being built.

    Args:
        connection: The warehouse, in a transaction.
        prefix: Schema prefix.
        as_known: Known time of the build.
        methodology_sha256: Rules of the build.

    Returns:
        Whether there is a generation that can be brought forward; if not, nothing was changed.
    """
    if not _is_kept(connection, prefix):
        return False
    found = connection.execute(
        text(
            f"select 1 from {_staging(connection, prefix)}.generation where state in (:built, :served)"
            " and as_known <= :as_known and methodology_sha256 = :methodology and models_sha256 = :models"
        ),
        {
            "built": BUILT,
            "served": SERVED,
            "as_known": as_known,
            "methodology": methodology_sha256,
            "models": models_sha256(),
        },
    ).first()
    if found is None:
        return False
    _execute(connection, prefix, _UNSEEN, as_known)
    mark(connection, prefix, BUILDING)
    return True


def note(connection: Connection, prefix: str, as_known: datetime, methodology_sha256: str, seen: Deliveries) -> None:
    """Remember what the staging models under a prefix have seen; the generation is complete with :func:`finish`."""
    _execute(connection, prefix, _TABLES, as_known)
    staging = _staging(connection, prefix)
    for table, ids in (("seen_batches", seen.batch_ids), ("seen_withdrawals", seen.withdrawn_ids)):
        connection.execute(
            text(f"insert into {staging}.{table} select unnest(cast(:ids as bigint[])) on conflict do nothing"),
            {"ids": ids},
        )
    facts = {
        "state": BUILDING,
        "as_known": as_known,
        "methodology": methodology_sha256,
        "models": models_sha256(),
    }
    changed = connection.execute(
        text(
            f"update {staging}.generation set state = :state, as_known = :as_known,"
            " methodology_sha256 = :methodology, models_sha256 = :models"
        ),
        facts,
    )
    if changed.rowcount == 0:
        connection.execute(
            text(f"insert into {staging}.generation values (:state, :as_known, :methodology, :models)"), facts
        )


def previous_run(connection: Connection, prefix: str) -> int | None:
    """Return the identity run of the generation that is brought forward; None when it is built from nothing."""
    if not _is_kept(connection, prefix):
        return None
    staging = _staging(connection, prefix)
    run: int | None = connection.execute(text(f"select identity_run_id from {staging}.generation")).scalar()
    return run


def finish(connection: Connection, prefix: str, identity_run_id: int) -> None:
    """Mark the generation under a prefix as complete, if it is remembered at all."""
    if _is_kept(connection, prefix):
        staging = _staging(connection, prefix)
        connection.execute(
            text(f"update {staging}.generation set state = :state, identity_run_id = :run"),
            {"state": BUILT, "run": identity_run_id},
        )


def mark(connection: Connection, prefix: str, state: str) -> None:
    """Set the state of the generation under a prefix, if it is remembered at all."""
    if _is_kept(connection, prefix):
        staging = _staging(connection, prefix)
        connection.execute(text(f"update {staging}.generation set state = :state"), {"state": state})


def is_served_before(connection: Connection, prefix: str) -> bool:
    """Return whether what stands under a prefix was served once and only waits to be brought forward."""
    if not _is_kept(connection, prefix):
        return False
    staging = _staging(connection, prefix)
    return connection.execute(text(f"select state from {staging}.generation")).scalar() == SERVED


def _is_kept(connection: Connection, prefix: str) -> bool:
    name = f"{prefix}staging.generation"
    return connection.execute(text("select to_regclass(:name)"), {"name": name}).scalar() is not None


def _staging(connection: Connection, prefix: str) -> str:
    raw = connection.connection.driver_connection
    return sql.Identifier(f"{prefix}staging").as_string(raw)


def _execute(connection: Connection, prefix: str, statements: str, as_known: datetime) -> None:
    composed = sql.SQL(statements).format(
        staging=sql.Identifier(f"{prefix}staging"), as_known=sql.Literal(as_known.isoformat())
    )
    connection.exec_driver_sql(composed.as_string(None))
