"""The small contract of the tests as the only feed of a warehouse: what several test files land through it."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from contract_files import small
from parkindex import contracts, pipeline
from parkindex.contracts import corrections
from parkindex.raw import load
from parkindex.raw.limits import Acceptance
from parkindex.settings import Settings

HEADER = ["代码", "注册日期", "名称", "店主", "类别", "面积", "座位", "已占", "资本"]
GOOD = ["A-1", "2020-02-29", "茶馆", "王小明", "茶", "12.50", "10", "3", "5万元"]
WHEN = datetime(2025, 3, 1, 8, 30, tzinfo=UTC)


def changed(**cells: str) -> list[str]:
    """Return the good row with some cells replaced."""
    return list((dict(zip(HEADER, GOOD, strict=True)) | cells).values())


@dataclass
class Shop:
    """A warehouse with one feed, whose contract and corrections a test may change."""

    settings: Settings
    folder: Path
    patch: pytest.MonkeyPatch

    @property
    def engine(self) -> Engine:
        return pipeline.engine_of(self.settings)

    def use(self, *changes: tuple[str, str]) -> None:
        """Let the feed have the small contract with some texts replaced."""
        contract = small(self.folder, *changes)
        self.patch.setattr(contracts, "load", lambda feed: contract)
        self.patch.setattr(contracts, "load_all", lambda: {"shops": contract})
        load.create_tables(self.engine)

    def correct(self, name: str, **said: str) -> None:
        """Write a correction; ``said`` are lines of it."""
        lines = {
            "id": name,
            "feed": "shops",
            "reason": "a typing error of the provider",
            "source": "letter of 2025-02-28",
            "who": "张三",
            "valid_until": "2026-12-31",
            **said,
        }
        path = self.folder / "corrections" / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(f"{key}: {value}\n" for key, value in lines.items()), "utf-8")

    def deliver(self, name: str, *rows: list[str], header: list[str] = HEADER) -> Path:
        """Write a file as the provider would."""
        path = self.folder / "out" / name
        path.parent.mkdir(exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows([header, *rows])
        return path

    def land(self, name: str, *rows: list[str], at: datetime = WHEN, accept: Acceptance | None = None) -> load.Batch:
        """Deliver and land a file."""
        return load.land(self.engine, self.settings, "shops", [self.deliver(name, *rows)], at, accept)[0]

    def sql(self, statement: str) -> list[dict[str, Any]]:
        """Run a query."""
        with self.engine.connect() as connection:
            return [dict(row._mapping) for row in connection.execute(text(statement))]

    def conserved(self) -> None:
        """Hold O1: per file, what was landed is where its account says."""
        for row in self.sql(
            "select batches.*, (select count(*) from raw.shops_v1 where _batch_id = batch_id) as in_raw,"
            " (select count(*) from raw.rejects where rejects.batch_id = batches.batch_id) as in_rejects,"
            " (select count(*) from raw.reject_events as told where told.batch_id = batches.batch_id"
            "  and told.event = 'accepted') as brought_in,"
            " (select count(*) from raw.withdrawn_rows as gone where gone.by_batch_id = batches.batch_id"
            "  and gone.is_replaced) as replaced"
            " from raw.batches where status = 'loaded'"
        ):
            assert row["in_raw"] == row["rows_accepted"], row
            assert row["in_rejects"] == row["rows_rejected"], row
            assert row["rows_landed"] == row["rows_accepted"] + row["rows_rejected"] + row["rows_duplicate"], row
            if row["replays_batch_id"] is not None:
                assert row["rows_accepted"] == row["brought_in"] + row["replaced"], row


@pytest.fixture
def shop(warehouse: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A warehouse that has the small contract as its only feed, and no corrections."""
    made = Shop(warehouse, tmp_path, monkeypatch)
    monkeypatch.setattr(corrections.of_feed, "__defaults__", (tmp_path / "corrections",))
    made.use()
    return made
