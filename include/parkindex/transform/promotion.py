"""Make the gated generation of marts the served one, in one transaction.

Readers see the generation before until the transaction commits, and the new one after: the views they read are
re-pointed in the same transaction as the schemas are renamed, and replaced in place, so views of their own stay.
"""

from __future__ import annotations

from psycopg import sql
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from parkindex.errors import BadInputError
from parkindex.transform import generations
from parkindex.transform.warehouse import locked

NEXT_PREFIX = "next__"
OLD_PREFIX = "old__"
PROMOTED_LAYERS = ("staging", "intermediate", "marts")
VIEW_PREFIX = "marts_"
# What single enterprises gave in confidence (docs/privacy.md): served to evaluators, null to others, on real data.
CONFIDENTIAL_COLUMNS = {
    "enterprise_accounts": (
        "revenue_cny",
        "rd_expenditure_cny",
        "value_added_cny",
        "total_assets_cny",
        "reported_employees_count",
    ),
    "headcounts": ("insured_count", "bachelor_count", "master_count", "doctor_count", "foreign_count"),
    "financing_rounds": ("amount_text", "amount_exact"),
}


def promote(engine: Engine) -> bool:
    """Rename the ``next__`` schemas to their plain names, point ``serve.marts_*`` at them, drop the old ones.

    Returns:
        Whether it was done now; False when it was done before and nothing was built since, as for a task that is tried
        again because its result got lost.

    Raises:
        BadInputError: There is no next generation and none was promoted, or a mart has lost a column that a view of
            somebody reads.
        ServiceDownError: The next generation is being built, or another promotion runs.
    """
    with locked(engine, NEXT_PREFIX), engine.begin() as connection:
        if _was_done(connection):
            return False
        _refuse_missing(connection)
        for layer in PROMOTED_LAYERS:
            if _exists(connection, layer):
                _execute(connection, "alter schema {} rename to {}", _name(layer), _name(f"{OLD_PREFIX}{layer}"))
            _execute(connection, "alter schema {} rename to {}", _name(f"{NEXT_PREFIX}{layer}"), _name(layer))
        served = _relations(connection)
        for relation, comment in served.items():
            _point(connection, relation, comment)
        for view in _views(connection):
            if view.removeprefix(VIEW_PREFIX) not in served:
                _drop(connection, view)
        _keep_or_drop(connection)
    return True


def _was_done(connection: Connection) -> bool:
    """Whether marts are served and nothing was built since: what stands under ``next__`` was served, or is nothing."""
    if not _views(connection):  # nothing was ever promoted
        return False
    nothing = not any(_exists(connection, f"{NEXT_PREFIX}{layer}") for layer in PROMOTED_LAYERS)
    return nothing or generations.is_served_before(connection, NEXT_PREFIX)


def _keep_or_drop(connection: Connection) -> None:
    """Put the generation that was served back under ``next__``, to be brought forward; drop one that cannot be."""
    generations.mark(connection, OLD_PREFIX, generations.SERVED)
    kept = generations.is_served_before(connection, OLD_PREFIX)
    for layer in PROMOTED_LAYERS:
        if kept:
            old, new = _name(f"{OLD_PREFIX}{layer}"), _name(f"{NEXT_PREFIX}{layer}")
            _execute(connection, "alter schema {} rename to {}", old, new)
        else:
            _execute(connection, "drop schema if exists {} cascade", _name(f"{OLD_PREFIX}{layer}"))


def _point(connection: Connection, relation: str, comment: str | None) -> None:
    """Make or replace the view over a mart, with the mart's comments.

    What the reading roles may see is granted by the schema's default privileges (:mod:`parkindex.ledger.roles`).
    """
    view = f"{VIEW_PREFIX}{relation}"
    columns = _columns(connection, relation)
    hidden = CONFIDENTIAL_COLUMNS.get(relation, ())
    statement = sql.SQL("create or replace view {} as select {} from {}").format(
        sql.Identifier("serve", view),
        sql.SQL(", ").join(_served(column) if column in hidden else sql.Identifier(column) for column in columns),
        sql.Identifier("marts", relation),
    )
    try:
        with connection.begin_nested():
            connection.exec_driver_sql(statement.as_string(None))
    except DBAPIError:  # a column was taken away, moved or typed anew: that view can only be made again
        _drop(connection, view)
        connection.exec_driver_sql(statement.as_string(None))
    _execute(connection, "comment on view {} is {}", sql.Identifier("serve", view), sql.Literal(comment))
    for column, text_of_column in columns.items():
        _execute(
            connection,
            "comment on column {} is {}",
            sql.Identifier("serve", view, column),
            sql.Literal(text_of_column),
        )


def _served(column: str) -> sql.Composed:
    """Return a column that only those see who may; asked once per query, not once per row."""
    return sql.SQL("case when (select privacy.sees_confidential()) then {column} end as {column}").format(
        column=sql.Identifier(column)
    )


def _drop(connection: Connection, view: str) -> None:
    """Drop a served view that nothing else reads.

    Raises:
        BadInputError: Something does; Postgres names it.
    """
    try:
        with connection.begin_nested():
            _execute(connection, "drop view if exists {}", sql.Identifier("serve", view))
    except DBAPIError as error:
        raise BadInputError(
            f"serve.{view} changes its columns, and something reads it.",
            where=f"serve.{view}",
            why=" ".join(str(error.orig).split()),
            next_step="drop what depends on it, run the DAG build_marts again, and make it anew",
        ) from error


def _relations(connection: Connection) -> dict[str, str | None]:
    """Return the relations of the plain marts and their comments, in the order of names."""
    rows = connection.execute(
        text(
            "select relname, obj_description(oid, 'pg_class') from pg_class"
            " where relnamespace = to_regnamespace('marts') and relkind in ('r', 'v') order by relname collate \"C\""
        )
    )
    return {row[0]: row[1] for row in rows}


def _columns(connection: Connection, relation: str) -> dict[str, str | None]:
    """Return the columns of a mart and their comments, in their order."""
    rows = connection.execute(
        text(
            "select attname, col_description(attrelid, attnum) from pg_attribute"
            " join pg_class on attrelid = pg_class.oid"
            " where relnamespace = to_regnamespace('marts') and relname = :relation and attnum > 0"
            " and not attisdropped order by attnum"
        ),
        {"relation": relation},
    )
    return {row[0]: row[1] for row in rows}


def _views(connection: Connection) -> list[str]:
    rows = connection.execute(
        text(
            "select viewname from pg_views where schemaname = 'serve' and starts_with(viewname, :prefix)"
            ' order by viewname collate "C"'
        ),
        {"prefix": VIEW_PREFIX},
    )
    return list(rows.scalars())


def _refuse_missing(connection: Connection) -> None:
    for layer in PROMOTED_LAYERS:
        schema = f"{NEXT_PREFIX}{layer}"
        if not _exists(connection, schema):
            raise BadInputError(
                "There is no next generation of marts to promote.",
                where=f"schema {schema}",
                why="it was not built",
                next_step="run the DAG build_marts",
            )


def _exists(connection: Connection, schema: str) -> bool:
    found: str | None = connection.execute(text("select to_regnamespace(:schema)"), {"schema": schema}).scalar_one()
    return found is not None


def _name(schema: str) -> sql.Identifier:
    return sql.Identifier(schema)


def _execute(connection: Connection, statement: str, *parts: sql.Composable) -> None:
    connection.exec_driver_sql(sql.SQL(statement).format(*parts).as_string(None))
