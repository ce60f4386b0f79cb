"""Login roles of the warehouse for those who only read, and what they may read."""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from psycopg import sql
from sqlalchemy import Connection, Engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ProgrammingError

from parkindex.errors import ServiceDownError


@dataclass(frozen=True)
class ReaderRole:
    """A role that reads.

    Attributes:
        name: Name on the command line.
        login: Name in Postgres.
        schemas: Schemas whose relations it may select from, now and later.
    """

    name: str
    login: str
    schemas: tuple[str, ...]


# BI reads serve and nothing else; evaluators also read the gate's verdicts and the framework they approve.
READER_ROLES = (
    ReaderRole("bi_reader", "parkindex_bi_reader", ("serve",)),
    ReaderRole("evaluator", "parkindex_evaluator", ("serve", "audit", "methodology")),
)
STATEMENT_TIMEOUT = "60s"
# Two services that start together would alter the same roles and grants at once, which Postgres refuses.
_LOCK = 7_203_150_007


def ensure(engine: Engine, passwords_file: Path) -> None:
    """Create the reading roles with generated passwords, and grant them what they read.

    A server of the user's own may forbid creating roles; then the roles are the administrator's to make, and the error
    says how.

    Args:
        engine: The warehouse, as its owner.
        passwords_file: Where generated passwords are kept (mode 0600).

    Raises:
        ServiceDownError: The roles are missing and may not be created.
    """
    with engine.begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        passwords = _passwords(passwords_file)
        for role in READER_ROLES:
            _ensure_login(connection, role, passwords[role.name])
            for schema in role.schemas:
                for statement in (
                    "grant usage on schema {schema} to {role}",
                    "grant select on all tables in schema {schema} to {role}",
                    "alter default privileges in schema {schema} grant select on tables to {role}",
                ):
                    _execute(connection, statement, schema=schema, role=role.login)


def reader_url(owner_url: str, role_name: str, passwords_file: Path) -> URL:
    """Return the address of the warehouse for a reading role."""
    role = next(role for role in READER_ROLES if role.name == role_name)
    return make_url(owner_url).set(username=role.login, password=_passwords(passwords_file)[role.name])


def _ensure_login(connection: Connection, role: ReaderRole, password: str) -> None:
    known = connection.execute(text("select 1 from pg_roles where rolname = :name"), {"name": role.login}).first()
    verb = "alter" if known else "create"
    statement = sql.SQL("{verb} role {role} login password {password}").format(
        verb=sql.SQL(verb), role=sql.Identifier(role.login), password=sql.Literal(password)
    )
    try:
        with connection.begin_nested():
            connection.exec_driver_sql(statement.as_string(None))
            for setting, value in (("default_transaction_read_only", "on"), ("statement_timeout", STATEMENT_TIMEOUT)):
                connection.exec_driver_sql(
                    sql.SQL("alter role {role} set {setting} = {value}")
                    .format(role=sql.Identifier(role.login), setting=sql.Identifier(setting), value=sql.Literal(value))
                    .as_string(None)
                )
    except ProgrammingError as error:
        if known:  # the administrator made it, with a password of their own: theirs to keep
            return
        raise ServiceDownError(
            f"The role {role.login} is missing and may not be created.",
            where=connection.engine.url.render_as_string(hide_password=True),
            why=str(error.orig).strip(),
            next_step=f"have an administrator run: create role {role.login} login password '…'",
        ) from error


def _execute(connection: Connection, statement: str, **identifiers: str) -> None:
    composed = sql.SQL(statement).format(**{name: sql.Identifier(value) for name, value in identifiers.items()})
    connection.exec_driver_sql(composed.as_string(None))


def _passwords(path: Path) -> dict[str, str]:
    """Return the passwords, generated once: the file appears whole, and who comes second takes what is there."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".readers-")  # readable by its owner only
        fresh = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                json.dump({role.name: secrets.token_urlsafe(24) for role in READER_ROLES}, stream)
            with suppress(FileExistsError):
                path.hardlink_to(fresh)
        finally:
            fresh.unlink()
    loaded: dict[str, str] = json.loads(path.read_text("utf-8"))
    return loaded
