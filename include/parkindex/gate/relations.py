"""What the gate looks at: relations, their columns, and how much of them there is to judge.

Great Expectations passes an empty table, an all-null column and a NaN against a lower bound (docs/gate.md): the counts
that keep a pass from being vacuous are taken here, by SQL of our own, in one scan per relation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    FromClause,
    Select,
    Text,
    and_,
    case,
    cast,
    column,
    func,
    literal,
    select,
    table,
    text,
)
from sqlalchemy.sql.elements import ColumnElement

_NOT_FINITE = ("NaN", "Infinity", "-Infinity", "infinity", "-infinity")

# Types whose values may be no number or no end.
_MAY_BE_NOT_FINITE = ("numeric", "double precision", "real", "date", "timestamp")


@dataclass(frozen=True, order=True)
class Relation:
    """A table or view, or the rows of it that were known by a time.

    Attributes:
        schema: Schema, with its prefix.
        name: Name.
        known_until: Rows with a later ``_known_at`` do not belong to it; None takes all rows.
    """

    schema: str
    name: str
    known_until: datetime | None = None

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def source(self) -> FromClause:
        """The relation as SQLAlchemy selects from it."""
        return table(self.name, schema=self.schema)

    def restricted(self, query: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
        """Return a query over :attr:`source` with the rows that do not belong to the relation left out."""
        return query if self.known_until is None else query.where(column("_known_at") <= literal(self.known_until))

    @property
    def sql(self) -> str:
        """The relation's rows as a query, for Great Expectations."""
        quoted = ".".join('"' + part.replace('"', '""') + '"' for part in (self.schema, self.name))
        if self.known_until is None:
            return f"select * from {quoted}"
        return f"select * from {quoted} where _known_at <= '{self.known_until.isoformat()}'::timestamptz"


@dataclass(frozen=True)
class Profile:
    """How much of a relation there is.

    Attributes:
        rows: Rows.
        present: Rows in which all columns of a tuple have a value, per tuple asked for.
        not_finite: Values that are NaN or infinite, per column asked for.
    """

    rows: int
    present: Mapping[tuple[str, ...], int]
    not_finite: Mapping[str, int]


def columns_of(connection: Connection, relations: Iterable[Relation]) -> dict[tuple[str, str], dict[str, str]]:
    """Return the columns and their types of every relation that exists, by schema and name.

    Relations that do not exist have no entry.
    """
    wanted = sorted({(relation.schema, relation.name) for relation in relations})
    found: dict[tuple[str, str], dict[str, str]] = {}
    rows = connection.execute(
        text(
            "select n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod)"
            " from pg_catalog.pg_class as c"
            " inner join pg_catalog.pg_namespace as n on n.oid = c.relnamespace"
            " inner join pg_catalog.pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped"
            " where n.nspname || '.' || c.relname = any(:names) and c.relkind in ('r', 'v', 'm', 'p')"
            " order by n.nspname, c.relname, a.attnum"
        ),
        {"names": [f"{schema}.{name}" for schema, name in wanted]},
    )
    for schema, name, attribute, type_name in rows:
        found.setdefault((str(schema), str(name)), {})[str(attribute)] = str(type_name)
    return found


def profile(
    connection: Connection,
    relation: Relation,
    types: Mapping[str, str],
    groups: Iterable[tuple[str, ...]],
    bounded: Iterable[str],
) -> Profile:
    """Count what there is to judge in a relation, in one scan.

    Args:
        connection: Connection to the warehouse.
        relation: Relation that exists.
        types: Its columns and their types.
        groups: Tuples of columns whose common presence is counted; all must exist.
        bounded: Columns whose NaN and infinite values are counted; all must exist.
    """
    wanted = sorted(set(groups))
    suspect = sorted({name for name in bounded if types[name].startswith(_MAY_BE_NOT_FINITE)})
    counts: list[ColumnElement[Any]] = [func.count()]
    counts += [func.count(case((and_(*(column(name).is_not(None) for name in group)), 1))) for group in wanted]
    counts += [func.count(case((not_finite(name), 1))) for name in suspect]
    row = connection.execute(relation.restricted(select(*counts).select_from(relation.source))).one()
    return Profile(
        rows=int(row[0]),
        present=dict(zip(wanted, map(int, row[1 : 1 + len(wanted)]), strict=True)),
        not_finite=dict(zip(suspect, map(int, row[1 + len(wanted) :]), strict=True)),
    )


def not_finite(name: str) -> ColumnElement[bool]:
    """Return the condition that a column's value is NaN or infinite."""
    return cast(column(name), Text).in_(_NOT_FINITE)
