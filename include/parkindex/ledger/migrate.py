"""Bring the ledger's tables to the version of the code."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from parkindex.errors import ServiceDownError
from parkindex.ledger.tables import SCHEMAS

_MIGRATIONS = Path(__file__).parent / "migrations"
# One migrator at a time: two starting services must not race (the number is arbitrary, but ours alone).
_LOCK = 7_203_150_001
OLDEST_POSTGRES, NEWEST_POSTGRES = 15, 17


def config(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration, bound to a connection when one is given."""
    made = Config()
    # Alembic's own interpolation would take a "%" in the path for a reference.
    made.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    made.attributes["connection"] = connection
    return made


def head() -> str:
    """Return the newest revision that the code knows."""
    newest = ScriptDirectory.from_config(config()).get_current_head()
    if newest is None:
        raise RuntimeError(f"no migrations in {_MIGRATIONS}")
    return newest


def upgrade(engine: Engine) -> None:
    """Create the schemas and bring every ledger table to the newest revision.

    Raises:
        ServiceDownError: The server is older or newer than what parkindex was tried on.
    """
    with engine.connect() as connection:
        version = int(connection.execute(text("select current_setting('server_version_num')")).scalar_one()) // 10_000
        if not OLDEST_POSTGRES <= version <= NEWEST_POSTGRES:
            raise ServiceDownError(
                f"Postgres {version} is not supported.",
                where=engine.url.render_as_string(hide_password=True),
                why=f"parkindex was tried on {OLDEST_POSTGRES} to {NEWEST_POSTGRES}",
                next_step="point PARKINDEX_WAREHOUSE_URL at a supported server",
            )
        connection.execute(text("select pg_advisory_lock(:lock)"), {"lock": _LOCK})
        try:
            for schema in SCHEMAS:
                connection.execute(text(f'create schema if not exists "{schema}"'))
            connection.commit()
            command.upgrade(config(connection), "head")
            connection.commit()
        finally:
            connection.rollback()
            connection.execute(text("select pg_advisory_unlock(:lock)"), {"lock": _LOCK})
            connection.commit()
