"""The verbs of publication as people and scripts call them: JSON on stdout, exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from parkindex.cli.__main__ import cli
from parkindex.publish import bundle, candidates, preview, rebuild
from parkindex.publish import code as code_hashes

Run = Callable[..., tuple[int, Any]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Function that runs a verb in a house and returns exit code and JSON document."""

    def call(house: Any, *words: str) -> tuple[int, Any]:
        monkeypatch.setenv("PARKINDEX_HOME", str(house.settings.home))
        monkeypatch.setenv("PARKINDEX_WAREHOUSE_URL", house.settings.warehouse_url)
        done = CliRunner().invoke(cli, [*words, "--json"])
        return done.exit_code, json.loads(done.stdout)

    return call


def test_the_verbs_lead_from_candidate_to_bundle(house: Any, run: Run) -> None:
    candidate = house.build()
    code, listed = run(house, "candidates")
    assert (code, [one["content_sha256"] for one in listed["candidates"]]) == (0, [candidate.content_sha256])
    assert run(house, "approvers", "add", "李评", "--role", "evaluator")[0] == 0
    assert run(house, "approve", "2025-c1", "--as", "李评", "--role", "evaluator")[0] == 5  # not gated
    assert run(house, "publish", "2025-c1")[0] == 4
    house.gate(candidate)
    assert run(house, "approve", "2025-c1", "--as", "李评", "--role", "evaluator")[0] == 0
    code, refused = run(house, "publish", "2025-c1")
    assert (code, refused["exit_code"]) == (5, 5)
    assert "approve 2025-c1" in refused["next"]
    run(house, "approvers", "add", "王签", "--role", "signatory")
    assert run(house, "approve", "2025-c1", "--as", "王签", "--role", "signatory", "--note", "ok")[0] == 0
    code, made = run(house, "publish", "2025-c1")
    assert (code, made["release_id"], made["content_sha256"]) == (0, "2025.1", candidate.content_sha256)
    assert Path(made["page"]).is_file()
    code, again = run(house, "publish", "2025-c1")
    assert (code, again["release_id"], again["anchors"][0]["handed"]) == (0, "2025.1", [])
    code, listed = run(house, "releases")
    assert [(one["release_id"], one["edition"], one["is_current"]) for one in listed["releases"]] == [
        ("2025.1", 2025, True)
    ]
    assert run(house, "publish", "2031-c9")[0] == 3


def test_verify_ends_with_6_and_names_what_was_altered(released_house: Any, run: Run) -> None:
    bundle.write(released_house.engine, released_house.settings, "2025.1")
    folder = released_house.settings.releases / "2025.1"
    assert run(released_house, "verify") == (0, {"checked": "warehouse", "altered": False, "findings": []})
    assert run(released_house, "verify", str(folder))[0] == 0
    released_house.as_administrator(
        "publish.park_ranking", "update publish.park_ranking set rank = 1 where park_code = 'P07'"
    )
    code, found = run(released_house, "verify")
    assert (code, found["altered"]) == (6, True)
    assert [one["where"] for one in found["findings"]] == ["publish.park_ranking 2025.1 P07 rank"]
    (folder / "ranking.csv").write_text("park_code\n", "utf-8")
    code, found = run(released_house, "verify", str(folder))
    assert (code, found["findings"][0]["where"]) == (6, "ranking.csv")


def test_explain_leads_from_the_rank_to_rows_of_files(published: Any, run: Run) -> None:
    code, found = run(published, "explain", "2025", "p01", "b2", "--limit", "3")
    assert code == 0
    assert found["indicators"][0]["formula"]
    assert found["records_total"] == {"numerator": 30, "denominator": 30}
    assert len(found["records"]) == 3
    assert (found["records"][0]["source_file"], found["records"][0]["source_row"]) == ("年报.xlsx", 1)
    code, whole = run(published, "explain", "2025", "P01")
    parts = sum(float(row["contribution"] or 0) for row in whole["indicators"])
    assert parts == pytest.approx(float(whole["ranking"]["score"]), abs=1e-9)
    assert run(published, "explain", "2025", "P99")[0] == 3
    assert run(published, "explain", "2025", "P01", "Z9")[0] == 3
    assert run(published, "explain", "1999", "P01")[0] == 3


@pytest.mark.parametrize("language", ["zh", "en"])
def test_explanations_are_text_for_people(published: Any, monkeypatch: pytest.MonkeyPatch, language: str) -> None:
    monkeypatch.setenv("PARKINDEX_HOME", str(published.settings.home))
    monkeypatch.setenv("PARKINDEX_WAREHOUSE_URL", published.settings.warehouse_url)
    done = CliRunner().invoke(cli, ["explain", "2025", "P01", "B2", "--lang", language])
    assert done.exit_code == 0
    assert ("依据记录 60 条" if language == "zh" else "20 of 60 records") in done.stdout
    assert "[enterprise_accounts: 年报.xlsx, row 1]" in done.stdout


@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet", "json", "html"])
def test_a_release_is_exported_from_its_frozen_rows(published: Any, run: Run, tmp_path: Path, kind: str) -> None:
    out = tmp_path / "导出" / "release"
    assert run(published, "export", "2025", "--format", kind, "--out", str(out))[0] == 0
    if kind == "html":
        assert (out / "index.html").is_file()
    elif kind == "json":
        assert len(json.loads(out.read_text("utf-8"))["park_ranking"]) == 22
    elif kind == "parquet":
        assert pq.read_table(out).num_rows == 22
    else:
        assert out.stat().st_size > 1000
    assert run(published, "export", "2025", "--format", kind, "--out", str(out))[0] == 3


def test_compare_and_withdraw(released_house: Any, run: Run) -> None:
    released_house.cell("indicator_scores", "value", park_code="P03", indicator_code="B2")["value"] += 1
    released_house.publish(released_house.ready(), "C: typing error")
    code, compared = run(released_house, "compare", "2025.1", "2025.2")
    assert code == 0
    changed = [(one["table_name"], one["row_key"], one["column_name"]) for one in compared["changes"]]
    assert [one for one in changed if one[0] == "indicator_scores"] == [("indicator_scores", "P03/B2", "value")]
    code, made = run(released_house, "withdraw", "2025.2", "--reason", "wrong")
    assert (code, made["current"]) == (0, "2025.1")
    assert run(released_house, "withdraw", "2025.2", "--reason", "wrong")[0] == 5
    code, shown = run(released_house, "show", "2025.2")
    assert (code, shown["release"]["withdrawn_reason"], len(shown["park_ranking"])) == (0, "wrong", 22)


def test_a_rebuild_says_equal_or_what_differs(released_house: Any, run: Run) -> None:
    code, made = run(released_house, "rebuild", "2025.1")
    assert (code, made["is_equal"], made["changes"], made["causes"]) == (0, True, [], [])
    released_house.cell("park_status", "status", park_code="P03")["status"] = "noticed"
    made = rebuild.rebuild(released_house.engine, released_house.settings, "2025.1", "me")
    assert (made.is_equal, [(one.row_key, one.old_value, one.new_value) for one in made.changes]) == (
        False,
        [("P03", "not_assessed", "noticed")],
    )
    assert run(released_house, "rebuild", "2025.1")[0] == 6
    with released_house.engine.connect() as connection:
        kept = [candidates.has_schemas(connection, one) for one in candidates.list_candidates(released_house.engine)]
    assert kept == [False, False, False, True]


def test_a_rebuild_names_the_file_that_is_not_the_releases(
    released_house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = released_house.settings
    monkeypatch.setattr(code_hashes, "code_sha256", lambda: "c" * 64)
    files = code_hashes.files()
    first, second = list(files)[:2]
    changed = {path: sha256 for path, sha256 in files.items() if path != first} | {
        second: "0" * 64,
        "dbt_project/new.sql": "1" * 64,
    }
    monkeypatch.setattr(code_hashes, "files", lambda: changed)
    monkeypatch.setattr(code_hashes, "locks", lambda: {"requirements/run.txt": "2" * 64})
    relative = f"enterprise_registry/aa/{'a' * 64}"
    released_house.as_administrator("raw.batches", "update raw.batches set landing_path = :path", path=relative)
    path = settings.landing / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"not what was received")
    made = rebuild.rebuild(released_house.engine, settings, "2025.1", "me")
    assert made.is_equal
    assert made.causes == ["code", "lock", "landing"]
    assert made.differing["code"] == [f"changed {second}", f"missing {first}", "added dbt_project/new.sql"]
    assert made.differing["lock"] == ["changed requirements/run.txt", "missing requirements/bootstrap.txt"]
    assert made.differing["landing"] == [f"changed {relative}"]


def test_a_preview_says_what_would_change_and_replaces_only_previews(released_house: Any, tmp_path: Path) -> None:
    released_house.cell("park_status", "status", park_code="P03")["status"] = "noticed"
    candidate = released_house.build()
    made = preview.write(released_house.engine, released_house.settings, candidate.candidate_id)
    assert made.page.is_file()
    assert made.against == "2025.1"
    assert [(one["row_key"], one["new_value"]) for one in made.changes] == [("P03", "noticed")]
    again = preview.write(released_house.engine, released_house.settings, candidate.candidate_id)
    assert again == made
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("keep me", "utf-8")
    with pytest.raises(Exception, match="something else than a preview"):
        preview.write(released_house.engine, released_house.settings, candidate.candidate_id, tmp_path / "mine")
