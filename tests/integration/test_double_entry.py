"""Double entry on frameworks that nobody wrote: the SQL of the scoring models against NumPy, shrunk on failure.

The models' own files are rendered and run as views over small tables, so that hundreds of frameworks take seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jinja2 import Environment, FileSystemLoader
from sqlalchemy import Connection, text

from parkindex import pipeline
from parkindex.scoring.edition import EditionScores, score
from parkindex.settings import PROJECT_ROOT, Settings

EDITION = 2025
TOLERANCE = 1e-9
_PROJECT = PROJECT_ROOT / "dbt_project"
_MODELS = (
    "base/rules",
    "register/areas",
    "evaluated/indicator_scores_evaluated",
    "evaluated/area_scores_evaluated",
    "evaluated/park_scores_evaluated",
    "evaluated/park_ranks_evaluated",
    "park_scores",
    "area_scores",
    "indicator_scores",
)
_TABLES = (
    """create temporary table indicator_values_evaluated (
        edition int, park_code text, indicator_code text, area_code text, unit text, obs_status text, reason text,
        value numeric(38, 12), numerator numeric, denominator numeric, data_year int, evidence_count bigint
    )""",
    """create temporary table indicators (
        edition int, indicator_code text, area_code text, direction int, weight numeric(9, 4),
        bound_low numeric(24, 6), bound_high numeric(24, 6), state text
    )""",
    "create temporary table source_areas (methodology_sha256 text, area_code text, name_zh text, name_en text)",
    """create temporary table source_rules (
        methodology_sha256 text, rule_code text, value_numeric numeric, value_text text
    )""",
    "create temporary table source_tiers (methodology_sha256 text, tier int, rank_from int, rank_to int)",
)
_FILLED = ("indicator_values_evaluated", "indicators", "source_areas", "source_rules", "source_tiers")


@pytest.fixture(scope="module")
def session(postgres: Any) -> Iterator[Connection]:
    """One session with the scoring models as views over empty tables."""
    postgres.ensure_database("double_entry")
    url = postgres.url("double_entry")
    folder = PROJECT_ROOT
    engine = pipeline.engine_of(Settings(home=folder, inbox=folder, own_warehouse_url=url))
    environment = Environment(loader=FileSystemLoader(_PROJECT), autoescape=False)  # noqa: S701 - SQL, not HTML
    macros = "{% from 'macros/numbers.sql' import kept, plain_number %}"
    with engine.connect() as connection:
        for statement in _TABLES:
            connection.execute(text(statement))
        for name in _MODELS:
            rendered = environment.from_string(
                macros + (_PROJECT / "models/park_index" / f"{name}.sql").read_text("utf-8")
            ).render(
                ref=lambda model: model,
                source=lambda _, table: f"source_{table}",
                var=lambda variable: {"edition": EDITION, "methodology_sha256": "m"}[variable],
                config=lambda **_: "",
            )
            model = name.rpartition("/")[2]
            connection.exec_driver_sql(f"create temporary view {model} as {rendered.replace('%', '%%')}")
        yield connection
        connection.rollback()


@st.composite
def frameworks(draw: st.DrawFn) -> tuple[dict[str, Any], list[tuple[str, str, Decimal | None]]]:
    """A methodology and the values of one edition."""
    areas = draw(st.lists(st.sampled_from("ABCD"), min_size=1, max_size=4, unique=True))
    count = draw(st.integers(1, 8))
    indicators = []
    for number in range(count):
        area = draw(st.sampled_from(areas))
        low = draw(st.integers(-50, 50))
        indicators.append(
            {
                "code": f"{area}{number + 1}",
                "area": area,
                "weight": {"value": draw(st.sampled_from([0, 0.25, 1, 3, 4, 33.3333]))},
                "bounds": {"low": low, "high": low + draw(st.integers(1, 100))},
                "direction": draw(st.sampled_from([1, -1])),
                "state": draw(st.sampled_from(["computed", "computed", "computed", "not_computed"])),
            }
        )
    if not any(one["state"] == "computed" and one["weight"]["value"] for one in indicators):
        indicators[0] |= {"state": "computed", "weight": {"value": 1}}
    parks = [f"P{number}" for number in range(1, draw(st.integers(1, 5)) + 1)]
    numbers = st.one_of(
        st.none(),
        st.decimals(-60, 160, places=3),
        st.integers(-60, 160).map(Decimal),
        st.just(Decimal("33.3333333333")),
    )
    values = [(park, one["code"], draw(numbers)) for park in parks for one in indicators if one["state"] == "computed"]
    document = {
        "edition": EDITION,
        "areas": [{"code": area} for area in sorted({one["area"] for one in indicators})],
        "parks": [{"park_code": park} for park in parks],
        "indicators": indicators,
        "tiers": {
            "rows": [{"tier": place, "rank_from": place, "rank_to": place} for place in range(1, len(parks) + 1)]
        },
        "rules": [
            {"code": "area_min_share", "value": draw(st.sampled_from([0, 0.25, 0.5, 0.6667, 1]))},
            {"code": "rank_decimals", "value": draw(st.integers(0, 4))},
        ],
    }
    return document, values


def fill(session: Connection, document: dict[str, Any], values: list[tuple[str, str, Decimal | None]]) -> None:
    session.exec_driver_sql(f"truncate {', '.join(_FILLED)}")

    def put(table: str, rows: list[dict[str, Any]]) -> None:
        if rows:
            names = list(rows[0])
            session.execute(
                text(f"insert into {table} ({', '.join(names)}) values ({', '.join(f':{name}' for name in names)})"),
                rows,
            )

    version = {"methodology_sha256": "m"}
    put(
        "source_areas",
        [{**version, "area_code": area["code"], "name_zh": "区", "name_en": "x"} for area in document["areas"]],
    )
    put(
        "source_rules",
        [
            {**version, "rule_code": one["code"], "value_numeric": Decimal(str(one["value"]))}
            for one in document["rules"]
        ],
    )
    put("source_tiers", [{**version, **row} for row in document["tiers"]["rows"]])
    known = {(park, code): value for park, code, value in values}
    put(
        "indicators",
        [
            {
                "edition": EDITION,
                "indicator_code": one["code"],
                "area_code": one["area"],
                "direction": one["direction"],
                "weight": Decimal(str(one["weight"]["value"])),
                "bound_low": one["bounds"]["low"],
                "bound_high": one["bounds"]["high"],
                "state": one["state"],
            }
            for one in document["indicators"]
        ],
    )
    put(
        "indicator_values_evaluated",
        [
            {
                "edition": EDITION,
                "park_code": park["park_code"],
                "indicator_code": one["code"],
                "area_code": one["area"],
                "unit": "x",
                "obs_status": "normal",
                "value": known.get((park["park_code"], one["code"])),
            }
            for park in document["parks"]
            for one in document["indicators"]
        ],
    )


def rows_of(session: Connection, query: str, keys: tuple[str, ...]) -> dict[tuple[str, ...], dict[str, Any]]:
    return {tuple(row[key] for key in keys): dict(row) for row in session.execute(text(query)).mappings()}


def agree(first: Any, second: Any) -> bool:
    if first is None or second is None:
        return first is None and second is None
    return abs(float(first) - float(second)) <= TOLERANCE


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(frameworks())
def test_sql_and_numpy_agree_on_every_figure_of_frameworks_that_nobody_wrote(
    session: Connection, made: tuple[dict[str, Any], list[tuple[str, str, Decimal | None]]]
) -> None:
    document, values = made
    expected = score(document, values)
    # A division by zero of one example must not spoil the session for those that shrink it.
    with session.begin_nested() as savepoint:
        fill(session, document, values)
        compare(session, expected)
        savepoint.rollback()


def compare(session: Connection, expected: EditionScores) -> None:
    for level, query, keys, figures in (
        (
            expected.indicators,
            "select * from indicator_scores",
            ("park_code", "indicator_code"),
            ("score", "weight", "contribution", "rank"),
        ),
        (
            expected.areas,
            "select * from area_scores",
            ("park_code", "area_code"),
            ("score", "weight", "weight_share", "rank"),
        ),
        (expected.parks, "select * from park_scores", ("park_code",), ("score", "rank", "tier")),
    ):
        found = rows_of(session, query, keys)
        for one in level:
            by_numpy = asdict(one)
            key = tuple(by_numpy[name] for name in keys)
            by_sql = found.get(key, {})
            for figure in figures:
                assert agree(by_sql.get(figure), by_numpy[figure]), (key, figure, by_sql.get(figure), by_numpy[figure])
    tied = {
        key[0]: bool(row["is_tied"])
        for key, row in rows_of(session, "select * from park_scores", ("park_code",)).items()
    }
    assert all(tied.get(one.park_code, False) == one.is_tied for one in expected.parks)
