"""Rows 34 and 35 of the fault matrix: what must not matter to a release, and the edges of days and years."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from parkindex import pipeline
from parkindex.raw import codes, load
from parkindex.settings import Settings
from year_run import PublishedYear

_HEADER = "企业名称,统一社会信用代码,注册日期,企业类型,法人代表,注册资金,经营范围,所在省份,地区,注册地址"
_FACTS = "enterprise_name, enterprise_name_key, uscc_key, registered_date, effective_date, registered_capital_amount"


def _row(number: int, registered: str) -> str:
    body = f"91310000MA1K0{number:04}"
    code = body + codes.uscc_check_character(body)
    name, address = f"上海第{number}样科技有限公司", f"某路 {number} 号"
    return f"{name},{code},{registered},N/A,,100(万元人民币),软件开发,上海市,浦东新区,{address}"


def _land(settings: Settings, path: Path, rows: Sequence[str], received_at: datetime) -> load.Batch:
    path.write_text("\n".join((_HEADER, *rows)) + "\n", "utf-8")
    (batch,) = load.land(pipeline.engine_of(settings), settings, "enterprise_registry", [path], received_at)
    assert batch.status == "loaded", batch.reason
    return batch


@pytest.mark.year
def test_34_hash_seed_locale_zone_and_threads_change_no_byte(published_year: PublishedYear) -> None:
    ours = ("PARKINDEX_", "AIRFLOW", "LC_", "LANG")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    odd = {
        "PARKINDEX_HOME": str(published_year.settings.home),
        "PYTHONHASHSEED": "4711",
        "TZ": "Pacific/Kiritimati",
        "LC_ALL": "POSIX",
        "POLARS_MAX_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    done = subprocess.run(
        [sys.executable, "-m", "parkindex.cli", "rebuild", str(published_year.document["release_id"]), "--json"],
        env={**kept, **odd},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert (made["is_equal"], made["changes"]) == (True, [])
    assert made["content_sha256"] == published_year.document["content_sha256"]


def test_34_the_order_of_rows_changes_only_their_line_numbers(
    make_warehouse: Callable[[], Settings], tmp_path: Path
) -> None:
    rows = [_row(number, f"20{10 + number % 15}-03-01") for number in range(200)]
    shuffled = sorted(rows, key=lambda row: row[::-1][1:] + row[3])
    assert shuffled != rows
    found = []
    for name, order in (("sorted", rows), ("shuffled", shuffled)):
        settings = make_warehouse()
        (tmp_path / name).mkdir()
        _land(settings, tmp_path / name / "registry.csv", order, datetime(2026, 1, 2, tzinfo=UTC))
        with pipeline.engine_of(settings).connect() as connection:
            statement = f"select {_FACTS}, _row_sha256 from raw.enterprise_registry_v1 order by uscc_key"
            found.append([tuple(row) for row in connection.execute(text(statement))])
    assert len(found[0]) == len(rows)
    assert found[0] == found[1]


def test_35_the_last_second_of_a_year_in_shanghai_is_of_that_year(warehouse: Settings, tmp_path: Path) -> None:
    in_time = datetime.fromisoformat("2025-12-31T23:59:59+08:00")
    too_late = datetime.fromisoformat("2026-01-01T00:00:00+08:00")
    first = _land(warehouse, tmp_path / "a.csv", [_row(1, "2025-12-31")], in_time)
    second = _land(warehouse, tmp_path / "b.csv", [_row(2, "2025-12-31")], too_late)
    as_known = pipeline.instant("2025-12-31")
    with pipeline.engine_of(warehouse).connect() as connection:
        statement = text("select _batch_id, registered_date from raw.enterprise_registry_v1 where _known_at <= :until")
        known = [(row[0], str(row[1])) for row in connection.execute(statement, {"until": as_known})]
        stored = connection.execute(
            text("select extract(timezone from received_at), received_at from raw.batches order by batch_id")
        ).all()
    # what came in the last second counts, what came a second later does not; the business date stays what was written
    assert known == [(first.batch_id, "2025-12-31")]
    assert second.batch_id not in {batch for batch, _ in known}
    assert [(int(row[0]), row[1].astimezone(UTC).isoformat()) for row in stored] == [
        (0, "2025-12-31T15:59:59+00:00"),
        (0, "2025-12-31T16:00:00+00:00"),
    ]


def test_35_leap_days_are_days_and_impossible_ones_are_set_aside(warehouse: Settings, tmp_path: Path) -> None:
    days = ["2024-02-29", "2023-02-29", "0000-01-01", "2025-13-01", "1899-12-31", *["2025-06-30"] * 20]
    rows = [_row(number, day) for number, day in enumerate(days)]
    batch = _land(warehouse, tmp_path / "days.csv", rows, datetime(2026, 1, 2, tzinfo=UTC))
    assert (batch.rows_landed, batch.rows_accepted, batch.rows_rejected) == (25, 21, 4)
    with pipeline.engine_of(warehouse).connect() as connection:
        kept = connection.execute(text("select distinct registered_date from raw.enterprise_registry_v1")).all()
        assert {str(row[0]) for row in kept} == {"2024-02-29", "2025-06-30"}
        rejects = connection.execute(
            text("select source_row, column_name, rule, value from raw.rejects order by source_row")
        ).all()
    assert [(one.source_row, one.column_name, one.value) for one in rejects] == [
        (3, "registered_date", "2023-02-29"),
        (4, "registered_date", "0000-01-01"),
        (5, "registered_date", "2025-13-01"),
        (6, "registered_date", "1899-12-31"),
    ]
    assert all(one.rule for one in rejects)
