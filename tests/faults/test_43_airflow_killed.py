"""Fault 43 of the matrix, as far as a finished year can show it: processes of a real Airflow are killed.

What runs needs no triggerer: people answer forms that wait in the metadata.
"""

from __future__ import annotations

import os
import signal
import time

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from parkindex.runtime import airflow, services
from year_run import PublishedYear, parkindex

pytestmark = pytest.mark.year

# The watch of the inbox goes on meanwhile.
RUNS = f"dag_run where dag_id <> '{airflow.WATCH}'"
KEPT = ("publish.releases", "publish.approvals", "publish.current", "audit.gate_runs", "audit.attempts")


def rows(url: str, *tables: str) -> dict[str, list[tuple[object, ...]]]:
    with create_engine(url, poolclass=NullPool).connect() as connection:
        return {table: [tuple(row) for row in connection.execute(text(f"select * from {table}"))] for table in tables}


def test_43_killed_processes_are_replaced_and_nothing_is_forgotten(published_year: PublishedYear) -> None:
    settings = published_year.settings
    metadata = services.airflow_database_url(settings)
    before = rows(settings.warehouse_url, *KEPT), rows(metadata, RUNS)
    killed = {one.name: one for one in services.noted_services(settings) if one.name in airflow.COMPONENTS}
    assert set(killed) == set(airflow.COMPONENTS)
    for one in killed.values():
        os.kill(one.pid, signal.SIGKILL)
    until = time.monotonic() + 60
    while any(one.is_alive for one in killed.values()) and time.monotonic() < until:
        time.sleep(0.05)
    states = {one["name"]: one["state"] for one in services.status(settings)["services"]}
    assert {states[name] for name in killed} == {"stopped"}
    services.up(settings)
    now = {one.name: one.pid for one in services.noted_services(settings)}
    assert not {now[name] for name in killed} & {one.pid for one in killed.values()}
    states = {one["name"]: one["state"] for one in services.status(settings)["services"]}
    assert {states[name] for name in killed} == {"running"}
    assert (rows(settings.warehouse_url, *KEPT), rows(metadata, RUNS)) == before
    assert parkindex(settings, "verify", "--json").returncode == 0
