"""Who may do what: every role × every schema × every verb, as Postgres answers and as Postgres behaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.pool import NullPool

from parkindex import pipeline
from parkindex.ledger import matrix, roles
from parkindex.ledger.tables import RELEASED_TABLES, SCHEMAS
from parkindex.settings import Settings

VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
FEED_TABLE = "enterprise_registry_v1"
# Written by hand, apart from the matrix: what each role may do, by schema. Everything else is refused.
EXPECTED: dict[str, dict[str, dict[str, str]]] = {
    "confidential": {},
    "loader": {
        "raw": {
            "batches": "SELECT INSERT UPDATE",
            "rejects": "SELECT INSERT UPDATE",
            "reject_events": "SELECT INSERT",
            "corrected_rows": "SELECT INSERT",
            "withdrawn_rows": "SELECT INSERT",
            "batch_figures": "SELECT INSERT",
            "*": "SELECT INSERT DELETE",
        },
        "audit": {"attempts": "SELECT INSERT"},
    },
    "builder": {
        "raw": {"*": "SELECT"},
        "identity": {"*": "SELECT INSERT"},
        "methodology": {"*": "SELECT INSERT"},
        "audit": {
            "attempts": "SELECT INSERT",
            "gate_runs": "SELECT INSERT",
            "expectation_results": "SELECT INSERT",
            "*": "SELECT",
        },
        "publish": {"candidates": "SELECT INSERT", "candidate_files": "SELECT INSERT", "*": "SELECT"},
        "serve": {"*": "SELECT"},
        "privacy": {"withheld_cells": "SELECT", "pseudonyms": "SELECT INSERT"},
    },
    "publisher": {
        "publish": {
            "releases": "SELECT INSERT",
            "grounds": "SELECT INSERT",
            "current": "SELECT INSERT UPDATE",
            "withdrawals": "SELECT INSERT",
            "status_changes": "SELECT INSERT",
            "objection_corrections": "SELECT INSERT",
            "anchor_receipts": "SELECT INSERT",
            **{table.name: "SELECT INSERT" for table in RELEASED_TABLES},
            "*": "SELECT",
        },
        "audit": {"attempts": "SELECT INSERT", "*": "SELECT"},
        "methodology": {"*": "SELECT"},
        "raw": {"batches": "SELECT"},
        "serve": {"*": "SELECT"},
        "privacy": {"withheld_cells": "SELECT INSERT"},
    },
    "bi_reader": {"serve": {"*": "SELECT"}},
    "evaluator": {
        "serve": {"*": "SELECT"},
        "audit": {"*": "SELECT"},
        "methodology": {"*": "SELECT"},
        "privacy": {"withheld_cells": "SELECT"},
    },
    "park_officer": {"serve": {"*": "SELECT"}, "privacy": {"withheld_cells": "SELECT"}},
    "auditor": {
        "serve": {"*": "SELECT"},
        "raw": {
            "batches": "SELECT",
            "reject_events": "SELECT",
            "withdrawn_rows": "SELECT",
            "batch_figures": "SELECT",
        },
        "audit": {"*": "SELECT"},
        "methodology": {"*": "SELECT"},
        "publish": {"*": "SELECT"},
        "privacy": {"access_log": "SELECT", "erasures": "SELECT", "park_officers": "SELECT"},
    },
}
FUNCTIONS = {
    "confidential": {"sees_confidential"},
    "builder": {"sees_confidential"},
    "publisher": {"sees_confidential"},
    "bi_reader": {"sees_confidential"},
    "evaluator": {"sees_confidential", "ask_records", "read_records"},
    "park_officer": {"sees_confidential", "ask_records", "read_records", "own_park"},
    "auditor": {"sees_confidential"},
}


def _relations(connection: Connection) -> list[tuple[str, str]]:
    rows = connection.execute(
        text(
            "select nspname, relname from pg_class inner join pg_namespace on relnamespace = pg_namespace.oid"
            " where relkind in ('r', 'v', 'm', 'p') and nspname = any(:schemas) order by 1, 2"
        ),
        {"schemas": list(SCHEMAS)},
    )
    return [(row.nspname, row.relname) for row in rows]


def _expected(role: str, schema: str, relation: str) -> set[str]:
    of_schema = EXPECTED[role].get(schema, {})
    return set(of_schema.get(relation, of_schema.get("*", "")).split())


def test_every_role_is_expected_here_and_has_a_purpose() -> None:
    assert set(EXPECTED) == set(matrix.BY_NAME)
    assert all(role.purpose for role in matrix.ROLES)


@pytest.mark.parametrize("role", matrix.ROLES, ids=lambda role: role.name)
def test_actual_grants_are_the_declared_ones(warehouse: Settings, role: matrix.Role) -> None:
    wrong = []
    with pipeline.engine_of(warehouse).connect() as connection:
        relations = _relations(connection)
        assert len(relations) > 80
        granted = connection.execute(
            text(
                "select nspname, relname, verb from pg_class"
                " inner join pg_namespace on relnamespace = pg_namespace.oid"
                " cross join unnest(cast(:verbs as text[])) as verb"
                " where relkind in ('r', 'v', 'm', 'p') and nspname = any(:schemas)"
                " and has_table_privilege(:login, pg_class.oid, verb)"
            ),
            {"login": role.login, "schemas": list(SCHEMAS), "verbs": list(VERBS)},
        ).all()
        actual: dict[tuple[str, str], set[str]] = {}
        for schema, relation, verb in granted:
            actual.setdefault((schema, relation), set()).add(verb)
        for schema, relation in relations:
            expected, found = _expected(role.name, schema, relation), actual.get((schema, relation), set())
            if expected != found:
                wrong.append((schema, relation, sorted(expected), sorted(found)))
        for schema in (*SCHEMAS, "public"):
            uses, creates = connection.execute(
                text("select has_schema_privilege(:login, :s, 'usage'), has_schema_privilege(:login, :s, 'create')"),
                {"login": role.login, "s": schema},
            ).one()
            may_use = schema in EXPECTED[role.name] or (schema == "privacy" and role.name in FUNCTIONS)
            if creates or (uses != may_use and schema != "public"):
                wrong.append((schema, "(schema)", [str(may_use)], [str(uses), str(creates)]))
        called = connection.execute(
            text(
                "select proname from pg_proc where pronamespace = 'privacy'::regnamespace"
                " and has_function_privilege(:login, oid, 'execute')"
            ),
            {"login": role.login},
        ).scalars()
        assert set(called) == FUNCTIONS.get(role.name, set())
        is_super, makes_roles, makes_schemas = connection.execute(
            text(
                "select rolsuper, rolcreaterole, has_database_privilege(rolname, current_database(), 'create')"
                " from pg_roles where rolname = :login"
            ),
            {"login": role.login},
        ).one()
    assert wrong == []
    assert (is_super, makes_roles, makes_schemas) == (False, False, role.name == "builder")


def test_a_privilege_beside_the_matrix_is_taken_away_and_a_missing_one_comes_back(warehouse: Settings) -> None:
    engine = pipeline.engine_of(warehouse)
    with engine.begin() as connection:
        assert roles.differences(connection) == ([], [])
        connection.execute(text("grant delete on publish.releases to parkindex_bi_reader"))
        connection.execute(text("grant create on schema serve to parkindex_evaluator"))
        connection.execute(text("grant execute on function privacy.own_park() to parkindex_auditor"))
        connection.execute(text("revoke select on serve.park_ranking from parkindex_bi_reader"))
        missing, surplus = roles.differences(connection)
        assert [(one.place, one.name, one.verb) for one in missing] == [("serve", "park_ranking", "SELECT")]
        assert {(one.login, one.verb) for one in surplus} == {
            ("parkindex_bi_reader", "DELETE"),
            ("parkindex_evaluator", "CREATE"),
            ("parkindex_auditor", "EXECUTE"),
        }
        roles.apply(connection)
        assert roles.differences(connection) == ([], [])


# ------------------------------------------------------------------------------------------- how the server behaves


@pytest.fixture
def as_role(warehouse: Settings) -> Iterator[Callable[[str], Engine]]:
    """Function that gives an engine which acts as a role."""
    made = []

    def acting(login: str) -> Engine:
        engine = create_engine(
            warehouse.warehouse_url, poolclass=NullPool, connect_args={"options": f"-c role={login}"}
        )
        made.append(engine)
        return engine

    yield acting
    for engine in made:
        engine.dispose()


# A column of each table that an update can name.
_STATEMENTS = {
    "SELECT": "select count(*) from {schema}.{relation}",
    "INSERT": "insert into {schema}.{relation} select * from {schema}.{relation} where false",
    "UPDATE": "update {schema}.{relation} set {column} = {column} where false",
    "DELETE": "delete from {schema}.{relation} where false",
    "TRUNCATE": "truncate {schema}.{relation}",
}
_LOOKED_AT = (
    ("raw", "batches", "feed"),
    ("raw", "rejects", "feed"),
    ("raw", FEED_TABLE, "enterprise_type"),
    ("identity", "placements", "park_code"),
    ("methodology", "editions", "title"),
    ("audit", "attempts", "actor"),
    ("audit", "gate_runs", "verdict"),
    ("publish", "candidates", "built_by"),
    ("publish", "approvals", "note"),
    ("publish", "releases", "reason"),
    ("publish", "indicator_scores", "unit"),
    ("publish", "current", "release_id"),
    ("privacy", "withheld_cells", "rule"),
    ("privacy", "access_log", "what"),
    ("privacy", "erasures", "feed"),
    ("privacy", "pseudonyms", "pseudonym"),
    ("serve", "park_ranking", "tier"),
)


@pytest.mark.parametrize("role", matrix.ROLES, ids=lambda role: role.name)
def test_each_verb_is_done_or_refused_as_declared(as_role: Callable[[str], Engine], role: matrix.Role) -> None:
    wrong = []
    with as_role(role.login).connect() as connection:
        for schema, relation, column in _LOOKED_AT:
            for verb, statement in _STATEMENTS.items():
                done = statement.format(schema=schema, relation=relation, column=column)
                needed = {"SELECT", verb}  # each of these statements reads as well
                allowed = needed <= _expected(role.name, schema, relation)
                savepoint = connection.begin_nested()
                try:
                    connection.execute(text(done))
                    savepoint.rollback()
                    refused = False
                except ProgrammingError as error:
                    savepoint.rollback()
                    refused = "permission denied" in str(error.orig) or "is not a table" in str(error.orig)
                    assert refused, done
                except DBAPIError as error:  # a trigger, whoever asks: that is a refusal too, but not of the role
                    savepoint.rollback()
                    assert "append-only" in str(error.orig) or "keeps rows" in str(error.orig), done
                    refused = False
                if verb != "TRUNCATE" and refused == allowed:
                    wrong.append((done, "refused" if refused else "done"))
                if verb == "TRUNCATE" and not refused:
                    wrong.append((done, "done"))
        for schema in SCHEMAS:
            with pytest.raises(ProgrammingError, match="permission denied"), connection.begin_nested():
                connection.execute(text(f"create table {schema}.mine (a integer)"))
        makes = text("create schema mine_alone")
        if role.makes_schemas:
            with connection.begin_nested() as savepoint:
                connection.execute(makes)
                savepoint.rollback()
        else:
            with pytest.raises(ProgrammingError, match="permission denied"), connection.begin_nested():
                connection.execute(makes)
    assert wrong == []


def test_published_rows_are_changed_by_no_role_and_by_no_slip_of_the_owner(
    warehouse: Settings, as_role: Callable[[str], Engine]
) -> None:
    owner = pipeline.engine_of(warehouse)
    with owner.connect() as connection:
        published = [name for schema, name in _relations(connection) if schema == "publish"]
    assert len(published) >= 14
    for table in published:
        for verb in ("UPDATE", "DELETE", "TRUNCATE"):
            holders = [role.name for role in matrix.ROLES if verb in _expected(role.name, "publish", table)]
            assert holders == (["publisher"] if (table, verb) == ("current", "UPDATE") else [])
        statement = f"delete from publish.{table}"
        with pytest.raises(DBAPIError, match="append-only"), owner.begin() as connection:
            connection.execute(text(statement))


def test_views_of_serve_show_what_their_reader_may_not_read_below_them(as_role: Callable[[str], Engine]) -> None:
    with as_role("parkindex_bi_reader").connect() as connection:
        assert connection.execute(text("select count(*) from serve.park_ranking")).scalar_one() == 0
        with pytest.raises(ProgrammingError, match="permission denied for schema publish"):
            connection.execute(text("select count(*) from publish.park_ranking"))


def test_jobs_act_as_their_role_and_not_as_the_owner(warehouse: Settings) -> None:
    for name in ("loader", "builder", "publisher"):
        acting = pipeline.acting(warehouse, name)
        with pipeline.engine_of(acting).connect() as connection:
            assert connection.execute(text("select current_user")).scalar_one() == f"parkindex_{name}"
            with pytest.raises(ProgrammingError, match="permission denied"):
                connection.execute(text("insert into publish.approvals default values"))
    own = pipeline.acting(
        Settings(home=warehouse.home, inbox=warehouse.inbox, role_urls={"publisher": "postgresql+psycopg://p@h/d"}),
        "publisher",
    )
    assert own.warehouse_url == "postgresql+psycopg://p@h/d" and own.acting_as is None
