"""A house to publish in: an empty warehouse, one landed delivery, and a builder that makes park_index by plain SQL.

A plugin: its fixtures are there for every folder of tests.

The builder stands in for dbt and identity only; numbering, hashing, gating records, approvals and publication are real.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, MetaData, Table, insert, text
from sqlalchemy.dialects.postgresql import insert as postgres_insert

import site_record
from parkindex import gate, methodology, pipeline
from parkindex.ledger import tables
from parkindex.publish import approvals, candidates, code, releases
from parkindex.publish.candidates import Candidate
from parkindex.publish.releases import Release
from parkindex.runtime.postgres import Cluster
from parkindex.settings import Settings
from parkindex.site import ReleaseRecord

EDITION = 2025
CODE = "c0de" * 16
RECEIVED = datetime(2026, 3, 31, 9, 30, tzinfo=UTC)
FORMULA = '=HYPERLINK("http://example.invalid","园")'
_load = methodology.load
HOUSES: dict[str, House] = {}
PEOPLE = (("李评", "evaluator"), ("王签", "signatory"))


@dataclass
class House:
    """One warehouse and the short ways through it.

    Attributes:
        settings: The installation.
        engine: The warehouse, as its owner.
        rows: Rows the next candidate is built with, by table.
        backwards: Insert the rows of the next candidate in the opposite order.
    """

    settings: Settings
    engine: Engine
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    backwards: bool = False

    def build(self, built_by: str = "airflow") -> Candidate:
        return candidates.build(self.engine, self.settings, EDITION, built_by=built_by)

    def gate(self, candidate: Candidate, verdict: str = "pass", content_sha256: str | None = None) -> int:
        """Record a verdict as the gate does."""
        with self.engine.begin() as connection:
            run = connection.execute(
                insert(tables.gate_runs)
                .values(
                    subject="candidate",
                    candidate_id=candidate.candidate_id,
                    content_sha256=content_sha256 or candidate.content_sha256,
                    against_release_id=gate.against_release_id(connection, candidate.edition),
                    suites_sha256="0" * 64,
                    verdict=verdict,
                    expectations_evaluated=1,
                )
                .returning(tables.gate_runs.c.gate_run_id)
            ).scalar_one()
            connection.execute(
                insert(tables.expectation_results).values(
                    gate_run_id=run,
                    expectation_id="edition.parks",
                    stage="edition",
                    severity="error",
                    success=verdict == "pass",
                    observed="22 parks",
                    rows_looked_at=22,
                )
            )
        return int(run)

    @property
    def first(self) -> Candidate:
        """The candidate 2025-c1."""
        return candidates.get(self.engine, "2025-c1")

    def approve(self, candidate: Candidate, *people: tuple[str, str]) -> None:
        for name, role in people or PEOPLE:
            approvals.register(self.engine, name, role)
            approvals.decide(
                self.engine, candidate.candidate_id, candidate.content_sha256, name, role, "approve", "looked at it"
            )

    def ready(self, built_by: str = "airflow") -> Candidate:
        """Build, gate and approve a candidate."""
        candidate = self.build(built_by)
        self.gate(candidate)
        self.approve(candidate)
        return candidate

    def publish(self, candidate: Candidate, reason: str | None = None) -> Release:
        return releases.publish(self.engine, self.settings, candidate.candidate_id, reason)

    def sql(self, statement: str, **values: Any) -> list[Any]:
        with self.engine.begin() as connection:
            result = connection.execute(text(statement), values)
            return list(result) if result.returns_rows else []

    def as_administrator(self, table: str, statement: str, **values: Any) -> None:
        """Change what is kept, as who owns the database can: with the triggers off."""
        with self.engine.begin() as connection:
            connection.execute(text(f"alter table {table} disable trigger user"))
            connection.execute(text(statement), values)
            connection.execute(text(f"alter table {table} enable trigger user"))

    def attempts(self, action: str) -> list[tuple[str, str | None]]:
        rows = self.sql("select outcome, reason from audit.attempts where action = :a order by attempt_id", a=action)
        return [(row.outcome, row.reason) for row in rows]

    def cell(self, table: str, column: str, **key: str) -> dict[str, Any]:
        """Return the row of the next candidate that holds a cell, to be changed in place."""
        return next(row for row in self.rows[table] if all(row[name] == value for name, value in key.items()))


@cache
def _record() -> ReleaseRecord:
    return site_record.make(not_computed="")


def made_up_rows() -> dict[str, list[dict[str, Any]]]:
    """Return the rows of the pages' made-up release, with a name that a spreadsheet would run."""
    record = _record()
    rows = {
        table.name: [{"edition": EDITION, **dict(row)} for row in getattr(record, table.name)]
        for table in tables.CONTENT_TABLES
    }
    rows["park_ranking"][3]["park_name_en"] = rows["parks"][3]["name_en"] = FORMULA
    return rows


def build_park_index(connection: Connection, prefix: str, house: House) -> None:
    """Create what dbt would: the tables of the content, values before them, contributions and empty intervals."""
    schema = f"{prefix}park_index"
    for stage in candidates.STAGES:
        connection.execute(text(f"create schema {prefix}{stage}"))
    for declared in tables.CONTENT_TABLES:
        name = "park_scores" if declared.name == "park_ranking" else declared.name
        columns = [column._copy() for column in declared.columns if column.name != "release_id"]
        made = Table(name, MetaData(), *columns, schema=schema)
        made.create(connection)
        rows = [{column.name: row.get(column.name) for column in columns} for row in house.rows[declared.name]]
        connection.execute(insert(made), rows[::-1] if house.backwards else rows)
    for statement in _BESIDE:
        connection.execute(text(statement.format(schema=schema, marts=f"{prefix}marts")))


_BESIDE = (
    "create table {schema}.rank_intervals (park_code text, rank_low int, rank_high int, tier_share numeric(9,6))",
    "alter table {schema}.park_scores drop column rank_low, drop column rank_high, drop column tier_share",
    """create view {schema}.park_ranking as
    select * from {schema}.park_scores left join {schema}.rank_intervals using (park_code)""",
    "create view {schema}.indicator_values as select * from {schema}.indicator_scores",
    """create view {schema}.contributions as
    select
        park_code, indicator_code, side, '91310000MA1K3' || place as enterprise_id_uscc, '示例' || place as subject,
        coalesce(numerator, 0) / 4 as amount, 'enterprise_accounts' as source_feed, 1::bigint as source_batch_id,
        '年报.xlsx' as source_file, place::int as source_row
    from {schema}.indicator_scores
    cross join (values ('numerator'), ('denominator')) as sides (side)
    cross join generate_series(1, 30) as places (place)
    where value is not null""",
    """create view {schema}.indicator_values_evaluated as
    select edition, park_code, indicator_code, value, numerator, denominator from {schema}.indicator_scores
    union all
    select edition - 1, park_code, indicator_code, value, numerator, denominator from {schema}.indicator_scores""",
    "create view {schema}.contributions_evaluated as select 2025 as edition, * from {schema}.contributions",
    """create view {schema}.shared_denominators as
    select 2025 as edition, 'employees' as denominator_kind, * from {schema}.contributions where false""",
    "create table {schema}.indicator_rules (indicator_code text, denominator_kind text)",
    """create view {schema}.year_end_members as
    select years.year, parks.park_code, '91310000MA1K30' as enterprise_id_uscc, '6520' as industry_code_gbt4754_2017
    from {schema}.parks cross join (values (2024), (2025)) as years (year)""",
    "create view {schema}.member_accounts as select * from {schema}.year_end_members where year = 2025",
    """create table {schema}.valid_recognitions
    (edition int, enterprise_id_uscc text, recognition_kind text, counted_in text)""",
    "create table {schema}.self_reported_items (edition int, item_code text, amount numeric, gap text)",
    """create table {marts}.enterprises
    (enterprise_id_uscc text, registered_park_code text, registered_date date)""",
    """create table {marts}.park_declared_industries
    (park_code text, year int, industry_name text, declared_type text, industry_code text)""",
    """create view {marts}.park_plots as
    select
        'P01' as park_code, 'P01-01' as plot_id, date '2011-01-01' as valid_from, date '2030-01-01' as valid_to,
        1.05 as area_km2, st_square as geometry_geojson
    from (values ('{{"type":"Polygon","coordinates":[[[121.5,31.2],[121.51,31.2],[121.51,31.21],[121.5,31.2]]]}}'))
        as squares (st_square)""",
    """create view {marts}.park_moves as
    select 'P01' as from_park_code, 'P02' as to_park_code, date '2025-05-01' as moved_date""",
)


def furnish(settings: Settings, patched: pytest.MonkeyPatch) -> House:
    """Land one delivery in an empty warehouse, and put the builder into dbt's place."""
    house = House(settings, pipeline.engine_of(settings), made_up_rows())
    delivery = postgres_insert(tables.batches).values(**_batch("enterprise_registry", "a" * 64, RECEIVED))
    with house.engine.begin() as connection:
        connection.execute(delivery.on_conflict_do_nothing())
    HOUSES[str(house.engine.url)] = house

    def index(engine: Engine, _settings: Settings, prefix: str, *_rest: Any) -> None:
        with engine.begin() as connection:
            build_park_index(connection, prefix, HOUSES[str(engine.url)])

    patched.setattr(candidates.warehouse, "stage", lambda *_: None)
    patched.setattr(candidates.warehouse, "relate", lambda *_: None)
    patched.setattr(candidates.warehouse, "index", index)
    patched.setattr(candidates.resolve, "run", lambda *_: 1)
    patched.setattr(methodology, "load", _read_once)
    # Whoever edits the code while these tests run shall not fail them; the hash itself has tests of its own.
    patched.setattr(code, "code_sha256", lambda: CODE)
    return house


@cache
def _read_once(edition: int) -> methodology.Methodology:
    return _load(edition)


@pytest.fixture
def make_house(make_warehouse: Callable[[], Settings], monkeypatch: pytest.MonkeyPatch) -> Callable[[], House]:
    """Function that gives a new house."""
    return lambda: furnish(make_warehouse(), monkeypatch)


@pytest.fixture
def house(make_house: Callable[[], House]) -> House:
    """One new house."""
    return make_house()


@pytest.fixture(scope="session")
def _ready_warehouse(postgres: Cluster, _empty_warehouse: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Name of a database with one candidate that may be published, to copy from."""
    return _prepared(postgres, _empty_warehouse, "ready_warehouse", tmp_path_factory, House.ready)


@pytest.fixture(scope="session")
def _released_warehouse(postgres: Cluster, _ready_warehouse: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Name of a database with one release, to copy from."""
    publish = lambda house: house.publish(house.first)  # noqa: E731
    return _prepared(postgres, _ready_warehouse, "released_warehouse", tmp_path_factory, publish)


def _prepared(
    postgres: Cluster,
    template: str,
    name: str,
    tmp_path_factory: pytest.TempPathFactory,
    prepare: Callable[[House], object],
) -> str:
    postgres.ensure_database(name, template=template)
    home = tmp_path_factory.mktemp(name)
    with pytest.MonkeyPatch.context() as patched:
        prepare(furnish(Settings(home=home, inbox=home / "inbox", own_warehouse_url=postgres.url(name)), patched))
    return name


@contextmanager
def _copied(postgres: Cluster, template: str, name: str, home: Path) -> Iterator[House]:
    postgres.ensure_database(name, template=template)
    settings = Settings(home=home, inbox=home / "inbox", own_warehouse_url=postgres.url(name))
    with pytest.MonkeyPatch.context() as patched:
        yield furnish(settings, patched)
    postgres.drop_database(name)


@pytest.fixture
def ready_house(postgres: Cluster, _ready_warehouse: str, _numbers: Iterator[int], tmp_path: Path) -> Iterator[House]:
    """A house of its own in which 2025-c1 is built, passed by the gate and approved by two."""
    with _copied(postgres, _ready_warehouse, f"warehouse_{next(_numbers)}", tmp_path / "home") as house:
        yield house


@pytest.fixture
def released_house(
    postgres: Cluster, _released_warehouse: str, _numbers: Iterator[int], tmp_path: Path
) -> Iterator[House]:
    """A house of its own in which 2025-c1 is published as 2025.1."""
    with _copied(postgres, _released_warehouse, f"warehouse_{next(_numbers)}", tmp_path / "home") as house:
        yield house


@pytest.fixture(scope="module")
def published(
    postgres: Cluster, _released_warehouse: str, _numbers: Iterator[int], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """One released house for all tests of a module that only try to change it."""
    home = tmp_path_factory.mktemp("published")
    with _copied(postgres, _released_warehouse, f"warehouse_{next(_numbers)}", home) as house:
        yield house


def _batch(feed: str, sha256: str, received_at: datetime) -> dict[str, Any]:
    return {
        "feed": feed,
        "contract_version": "1.0.0",
        "contract_sha256": "c" * 64,
        "source_file": "登记.csv",
        "sha256": sha256,
        "size_bytes": 1000,
        "received_at": received_at,
        "status": "loaded",
        "rows_landed": 10,
        "rows_accepted": 8,
        "rows_rejected": 1,
        "rows_duplicate": 1,
    }


@pytest.fixture
def land(house: House) -> Callable[..., None]:
    """Function that records a loaded delivery of the house."""

    def record(feed: str, sha256: str, received_at: datetime = RECEIVED) -> None:
        with house.engine.begin() as connection:
            connection.execute(insert(tables.batches).values(**_batch(feed, sha256, received_at)))

    return record
