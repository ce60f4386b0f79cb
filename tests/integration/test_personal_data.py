"""Personal fields: dropped or sealed at landing, found nowhere in clear, opened by name and purpose, erased."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

import delivered
from parkindex import contracts, pipeline
from parkindex.cli.__main__ import cli
from parkindex.contracts import Contract
from parkindex.errors import BadInputError, UsageError
from parkindex.privacy.sealing import ERASED, Sealer
from parkindex.raw import erasure, load, rejects, revealing
from parkindex.settings import DBT_PROJECT_DIR, Settings

WHEN = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
PERSON, PHONE = "欧阳金丝雀", "13900001111"
COVER = ["园区代码", "园区名称", "年度", "填报日期", "填报人", "联系电话"]


def report(path: Path, *covers: list[str]) -> Path:
    """A park's workbook with cover rows; the other sheets hold their headers and one row."""
    contract = contracts.load("park_reports")
    sheets: dict[str, Any] = {}
    for table in contract.tables:
        headers = [column.headers[0] for column in table.columns]
        sheets[str(table.sheet)] = [COVER, *covers] if table.name == "covers" else [headers, _row(table)]
    return delivered.workbook(path, sheets)


def _row(table: Any) -> list[str]:
    known = {"park_code": "P01", "year": "2025", "reported_date": "2026-01-04"}
    return [
        known.get(column.name)
        or (column.allowed[0] if column.allowed else "1" if column.logical_type != "string" else "x")
        for column in table.columns
    ]


def everything(settings: Settings) -> str:
    """Every row of every table of the warehouse, as one text."""
    parts = []
    with pipeline.engine_of(settings).connect() as connection:
        relations = connection.execute(
            text(
                "select format('%I.%I', nspname, relname) from pg_class"
                " inner join pg_namespace on relnamespace = pg_namespace.oid"
                " where relkind in ('r', 'm') and nspname not in ('pg_catalog', 'information_schema')"
                " and nspname not like 'pg_%' order by 1"
            )
        ).scalars()
        for relation in list(relations):
            found = connection.exec_driver_sql(f"select to_jsonb(one)::text from {relation} as one").scalars()
            parts += [f"{relation} {row}" for row in found]
    return "\n".join(parts)


@pytest.fixture
def landed(warehouse: Settings, tmp_path: Path) -> Settings:
    """A report with one good cover and one that is set aside, both with a person's name and telephone."""
    good = ["P01", "一园", "2025", "2026-01-04", PERSON, PHONE]
    bad = ["P02", "二园", "2025", "no day", PERSON, PHONE]
    path = report(tmp_path / "report.xlsx", good, bad)
    (batch,) = load.land(pipeline.engine_of(warehouse), warehouse, "park_reports", [path], received_at=WHEN)
    assert batch.status == "loaded", batch.reason
    return warehouse


def cover(settings: Settings) -> dict[str, Any]:
    with pipeline.engine_of(settings).connect() as connection:
        row = connection.execute(text("select * from raw.park_reports_covers_v1")).mappings().one()
        return dict(row)


def test_the_warehouse_holds_no_person_in_clear(landed: Settings) -> None:
    held = everything(landed)
    assert PERSON not in held and PHONE not in held and "sealed:1:" in held
    key = landed.keys / "personal.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert key.read_text("ascii")[:40] not in held
    sealer = Sealer(landed.keys)
    assert sealer.open(["reporter_name"], cover(landed)["reporter_name"]) == PERSON
    with pytest.raises(BadInputError, match="cannot be opened"):
        sealer.open(["reporter_phone"], cover(landed)["reporter_name"])


def test_columns_that_are_dropped_reach_no_table(warehouse: Settings) -> None:
    table = contracts.load("enterprise_registry").tables[0]
    personal = [column for column in table.columns if column.is_personal]
    assert [(column.name, column.at_landing) for column in personal] == [("legal_representative", "drop")]
    import polars as pl

    values = pl.DataFrame({"legal_representative": [PERSON, None], "enterprise_type": ["x", "y"]})
    assert [one.to_list() for one in Sealer(warehouse.keys).columns(table, values)] == [[None, None]]


def test_no_model_reads_a_personal_column() -> None:
    names = {
        column.name
        for contract in contracts.load_all().values()
        for table in contract.tables
        for column in table.columns
        if column.is_personal and column.name not in {"phone", "email", "team"}
    }
    assert names == {"legal_representative", "reporter_name", "reporter_phone"}
    for model in DBT_PROJECT_DIR.rglob("models/**/*.sql"):
        assert not names & set(re.findall(r"\w+", model.read_text("utf-8"))), model


def test_a_person_is_shown_masked_and_given_out_only_against_the_log(landed: Settings, tmp_path: Path) -> None:
    engine = pipeline.engine_of(landed)
    (listed,) = [one for one in rejects.list_rejects(engine) if one["table_name"] == "park_reports_covers_v1"]
    assert rejects.show(engine, listed["reject_id"])["original_row"]["填报人"] == "＊＊"
    rejects.export(engine, tmp_path / "r.csv", keys=landed.keys, by="张三")
    assert PERSON in (tmp_path / "r.csv").read_text("utf-8-sig")
    rejects.export(engine, tmp_path / "masked.csv")
    assert PERSON not in (tmp_path / "masked.csv").read_text("utf-8-sig")
    batch = listed["batch_id"]
    opened = revealing.reveal(engine, landed, "park_reports", batch, "李四", "ask about C1.2")
    assert [(one["reporter_name"], one["reporter_phone"]) for one in opened] == [(PERSON, PHONE)]
    for by, purpose in (("", "x"), ("李四", " ")):
        with pytest.raises(UsageError):
            revealing.reveal(engine, landed, "park_reports", batch, by, purpose)
    with engine.connect() as connection:
        log = connection.execute(text("select what, reader, rows_read from privacy.access_log order by 1")).all()
    assert [tuple(row) for row in log] == [("personal", "李四", 1), ("rejects", "张三", 1)]


def test_erasing_is_a_dry_run_first_and_leaves_the_evidence(landed: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = pipeline.engine_of(landed)
    monkeypatch.setenv("PARKINDEX_HOME", str(landed.home))
    monkeypatch.setenv("PARKINDEX_WAREHOUSE_URL", str(landed.own_warehouse_url))

    def call(*words: str) -> tuple[int, Any]:
        done = CliRunner().invoke(cli, [*words, "--json"])
        return done.exit_code, json.loads(done.stdout)

    before = cover(landed)
    with engine.connect() as connection:
        batch = connection.execute(text("select * from raw.batches")).mappings().one()
    number = str(batch["batch_id"])
    kept = landed.landing / batch["landing_path"]
    code, found = call("erase", "park_reports", "--batch", number)
    assert (code, found["applied"], found["deliveries"][0]["cells_in_raw"]) == (0, False, 2)
    assert found["deliveries"][0]["cells_in_rejects"] == 2 and kept.is_file() and cover(landed) == before
    # Rows set aside must be settled first: from erased bytes nobody could judge them again.
    words = ("erase", "park_reports", "--batch", number, "--apply", "--as", "王五", "--reason", "asked by the person")
    assert call(*words)[0] == 3
    for one in rejects.list_rejects(engine, only_open=True):
        rejects.close(engine, one["reject_id"], "王五", "not to come in")
    assert call(*words)[0] == 0
    after = cover(landed)
    assert (after["reporter_name"], after["reporter_phone"], kept.exists()) == (None, None, False)
    assert {name: cell for name, cell in after.items() if not name.startswith("reporter_")} == {
        name: cell for name, cell in before.items() if not name.startswith("reporter_")
    }
    with engine.connect() as connection:
        assert connection.execute(text("select * from raw.batches")).mappings().one() == batch
        told = connection.execute(text("select * from privacy.erasures")).mappings().one()
        rows = connection.execute(text("select original_row from raw.rejects")).scalars().all()
    assert (told["erased_by"], told["file_sha256"], told["cells_in_raw"], told["cells_in_rejects"]) == (
        "王五",
        batch["sha256"],
        2,
        2,
    )
    assert ERASED in {row.get("填报人") for row in rows} and "sealed:1:" not in json.dumps(rows)
    assert call("erase", "park_reports", "--batch", number)[0] == 3  # nothing is left to erase
    assert call("erase", "patents", "--batch", number)[0] == 3


def test_retention_finds_what_is_kept_too_long(landed: Settings) -> None:
    engine = pipeline.engine_of(landed)
    assert erasure.due(engine, landed, WHEN + timedelta(days=729)) == []
    (found,) = erasure.due(engine, landed, WHEN + timedelta(days=731))
    assert (found.feed, found.due_since) == ("park_reports", WHEN + timedelta(days=730))


@pytest.mark.parametrize(
    "statement",
    [
        "update raw.park_reports_covers_v1 set year = 2024",
        "update raw.park_reports_covers_v1 set reporter_name = 'x'",
        "delete from raw.park_reports_covers_v1",
        "truncate raw.park_reports_covers_v1",
        "update raw.rejects set original_row = '{}'",
        "update raw.rejects set original_row = json_build_object('园区代码', 'P09')",
    ],
)
def test_rows_of_feeds_are_changed_by_nobody(landed: Settings, statement: str) -> None:
    with pytest.raises(DBAPIError, match=r"append-only|keeps rows"), pipeline.engine_of(landed).begin() as connection:
        connection.execute(text(statement))


def test_a_contract_says_drop_or_seal_of_personal_texts_only(edited: Callable[..., Contract]) -> None:
    assert edited(("atLanding, value: seal", "atLanding, value: drop")).tables[0].column(
        "reporter_name"
    ).at_landing == ("drop")
    with pytest.raises(BadInputError, match="atLanding"):
        edited(("atLanding, value: seal", "atLanding, value: keep"))
    with pytest.raises(BadInputError, match="atLanding goes with"):
        edited(("        classification: personal\n", ""))


@pytest.fixture
def edited(tmp_path: Path) -> Callable[..., Contract]:
    """Function that loads the contract of the parks' reports with texts replaced."""

    def load_edited(*changes: tuple[str, str]) -> Contract:
        contract_text = (contracts.CONTRACTS_DIR / "park_reports.odcs.yaml").read_text("utf-8")
        for old, new in changes:
            assert old in contract_text
            contract_text = contract_text.replace(old, new)
        path = tmp_path / "park_reports.odcs.yaml"
        path.write_text(contract_text, "utf-8")
        return contracts.load_file(path)

    return load_edited
