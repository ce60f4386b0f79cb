from __future__ import annotations

import csv
import errno
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from python_calamine import CalamineWorkbook

from parkindex.errors import AlteredError, BadInputError
from parkindex.publish import bundle, bundle_check, notices, verify, withdrawals

FILES = (
    "index.html method.html audit.html parks/P01.html ranking.csv ranking.data.csv indicator_scores.csv ranking.xlsx "
    "ranking.parquet manifest.json signature public.pem verify.py CHANGES.csv data/content.jsonl data/annex.jsonl"
)


@pytest.fixture(scope="module")
def written(published: Any) -> Path:
    """The bundle of the module's release."""
    return bundle.write(published.engine, published.settings, "2025.1")


@pytest.fixture
def copy(written: Path, tmp_path: Path) -> Path:
    """A copy of it to tamper with, at a path with a blank and Chinese characters."""
    folder = tmp_path / "发布 copy"
    shutil.copytree(written, folder)
    return folder


def run_verify(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the bundle's own check as an outsider would: isolated from this environment, in the C locale."""
    command = [sys.executable, "-I", "-S", str(folder / "verify.py"), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={"LANG": "C", "PYTHONUTF8": "1"})


def test_the_bundle_holds_every_file_and_only_the_manifests(written: Path) -> None:
    manifest = json.loads((written / "manifest.json").read_text("utf-8"))
    for name in FILES.split():
        assert (written / name).is_file(), name
    there = {path.relative_to(written).as_posix() for path in written.rglob("*") if path.is_file()}
    assert there == {*manifest["files"], "manifest.json", "signature", "notice.css"}
    assert manifest["release"]["release_id"] == "2025.1"
    assert [one["approver"] for one in manifest["approvals"]] == ["李评", "王签"]
    assert manifest["inputs"][0]["source_file"] == "登记.csv"
    assert (written.parent / "current").resolve() == written


def test_a_superseded_or_withdrawn_bundle_is_marked_and_still_verifies(house: Any) -> None:
    folders = []
    for reason in (None, "R2: again"):
        release = house.publish(house.ready(), reason)
        folders.append(bundle.write(house.engine, house.settings, release.release_id))
    first, second = (folder / bundle_check.NOTICE for folder in folders)
    assert "Superseded by 2025.2" in first.read_text("utf-8")
    assert second.read_bytes() == b""
    assert verify.verify_warehouse(house.engine, house.settings) == []
    withdrawals.withdraw(house.engine, "2025.2", "wrong accounts", "王签")
    assert notices.refresh(house.engine, house.settings) == ["2025.2"]
    assert first.read_bytes() == b""
    assert "Withdrawn" in second.read_text("utf-8")
    first.write_text(first.read_text("utf-8") + "body{display:none}", "utf-8")
    assert [one[:2] for one in bundle_check.check(folders[0])] == [("altered file", "notice.css")]


def test_writing_again_keeps_the_bundle_and_a_lost_one_comes_back_byte_by_byte(published: Any, written: Path) -> None:
    before = {path: path.read_bytes() for path in written.rglob("*") if path.is_file()}
    assert bundle.write(published.engine, published.settings, "2025.1") == written
    shutil.rmtree(written)
    bundle.write(published.engine, published.settings, "2025.1")
    assert {path: path.read_bytes() for path in written.rglob("*") if path.is_file()} == before
    assert not [path for path in written.parent.iterdir() if path.name.startswith(".")]


def test_its_own_check_and_openssl_accept_it(copy: Path) -> None:
    done = run_verify(copy)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Nothing was altered: release 2025.1" in done.stdout
    command = "openssl pkeyutl -verify -rawin -pubin -inkey public.pem -in manifest.json -sigfile signature"
    checked = subprocess.run(command.split(), cwd=copy, capture_output=True, text=True, check=False)
    assert "Verified Successfully" in checked.stdout


def test_every_changed_byte_is_found_and_the_file_named(copy: Path) -> None:
    for name in FILES.split():
        path = copy / name
        data = path.read_bytes()
        path.write_bytes(data[:-3] + bytes([data[-3] ^ 1]) + data[-2:])
        found = verify.verify_bundle(copy)
        assert any(name in finding.where or finding.where.startswith("manifest") for finding in found) or (
            name == "manifest.json" and found
        ), name
        path.write_bytes(data)
    assert verify.verify_bundle(copy) == []


def test_an_added_and_a_missing_file_are_found(copy: Path) -> None:
    (copy / "parks" / "P99.html").write_text("<p>a park</p>", "utf-8")
    (copy / "method.html").unlink()
    done = run_verify(copy)
    assert done.returncode == 6
    assert "ALTERED: added file: parks/P99.html" in done.stdout
    assert "ALTERED: missing file: method.html" in done.stdout


def test_a_changed_cell_is_named_even_when_the_manifest_was_adapted(copy: Path) -> None:
    path = copy / "ranking.data.csv"
    path.write_text(path.read_text("utf-8").replace(",not_assessed,", ",delisted,", 1), "utf-8", newline="")
    manifest = json.loads((copy / "manifest.json").read_text("utf-8"))
    manifest["files"]["ranking.data.csv"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (copy / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False), "utf-8")
    found = {(one.what, one.where) for one in verify.verify_bundle(copy)}
    assert ("signature does not fit", "signature") in found
    assert any(what == "altered cell" and where.endswith(" status") for what, where in found)


def test_a_key_or_a_head_from_elsewhere_is_compared(copy: Path) -> None:
    assert run_verify(copy, "--public-key", "00" * 32).returncode == 6
    done = run_verify(copy, "--head", "ab" * 32)
    assert done.returncode == 6
    assert "another head" in done.stdout


def test_what_is_no_bundle_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="not the bundle"):
        verify.verify_bundle(tmp_path)


def test_formulas_are_texts_for_spreadsheets_and_unchanged_for_machines(written: Path) -> None:
    safe = (written / "ranking.csv").read_bytes()
    assert safe.startswith(b"\xef\xbb\xbf")
    names = {row["park_code"]: row for row in csv.DictReader(safe.decode("utf-8-sig").splitlines())}
    data = {
        row["park_code"]: row for row in csv.DictReader((written / "ranking.data.csv").read_text("utf-8").splitlines())
    }
    assert data["P04"]["park_name_en"].startswith("=HYPERLINK")
    assert names["P04"]["park_name_en"].startswith("'=HYPERLINK")
    assert {row["rank_change"] for row in names.values()} == {row["rank_change"] for row in data.values()}
    assert any(row["rank_change"].startswith("-") for row in names.values())


def test_the_workbook_has_notes_and_typed_numbers_and_no_formula(published: Any, written: Path) -> None:
    book = CalamineWorkbook.from_path(written / "ranking.xlsx")
    assert book.sheet_names[:2] == ["Notes 说明", "park_ranking"]
    header, *rows = book.get_sheet_by_name("park_ranking").to_python()
    assert len(rows) == 22
    first = dict(zip(header, rows[0], strict=True))
    assert first["rank"] == 1
    assert isinstance(first["score"], float)
    assert any(str(cell).startswith("=HYPERLINK") for row in rows for cell in row)
    assert any("2025.1" in str(cell) for row in book.get_sheet_by_name("Notes 说明").to_python() for cell in row)


def test_the_parquet_file_has_the_published_decimals(published: Any, written: Path) -> None:
    table = pq.read_table(written / "ranking.parquet")
    assert str(table.schema.field("score").type) == "decimal128(20, 12)"
    scores = dict(zip(table["park_code"].to_pylist(), table["score"].to_pylist(), strict=True))
    served = published.sql("select park_code, score from serve.park_ranking_current")
    assert scores == {row.park_code: row.score for row in served}


def test_the_key_is_its_owners_alone(published: Any, written: Path) -> None:
    path = published.settings.home / "keys" / "signing.pem"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text().startswith("-----BEGIN PRIVATE KEY-----")


def test_an_altered_bundle_is_not_overwritten(released_house: Any) -> None:
    folder = bundle.write(released_house.engine, released_house.settings, "2025.1")
    (folder / "index.html").write_text("nothing", "utf-8")
    with pytest.raises(AlteredError, match=r"bundle of 2025\.1"):
        bundle.write(released_house.engine, released_house.settings, "2025.1")
    assert (folder / "index.html").read_text("utf-8") == "nothing"


def test_a_writer_that_dies_leaves_no_half_bundle(released_house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    releases = released_house.settings.releases
    with monkeypatch.context() as patched, pytest.raises(OSError, match="No space"):
        patched.setattr(bundle.signing, "public_hex", no_space_left)
        bundle.write(released_house.engine, released_house.settings, "2025.1")
    assert list(releases.iterdir()) == []
    (releases / ".2025.1.killed").mkdir()  # what a killed writer leaves
    folder = bundle.write(released_house.engine, released_house.settings, "2025.1")
    assert {path.name for path in releases.iterdir()} == {"2025.1", "current"}
    assert verify.verify_bundle(folder) == []


def no_space_left(*_: Any) -> str:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_what_is_served_is_compared_with_what_was_approved(released_house: Any) -> None:
    released_house.as_administrator(
        "publish.park_ranking", "update publish.park_ranking set rank = 1 where park_code = 'P07'"
    )
    with pytest.raises(AlteredError, match="not what was approved") as caught:
        bundle.write(released_house.engine, released_house.settings, "2025.1")
    assert "park_ranking P07 rank" in caught.value.where


# ----------------------------------------------------------------------------------------------------------- warehouse


def test_an_untouched_warehouse_is_unaltered(released_house: Any) -> None:
    bundle.write(released_house.engine, released_house.settings, "2025.1")
    released_house.cell("indicator_scores", "value", park_code="P03", indicator_code="B2")["value"] += 1
    released_house.publish(released_house.ready(), "C: typing error")
    bundle.write(released_house.engine, released_house.settings, "2025.2")
    assert verify.require_unaltered(released_house.engine, released_house.settings) == {"releases": 2, "altered": False}


def drop_candidate(house: Any) -> None:
    house.sql("drop schema cand_1__park_index cascade")


def write_bundle(house: Any) -> None:
    bundle.write(house.engine, house.settings, "2025.1")
    drop_candidate(house)


@pytest.mark.parametrize("original_in", [lambda house: None, write_bundle], ids=["candidate", "bundle"])
def test_an_administrators_change_is_named_by_its_cell(released_house: Any, original_in: Callable[[Any], None]) -> None:
    original_in(released_house)
    old = released_house.sql(
        "select value from publish.indicator_scores where park_code = 'P03' and indicator_code = 'B2'"
    )[0][0]
    released_house.as_administrator(
        "publish.indicator_scores",
        "update publish.indicator_scores set value = :new where park_code = 'P03' and indicator_code = 'B2'",
        new=old + Decimal("0.5"),
    )
    found = verify.verify_warehouse(released_house.engine, released_house.settings)
    assert [(one.what, one.where) for one in found] == [
        ("altered cell", "publish.indicator_scores 2025.1 P03/B2 value")
    ]
    assert found[0].detail.startswith(f"published {old.normalize():f}, now ")
    with pytest.raises(AlteredError, match="1 published record"):
        verify.require_unaltered(released_house.engine, released_house.settings)


@pytest.mark.parametrize(
    ("table", "statement", "what", "where"),
    [
        ("releases", "update publish.releases set reason = 'other'", "altered record", "publish.releases 2025.1"),
        ("releases", "update publish.releases set previous_sha256 = repeat('1', 64)", "broken chain", "2025.1"),
        ("approvals", "delete from publish.approvals where role = 'signatory'", "altered approvals", "2025-c1"),
        ("approvals", "update publish.approvals set approver = '甲' where role = 'evaluator'", "altered approvals", ""),
        ("candidates", "update publish.candidates set code_sha256 = 'x'", "altered record", "code_sha256"),
        ("data_quality", "update publish.data_quality set rows_rejected = 0", "altered", "data_quality"),
        ("park_status", "delete from publish.park_status where park_code = 'P02'", "altered cell", "P02 status"),
    ],
)
def test_every_kind_of_change_is_found(released_house: Any, table: str, statement: str, what: str, where: str) -> None:
    released_house.as_administrator(f"publish.{table}", statement)
    found = verify.verify_warehouse(released_house.engine, released_house.settings)
    assert any(what in one.what and where in one.where for one in found), found


def test_a_pointer_moved_by_hand_and_a_verdict_rewritten_are_found(released_house: Any) -> None:
    released_house.publish(released_house.ready(), "R2: again")
    released_house.sql("update publish.current set release_id = '2025.1'")
    released_house.as_administrator(
        "audit.gate_runs", "update audit.gate_runs set verdict = 'fail' where gate_run_id = 1"
    )
    found = verify.verify_warehouse(released_house.engine, released_house.settings)
    assert [one.what for one in found] == ["altered verdict", "altered record", "altered pointer"]
    assert found[1].where == "audit.gate_runs 1, on which release 2025.1 rests"
