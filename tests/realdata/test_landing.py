"""Real deliveries, whole: counted independently, and every record accounted for (needs ../shared/data)."""

from __future__ import annotations

import csv
import gzip
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sqlalchemy import text

from parkindex import pipeline
from parkindex.landing.checks import CHECKS
from parkindex.raw import codes, load
from parkindex.raw.load import Batch
from parkindex.settings import PROJECT_ROOT, Settings

DATA = PROJECT_ROOT.parent / "shared" / "data"
RECEIVED = datetime(2025, 6, 30, tzinfo=UTC)
pytestmark = [pytest.mark.realdata, pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not here")]


def land(settings: Settings, feed: str, *paths: Path) -> list[Batch]:
    return load.land(pipeline.engine_of(settings), settings, feed, list(paths), RECEIVED)


def query(settings: Settings, statement: str) -> list[dict[str, Any]]:
    with pipeline.engine_of(settings).connect() as connection:
        return [dict(row._mapping) for row in connection.execute(text(statement))]


def records_of(stream: Iterator[str]) -> tuple[int, int]:
    """Return how many records a CSV file has below its header, and how many of them repeat an earlier one."""
    _, *records = [tuple(record) for record in csv.reader(stream) if any(cell.strip() for cell in record)]
    return len(records), len(records) - len(set(records))


def check_conserved(settings: Settings, batch: Batch, table: str, landed: int, repeated: int) -> None:
    """Hold a batch against an independent count of its file and against what is in the tables."""
    accepted = query(settings, f"select count(*) from raw.{table} where _batch_id = {batch.batch_id}")[0]["count"]
    rejected = query(settings, f"select rule, original_row from raw.rejects where batch_id = {batch.batch_id}")
    assert batch.status == "loaded"
    assert (batch.rows_landed, batch.rows_duplicate) == (landed, repeated)
    assert (batch.rows_accepted, batch.rows_rejected) == (accepted, len(rejected))
    assert landed == accepted + len(rejected) + repeated
    assert all(reject["rule"] in CHECKS and reject["original_row"] for reject in rejected)


def test_the_public_registration_file(warehouse: Settings) -> None:
    path = DATA / "registration" / "sh_reg_dev.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
        landed, repeated = records_of(stream)
    with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
        original = {record["统一社会信用代码"]: record for record in csv.DictReader(stream)}
    (batch,) = land(warehouse, "enterprise_registry", path)
    check_conserved(warehouse, batch, "enterprise_registry_v1", landed, repeated)

    rows = query(warehouse, "select * from raw.enterprise_registry_v1")
    assert len(rows) > 28_000
    for row in rows:
        cells = original[row["uscc"]]
        assert row["enterprise_name"] == cells["企业名称"].strip()
        assert str(row["registered_date"]) == str(row["effective_date"]) == cells["注册日期"]
        assert row["enterprise_type"] == (None if cells["企业类型"] == "N/A" else cells["企业类型"].strip())
        # What this layout does not say is no data, never a default.
        assert row["industry_code"] is row["status"] is row["longitude"] is row["ended_date"] is None
        if row["registered_capital"] is None:
            assert cells["注册资金"].strip() in ("N/A", "-", "")
            assert row["registered_capital_amount"] is None
    currencies = {row["registered_capital_currency"] for row in rows}
    assert currencies >= {"CNY", "USD", "JPY", "EUR", "HKD", "DEM", "FRF"}
    written = {row["registered_capital"]: row for row in rows if row["registered_capital_currency"] == "CNY"}
    plain = next(text for text in written if text.endswith("(万元人民币)") and "." not in text)
    number = int(plain.removesuffix("(万元人民币)").replace(",", ""))
    assert written[plain]["registered_capital_amount"] == number * 10_000


def test_the_same_registrations_in_gb18030_give_the_same_rows(warehouse: Settings, tmp_path: Path) -> None:
    source = DATA / "registration" / "sh_reg_dev.csv.gz"
    copy = tmp_path / "shanghai_gb18030.csv"
    copy.write_bytes(gzip.decompress(source.read_bytes()).decode("utf-8").encode("gb18030"))
    first, second = land(warehouse, "enterprise_registry", source, copy)
    assert (first.rows_landed, first.rows_accepted) == (second.rows_landed, second.rows_accepted)
    differing = query(
        warehouse,
        "select count(*) from raw.enterprise_registry_v1 a join raw.enterprise_registry_v1 b "
        f"using (_source_row, _row_sha256) where a._batch_id = {first.batch_id} and b._batch_id = {second.batch_id}",
    )
    assert differing[0]["count"] == first.rows_accepted


def test_the_gazette_documents_agree_with_an_extraction_by_hand(warehouse: Settings, tmp_path: Path) -> None:
    folder = DATA / "patents" / "cnipa_xml"
    documents = sorted(folder.glob("*.xml"))
    with (folder / "expected.csv").open(encoding="utf-8", newline="") as stream:
        expected = {record["file"]: record for record in csv.DictReader(stream)}
    assert len(expected) == len(documents) == 3
    for batch in land(warehouse, "patents", *documents):
        check_conserved(warehouse, batch, "patents_v1", 1, 0)
    for row in query(warehouse, "select * from raw.patents_v1"):
        wanted = expected[row["_source_file"]]
        found = {
            "pub": row["publication_number"],
            "kind": row["kind"],
            "pubdate": f"{row['publication_date']:%Y%m%d}",
            "app": row["application_number"],
            "appdate": f"{row['application_date']:%Y%m%d}",
            "applicant": row["first_applicant_name"],
            "addr": row["first_applicant_address"],
            "ipc": row["ipc_codes"],
            "title": row["title"],
            "file": row["_source_file"],
        }
        assert found == {**wanted, "ipc": "".join(wanted["ipc"].split())}

    archive = tmp_path / "gazette.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for document in [*documents, documents[0]]:
            name = document.name if document.name not in packed.namelist() else "again.xml"
            packed.write(document, name)
    (batch,) = land(warehouse, "patents", archive)
    check_conserved(warehouse, batch, "patents_v1", 4, 1)


def test_real_application_numbers_pass_but_for_a_typing_error() -> None:
    with (DATA / "patents" / "cn_appno_real_dev.csv").open(encoding="utf-8-sig", newline="") as stream:
        records = list(csv.DictReader(stream))
    numbers = [record["application_number"] for record in records]
    found = codes.application_number_faults(pl.Series(numbers))
    assert found["patent.number_shape"].sum() == 0
    valid = [record["valid"] == "True" for record in records]
    assert (~found["patent.check_digit"]).to_list() == valid
    assert valid.count(False) == 1  # a typing error in a published list


COMPANY = [
    "公司名称",
    "工商名称",
    "公司网址",
    "成立时间",
    "地点",
    "运营状态",
    "行业",
    "子行业",
    "融资总额",
    "估值",
    "公司简介",
]


def companies_and_rounds(path: Path) -> dict[int, dict[str, str]]:
    """Read the export by hand: line → cells; a record without a company belongs to the company above it."""
    found: dict[int, dict[str, str]] = {}
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream)
        header = next(reader)
        line, company = reader.line_num + 1, dict.fromkeys(header, "")
        for cells in reader:
            record = dict(zip(header, cells, strict=True))
            if record["公司名称"].strip():
                company = record
            found[line] = record | {name: record[name].strip() or company[name] for name in COMPANY}
            line = reader.line_num + 1
    return found


def test_the_financing_export(warehouse: Settings) -> None:
    path = DATA / "financing" / "itjuzi_export.csv"
    expected = companies_and_rounds(path)
    repeated = len(expected) - len({tuple(record.values()) for record in expected.values()})
    (batch,) = land(warehouse, "financing_rounds", path)
    check_conserved(warehouse, batch, "financing_rounds_v1", len(expected), repeated)
    rows = query(warehouse, "select * from raw.financing_rounds_v1")
    assert len({row["brand_name"] for row in rows}) > 250
    for row in rows:
        record = expected[row["_source_row"]]
        assert row["brand_name"] == record["公司名称"].strip()
        assert (row["enterprise_name"] or "-") == (record["工商名称"].strip() or "-")
        assert (str(row["round_date"]) if row["round_date"] else "-") == record["融资时间"].strip()
        assert (row["round"] or "-") == record["轮次"].strip()
        if row["amount_amount"] is not None:
            assert record["融资金额"][0].isdigit()
            assert row["amount_currency"] == ("USD" if record["融资金额"].endswith("美元") else "CNY")
        else:
            assert not record["融资金额"][0].isdigit()
    millions = next(row for row in rows if row["amount"] == "1亿人民币")
    assert millions["amount_amount"] == 100_000_000
