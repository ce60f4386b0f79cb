"""Double entry: the candidate's scores by SQL held against the same computed by NumPy, from the same values.

Two engines that share no code (``dbt_project/models/park_index`` and :mod:`parkindex.scoring.edition`) implement
``docs/method/scores.md``; a number with consequences is believed when both give it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnClause, Connection, Table, column, select, table

from parkindex.errors import BadInputError
from parkindex.gate.subjects import CandidateSubject, schema_of
from parkindex.gate.verdict import Key
from parkindex.ledger import tables
from parkindex.scoring import edition as scoring

# What docs/method/scores.md promises: stored decimals of 12 places against binary floating point.
TOLERANCE = Decimal("1e-9")

_INDICATOR = ("score", "weight", "contribution", "rank")
_AREA = ("score", "weight", "weight_share", "rank")
_PARK = ("score", "rank", "is_tied", "tier")


@dataclass(frozen=True)
class Comparison:
    """What both engines gave.

    Attributes:
        compared: Figures of which at least one engine has a number.
        disagreements: Every figure that differs: level, park, code, column, and both numbers.
        explanation: The first disagreement in words, or why there was nothing to compare; empty when all agree.
    """

    compared: int
    disagreements: tuple[Key, ...]
    explanation: str


def compare(connection: Connection, subject: CandidateSubject) -> Comparison:
    """Score a candidate's values with NumPy and compare every indicator, area and park with what SQL made of them."""
    document: dict[str, Any] | None = connection.execute(
        select(tables.methodology_editions.c.document).where(
            tables.methodology_editions.c.methodology_sha256 == subject.methodology_sha256
        )
    ).scalar_one_or_none()
    if document is None:
        return Comparison(0, (), f"methodology {subject.methodology_sha256} is not stored")
    indicators = _rows(connection, subject, tables.released_indicator_scores, ("value", *_INDICATOR))
    computed = {one["code"]: one for one in document["indicators"] if one["state"] == "computed"}
    values = [
        (row["park_code"], row["indicator_code"], row["value"])
        for row in indicators
        if row["indicator_code"] in computed
    ]
    try:
        second = scoring.score(document, values)
    except BadInputError as error:
        return Comparison(0, (), f"NumPy cannot score the candidate's values: {error.what} ({error.why})")

    compared, disagreements = 0, []
    levels: tuple[tuple[str, Iterable[Mapping[str, Any]], Iterable[object], tuple[str, ...], str | None], ...] = (
        (
            "indicator",
            [row for row in indicators if row["indicator_code"] in computed],
            second.indicators,
            _INDICATOR,
            "indicator_code",
        ),
        ("area", _rows(connection, subject, tables.released_area_scores, _AREA), second.areas, _AREA, "area_code"),
        ("park", _rows(connection, subject, tables.released_park_ranking, _PARK), second.parks, _PARK, None),
    )
    for level, first_rows, second_rows, figures, code in levels:
        for found in _compare_level(level, first_rows, second_rows, figures, code):
            compared += found is None or found["numpy"] is not None or found["sql"] is not None
            if found is not None:
                disagreements.append(found)
    return Comparison(compared, tuple(disagreements), _explain(disagreements, values, computed))


def _compare_level(
    level: str,
    first: Iterable[Mapping[str, Any]],
    second: Iterable[object],
    figures: tuple[str, ...],
    code: str | None,
) -> Iterator[Key | None]:
    """Give None for every number that agrees and a key for every one that does not; nothing for two nulls."""

    def key_of(value: Any) -> tuple[str, str]:
        return str(value["park_code"]), str(value[code]) if code else ""

    by_sql = {key_of(row): row for row in first}
    by_numpy = {key_of(vars(row)): vars(row) for row in second}
    for key in sorted(by_sql.keys() | by_numpy.keys()):
        for figure in figures:
            one, other = by_sql.get(key, {}).get(figure), by_numpy.get(key, {}).get(figure)
            if one is None and other is None:
                continue
            if _agree(one, other):
                yield None
            else:
                yield {
                    "level": level,
                    "park_code": key[0],
                    "code": key[1] or None,
                    "figure": figure,
                    "sql": None if one is None else str(one),
                    "numpy": None if other is None else str(other),
                }


def _agree(one: Any, other: Any) -> bool:
    if one is None or other is None:
        return False
    left, right = Decimal(one), Decimal(other)
    return left.is_finite() and right.is_finite() and abs(left - right) <= TOLERANCE


def _rows(
    connection: Connection, subject: CandidateSubject, released: Table, figures: tuple[str, ...]
) -> list[dict[str, Any]]:
    codes = [name for name in ("park_code", "area_code", "indicator_code") if name in released.c]
    relation = table(released.name, schema=schema_of(subject, "park_index"))
    wanted: list[ColumnClause[Any]] = [column(name) for name in (*codes, *figures)]
    return [dict(row) for row in connection.execute(select(*wanted).select_from(relation)).mappings()]


def _explain(
    disagreements: list[Key], values: list[tuple[str, str, Any]], computed: Mapping[str, Mapping[str, Any]]
) -> str:
    if not disagreements:
        return ""
    first = disagreements[0]
    name = "/".join(part for part in (first["park_code"], first["code"]) if part)
    said = f"{first['level']} {name}, {first['figure']}: SQL {first['sql']}, NumPy {first['numpy']}"
    if first["level"] == "indicator":
        indicator = computed[str(first["code"])]
        value = next(value for park, code, value in values if (park, code) == (first["park_code"], first["code"]))
        bounds = indicator["bounds"]
        said += f" (value {value}, bounds {bounds['low']} to {bounds['high']}, direction {indicator['direction']})"
    return said
