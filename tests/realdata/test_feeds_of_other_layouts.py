"""Every real delivery that is a feed of a kind we read: landed through a contract, or refused by name (../shared/data).

The contracts stand here: they know the layouts of other providers, and none of their rows.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from contract_files import plain, server
from parkindex import contracts, pipeline
from parkindex.contracts import Contract
from parkindex.contracts.derive import ddl
from parkindex.landing.checks import CHECKS
from parkindex.raw import load
from parkindex.settings import PROJECT_ROOT, Settings

DATA = PROJECT_ROOT.parent / "shared" / "data"
RECEIVED = datetime(2025, 6, 30, tzinfo=UTC)
pytestmark = [pytest.mark.realdata, pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not here")]


class Landed:
    """One file, landed through one contract into a warehouse of its own."""

    def __init__(self, settings: Settings, contract: Contract, path: Path) -> None:
        self.engine = pipeline.engine_of(settings)
        with self.engine.begin() as connection:
            for statement in ddl(contract):
                connection.exec_driver_sql(statement)
        (self.batch,) = load.land(self.engine, settings, contract, [path], RECEIVED)
        self.table = contract.tables[0].raw_table
        if self.batch.status == "loaded":
            self.check_conserved()

    def check_conserved(self) -> None:
        batch = self.batch
        assert batch.rows_landed == (batch.rows_accepted or 0) + (batch.rows_rejected or 0) + (
            batch.rows_duplicate or 0
        )
        rejected = self.sql("select rule, original_row from raw.rejects")
        assert (len(self.rows), len(rejected)) == (batch.rows_accepted, batch.rows_rejected)
        assert all(one["rule"] in CHECKS and one["original_row"] for one in rejected)

    @property
    def rows(self) -> list[dict[str, Any]]:
        return self.sql(f"select * from raw.{self.table} order by _source_row")

    def sql(self, statement: str) -> list[dict[str, Any]]:
        with self.engine.connect() as connection:
            return [dict(row._mapping) for row in connection.execute(text(statement))]


@pytest.fixture
def landed(warehouse: Settings) -> Callable[[Contract, Path], Landed]:
    return lambda contract, path: Landed(warehouse, contract, path)


def records(path: Path, encoding: str, line_end: str = "\n") -> tuple[list[str], list[list[str]]]:
    """Return header and records of a CSV file, read by Python alone."""
    content = path.read_bytes().decode(encoding)
    header, *found = csv.reader(io.StringIO(content.replace("\r", "\n") if line_end == "\r" else content, newline=""))
    return header, [one for one in found if any(cell.strip() for cell in one)]


def layout(
    folder: Path, header: list[str], encoding: str = "UTF-8", sentinels: list[str] | None = None, **form: object
) -> Contract:
    """Return a contract that takes every named column of a header as text, keyed by all of them."""
    names = {f"c{place}": title for place, title in enumerate(header) if title.strip()}
    said = {"encodingSentinels": sentinels} if sentinels else {}
    forms = [server("file", "*.csv", "csv", encoding, **form)]
    return plain(folder, "layout", names, forms, key=list(names)[:30], **said)


LAYOUTS: Mapping[str, tuple[str, str, list[str] | None, dict[str, object]]] = {
    # file: encoding for Python, encoding in the contract, sentinels, what else the delivery form says
    "financing/crunchbase2013_companies_sample_CR.csv": ("mac-roman", "mac-roman", ["permalink"], {"lineEnds": "CR"}),
    "financing/crunchbase2013_rounds_sample_CR.csv": ("mac-roman", "mac-roman", ["permalink"], {"lineEnds": "CR"}),
    "financing/crunchbase2015_acquisitions_CHN.csv": ("utf-8", "UTF-8", None, {}),
    "financing/cbinsights_unicorns_china_2022.csv": ("utf-8", "UTF-8", None, {}),
    "financing/itjuzi_closed_companies_gb18030.csv": ("gb18030", "GB18030", ["com_name"], {}),
    "financing/sse_ipo_pipeline.csv": ("utf-8-sig", "UTF-8-BOM", ["公司名称"], {}),
    "patents/cn_appno_real_dev.csv": ("utf-8-sig", "UTF-8", None, {}),
    "talent/51job_2019_gb18030.csv": ("gb18030", "GB18030", ["职位"], {}),
    "talent/address_headcount_band.csv": ("utf-8", "UTF-8", ["原始地址"], {}),
    "talent/boss_shanghai_2024.csv": ("utf-8-sig", "UTF-8", None, {}),
    "talent/lagou_jobs_2017_repaired.csv": ("utf-8", "UTF-8", None, {}),
}


@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_a_delimited_file_lands_with_conservation(
    landed: Callable[[Contract, Path], Landed], tmp_path: Path, name: str
) -> None:
    encoding, declared, sentinels, form = LAYOUTS[name]
    header, expected = records(DATA / name, encoding, "\r" if "lineEnds" in form else "\n")
    made = landed(layout(tmp_path, header, declared, sentinels, **form), DATA / name)
    assert made.batch.status == "loaded", made.batch.reason
    assert made.batch.rows_landed == len(expected)
    assert made.batch.rows_duplicate == len(expected) - len({tuple(one) for one in expected})
    wanted = iter(expected)
    for row in made.rows:
        cells = [row.get(f"c{place}") or "" for place in range(len(header))]
        named = [place for place, title in enumerate(header) if title.strip()]
        assert any(
            len(one) >= len(named) and all(cells[place] == one[place].strip() for place in named) for one in wanted
        ), row["_source_row"]


def test_text_saved_after_a_wrong_reading_is_set_aside_or_repaired_as_declared(
    landed: Callable[[Contract, Path], Landed], make_warehouse: Callable[[], Settings], tmp_path: Path
) -> None:
    mojibake = DATA / "talent" / "lagou_jobs_2017_mojibake.csv"
    header, expected = records(DATA / "talent" / "lagou_jobs_2017_repaired.csv", "utf-8")
    undeclared = landed(layout(tmp_path, header), mojibake)
    assert undeclared.batch.rows_landed == len(expected)
    assert undeclared.sql("select count(*) from raw.rejects where rule <> 'text.mojibake'")[0]["count"] == 0
    limited = layout(tmp_path, header)
    assert not [row for row in undeclared.rows if any("Ã" in str(cell) or "º£" in str(cell) for cell in row.values())]
    assert limited.feed == "layout"

    declared = layout(tmp_path, header, "GB18030", ["companyFullName"], misreadAs="latin-1")
    repaired = Landed(make_warehouse(), declared, mojibake)
    assert "repaired as declared" in str(repaired.batch.reason)
    right = Landed(make_warehouse(), layout(tmp_path, header), DATA / "talent" / "lagou_jobs_2017_repaired.csv")
    assert [row["_row_sha256"] for row in repaired.rows] == [row["_row_sha256"] for row in right.rows]
    assert repaired.batch.rows_landed == right.batch.rows_landed == len(expected)


JSON_FILES = {
    "registration/qcc_api_certificates.json": {},
    "registration/qcc_api_company.json": {"items": "$"},
    "registration/formats/上海_1988.json": {"items": "erDataList"},
    "patents/qcc_api_patents.json": {},
    "patents/wanfang_dev.json": {},
    "financing/qcc_api_rounds.json": {},
    "talent/qcc_api_jobs.json": {},
}


@pytest.mark.parametrize("name", sorted(JSON_FILES))
def test_a_json_document_lands_with_conservation(
    landed: Callable[[Contract, Path], Landed], tmp_path: Path, name: str
) -> None:
    document = json.loads((DATA / name).read_text("utf-8-sig"))
    items = document
    if JSON_FILES[name].get("items") == "$":
        items = [document]
    elif JSON_FILES[name]:
        items = document[JSON_FILES[name]["items"]]
    keys = list(dict.fromkeys(key for item in items for key in item))
    columns = {f"c{place}": key for place, key in enumerate(keys)}
    forms = [server("file", "*.json", "json", **JSON_FILES[name])]
    made = landed(plain(tmp_path, "layout", columns, forms, key=list(columns)[:30]), DATA / name)
    assert made.batch.status == "loaded", made.batch.reason
    assert made.batch.rows_landed == len(items)
    assert made.batch.rows_accepted == len({json.dumps(item, sort_keys=True) for item in items})
    for row in made.rows:
        item = items[row["_source_row"] - 1]
        for name_of, key in columns.items():
            if isinstance(item.get(key), str):
                assert (row[name_of] or "") == item[key].strip()


REGISTRY = {
    "enterprise_name": ("企业名称", "name"),
    "uscc": ("统一社会信用代码", "code"),
    "registered_date": ("注册日期", "registrationDay"),
    "capital": ("注册资金", "capital"),
    "business": ("经营范围", "businessScope"),
    "address": ("注册地址", "address"),
}


def test_one_register_in_two_formats_gives_the_same_rows(
    landed: Callable[[Contract, Path], Landed], make_warehouse: Callable[[], Settings], tmp_path: Path
) -> None:
    def contract(place: int, form: dict[str, object]) -> Contract:
        columns = {name: {"header": headers[place]} for name, headers in REGISTRY.items()}
        columns["registered_date"] |= {"logicalType": "date", "physicalType": "date"}
        columns["uscc"]["customProperties"] = [
            {"property": "check", "value": "uscc"},
            {"property": "matchKey", "value": "identifier"},
        ]
        columns["capital"]["customProperties"] = [{"property": "parse", "value": "money_text"}]
        return plain(tmp_path, "register", columns, [form], key=["uscc"], onUnknownColumn="evolve")

    folder = DATA / "registration" / "formats"
    old = landed(contract(0, server("xls", "*.xls", "xls")), folder / "上海_1988.xls")
    made = Landed(
        make_warehouse(), contract(1, server("json", "*.json", "json", items="erDataList")), folder / "上海_1988.json"
    )
    assert old.batch.rows_landed == made.batch.rows_landed == 424
    compared = ("enterprise_name", "uscc", "registered_date", "capital_amount", "capital_currency", "address")

    def values(one: Landed) -> set[tuple[Any, ...]]:
        return {tuple(row[name] for name in compared) for row in one.rows}

    assert values(old) == values(made)
    assert (old.batch.rows_accepted or 0) > 400


@pytest.mark.parametrize(
    ("name", "form", "rule"),
    [
        ("registration/qcc_daily_dev.txt", "jsonl", "file.format"),  # Python's own notation, no JSON
        ("patents/cnki_citations_dev.txt", "jsonl", "file.format"),
        ("financing/itjuzi_closed_companies_gb18030.csv", "csv", "file.encoding"),
        ("talent/51job_2019_gb18030.csv", "csv", "file.encoding"),
    ],
)
def test_what_is_not_what_was_declared_is_refused(
    landed: Callable[[Contract, Path], Landed], tmp_path: Path, name: str, form: str, rule: str
) -> None:
    forms = [server("file", "*", form)]
    made = landed(plain(tmp_path, "layout", {"code": "代码"}, forms, key=["code"]), DATA / name)
    assert made.batch.status == "refused"
    assert str(made.batch.reason).startswith(f"{rule}: ")


def foreign() -> Iterator[Path]:
    yield from sorted((DATA / "patents" / "uspto_xml").glob("*.xml"))
    yield from sorted((DATA / "patents" / "epo_ops").glob("*.xml"))


@pytest.mark.parametrize("path", list(foreign()), ids=lambda path: path.name)
def test_documents_of_other_offices_are_refused_by_name(warehouse: Settings, path: Path) -> None:
    (batch,) = load.land(pipeline.engine_of(warehouse), warehouse, contracts.load("patents"), [path], RECEIVED)
    assert batch.status == "refused"
    assert str(batch.reason).split(":")[0] in ("file.format", "file.xml_forbidden")
