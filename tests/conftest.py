"""Fixtures for every test: a throw-away Postgres per test process, and empty warehouses on it within milliseconds."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from xdist.scheduler import LoadFileScheduling

from parkindex import pipeline
from parkindex.ledger import migrate
from parkindex.runtime import services
from parkindex.runtime.postgres import Cluster
from parkindex.settings import Settings
from year_run import PublishedYear, run_year

pytest_plugins = ["house"]

_TEMPLATE = "empty_warehouse"
_MOST_PROCESSES = 4  # each has a Postgres of its own
_LOOK_AT_THE_YEAR = ("test_year.py", "test_34_to_35_order_and_time.py", "test_43_airflow_killed.py")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a sweep that is sampled in the daily tests be whole."""
    parser.addoption("--whole", action="store_true", help="sweep over everything instead of a sample")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Number of test processes for ``-n auto``: the cores this process may use, up to a few."""
    return min(len(os.sched_getaffinity(0)), _MOST_PROCESSES)


class _ByModule(LoadFileScheduling):
    """A module's tests run in one process, and all modules that look at the year in one, so that it runs once."""

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.split("::", 1)[0].rsplit("/", 1)[-1]
        return "year" if module in _LOOK_AT_THE_YEAR else str(super()._split_scope(nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling | None:
    """Take the place of ``--dist loadfile``; other ways of sharing tests out stay what they are."""
    return _ByModule(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse a module that would make the year run once more."""
    for item in items:
        if "published_year" in getattr(item, "fixturenames", ()) and item.path.name not in _LOOK_AT_THE_YEAR:
            raise pytest.UsageError(f"{item.path}: name it in _LOOK_AT_THE_YEAR of tests/conftest.py")


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One embedded cluster without fsync per test process; it ends with the process, whatever happens to it."""
    cluster = Cluster(tmp_path_factory.mktemp("postgres"), durable=False)
    cluster.start()
    yield cluster
    cluster.stop()


@pytest.fixture(scope="session")
def _empty_warehouse(postgres: Cluster, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Name of a database with everything that `pipeline.prepare` makes, to copy from."""
    postgres.ensure_database(_TEMPLATE)
    home = tmp_path_factory.mktemp("template")
    settings = Settings(home=home, inbox=home / "inbox", own_warehouse_url=postgres.url(_TEMPLATE))
    if all(find_spec(f"parkindex.{package}") for package in ("publish", "raw")):
        pipeline.prepare(settings)
    else:
        migrate.upgrade(pipeline.engine_of(settings))
    return _TEMPLATE


@pytest.fixture(scope="session")
def _numbers() -> Iterator[int]:
    return count(1)


@pytest.fixture
def make_warehouse(
    postgres: Cluster, _empty_warehouse: str, _numbers: Iterator[int], tmp_path: Path
) -> Iterator[Callable[[], Settings]]:
    """Function that gives a new, empty, migrated warehouse (its settings) with a home of its own."""
    made: list[str] = []

    def make() -> Settings:
        name = f"warehouse_{next(_numbers)}"
        postgres.ensure_database(name, template=_empty_warehouse)
        made.append(name)
        with psycopg.connect(postgres.url(name).replace("+psycopg", "")) as connection:
            # The one privilege that stands on the database, which a copy does not take along.
            connection.execute(f'grant create on database "{name}" to parkindex_builder')
        home = tmp_path / name
        inbox = home / "inbox"
        inbox.mkdir(parents=True)
        return Settings(home=home, inbox=inbox, own_warehouse_url=postgres.url(name))

    yield make
    for name in made:
        postgres.drop_database(name)


@pytest.fixture
def warehouse(make_warehouse: Callable[[], Settings]) -> Settings:
    """Settings of one new, empty, migrated warehouse."""
    return make_warehouse()


@pytest.fixture(scope="session")
def published_year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PublishedYear]:
    """The year, run once through the real Airflow on a tiny world, from a path with a blank and Chinese characters."""
    home = tmp_path_factory.mktemp("year") / "年度 run"
    settings = Settings(home=home, inbox=home / "inbox")
    try:
        yield run_year(settings, "--size", "tiny")
    finally:
        services.stop_all(settings)
