"""Every DAG is there, is wired as it says, and parses quickly without a database."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from parkindex import contracts, pipeline
from parkindex.settings import DAGS_DIR

_FILES = sorted(DAGS_DIR.glob("*.py"))
_FIXED = {"build_marts", "publish_ranking", "maintenance", "watch_inbox"}
_HELPERS = {"notices", "steps"}  # what DAG files share


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    home = tmp_path_factory.mktemp("airflow")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "PARKINDEX"))}
    answer = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("read_dags.py")), str(DAGS_DIR)],
        env={
            **kept,
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS_DIR),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "postgresql+psycopg2://nobody@127.0.0.1:1/none",
            "LANG": "C",
        },
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    line = next((one for one in answer.stdout.splitlines() if one.startswith("FOUND ")), None)
    assert line is not None, answer.stderr[-3000:] + answer.stdout[-3000:]
    parsed: dict[str, Any] = json.loads(line.removeprefix("FOUND "))
    return parsed


@pytest.fixture(scope="module")
def dags(found: dict[str, Any]) -> dict[str, Any]:
    parsed: dict[str, Any] = found["dags"]
    return parsed


def test_every_file_parses_without_network_or_database(found: dict[str, Any]) -> None:
    assert found["import_errors"] == {}
    # The first file pays for what all import. Time of the processor: a busy machine changes nothing.
    assert found["seconds"] < 4


def test_there_is_one_dag_per_contract_and_the_fixed_ones(dags: dict[str, Any]) -> None:
    assert set(dags) == {f"ingest_{feed}" for feed in contracts.load_all()} | _FIXED


@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.name)
def test_files_are_wiring_only(path: Path) -> None:
    source = path.read_text("utf-8")
    assert len(source.splitlines()) <= 80
    assert not path.name.startswith("dbt_")  # dbt imports every module of that name on the path
    imported = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else alias.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    ours = {name for name in imported if name.startswith("parkindex")}
    assert ours == {"parkindex"}
    allowed = ("airflow.sdk", "airflow.providers.standard.operators.", "parkindex", "__future__")
    assert {name for name in imported if not name.startswith(allowed)} <= {"datetime"} | _HELPERS


def test_what_people_read_is_there(dags: dict[str, Any]) -> None:
    for dag_id, dag in dags.items():
        assert any("\u4e00" <= sign <= "\u9fff" for sign in dag["display_name"]), dag_id
        assert "Rerun:" in dag["doc_md"], dag_id
        assert "Priority:" in dag["doc_md"], dag_id
        assert dag["tags"], dag_id
        for task_id, task in dag["tasks"].items():
            assert task["owner"] not in ("", "airflow"), f"{dag_id}.{task_id}"
            assert task["display_name"] != task_id, f"{dag_id}.{task_id}"


def test_feeds_say_what_their_contracts_say(dags: dict[str, Any]) -> None:
    for feed, contract in contracts.load_all().items():
        dag = dags[f"ingest_{feed}"]
        assert contract.name_zh in dag["display_name"]
        for said in (contract.description.splitlines()[0], contract.version, contract.frequency, contract.owner):
            assert said in dag["doc_md"]
        assert f"late {contract.latency_days} days" in dag["doc_md"]
        for table in contract.tables:
            assert all(f"| `{column.name}` | {column.title} |" in dag["doc_md"] for column in table.columns)
        assert dag["tasks"]["land"]["owner"] == contract.owner
        assert dag["tasks"]["land"]["outlets"] == [feed]
        assert ("fetch" in dag["tasks"]) == (contract.source_url is not None)
        if "fetch" in dag["tasks"]:
            assert dag["tasks"]["look"]["upstream"] == ["fetch"]
        days = dag["expression"].split()[2:]
        monthly = contract.frequency_months == 1
        assert days == (["*", "*", "*"] if monthly else ["*", "*", "1"])
        assert dag["interval_days"] == (1 if monthly else 7)


def test_every_file_is_landed_by_a_task_of_its_own(dags: dict[str, Any]) -> None:
    for feed in contracts.load_all():
        tasks = dags[f"ingest_{feed}"]["tasks"]
        assert tasks["land"]["mapped"]
        assert tasks["land"]["upstream"] == ["look"]


def test_params_say_what_they_are_for_in_two_languages(dags: dict[str, Any]) -> None:
    for feed in contracts.load_all():
        params = dags[f"ingest_{feed}"]["param_texts"]
        assert set(params) == {"received_from", "received_until", "tasks"}
        for told in params.values():
            for text in (told["title"], told["help"]):
                assert any("\u4e00" <= sign <= "\u9fff" for sign in text)
                assert any("a" <= sign <= "z" for sign in text)
        assert params["received_from"]["format"] == params["received_until"]["format"] == "date"


def test_a_run_that_is_late_and_a_task_that_fails_are_told_of(dags: dict[str, Any]) -> None:
    for feed in contracts.load_all():
        (deadline,) = dags[f"ingest_{feed}"]["deadlines"]
        assert deadline == {
            "reference": "DagRunQueuedAtDeadline",
            "seconds": pipeline.INGEST_DEADLINE.total_seconds(),
            "callback": "notices.tell_deadline",
            "runs_in": "SyncCallback",  # in the executor: no triggerer is needed
        }
    for dag_id, dag in dags.items():
        for task_id, task in dag["tasks"].items():
            assert task["tells"] == ["notices.tell_failure"], f"{dag_id}.{task_id}"


def test_the_inbox_is_watched_without_holding_a_worker(dags: dict[str, Any]) -> None:
    watch = dags["watch_inbox"]
    assert watch["timetable"] == "ContinuousTimetable"
    assert watch["paused_at_first"] is False
    assert watch["tasks"]["look"]["mode"] == "reschedule"
    assert watch["tasks"]["start"]["mapped"]
    assert watch["tasks"]["start"]["upstream"] == ["look"]


def test_runs_do_not_overlap_or_catch_up(dags: dict[str, Any]) -> None:
    for dag_id, dag in dags.items():
        assert dag["max_active_runs"] == 1, dag_id
        assert dag["catchup"] is False, dag_id
        if dag["expression"]:
            assert dag["time_zone"] == "Asia/Shanghai", dag_id
    assert dags["publish_ranking"]["expression"] is None


def test_services_are_tried_again_and_verdicts_are_not(dags: dict[str, Any]) -> None:
    for dag_id, dag in dags.items():
        for task_id, task in dag["tasks"].items():
            name = f"{dag_id}.{task_id}"
            if task_id == "gate" or name == "publish_ranking.publish" or dag_id == "maintenance":
                assert task["retries"] == 0, name
            elif not task_id.startswith("approve_") and name != "watch_inbox.start":
                assert task["retries"] > 0, name
                assert task["retry"]["rules"][0]["exception"] == list(pipeline.WORTH_RETRYING), name
                assert task["retry"]["default"] == "fail", name


def test_nothing_is_published_that_was_not_gated_and_approved(dags: dict[str, Any]) -> None:
    tasks = dags["publish_ranking"]["tasks"]

    def before(task_id: str) -> set[str]:
        direct = set(tasks[task_id]["upstream"])
        return direct.union(*(before(one) for one in direct))

    assert {"build", "gate", "brief", "record", "approve_methodologist", "approve_signatory"} <= before("publish")
    assert "gate" in before("approve_methodologist") & before("approve_signatory")
    assert "gate" in dags["build_marts"]["tasks"]["promote"]["upstream"]
    assert set(dags["publish_ranking"]["params"]) == {"edition", "as_known", "reason"}
