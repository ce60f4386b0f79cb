"""The verbs about what comes in, as people and scripts call them: exit codes and one JSON document."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from parkindex.cli.__main__ import cli
from parkindex.contracts import corrections
from parkindex.raw import codes
from parkindex.settings import CONTRACTS_DIR, Settings

HEADER = "企业名称,统一社会信用代码,注册日期,企业类型,法人代表,注册资金,经营范围,所在省份,地区,注册地址"


def uscc(serial: int) -> str:
    first = f"91310115{serial:09}"
    return first + codes.uscc_check_character(first)


@pytest.fixture
def installed(warehouse: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("PARKINDEX_HOME", str(warehouse.home))
    monkeypatch.setenv("PARKINDEX_WAREHOUSE_URL", warehouse.warehouse_url)
    monkeypatch.delenv("PARKINDEX_INBOX", raising=False)
    return warehouse


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, [*arguments])


def answer(*arguments: str, exit_code: int = 0) -> Any:
    result = run(*arguments, "--json")
    assert result.exit_code == exit_code, result.output
    return json.loads(result.stdout)


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    path = tmp_path / "登记 一.csv"
    row = "甲茶业有限公司,{},2015-01-02,N/A,王小明,10(万元人民币),茶,上海,浦东,张江路1号"
    lines = [HEADER, row.format(uscc(1)), row.format(uscc(2)[:-1] + "?"), row.format(uscc(1))]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def test_land_says_what_became_of_each_file(installed: Settings, registry: Path) -> None:
    (batch,) = answer("land", "enterprise_registry", str(registry), "--received-at", "2025-03-01")["batches"]
    assert set(batch) == {
        "feed",
        "file",
        "sha256",
        "batch_id",
        "status",
        "rows_landed",
        "rows_accepted",
        "rows_rejected",
        "rows_duplicate",
        "reason",
    }
    assert (batch["status"], batch["file"]) == ("loaded", "登记 一.csv")
    assert [batch[f"rows_{what}"] for what in ("landed", "accepted", "rejected", "duplicate")] == [3, 1, 1, 1]
    (again,) = answer("land", "enterprise_registry", str(registry))["batches"]
    assert (again["status"], again["batch_id"]) == ("already_landed", batch["batch_id"])

    listed = answer("rejects", "list", "--feed", "enterprise_registry")
    assert (listed["total"], listed["rejects"][0]["rule"]) == (1, "uscc.shape")
    shown = answer("rejects", "show", str(listed["rejects"][0]["reject_id"]))
    assert shown["original_row"]["法人代表"] == "＊＊"  # sealed: nobody reads it without a log entry
    assert answer("rejects", "export", "--out", str(installed.home / "r.csv"))["rows"] == 1

    feeds = {row["feed"]: row for row in answer("feeds")["feeds"]}
    assert len(feeds) == 11
    assert feeds["enterprise_registry"]["last_received_at"].startswith("2025-03-01")
    assert feeds["patents"]["batches"] == 0
    (share,) = answer("feeds", "--parks")["parks"]
    assert (share["feed"], share["park_code"], share["rows_accepted"], share["rows_rejected"]) == (
        "enterprise_registry",
        None,
        1,
        1,
    )
    for arguments in (
        ("feeds",),
        ("feeds", "--parks"),
        ("rejects", "list"),
        ("rejects", "show", str(listed["rejects"][0]["reject_id"])),
    ):
        result = run(*arguments, "--lang", "zh")
        assert result.exit_code == 0
        assert "王小明" not in result.output


def test_a_refused_file_ends_with_code_3_and_the_others_are_landed(
    installed: Settings, registry: Path, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.csv"
    wrong.write_bytes(HEADER.encode("gb18030"))
    batches = answer("land", "enterprise_registry", str(wrong), str(registry), exit_code=3)["batches"]
    assert [batch["status"] for batch in batches] == ["refused", "loaded"]
    assert batches[0]["reason"].startswith("file.encoding: ")
    assert batches[0]["rows_landed"] is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("land", "shops", "x.csv"), "no feed 'shops'"),
        (("land", "patents", "/nowhere/x.zip"), "no such file"),
        (("fetch", "patents"), "no HTTP source"),
        (("rejects", "show", "1"), "no reject 1"),
        (("contract", "check", "/nowhere/x.odcs.yaml"), "cannot be read"),
    ],
)
def test_bad_input_is_code_3_with_a_next_step(installed: Settings, arguments: tuple[str, ...], words: str) -> None:
    error = answer(*arguments, exit_code=3)
    assert words in error["error"]
    assert error["next"]
    assert "Traceback" not in run(*arguments).output


def test_contracts_are_checked_compared_and_derived(tmp_path: Path) -> None:
    assert len(answer("contract", "check")["contracts"]) == 11
    changed = tmp_path / "headcounts.odcs.yaml"
    original = CONTRACTS_DIR / "headcounts.odcs.yaml"
    changed.write_text(original.read_text("utf-8").replace("maximum: 500000", "maximum: 400000"), "utf-8")
    compared = answer("contract", "diff", str(original), str(changed))
    assert compared["breaking"] is True
    assert "maximum 500000 → 400000" in compared["changes"][0]["change"]
    assert answer("contract", "diff", str(original), str(original)) == {"breaking": False, "changes": []}
    assert answer("contract", "derive", "--check") == {"written": []}


def test_a_warehouse_that_is_not_there_is_code_7(
    tmp_path: Path, registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARKINDEX_HOME", str(tmp_path))
    monkeypatch.delenv("PARKINDEX_WAREHOUSE_URL", raising=False)
    assert "not running" in answer("land", "enterprise_registry", str(registry), exit_code=7)["error"]
    monkeypatch.setenv("PARKINDEX_WAREHOUSE_URL", "postgresql://nobody@127.0.0.1:1/none")
    assert "does not answer" in answer("feeds", exit_code=7)["error"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_landing_folder_that_cannot_be_written_is_code_7(installed: Settings, registry: Path) -> None:
    installed.landing.mkdir()
    installed.landing.chmod(0o500)
    assert "machine refused" in answer("land", "enterprise_registry", str(registry), exit_code=7)["error"]


def test_a_row_set_aside_is_sent_back_returned_replayed_or_closed(
    installed: Settings, registry: Path, tmp_path: Path
) -> None:
    answer("land", "enterprise_registry", str(registry), "--received-at", "2025-03-01")
    out = tmp_path / "给单位 更正.csv"
    assert answer("rejects", "export", "--out", str(out))["rows"] == 1
    assert "王小明" in out.read_text("utf-8-sig")
    (one,) = answer("rejects", "replay", "--feed", "enterprise_registry")["replays"]
    assert (one["judged"], one["accepted"], one["still_rejected"], one["batch_id"]) == (1, 0, 1, None)
    out.write_text(out.read_text("utf-8-sig").replace(uscc(2)[:-1] + "?", uscc(2)), "utf-8")
    (batch,) = answer("rejects", "return", str(out), "--as", "李四")["batches"]
    assert (batch["status"], batch["rows_accepted"]) == ("loaded", 1)
    shown = answer("rejects", "show", "1")
    assert [event["event"] for event in shown["history"]] == ["replayed", "returned"]
    assert shown["resolved_by"] == f"batch {batch['batch_id']}"
    assert answer("rejects", "list", "--open")["total"] == 0
    error = answer("rejects", "close", "1", "--as", "李四", "--reason", "again", exit_code=3)
    assert "settled by batch" in error["error"]
    assert "需要重新判定" in run("rejects", "replay", "--rule", "uscc.shape", "--lang", "zh").output
    assert "returned" in run("rejects", "show", "1", "--lang", "zh").output
    assert answer("rejects", "replay", exit_code=2)["next"]
    assert answer("land", "enterprise_registry", str(registry), "--accept-shrink", exit_code=2)["error"]


def test_contract_check_reads_corrections_and_names_expired_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corrections.load_all, "__defaults__", (tmp_path,))
    said = (
        "id: a-1\nfeed: headcounts\nreason: a slip of the provider\nsource: a letter\nwho: 张三\n"
        "valid_until: 2020-12-31\nlocate: {uscc: x}\nexpect: {insured_count: 1}\naction: drop\n"
    )
    (tmp_path / "a-1.yaml").write_text(said, "utf-8")
    result = run("contract", "check", "--json")
    assert json.loads(result.stdout)["corrections"] == [
        {"id": "a-1", "feed": "headcounts", "valid_until": "2020-12-31", "expired": True}
    ]
    assert "expired on 2020-12-31" in result.stderr or "到期" in result.stderr
    (tmp_path / "a-1.yaml").write_text(said.replace("{uscc: x}", "{shape: x}"), "utf-8")
    error = answer("contract", "check", exit_code=3)
    assert "'shape' is no column" in error["error"]
    assert error["where"].endswith("a-1.yaml:7")
