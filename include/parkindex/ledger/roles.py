"""Roles of the warehouse: made, given passwords, and held to the declared matrix.

What a role may do is read from the catalogue and compared with :mod:`parkindex.ledger.matrix`: missing privileges are
granted, and those that stand beside the matrix are taken away. When nothing differs nothing is written.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

from psycopg import sql
from sqlalchemy import Connection, Engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ProgrammingError

from parkindex.errors import ServiceDownError, UsageError
from parkindex.ledger.matrix import BY_NAME, LOGINS, PARK_OFFICER, ROLES, Role
from parkindex.ledger.tables import SCHEMAS

STATEMENT_TIMEOUT = "60s"
_OFFICER_PREFIX = "parkindex_officer_"
# Two services that start together would write one privilege at once, which Postgres refuses.
_LOCK = 7_203_150_007

_ACTUAL = r"""
with ours as (
    select oid, rolname from pg_roles where rolname = any(:logins)
)
select ours.rolname as login, 'relation' as kind, spaces.nspname as place, relations.relname as name,
    given.privilege_type as verb
from pg_class as relations
inner join pg_namespace as spaces on relations.relnamespace = spaces.oid
cross join lateral aclexplode(relations.relacl) as given
inner join ours on given.grantee = ours.oid
where relations.relkind in ('r', 'v', 'm', 'p', 'f') and given.grantee <> relations.relowner
    and spaces.nspname !~ '^(cand_[0-9]+|next|old)__'
union all
select ours.rolname, 'sequence', spaces.nspname, relations.relname, given.privilege_type
from pg_class as relations
inner join pg_namespace as spaces on relations.relnamespace = spaces.oid
cross join lateral aclexplode(relations.relacl) as given
inner join ours on given.grantee = ours.oid
where relations.relkind = 'S' and given.grantee <> relations.relowner
union all
select ours.rolname, 'schema', spaces.nspname, '', given.privilege_type
from pg_namespace as spaces
cross join lateral aclexplode(spaces.nspacl) as given
inner join ours on given.grantee = ours.oid
where given.grantee <> spaces.nspowner and spaces.nspname !~ '^(cand_[0-9]+|next|old)__'
union all
select ours.rolname, 'function', spaces.nspname, functions.oid::regprocedure::text, given.privilege_type
from pg_proc as functions
inner join pg_namespace as spaces on functions.pronamespace = spaces.oid
cross join lateral aclexplode(functions.proacl) as given
inner join ours on given.grantee = ours.oid
where given.grantee <> functions.proowner
union all
select ours.rolname, 'database', '', databases.datname, given.privilege_type
from pg_database as databases
cross join lateral aclexplode(databases.datacl) as given
inner join ours on given.grantee = ours.oid
where databases.datname = current_database() and given.grantee <> databases.datdba
union all
select ours.rolname, 'default', spaces.nspname, '', given.privilege_type
from pg_default_acl as defaults
inner join pg_namespace as spaces on defaults.defaclnamespace = spaces.oid
cross join lateral aclexplode(defaults.defaclacl) as given
inner join ours on given.grantee = ours.oid
where defaults.defaclobjtype = 'r' and defaults.defaclrole = current_user::regrole
"""
_THERE = r"""
select 'relation' as kind, spaces.nspname as place, relations.relname as name
from pg_class as relations
inner join pg_namespace as spaces on relations.relnamespace = spaces.oid
where relations.relkind in ('r', 'v', 'm', 'p', 'f') and spaces.nspname = any(:schemas)
union all
select 'function', spaces.nspname, functions.oid::regprocedure::text
from pg_proc as functions
inner join pg_namespace as spaces on functions.pronamespace = spaces.oid
where spaces.nspname = 'privacy'
"""


@dataclass(frozen=True, order=True)
class Privilege:
    """One privilege of one role.

    Attributes:
        login: Role, as Postgres calls it.
        kind: relation, sequence, schema, function, database or default (on relations that will be made in a schema).
        place: Schema; empty for the database.
        name: Object; of a function with its arguments; empty for a schema.
        verb: Privilege, as Postgres calls it.
    """

    login: str
    kind: str
    place: str
    name: str
    verb: str


def ensure(engine: Engine, passwords_file: Path) -> None:
    """Create the roles with generated passwords, and hold them to the matrix.

    A server of the user's own may forbid creating roles; then the roles are the administrator's to make, and the error
    says how.

    Args:
        engine: The warehouse, as its owner.
        passwords_file: Where generated passwords are kept (mode 0600).

    Raises:
        ServiceDownError: A role is missing and may not be created.
    """
    with engine.begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        passwords = _passwords(passwords_file)
        for role in ROLES:
            _ensure_role(connection, role, passwords.get(role.name))
        apply(connection)
        _guard_rows(connection)


def differences(connection: Connection) -> tuple[list[Privilege], list[Privilege]]:
    """Compare the catalogue with the matrix; returns what is missing and what is too much."""
    logins = [role.login for role in ROLES]
    actual = {Privilege(*map(str, row)) for row in connection.execute(text(_ACTUAL), {"logins": logins})}
    declared = _declared(connection)
    return sorted(declared - actual), sorted(actual - declared)


def apply(connection: Connection) -> None:
    """Grant what the matrix declares and take away what stands beside it."""
    missing, surplus = differences(connection)
    for one in surplus:
        _change(connection, one, grants=False)
    for one in missing:
        _change(connection, one, grants=True)


def open_schema(connection: Connection, schema: str, role: Role) -> None:
    """Let a role read the relations of a candidate's schema, where the role exists."""
    known = connection.execute(text("select 1 from pg_roles where rolname = :name"), {"name": role.login}).first()
    if known is not None:
        _execute(connection, "grant usage on schema {schema} to {role}", schema=schema, role=role.login)
        _execute(connection, "grant select on all tables in schema {schema} to {role}", schema=schema, role=role.login)


def may_enter(connection: Connection, role: Role) -> bool:
    """Whether the current user may act as a role (``set role``), and the role was readied in this database.

    A database that was copied or restored has lost what is granted on itself, until `pipeline.prepare` has run.
    """
    found: bool = connection.execute(
        text(
            "select exists (select from pg_roles where rolname = :name and pg_has_role(current_user, oid, 'member')"
            " and (not :makes_schemas or has_database_privilege(oid, current_database(), 'create')))"
        ),
        {"name": role.login, "makes_schemas": role.makes_schemas},
    ).scalar_one()
    return found


def reader_url(owner_url: str, role_name: str, passwords_file: Path, park: str | None = None) -> URL:
    """Return the address of the warehouse for a role that logs in, or for the officers of a park.

    Raises:
        UsageError: The role has no login, or the park's officers were not registered in this installation.
    """
    passwords = _passwords(passwords_file)
    if role_name == PARK_OFFICER.name:
        login = officer_login(park)
        if login not in passwords:
            raise UsageError(
                f"There is no login for the officers of park {park}.",
                where=str(passwords_file),
                next_step=f"parkindex privacy officer {park} --as NAME",
            )
        return make_url(owner_url).set(username=login, password=passwords[login])
    if role_name not in LOGINS:
        raise UsageError(
            f"The role {role_name} has no login: the owner enters it.", why=f"these log in: {', '.join(LOGINS)}"
        )
    return make_url(owner_url).set(username=BY_NAME[role_name].login, password=passwords[role_name])


def officer_login(park: str | None) -> str:
    """Return the login of a park's officers.

    Raises:
        UsageError: This is no park code.
    """
    if park is None or not re.fullmatch(r"[A-Za-z0-9]{1,20}", park):
        raise UsageError(f"{park!r} is no code of a park.", next_step="give it as --park P03")
    return f"{_OFFICER_PREFIX}{park.lower()}"


def register_officer(engine: Engine, passwords_file: Path, park: str, by: str) -> str:
    """Make the login of a park's officers; again, it only gets the password that is kept here.

    Args:
        engine: The warehouse, as its owner.
        passwords_file: Where generated passwords are kept.
        park: Code of the park.
        by: Who registers it.

    Returns:
        The login.

    Raises:
        ServiceDownError: Logins may not be created.
        UsageError: This is no park code.
    """
    login = officer_login(park)
    passwords = _passwords(passwords_file, login)
    with engine.begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        _make(connection, login, passwords[login], reads_only=False)
        _execute(connection, "grant {group} to {role}", group=PARK_OFFICER.login, role=login)
        connection.execute(
            text(
                "insert into privacy.park_officers (login, park_code, registered_by) values (:login, :park, :by)"
                " on conflict (login) do nothing"
            ),
            {"login": login, "park": park.upper(), "by": by},
        )
    return login


# ----------------------------------------------------------------------------------------------------------- internals


def _declared(connection: Connection) -> set[Privilege]:
    there: dict[str, list[tuple[str, str]]] = {"relation": [], "function": []}
    for row in connection.execute(text(_THERE), {"schemas": list(SCHEMAS)}):
        there[row.kind].append((row.place, row.name))
    database: str = connection.execute(text("select current_database()")).scalar_one()
    made = set()
    for role in ROLES:
        made |= {Privilege(role.login, "schema", schema, "", "USAGE") for schema in role.schemas}
        for schema, relation in there["relation"]:
            made |= {Privilege(role.login, "relation", schema, relation, verb) for verb in role.verbs(schema, relation)}
        for schema, signature in there["function"]:
            if signature.split("(")[0].removeprefix(f"{schema}.") in role.functions:
                made.add(Privilege(role.login, "function", schema, signature, "EXECUTE"))
        for sequence in role.sequences:
            schema, name = sequence.split(".")
            made.add(Privilege(role.login, "sequence", schema, name, "USAGE"))
        if role.makes_schemas:
            made.add(Privilege(role.login, "database", "", database, "CREATE"))
        for grant in role.grants:
            # A view that a promotion adds to serve must be readable at once; elsewhere `prepare` follows.
            if grant.schema == "serve" and grant.only is None:
                made |= {Privilege(role.login, "default", grant.schema, "", verb) for verb in grant.verbs}
    return made


def _change(connection: Connection, one: Privilege, *, grants: bool) -> None:
    verb = sql.SQL(one.verb)
    on = {
        "relation": sql.SQL("on {}").format(sql.Identifier(one.place, one.name)),
        "sequence": sql.SQL("on sequence {}").format(sql.Identifier(one.place, one.name)),
        "schema": sql.SQL("on schema {}").format(sql.Identifier(one.place)),
        "function": sql.SQL("on function {}").format(sql.SQL(one.name)),
        "database": sql.SQL("on database {}").format(sql.Identifier(one.name)),
        "default": sql.SQL("on tables"),
    }[one.kind]
    head = sql.SQL("alter default privileges in schema {} ").format(sql.Identifier(one.place))
    statement = sql.SQL("{}{} {} {} {} {}").format(
        head if one.kind == "default" else sql.SQL(""),
        sql.SQL("grant" if grants else "revoke"),
        verb,
        on,
        sql.SQL("to" if grants else "from"),
        sql.Identifier(one.login),
    )
    connection.exec_driver_sql(statement.as_string(None))


def _ensure_role(connection: Connection, role: Role, password: str | None) -> None:
    _make(connection, role.login, password, reads_only=role.reads_only)
    for group in role.member_of:
        _execute(connection, "grant {group} to {role}", group=BY_NAME[group].login, role=role.login)
    if not role.may_log_in and not _is_member(connection, role):
        # Who made a role may give it to itself; an owner whose administrator made it needs the administrator.
        try:
            with connection.begin_nested():
                _execute(connection, "grant {role} to current_user", role=role.login)
        except ProgrammingError as error:
            raise ServiceDownError(
                f"The warehouse's owner may not act as {role.login}.",
                where=connection.engine.url.render_as_string(hide_password=True),
                why=str(error.orig).strip(),
                next_step=f"have an administrator run: grant {role.login} to the warehouse's owner",
            ) from error


def _is_member(connection: Connection, role: Role) -> bool:
    found: bool = connection.execute(
        text("select pg_has_role(current_user, :name, 'member')"), {"name": role.login}
    ).scalar_one()
    return found


def _make(connection: Connection, login: str, password: str | None, *, reads_only: bool) -> None:
    known = connection.execute(text("select 1 from pg_roles where rolname = :name"), {"name": login}).first()
    if known and password is None:
        return
    how = sql.SQL("nologin") if password is None else sql.SQL("login password {}").format(sql.Literal(password))
    statement = sql.SQL("{verb} role {role} {how}").format(
        verb=sql.SQL("alter" if known else "create"), role=sql.Identifier(login), how=how
    )
    settings = {"statement_timeout": STATEMENT_TIMEOUT} if password else {}
    settings |= {"default_transaction_read_only": "on"} if reads_only else {}
    try:
        with connection.begin_nested():
            connection.exec_driver_sql(statement.as_string(None))
            for setting, value in settings.items():
                connection.exec_driver_sql(
                    sql.SQL("alter role {role} set {setting} = {value}")
                    .format(role=sql.Identifier(login), setting=sql.Identifier(setting), value=sql.Literal(value))
                    .as_string(None)
                )
            if not reads_only and known:
                connection.exec_driver_sql(
                    sql.SQL("alter role {} reset default_transaction_read_only")
                    .format(sql.Identifier(login))
                    .as_string(None)
                )
    except ProgrammingError as error:
        if known:  # the administrator made it, with a password of their own: theirs to keep
            return
        raise ServiceDownError(
            f"The role {login} is missing and may not be created.",
            where=connection.engine.url.render_as_string(hide_password=True),
            why=str(error.orig).strip(),
            next_step=f"have an administrator run: create role {login} "
            + ("nologin" if password is None else "login password '…'"),
        ) from error


# Rows of withheld cells: who evaluates sees all, a park's officers see their park's, the publisher adds.
_POLICIES = {
    "for_evaluators": "for select to parkindex_evaluator, parkindex_builder, parkindex_publisher using (true)",
    "for_officers": "for select to parkindex_park_officer using (park_code = privacy.own_park())",
    "for_publishing": "for insert to parkindex_publisher with check (true)",
}


def _guard_rows(connection: Connection) -> None:
    """Let a role see only its rows; the owner of the table sees all."""
    query = "select polname from pg_policy where polrelid = 'privacy.withheld_cells'::regclass"
    there: set[str] = set(connection.execute(text(query)).scalars())
    if _POLICIES.keys() <= there:
        return
    connection.exec_driver_sql("alter table privacy.withheld_cells enable row level security")
    for name, rule in _POLICIES.items():
        if name not in there:
            connection.exec_driver_sql(f"create policy {name} on privacy.withheld_cells {rule}")


def _execute(connection: Connection, statement: str, **identifiers: str) -> None:
    composed = sql.SQL(statement).format(**{name: sql.Identifier(value) for name, value in identifiers.items()})
    connection.exec_driver_sql(composed.as_string(None))


def _passwords(path: Path, *more: str) -> dict[str, str]:
    """Return the passwords kept in a file; those that are missing are made."""
    kept: dict[str, str] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    missing = [name for name in (*LOGINS, *more) if name not in kept]
    if missing:
        kept |= {name: secrets.token_urlsafe(24) for name in missing}
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".readers-")  # readable by its owner only
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(kept, stream)
        Path(draft).replace(path)
    return kept
