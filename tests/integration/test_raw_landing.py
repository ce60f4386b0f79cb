"""Landing into a real Postgres: conservation, twice, races, refusals, contradictions, and nothing half loaded."""

from __future__ import annotations

import csv
import json
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook
from sqlalchemy import text

from contract_files import small
from parkindex import contracts, pipeline
from parkindex.contracts.derive import ddl
from parkindex.errors import BadInputError, ServiceDownError, UsageError
from parkindex.raw import codes, inbox, load, rejects, status
from parkindex.settings import Settings

HEADER = ["代码", "注册日期", "名称", "店主", "类别", "面积", "座位", "已占", "资本"]
GOOD = ["A-1", "2020-02-29", "茶馆", "王小明", "茶", "12.50", "10", "3", "5万元"]
WHEN = datetime(2025, 3, 1, 8, 30, tzinfo=UTC)


@pytest.fixture
def shops(warehouse: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A warehouse that has one feed only: the small contract of the tests."""
    folder = tmp_path / "contracts"
    folder.mkdir()
    contract = small(folder)
    monkeypatch.setattr(contracts, "load", lambda feed: contract)
    monkeypatch.setattr(contracts, "load_all", lambda: {"shops": contract})
    with pipeline.engine_of(warehouse).begin() as connection:
        for statement in ddl(contract):
            connection.exec_driver_sql(statement)
    return warehouse


def deliver(path: Path, *rows: list[str], header: list[str] = HEADER) -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([header, *rows])
    return path


def changed(**cells: str) -> list[str]:
    return list((dict(zip(HEADER, GOOD, strict=True)) | cells).values())


def land(settings: Settings, *paths: Path, received_at: datetime | None = WHEN) -> list[load.Batch]:
    return load.land(pipeline.engine_of(settings), settings, "shops", list(paths), received_at)


def query(settings: Settings, statement: str) -> list[dict[str, Any]]:
    with pipeline.engine_of(settings).connect() as connection:
        return [dict(row._mapping) for row in connection.execute(text(statement))]


def test_every_record_is_a_row_a_reject_or_a_repetition(shops: Settings, tmp_path: Path) -> None:
    rows = [
        GOOD,
        changed(代码="B"),
        changed(代码="B"),
        changed(代码="C", 类别="花", 已占="99"),
        changed(代码="D", 店主="李4"),
    ]
    path = deliver(tmp_path / "门店 一.csv", *rows, ["", " ", "", "", "", "", "", "", ""])
    (batch,) = land(shops, path)
    assert (batch.status, batch.rows_landed, batch.rows_accepted, batch.rows_rejected, batch.rows_duplicate) == (
        "loaded", 5, 2, 2, 1,
    )  # fmt: skip
    stored = query(shops, "select * from raw.shops_v1 order by _source_row")
    assert [(row["code"], row["code_key"], row["_source_row"]) for row in stored] == [("A-1", "A1", 2), ("B", "B", 3)]
    assert stored[0]["capital_amount"] == 50_000
    assert stored[0]["opened"] == stored[0]["registered"]
    assert {(row["_source_file"], row["_known_at"], row["_batch_id"]) for row in stored} == {
        ("门店 一.csv", WHEN, batch.batch_id)
    }
    first, second = query(shops, "select * from raw.rejects order by source_row")
    assert (first["source_row"], first["column_name"], first["rule"], first["value"]) == (5, "kind", "value.enum", "花")
    assert [one["rule"] for one in first["details"]] == ["value.enum", "compare.at_most"]
    assert first["original_row"]["名称"] == "茶馆"
    assert (second["column_name"], second["value"]) == ("owner", "李＊＊")
    assert "李4" not in json.dumps(second["details"], ensure_ascii=False)
    (recorded,) = query(shops, "select * from raw.batches")
    assert (recorded["delivery"], recorded["received_at"], recorded["size_bytes"]) == (
        "plain",
        WHEN,
        path.stat().st_size,
    )
    assert (shops.landing / recorded["landing_path"]).read_bytes() == path.read_bytes()


@hypothesis_settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["A", "B", "", "C"]),
            st.sampled_from(["2020-01-01", "2020-13-01", ""]),
            st.sampled_from(["茶馆", "茶\x00馆", '"引"\n号', "\\.", "x"]),
            st.sampled_from(["王", "王1"]),
            st.sampled_from(["茶", "书", "花", ""]),
            st.sampled_from(["1", "1.50", "-", "0", "1.234"]),
            st.sampled_from(["10", "-1"]),
            st.sampled_from(["3", "11", ""]),
            st.sampled_from(["5万元", "数万", ""]),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_conservation_of_any_file(shops: Settings, tmp_path: Path, records: list[tuple[str, ...]]) -> None:
    number = len(list(tmp_path.glob("any-*.csv")))
    path = deliver(tmp_path / f"any-{number}.csv", *(list(record) for record in records))
    batch = land(shops, path)[0]
    if batch.status == "already_landed":
        return
    assert batch.rows_landed == len(records)
    assert batch.rows_duplicate == len(records) - len(set(records))
    counted = query(
        shops,
        f"select (select count(*) from raw.shops_v1 where _batch_id = {batch.batch_id}) as accepted, "
        f"(select count(*) from raw.rejects where batch_id = {batch.batch_id}) as rejected",
    )[0]
    assert (batch.rows_accepted, batch.rows_rejected) == (counted["accepted"], counted["rejected"])
    assert batch.rows_landed == counted["accepted"] + counted["rejected"] + batch.rows_duplicate


def test_the_same_bytes_are_loaded_once_whatever_their_name(shops: Settings, tmp_path: Path) -> None:
    (first,) = land(shops, deliver(tmp_path / "a.csv", GOOD))
    (again,) = land(shops, deliver(tmp_path / "b.csv", GOOD))
    assert (again.status, again.batch_id, again.rows_accepted) == ("already_landed", first.batch_id, 1)
    assert again.reason == f"already landed as batch {first.batch_id} (a.csv)"
    assert len(query(shops, "select from raw.shops_v1")) == 1


def test_two_loaders_that_race_load_once(shops: Settings, tmp_path: Path) -> None:
    rows = [changed(代码=f"R{number}") for number in range(2_000)]
    path = deliver(tmp_path / "race.csv", *rows)
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: land(shops, path)[0], range(4)))
    assert Counter(batch.status for batch in made) == {"loaded": 1, "already_landed": 3}
    assert len({batch.batch_id for batch in made}) == 1
    assert query(shops, "select count(*) from raw.shops_v1")[0]["count"] == 2_000


def test_contradicting_rows_are_all_set_aside_in_whatever_order(shops: Settings, tmp_path: Path) -> None:
    rows = [
        GOOD,
        changed(代码="a１", 面积="13"),
        changed(代码="B"),
        changed(代码="C"),
        changed(代码="C", 注册日期="2021-01-01"),
    ]
    for name, lines in (("one.csv", rows), ("other.csv", rows[::-1])):
        (batch,) = land(shops, deliver(tmp_path / name, *lines))
        assert (batch.rows_landed, batch.rows_accepted, batch.rows_rejected) == (5, 3, 2)
        kept = query(shops, f"select code from raw.shops_v1 where _batch_id = {batch.batch_id} order by 1")
        assert [row["code"] for row in kept] == ["B", "C", "C"]
    found = query(shops, "select * from raw.rejects where batch_id = 1 order by source_row")
    assert [(row["source_row"], row["rule"], row["value"]) for row in found] == [
        (2, "key.contradicted", "A-1"),
        (3, "key.contradicted", "a１"),
    ]
    assert found[1]["original_row"]["面积"] == "13"


def test_contradictions_are_found_across_blocks(
    shops: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("parkindex.landing.delimited.read.__kwdefaults__", {"block_bytes": 200})
    rows = [changed(代码=f"K{number % 40}", 面积=str(1 + number // 40)) for number in range(80)]
    rows += [changed(代码="K0", 面积="1"), changed(代码="Z")]
    (batch,) = land(shops, deliver(tmp_path / "blocks.csv", *rows))
    assert (batch.rows_landed, batch.rows_accepted, batch.rows_rejected, batch.rows_duplicate) == (82, 1, 80, 1)


@pytest.mark.parametrize(
    ("name", "content", "rule"),
    [
        ("empty.csv", b"", "file.empty"),
        ("header.csv", ",".join(HEADER).encode() + b"\n", "file.empty"),
        ("gb.csv", ",".join(HEADER).encode("gb18030") + b"\n", "file.encoding"),
        ("shop.pdf", b"%PDF", "file.delivery"),
        ("shop.xlsx", b"PK\x03\x04 no", "file.archive"),
        ("shop.csv", "代码,颜色\nA,红\n".encode(), "file.column_unknown"),
        ("late_gb.csv", "代码\nA\n".encode("gb18030") * 1 + b"\xff\xff\n", "file.encoding"),
    ],
)
def test_a_refused_file_leaves_its_reason_and_its_bytes_and_nothing_else(
    shops: Settings, tmp_path: Path, name: str, content: bytes, rule: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    (batch,) = land(shops, path)
    assert batch.status == "refused"
    assert str(batch.reason).startswith(f"{rule}: ")
    assert batch.rows_landed is None
    assert query(shops, "select from raw.shops_v1") == query(shops, "select from raw.rejects") == []
    (recorded,) = query(shops, "select * from raw.batches")
    assert (recorded["status"], recorded["reason"]) == ("refused", batch.reason)
    assert (shops.landing / recorded["landing_path"]).read_bytes() == content
    assert land(shops, path)[0].batch_id == batch.batch_id
    assert len(query(shops, "select from raw.batches")) == 1


def test_a_failure_in_the_middle_leaves_nothing_and_the_next_try_succeeds(
    shops: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("parkindex.landing.delimited.read.__kwdefaults__", {"block_bytes": 200})
    path = deliver(tmp_path / "a.csv", *(changed(代码=f"M{number}") for number in range(50)))
    copied = load.Loader.copy_rows

    def fail(self: load.Loader, *arguments: Any) -> None:
        copied(self, *arguments)
        if self.counts.accepted > 10:
            raise psycopg.errors.DiskFull("could not extend file: No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(load.Loader, "copy_rows", fail)
        with pytest.raises(ServiceDownError, match="nothing of it was loaded") as caught:
            land(shops, path)
    assert "No space left" in caught.value.why
    for table in ("shops_v1", "batches", "rejects"):
        assert query(shops, f"select from raw.{table}") == []
    assert land(shops, path)[0].rows_accepted == 50


def put(shops: Settings, name: str, moment: datetime, *rows: list[str]) -> Path:
    folder = shops.inbox / "shops"
    folder.mkdir(parents=True, exist_ok=True)
    path = deliver(folder / name, *(rows or (changed(代码=name),)))
    os.utime(path, (moment.timestamp(), moment.timestamp()))
    return path


def test_the_inbox_is_landed_oldest_first_at_the_files_own_times(shops: Settings) -> None:
    for name, day in (("b.csv", 2), ("a.csv", 3), (".part.csv", 1)):
        put(shops, name, WHEN + timedelta(days=day))
    engine = pipeline.engine_of(shops)
    assert [path.name for path in inbox.not_landed(engine, shops, "shops")] == ["b.csv", "a.csv"]
    made = inbox.land(engine, shops, "shops")
    assert [batch.file for batch in made] == ["b.csv", "a.csv"]
    times = query(shops, "select source_file, received_at from raw.batches order by batch_id")
    assert [row["received_at"] for row in times] == [WHEN + timedelta(days=2), WHEN + timedelta(days=3)]
    assert inbox.not_landed(engine, shops, "shops") == []
    assert [batch.status for batch in inbox.land(engine, shops, "shops")] == ["already_landed"] * 2
    assert inbox.land(engine, shops, "nothing") == []


def test_a_range_of_days_is_that_of_shanghai_and_only_its_files_are_landed(shops: Settings) -> None:
    engine = pipeline.engine_of(shops)
    # 16:30 UTC is half past midnight of the next day.
    for day in (1, 2, 3):
        put(shops, f"{day}.csv", datetime(2025, 3, day, 16, 30, tzinfo=UTC))
    assert [path.name for path in inbox.not_landed(engine, shops, "shops", date(2025, 3, 3), date(2025, 3, 4))] == [
        "2.csv",
        "3.csv",
    ]
    assert [path.name for path in inbox.not_landed(engine, shops, "shops", until=date(2025, 3, 2))] == ["1.csv"]
    assert [batch.file for batch in inbox.land(engine, shops, "shops", ["2.csv"])] == ["2.csv"]
    with pytest.raises(BadInputError, match="not in the inbox any more") as caught:
        inbox.land(engine, shops, "shops", ["1.csv", "gone.csv"])
    assert caught.value.where.endswith("gone.csv")
    assert [path.name for path in inbox.not_landed(engine, shops, "shops")] == ["1.csv", "3.csv"]


def test_what_waits_is_what_nothing_was_done_with_and_is_at_rest(
    shops: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = pipeline.engine_of(shops)
    put(shops, "good.csv", WHEN)
    put(shops, "bad.csv", WHEN).write_bytes(b"\xff\xfe\xfa")
    os.utime(shops.inbox / "shops" / "bad.csv", (WHEN.timestamp(), WHEN.timestamp()))
    put(shops, "growing.csv", datetime.now(UTC))

    def waiting(seconds: int) -> list[str]:
        return [path.name for path in inbox.waiting(engine, shops, "shops", timedelta(seconds=seconds))]

    assert waiting(3600) == ["bad.csv", "good.csv"]
    assert waiting(0) == ["bad.csv", "good.csv", "growing.csv"]
    assert [one.status for one in inbox.land(engine, shops, "shops", ["good.csv", "bad.csv"])] == ["refused", "loaded"]
    assert waiting(3600) == []
    # The same bytes under another name and at another time were dealt with.
    put(shops, "copy.csv", WHEN + timedelta(days=1)).write_bytes((shops.inbox / "shops" / "good.csv").read_bytes())
    os.utime(shops.inbox / "shops" / "copy.csv", (WHEN.timestamp() + 5, WHEN.timestamp() + 5))
    assert waiting(3600) == []
    # A contract that was put right asks for the refused file again.
    contract = replace(contracts.load("shops"), sha256="0" * 64)
    monkeypatch.setattr(contracts, "load", lambda feed: contract)
    assert waiting(3600) == ["bad.csv"]


def test_a_path_that_is_no_file_lands_nothing(shops: Settings, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="no such file"):
        land(shops, deliver(tmp_path / "a.csv", GOOD), tmp_path / "missing.csv")
    assert query(shops, "select from raw.batches") == []


def test_status_says_who_what_and_how_late(shops: Settings, tmp_path: Path) -> None:
    engine = pipeline.engine_of(shops)
    assert status.feeds(engine, shops)[0]["late_days"] is None
    land(shops, deliver(tmp_path / "a.csv", GOOD, changed(类别="花", 代码="B")))
    empty = tmp_path / "e.csv"
    empty.write_bytes(b"")
    land(shops, empty)
    (row,) = status.feeds(engine, shops, at=WHEN + timedelta(days=40))
    assert (row["feed"], row["owner"], row["frequency"]) == ("shops", "shop-desk", "P12M")
    assert (row["batches"], row["refused"], row["rows_landed"], row["rows_rejected"]) == (1, 1, 2, 1)
    assert row["late_days"] == 10
    # Midnight in Shanghai, not in Greenwich, ends a day.
    assert status.feeds(engine, shops, at=datetime(2025, 3, 1, 17, 0, tzinfo=UTC))[0]["late_days"] == 1 - 30


def test_rejects_are_listed_shown_masked_and_exported_whole(shops: Settings, tmp_path: Path) -> None:
    rows = [changed(类别="花", 店主="=王小明"), [*GOOD, "多"], changed(代码="C", 面积="x")]
    (batch,) = land(shops, deliver(tmp_path / "a.csv", *rows))
    engine = pipeline.engine_of(shops)
    assert rejects.count(engine) == rejects.count(engine, feed="shops", batch_id=batch.batch_id) == 3
    assert rejects.count(engine, rule="value.enum") == 1
    assert rejects.count(engine, feed="other") == 0
    listed = rejects.list_rejects(engine, limit=2)
    assert [row["source_row"] for row in listed] == [2, 3]
    shown = rejects.show(engine, listed[0]["reject_id"])
    assert (shown["original_row"]["店主"], shown["original_row"]["名称"]) == ("＊＊", "茶馆")
    shifted = rejects.show(engine, listed[1]["reject_id"])["original_row"]
    assert (shifted["名称"], shifted["店主"], shifted["#10"]) == ("茶馆", "＊＊", "＊＊")
    with pytest.raises(BadInputError, match="no reject"):
        rejects.show(engine, 999)

    assert rejects.export(engine, tmp_path / "out" / "r.csv", feed="shops", keys=shops.keys) == 3
    with (tmp_path / "out" / "r.csv").open(encoding="utf-8-sig", newline="") as stream:
        lines = list(csv.DictReader(stream))
    assert (lines[0]["店主"], lines[0]["rule"], lines[1]["#10"]) == ("'=王小明", "value.enum", "多")
    assert rejects.export(engine, tmp_path / "r.xlsx", rule="type.number") == 1
    book = CalamineWorkbook.from_path(str(tmp_path / "r.xlsx")).get_sheet_by_name("rejects").to_python()
    assert book[1][4:9] == ["4", "area", "type.number", "不是十进制数", "no decimal number"]
    with pytest.raises(UsageError):
        rejects.export(engine, tmp_path / "r.pdf")


def test_a_minor_version_adds_a_column_and_a_breaking_change_is_refused(
    shops: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = pipeline.engine_of(shops)
    land(shops, deliver(tmp_path / "a.csv", GOOD))
    added = "      - {name: colour, logicalType: string, physicalType: text}\nslaProperties"
    grown = small(tmp_path, ("slaProperties", added))
    monkeypatch.setattr(contracts, "load_all", lambda: {"shops": grown})
    load.create_tables(engine)
    monkeypatch.setattr(contracts, "load", lambda feed: grown)
    land(shops, deliver(tmp_path / "b.csv", [*GOOD, "红"], header=[*HEADER, "colour"]))
    assert [row["colour"] for row in query(shops, "select colour from raw.shops_v1 order by _batch_id")] == [None, "红"]
    for change in (("numeric(6,2)", "numeric(8,2)"), ("name: owner\n", "name: keeper\n")):
        broken = small(tmp_path, ("slaProperties", added), change)
        monkeypatch.setattr(contracts, "load_all", lambda contract=broken: {"shops": contract})
        with pytest.raises(BadInputError, match="does not fit") as caught:
            load.create_tables(engine)
        assert caught.value.why.startswith("contract.breaking")


def test_a_real_contract_lands_codes_in_any_spelling(warehouse: Settings, tmp_path: Path) -> None:
    first = "91310115000000123"
    code = first + codes.uscc_check_character(first)
    path = tmp_path / "h.csv"
    lines = [
        "统计月份,统一社会信用代码,单位名称,参保人数",
        f"2024-01,{code.lower()},甲（上海）公司,12",
        f"2024-02,{code},甲公司,1.5",
    ]
    path.write_bytes("\n".join(lines).encode("gb18030"))
    (batch,) = load.land(pipeline.engine_of(warehouse), warehouse, "headcounts", [path], WHEN)
    assert (batch.rows_accepted, batch.rows_rejected) == (1, 1)
    (row,) = query(warehouse, "select * from raw.headcounts_v1")
    assert (row["uscc_key"], row["enterprise_name_key"], str(row["month"])) == (code, "甲(上海)公司", "2024-01-01")
