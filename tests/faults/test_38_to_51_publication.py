"""Faults 38 to 51 of the matrix: backfill, crash and concurrency, publication, alteration.

The long forms of 38, 40, 41, 43, 46 and 48 (every step, hundreds of moments, a real Airflow) are parts of `make chaos`.
"""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import kill_build
import kill_release
import pytest
import race
from click.testing import CliRunner
from kill_release import Expected, Scene

import house as houses
from parkindex import methodology, pipeline, transform
from parkindex.cli.__main__ import cli as command
from parkindex.errors import BadInputError, ExitCode, GateFailedError, NotApprovedError, ServiceDownError
from parkindex.methodology import Methodology
from parkindex.publish import anchors, candidates, chain, code, rebuild, releases, verify
from parkindex.transform import leftovers, warehouse


def said_by(words: list[str], settings: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[int, dict[str, Any]]:
    """Run a command on an installation; return its exit code and its JSON document."""
    monkeypatch.setenv("PARKINDEX_HOME", str(settings.home))
    monkeypatch.setenv("PARKINDEX_WAREHOUSE_URL", settings.warehouse_url)
    done = CliRunner().invoke(command, [*words, "--json"])
    return done.exit_code, json.loads(done.stdout)


def ranking_of(house: Any) -> list[Any]:
    return kill_release.served(house.settings.warehouse_url)


# -------------------------------------------------------------------------------------------------- late and backfill


def test_38_a_backfill_of_three_years_changes_nothing_that_is_served(
    released_house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three candidates of three editions are built at once, marts are promoted and deliveries land meanwhile."""
    house = released_house
    before = ranking_of(house)
    meanwhile = threading.Event()

    def index(engine: Any, _settings: Any, prefix: str, *rest: Any) -> None:
        rows = {name: [{**row, "edition": rest[-1]} for row in found] for name, found in house.rows.items()}
        with engine.begin() as connection:
            houses.build_park_index(connection, prefix, replace(house, rows=rows))
        assert meanwhile.wait(60)

    monkeypatch.setattr(candidates.warehouse, "index", index)
    monkeypatch.setattr(candidates, "_fill_rank_intervals", lambda *_: None)
    monkeypatch.setattr(candidates.doubts, "fill", lambda *_: None)
    with (
        kill_release.reader(house.settings.warehouse_url, frozenset({before[0][2]})) as reads,
        ThreadPoolExecutor(3) as pool,
    ):
        backfill = [
            pool.submit(candidates.build, house.engine, house.settings, edition, built_by="airflow")
            for edition in (2023, 2024, 2025)
        ]
        promote_some_marts(house)
        house.sql(LATE_DELIVERY, at=datetime(2027, 1, 1, tzinfo=UTC))
        meanwhile.set()
        built = [one.result() for one in backfill]
    assert [one.edition for one in built] == [2023, 2024, 2025]
    assert len({one.schema_prefix for one in built}) == 3
    assert ranking_of(house) == before
    assert reads.bad == [] and reads.whole > 0
    assert verify.verify_warehouse(house.engine, house.settings) == []


LATE_DELIVERY = (
    "insert into raw.batches (feed, contract_version, contract_sha256, source_file, sha256, size_bytes, received_at,"
    " status, rows_landed, rows_accepted, rows_rejected, rows_duplicate)"
    " values ('patents', '1', '1', 'late.zip', repeat('e', 64), 1, :at, 'loaded', 1, 1, 0, 0)"
)


def promote_some_marts(house: Any) -> None:
    for layer in ("staging", "intermediate", "marts"):
        house.sql(f"create schema next__{layer}")
    house.sql("create table next__marts.parks as select park_code from publish.parks")
    transform.promote(house.engine)


def test_38_two_builds_under_one_prefix_wait_for_nobody(released_house: Any) -> None:
    """The partition's lock: the second is told so at once, and has dropped nothing."""
    house = released_house
    with (
        warehouse.locked(house.engine, "next__"),
        pytest.raises(ServiceDownError, match="Another build") as caught,
        warehouse.locked(house.engine, "next__"),
    ):
        raise AssertionError("the second was let in")
    assert caught.value.exit_code == ExitCode.SERVICE_DOWN


def test_39_a_release_is_made_again_or_it_is_said_what_differs(
    released_house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = released_house
    house.sql(LATE_DELIVERY, at=datetime(2027, 1, 1, tzinfo=UTC))  # today's database holds more than then
    assert rebuild.rebuild(house.engine, house.settings, "2025.1", "me").is_equal
    house.cell("indicator_scores", "value", park_code="P03", indicator_code="B2")["value"] += 1
    monkeypatch.setattr(code, "code_sha256", lambda: "0" * 64)
    made = rebuild.rebuild(house.engine, house.settings, "2025.1", "me")
    assert (made.is_equal, made.causes) == (False, ["code"])
    changed = {(one.table_name, one.row_key, one.column_name) for one in made.changes}
    # The other value moves the simulated ranks beside it too, and nothing else.
    assert ("indicator_scores", "P03/B2", "value") in changed
    assert {column for _, _, column in changed} <= {"value", "rank_low", "rank_high", "tier_share"}


# ---------------------------------------------------------------------------------------------- crash and concurrency


@pytest.mark.parametrize(
    "step",
    [
        "approve: behind the decision, before its commit",
        "publish: behind the inserted release",
        "publish: behind the moved pointer, before the commit",
        "sign: behind the signature, before the folder is in place",
    ],
)
def test_40_killed_at_a_step_it_is_done_again_whole(scene: Scene, expected: Expected, step: str) -> None:
    died, reads = kill_release.check(scene, expected, step)
    assert died
    assert reads.whole > 0
    assert reads.releases <= {"2025.1", "2025.2"}


def test_40_killed_at_a_random_moment_it_is_done_again_whole(scene: Scene, expected: Expected) -> None:
    kill_release.check(scene, expected, expected.seconds * 0.4)


def test_40_the_steps_that_are_named_exist() -> None:
    for steps in (kill_release.STEPS, kill_build.BUILD_STEPS, kill_build.GATE_STEPS):
        assert all(callable(getattr(owner, name)) for owner, name, _ in steps.values())


@pytest.mark.parametrize("step", ["_move_pointer", "_freeze"])
def test_41_a_connection_that_is_ended_leaves_nothing_half(
    scene: Scene, expected: Expected, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """`pg_terminate_backend` in the middle of the publishing transaction."""
    kill_release.arrange_here(scene, monkeypatch)
    whole = getattr(releases, step)

    def ended(connection: Any, *rest: Any) -> None:
        whole(connection, *rest)
        pid = connection.exec_driver_sql("select pg_backend_pid()").scalar_one()
        with scene.engine.begin() as other:
            other.exec_driver_sql(f"select pg_terminate_backend({pid}, 10000)")
        connection.exec_driver_sql("select 1")

    with monkeypatch.context() as patched, pytest.raises(Exception, match=r"terminat|closed"):
        patched.setattr(releases, step, ended)
        kill_release.release(scene)
    kill_release.oracles(scene, expected, done=False)
    assert kill_release.release(scene) == "2025.2"
    kill_release.oracles(scene, expected, done=True)


@pytest.mark.parametrize("kind", race.KINDS)
def test_42_published_twice_at_once_one_wins_and_the_other_says_so(scene: Scene, expected: Expected, kind: str) -> None:
    assert race.check(scene, expected, kind) == 1


def test_42_marts_promoted_again_because_the_result_got_lost_say_so(
    released_house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = released_house
    monkeypatch.setenv("PARKINDEX_HOME", str(house.settings.home))
    monkeypatch.setenv("PARKINDEX_WAREHOUSE_URL", house.settings.warehouse_url)
    with pytest.raises(BadInputError, match="no next generation"):
        pipeline.promote_marts()
    promote_some_marts(house)
    served = house.sql("select * from serve.marts_parks order by 1")
    assert len(served) == 22
    assert pipeline.promote_marts() == {"promoted": "next__", "already_promoted": True}
    assert house.sql("select * from serve.marts_parks order by 1") == served


def test_44_a_task_that_is_taken_for_dead_goes_on_and_its_second_try_waits(
    ready_house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first try hangs inside its transaction; the second waits for its lock and then finds the release."""
    house = ready_house
    hanging, go_on = threading.Event(), threading.Event()
    move = releases._move_pointer

    def hang(*arguments: Any) -> None:
        hanging.set()
        assert go_on.wait(60)
        move(*arguments)

    monkeypatch.setattr(releases, "_move_pointer", hang)

    def publish() -> tuple[Any, bool]:
        return releases.publish_once(house.engine, house.settings, "2025-c1")

    waiting = "select count(*) from pg_locks where locktype = 'advisory' and not granted"
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(publish)
        assert hanging.wait(60)
        second = pool.submit(publish)
        until = time.monotonic() + 60
        while house.sql(waiting)[0][0] == 0 and time.monotonic() < until:
            time.sleep(0.01)
        assert not second.done()
        go_on.set()
        (made, is_new), (found, again) = first.result(), second.result()
    assert (is_new, again) == (True, False)
    assert made == found
    assert len(house.sql("select 1 from publish.releases")) == 1
    assert [outcome for outcome, _ in house.attempts("publish")] == ["done", "refused"]


def test_45_a_task_set_to_success_by_hand_publishes_nothing(ready_house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    house = ready_house
    monkeypatch.setenv("PARKINDEX_HOME", str(house.settings.home))
    monkeypatch.setenv("PARKINDEX_WAREHOUSE_URL", house.settings.warehouse_url)
    unseen = house.build()
    house.gate(unseen)
    # Both forms and the task that records them "succeeded": there is no record in the warehouse.
    with pytest.raises(NotApprovedError, match="not approved by two") as caught:
        pipeline.publish_built(unseen.candidate_id)
    assert caught.value.exit_code == ExitCode.NOT_APPROVED == 5
    # A form that nobody answered has no name in it, and an answer by default approves nothing.
    nobody = {"chosen_options": [pipeline.APPROVE], "params_input": {"approver": "", "note": ""}}
    gated = {"candidate_id": unseen.candidate_id, "content_sha256": unseen.content_sha256}
    with pytest.raises(NotApprovedError, match="not registered"):
        pipeline.record_answers(gated, {"signatory": nobody})
    # The gate's task "succeeded": there is no verdict.
    ungated = house.build()
    with pytest.raises(GateFailedError) as refused:
        pipeline.publish_built(ungated.candidate_id)
    assert refused.value.exit_code == ExitCode.GATE_FAILED
    # A cleared run replays the answers of another candidate: they are bound to another hash.
    with pytest.raises(NotApprovedError, match="hash is not"):
        pipeline.record_approval(unseen.candidate_id, "f" * 64, *houses.PEOPLE[0], "approve")
    assert house.sql("select * from publish.releases") == []
    assert [outcome for outcome, _ in house.attempts("publish")] == ["refused", "refused"]
    assert [outcome for outcome, _ in house.attempts("approve")][-2:] == ["refused", "refused"]


def test_46_without_airflows_database_nothing_published_is_lost(
    released_house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The warehouse alone: releases, approvals and ledger are there, and a revision goes its way."""
    house = released_house
    kept = {
        table: house.sql(f"select * from {table} order by 1")
        for table in ("publish.releases", "publish.approvals", "publish.approvers", "audit.attempts")
    }
    settings = replace(house.settings, own_airflow_db_url="postgresql+psycopg://nobody@127.0.0.1:9/lost")
    monkeypatch.setenv("PARKINDEX_AIRFLOW_DB_URL", str(settings.own_airflow_db_url))
    exit_code, said = said_by(["verify"], settings, monkeypatch)
    assert (exit_code, said["findings"]) == (0, [])
    assert {table: house.sql(f"select * from {table} order by 1") for table in kept} == kept
    second = house.ready()
    made = pipeline.publish_built(second.candidate_id, "R2: again")
    assert made["release_id"] == "2025.2"


@pytest.mark.parametrize("changed", ["code", "methodology"])
def test_47_what_changed_between_approval_and_publication_is_refused(
    ready_house: Any, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    house = ready_house
    with monkeypatch.context() as patched:
        if changed == "code":
            patched.setattr(code, "code_sha256", lambda: "0" * 64)
        else:
            now = methodology.load(2025)
            patched.setattr(methodology, "load", lambda _: Methodology(now.edition, now.document, "0" * 64))
        with pytest.raises(NotApprovedError, match=changed) as caught:
            house.publish(house.first)
        assert "parkindex build 2025" in caught.value.next_step
        # What was changed makes another candidate, and that one is approved anew.
        another = house.ready()
        assert getattr(another, f"{changed}_sha256") == "0" * 64 or changed == "methodology"
    assert house.publish(house.first).release_id == "2025.1"
    assert [outcome for outcome, _ in house.attempts("publish")] == ["refused", "done"]


def test_48_a_build_that_was_killed_is_cleared_away_and_nothing_else(scene: Scene) -> None:
    before = kill_build.schemas_of(scene)
    with kill_build.hanging_build(scene) as build:
        assert kill_build.schemas_of(scene) > before
        assert candidates.gc(scene.engine) == []  # it is at work
        assert leftovers.clear(scene.settings) == []
        build.kill()
        build.join()
        assert len(leftovers.of(scene.settings)) == 1
        kill_build.clear_away(scene)
    assert kill_build.schemas_of(scene) == before
    assert len(leftovers.clear(scene.settings)) == 1
    assert leftovers.of(scene.settings) == []
    told = "select count(*) from audit.attempts where action = 'gc' and outcome = 'done'"
    with scene.engine.connect() as connection:
        assert connection.exec_driver_sql(told).scalar_one() == 1


# ------------------------------------------------------------------------------------------ publication, alteration


def test_49_an_edited_row_is_named_by_release_park_and_column(
    released_house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    released_house.as_administrator(
        "publish.park_ranking", "update publish.park_ranking set rank = rank + 1 where park_code = 'P07'"
    )
    exit_code, said = said_by(["verify"], released_house.settings, monkeypatch)
    assert exit_code == ExitCode.ALTERED == 6
    assert [one["where"] for one in said["findings"]] == ["publish.park_ranking 2025.1 P07 rank"]


def test_50_a_chain_that_was_recomputed_is_found_by_an_anchor(
    released_house: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    house = released_house
    kept = (tmp_path / "elsewhere.jsonl").as_uri()
    anchors.hand_over(house.engine, replace(house.settings, anchors=(kept,)))
    with house.engine.connect() as connection:
        (release,) = releases.chained(connection)
    forged = replace(release, reason="nothing to see here")
    house.as_administrator(
        "publish.releases",
        "update publish.releases set reason = :reason, chain_sha256 = :head",
        reason=forged.reason,
        head=chain.chain_sha256(forged.as_dict()),
    )
    assert said_by(["verify"], house.settings, monkeypatch)[0] == 0  # it agrees with itself
    exit_code, said = said_by(["verify", "--anchor", kept], house.settings, monkeypatch)
    assert exit_code == ExitCode.ALTERED
    assert "2025.1" in said["findings"][0]["where"]


def test_51_a_reader_of_a_view_of_their_own_sees_whole_releases_only(released_house: Any) -> None:
    house = released_house
    house.sql("create schema bi")
    house.sql("create view bi.mine as select * from serve.park_ranking_current")
    url = house.settings.warehouse_url
    known = {kill_release.served(url)[0][2]}
    for number in range(2, 5):
        candidate = house.ready()
        known.add(_digest_of(house, candidate.schema_prefix, f"2025.{number}"))
    with kill_release.reader(url, frozenset(known), "bi.mine") as reads:
        for number in range(2, 5):
            candidate = candidates.get(house.engine, f"2025-c{number}")
            house.gate(candidate)
            house.approve(candidate)  # the release it replaces is another one by now
            house.publish(candidate, "R2: again")
    assert reads.bad == []
    assert reads.whole > 0
    assert kill_release.served(url, "bi.mine")[0][:2] == ("2025.4", 22)


def _digest_of(house: Any, prefix: str, release_id: str) -> str:
    """Digest of a candidate's ranking as it will be served."""
    columns = [row[0] for row in house.sql(COLUMNS)]
    cells = ", ".join(f"'{release_id}'::text as release_id" if name == "release_id" else name for name in columns)
    (row,) = house.sql(
        "select md5(string_agg(seen::text, '|' order by park_code)) as digest"
        f" from (select {cells} from {prefix}park_index.park_ranking) as seen"
    )
    return str(row.digest)


COLUMNS = (
    "select column_name from information_schema.columns where table_schema = 'serve'"
    " and table_name = 'park_ranking_current' order by ordinal_position"
)
