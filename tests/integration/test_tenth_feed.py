"""Adding a feed is writing one contract and a staging model: in a copy of the project, through to raw."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from contract_files import plain, server
from delivered import delimited
from parkindex import pipeline
from parkindex.contracts import derive
from parkindex.settings import PROJECT_ROOT, Settings

FEED = "incubators"
COLUMNS: dict[str, dict[str, object]] = {
    "code": {
        "header": "代码",
        "businessName": "代码",
        "required": True,
        "customProperties": [{"property": "matchKey", "value": "identifier"}],
    },
    "seats": {"header": "工位数", "businessName": "工位数", "logicalType": "integer", "physicalType": "integer"},
}
MODEL = """select code_key as incubator_code, seats, {{ lineage() }}
from {{ source('incubators', 'incubators_v1') }}
where {{ is_known('incubators_v1') }}
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project without its history, its tests and its environment."""
    root = tmp_path_factory.mktemp("project")
    for name in ("include", "contracts", "dags", "dbt_project", "methodology", "expectations"):
        shutil.copytree(
            PROJECT_ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__", "target", "logs")
        )
    return root


def test_a_tenth_feed_needs_a_contract_and_a_staging_model(project: Path, warehouse: Settings, tmp_path: Path) -> None:
    def run(*words: str, code: int = 0) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-m", "parkindex.cli", *words, "--json"],
            env={
                **{name: value for name, value in os.environ.items() if not name.startswith("PARKINDEX_")},
                "PYTHONPATH": str(project / "include"),
                "PARKINDEX_HOME": str(warehouse.home),
                "PARKINDEX_WAREHOUSE_URL": warehouse.warehouse_url,
                "LANG": "C",
            },
            cwd=tmp_path,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == code, done.stderr + done.stdout
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    contract = plain(
        project / "contracts", FEED, COLUMNS, [server("text", "*.csv", "csv")], key=["code"], nameZh="孵化器"
    )
    path = project / "contracts" / f"{FEED}.odcs.yaml"
    path.write_text(path.read_text("utf-8").replace("status: active\n", "status: active\ndomain: park\n"), "utf-8")
    folder = project / "dbt_project" / "models" / "staging" / FEED
    folder.mkdir()
    (folder / f"stg_{FEED}__{FEED}.sql").write_text(MODEL, "utf-8")

    assert [one["feed"] for one in run("contract", "check")["contracts"]].count(FEED) == 1
    assert [Path(one).name for one in run("contract", "derive")["written"]] == [f"_{FEED}__sources.yml"]
    assert run("contract", "derive", "--check") == {"written": []}
    assert "incubators_v1" in (folder / f"_{FEED}__sources.yml").read_text("utf-8")
    assert derive.expectations(contract)

    with pipeline.engine_of(warehouse).begin() as connection:  # what starting the services does for every contract
        for statement in derive.ddl(contract):
            connection.exec_driver_sql(statement)
    delivery = tmp_path / "孵化器.csv"
    delivery.write_text(delimited([["代码", "工位数"], ["a-1", "10"], ["B", "many"], ["a-1", "10"]]), "utf-8")
    (batch,) = run("land", FEED, str(delivery))["batches"]
    assert [batch[f"rows_{what}"] for what in ("landed", "accepted", "rejected", "duplicate")] == [3, 1, 1, 1]
    with pipeline.engine_of(warehouse).connect() as connection:
        rows = connection.execute(text("select code, code_key, seats from raw.incubators_v1")).all()
    assert [tuple(row) for row in rows] == [("a-1", "A1", 10)]
    assert {row["feed"]: row["rows_rejected"] for row in run("feeds")["feeds"]}[FEED] == 1
    assert run("rejects", "list", "--feed", FEED)["rejects"][0]["rule"] == "type.integer"
