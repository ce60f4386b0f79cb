"""The year through the real Airflow: one run, looked at from every side, then once more, then stopped."""

from __future__ import annotations

import json
import subprocess
import sys

import httpx
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from parkindex.runtime import airflow, services, year
from year_run import PublishedYear, parkindex, processes_of

pytestmark = pytest.mark.year


def test_it_ends_with_five_ranks_a_page_and_an_address(published_year: PublishedYear) -> None:
    said = published_year.document
    assert said["ranking"][0]["rank"] == 1
    assert len(said["ranking"]) == 5
    assert said["already_there"] is False
    assert published_year.page.is_file()
    assert "合成" in published_year.page.read_text("utf-8")
    assert httpx.get(said["airflow_url"] + "/api/v2/monitor/health", trust_env=False).status_code == 200


def test_every_dag_ran_and_every_task_succeeded(published_year: PublishedYear) -> None:
    database = create_engine(services.airflow_database_url(published_year.settings), poolclass=NullPool)
    with database.connect() as connection:
        runs = connection.execute(text("select dag_id, state, run_type from dag_run")).all()
        tasks = connection.execute(text("select dag_id, task_id, state from task_instance")).all()
        known: set[str] = set(connection.execute(text("select dag_id from dag")).scalars())
    assert {run.dag_id for run in runs} | {airflow.WATCH} == known
    ours = [run for run in runs if run.dag_id != airflow.WATCH]
    assert [run for run in ours if run.state != "success"] == []
    assert [task for task in tasks if task.state != "success" and task.dag_id != airflow.WATCH] == []
    assert {run.run_type for run in ours} == {"manual"}
    # The inbox is watched from then on, and nothing was found in it.
    assert {task.task_id for task in tasks if task.dag_id == airflow.WATCH and task.state == "success"} == set()


def test_the_release_names_two_demo_approvers(published_year: PublishedYear) -> None:
    engine = create_engine(published_year.settings.warehouse_url, poolclass=NullPool)
    with engine.connect() as connection:
        approved_by: str = connection.execute(text("select approved_by from publish.releases")).scalar_one()
        decisions = connection.execute(
            text("select approver, role, decision, content_sha256 from publish.approvals order by role")
        ).all()
        signers = list(connection.execute(text("select distinct signed_by from publish.waivers")).scalars())
    for role, name in year.DEMO_APPROVERS.items():
        assert f"{name} ({role}, demo)" in approved_by
    assert {(one.approver, one.role) for one in decisions} == {(n, r) for r, n in year.DEMO_APPROVERS.items()}
    assert signers == [year.DEMO_SIGNER]  # what the gate must not pass alone
    assert {one.content_sha256 for one in decisions} == {published_year.document["content_sha256"]}


def test_bi_reads_all_parks_of_the_release(published_year: PublishedYear) -> None:
    answer = parkindex(published_year.settings, "url")
    engine = create_engine(answer.stdout.strip().replace("postgresql://", "postgresql+psycopg://"), poolclass=NullPool)
    with engine.connect() as connection:
        rows = connection.execute(text("select * from serve.park_ranking_current")).mappings().all()
    assert len(rows) == 22
    assert {row["release_id"] for row in rows} == {published_year.document["release_id"]}


def test_files_are_accounted_for(published_year: PublishedYear) -> None:
    engine = create_engine(published_year.settings.warehouse_url, poolclass=NullPool)
    query = text(
        "select feed, count(*) as files,"
        " bool_and(rows_landed = rows_accepted + rows_rejected + rows_duplicate) as conserved"
        " from raw.batches where status = 'loaded' group by feed"
    )
    with engine.connect() as connection:
        found = {row.feed: row for row in connection.execute(query)}
    assert all(row.conserved for row in found.values())
    inbox = published_year.settings.inbox
    for feed, row in found.items():
        assert row.files <= sum(1 for path in (inbox / feed).iterdir() if path.is_file())
    assert len(found) == 11


def test_the_bundle_verifies_itself_elsewhere(published_year: PublishedYear) -> None:
    bundle = published_year.page.parent
    checked = subprocess.run(
        [sys.executable, "-I", str(bundle / "verify.py")], cwd="/", capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_warehouse_verifies(published_year: PublishedYear) -> None:
    assert parkindex(published_year.settings, "verify", "--json").returncode == 0


def test_a_second_call_says_that_it_was_there(published_year: PublishedYear) -> None:
    again = parkindex(published_year.settings, "ranking", *published_year.options, "--json")
    assert again.returncode == 0, again.stderr
    said = json.loads(again.stdout)
    assert said["already_there"] is True
    assert said["release_id"] == published_year.document["release_id"]
    assert said["seconds"] < 20


def test_another_world_is_refused(published_year: PublishedYear) -> None:
    other = parkindex(published_year.settings, "ranking", "--seed", "7", "--size", "tiny", "--json")
    assert other.returncode == 2
    assert "PARKINDEX_HOME" in json.loads(other.stdout)["next"]


def test_down_leaves_no_process(published_year: PublishedYear) -> None:
    assert processes_of(published_year.settings.home) != []
    try:
        assert parkindex(published_year.settings, "down").returncode == 0
        assert processes_of(published_year.settings.home) == []
    finally:
        services.up(published_year.settings)  # others look at the same year
    assert services.status(published_year.settings)["airflow_url"] == published_year.document["airflow_url"]
