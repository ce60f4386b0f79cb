"""The keys of everything that failed, all of them, by SQL of our own.

Great Expectations lists at most 200 failing values; a park is told which rows speak against it, so the list is whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Text, and_, cast, column, func, not_, or_, select, text
from sqlalchemy.sql.elements import ColumnElement

from parkindex.gate import suites
from parkindex.gate.relations import Relation, not_finite
from parkindex.gate.suites import Expectation
from parkindex.gate.verdict import Key


def keys_of_rows(
    connection: Connection, relation: Relation, expectation: Expectation, types: Mapping[str, str]
) -> tuple[Key, ...]:
    """Return the keys of the rows that break an expectation on a column.

    Args:
        connection: Connection to the warehouse.
        relation: Relation it was evaluated on.
        expectation: A failed expectation of a type that judges rows.
        types: Columns of the relation and their types.

    Returns:
        For a broken uniqueness, each repeated key with the number of its rows; otherwise the key of each row.
    """
    if expectation.type == suites.UNIQUE:
        names = expectation.columns
        grouped: list[ColumnElement[Any]] = [column(name) for name in names]
        query = (
            select(
                *(cast(one, Text).label(name) for name, one in zip(names, grouped, strict=True)),
                cast(func.count(), Text).label("rows"),
            )
            .select_from(relation.source)
            .where(not_(and_(*(one.is_(None) for one in grouped))))
            .group_by(*grouped)
            .having(func.count() > 1)
            .order_by(*grouped)
        )
    else:
        judged: ColumnElement[Any] = column(expectation.columns[0])
        query = (
            select(
                *(cast(column(name), Text).label(name) for name in expectation.key), cast(judged, Text).label("value")
            )
            .select_from(relation.source)
            .where(_broken(expectation, types[expectation.columns[0]]))
            .order_by(*(column(name) for name in expectation.key))
        )
    return _keys(connection.execute(relation.restricted(query)).mappings())


def keys_of_query(connection: Connection, query: str) -> tuple[Key, ...]:
    """Return the rows of a rendered query, every value as text, in the order of its columns."""
    found = _keys(connection.execute(text(query)).mappings())
    return tuple(sorted(found, key=lambda key: [(value is not None, value or "") for value in key.values()]))


def _keys(rows: Any) -> tuple[Key, ...]:
    return tuple({name: None if value is None else str(value) for name, value in row.items()} for row in rows)


def _broken(expectation: Expectation, type_name: str) -> ColumnElement[bool]:
    """Return the condition that a row breaks an expectation; the same for null values as Great Expectations'."""
    name = expectation.columns[0]
    judged: ColumnElement[Any] = column(name)
    arguments = expectation.kwargs
    if expectation.type == suites.NOT_NULL:
        return judged.is_(None)
    if expectation.type == suites.IN_SET:
        return judged.not_in(list(arguments["value_set"]))
    if expectation.type == suites.REGEX:
        return not_(judged.regexp_match(arguments["regex"]))
    conditions: list[ColumnElement[bool]] = []
    if not type_name.startswith(("integer", "bigint", "smallint", "text")):
        conditions.append(not_finite(name))
    low, high = arguments.get("min_value"), arguments.get("max_value")
    if low is not None:
        conditions.append(judged <= low if arguments.get("strict_min") else judged < low)
    if high is not None:
        conditions.append(judged >= high if arguments.get("strict_max") else judged > high)
    return or_(*conditions)
