"""Replays, withdrawals, late and corrected rows as staging sees them: both clocks of every row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from parkindex import methodology, pipeline
from parkindex.contracts import corrections
from parkindex.raw import codes, load, replay
from parkindex.settings import Settings
from parkindex.transform import warehouse as warehouse_module

HEADER = "统计月份,统一社会信用代码,单位名称,参保人数"
FIRST = datetime(2025, 1, 5, tzinfo=UTC)


def uscc(serial: int) -> str:
    first = f"91310115{serial:09}"
    return first + codes.uscc_check_character(first)


def days(number: int) -> datetime:
    return FIRST + timedelta(days=number)


def test_the_later_file_holds_whatever_was_replayed_since_and_the_past_stays(
    warehouse: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = pipeline.engine_of(warehouse)
    monkeypatch.setattr(corrections.of_feed, "__defaults__", (tmp_path / "corrections",))

    def land(name: str, at: datetime, *rows: str) -> load.Batch:
        path = tmp_path / name
        path.write_bytes("\n".join([HEADER, *rows]).encode("gb18030"))
        return load.land(engine, warehouse, "headcounts", [path], at)[0]

    a, b, c, d = (uscc(serial) for serial in range(4))
    # Of enterprise A the first file is wrong, the second right; of B only the first speaks; C will be dropped.
    land("one.csv", days(0), f"2024-01,{a},甲,1.5", f"2024-01,{b},乙,2.5", f"2024-01,{c},丙,30", f"2024-01,{d},丁,4")
    land("two.csv", days(10), f"2024-01,{a},甲,11")
    for name, code, said in (
        ("a-count", a, 'expect: {insured_count: "1.5"}\naction: override\nset: {insured_count: "15"}'),
        ("b-count", b, 'expect: {insured_count: "2.5"}\naction: override\nset: {insured_count: "25"}'),
        ("c-gone", c, 'expect: {insured_count: "30"}\naction: drop'),
        ("d-count", d, 'expect: {insured_count: "4"}\naction: scale\nscale: {insured_count: 10}'),
    ):
        path = tmp_path / "corrections" / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(
            f"id: {name}\nfeed: headcounts\nreason: a slip of the provider\nsource: a letter\nwho: 张三\n"
            f"valid_until: 2025-12-31\nfile: one.csv\nlocate: {{uscc: {code}}}\n{said}\n",
            "utf-8",
        )
    (done,) = replay.replay(engine, warehouse, batch_id=1, received_at=days(20))
    assert (done.accepted, done.changed, done.withdrawn) == (2, 1, 1)
    # A file that comes late: received between the two, landed after the replay.
    land("late.csv", days(5), f"2024-01,{b},乙,26", f"2023-12,{a},甲,9")

    sha256 = methodology.store(engine, methodology.load(2025))
    seen: dict[int, dict[str, int]] = {}
    for day in (12, 21):
        warehouse_module.stage(engine, warehouse, f"day{day}__", days(day), sha256)
        with engine.connect() as connection:
            rows = connection.execute(
                text(
                    f"select enterprise_id_uscc, insured_count from day{day}__staging.stg_headcounts__headcounts"
                    " where headcount_month = '2024-01-01'"
                )
            )
            seen[day] = {row.enterprise_id_uscc: row.insured_count for row in rows}
    assert seen == {
        12: {a: 11, b: 26, c: 30, d: 4},
        21: {a: 11, b: 26, d: 40},
    }
