"""One feed in a throw-away warehouse, and the oracles that every fault must leave standing.

The oracles are those of the fault matrix: O1 conservation, O3 idempotence, O6 blame, O7 no leak.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from contract_files import small
from delivered import delimited
from parkindex import contracts, pipeline
from parkindex.contracts import Contract
from parkindex.contracts.derive import ddl
from parkindex.errors import BadInputError, ExitCode
from parkindex.landing.checks import CHECKS
from parkindex.raw import load
from parkindex.settings import Settings

HEADER = ["代码", "注册日期", "名称", "店主", "类别", "面积", "座位", "已占", "资本"]
# The owner is personal: this name may stand nowhere but in the row as delivered.
SECRET = "欧阳机密"
GOOD = ["A-1", "2020-02-29", "茶馆", SECRET, "茶", "12.50", "10", "3", "5万元"]
WHEN = datetime(2025, 3, 1, 8, 30, tzinfo=UTC)


def row(**cells: str) -> list[str]:
    """Return the good row with some cells replaced."""
    return list((dict(zip(HEADER, GOOD, strict=True)) | cells).values())


def rows(count: int) -> list[list[str]]:
    """Return good rows of different keys."""
    return [row(代码=f"R{number}") for number in range(count)]


@dataclass
class FeedUnderFault:
    """A warehouse with one feed.

    Attributes:
        settings: The warehouse.
        folder: Where files of the test stand.
        contract: The feed's contract.
    """

    settings: Settings
    folder: Path
    patch: pytest.MonkeyPatch = field(repr=False)
    contract: Contract = field(init=False)

    def __post_init__(self) -> None:
        self.use(small(self.folder))

    @property
    def engine(self) -> Engine:
        return pipeline.engine_of(self.settings)

    def use(self, contract: Contract) -> None:
        """Make a contract the only one of the installation; its raw tables are made anew."""
        self.contract = contract
        self.patch.setattr(contracts, "load", lambda feed: contract)
        self.patch.setattr(contracts, "load_all", lambda: {contract.feed: contract})
        with self.engine.begin() as connection:
            for table in contract.tables:
                connection.exec_driver_sql(f"drop table if exists raw.{table.raw_table}")
            for statement in ddl(contract):
                connection.exec_driver_sql(statement)

    def changed(self, *changes: tuple[str, str]) -> None:
        """Use the small contract with some texts replaced."""
        self.use(small(self.folder, *changes))

    # ------------------------------------------------------------------------------------------------------ deliveries

    def file(self, name: str, content: str | bytes) -> Path:
        """Write a delivery."""
        path = self.folder / "到 货" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return path

    def table_file(self, name: str, *lines: list[str], header: list[str] = HEADER) -> Path:
        """Write a CSV delivery."""
        return self.file(name, delimited([header, *lines]))

    def land(self, path: Path, at: datetime = WHEN) -> load.Batch:
        """Land a file; whatever became of it, every oracle must hold."""
        (batch,) = load.land(self.engine, self.settings, self.contract, [path], at)
        self.conserved()
        self.no_leak()
        return batch

    def loaded(self, path: Path, at: datetime = WHEN) -> load.Batch:
        """Land a file that must be loaded; landing it again must change nothing (O3)."""
        batch = self.land(path, at)
        assert batch.status == "loaded", batch.reason
        before = self.content()
        again = self.land(path, at)
        assert (again.status, again.batch_id) == ("already_landed", batch.batch_id)
        assert self.content() == before
        return batch

    def refused(self, path: Path, rule: str, at: datetime = WHEN) -> str:
        """Land a file that must be refused: nothing of it is in a raw table, and the refusal says all of O6."""
        before = self.raw()
        batch = self.land(path, at)
        assert batch.status == "refused", batch
        assert str(batch.reason).startswith(f"{rule}: "), batch.reason
        assert self.raw() == before
        again = self.land(path, at)
        assert (again.batch_id, again.reason) == (batch.batch_id, batch.reason)
        with pytest.raises(BadInputError) as caught:
            pipeline.refuse_refused(self.contract.feed, [batch])
        said = caught.value.as_dict()
        assert said["exit_code"] == ExitCode.BAD_INPUT != 0
        assert self.contract.feed in str(said["error"])
        assert path.name in str(said["where"])
        assert rule in str(said["why"])
        assert "parkindex land" in str(said["next"])
        assert SECRET not in json.dumps(said, ensure_ascii=False)
        kept = self.sql(f"select landing_path, sha256 from raw.batches where batch_id = {batch.batch_id}")[0]
        assert hashlib.sha256((self.settings.landing / kept["landing_path"]).read_bytes()).hexdigest() == kept["sha256"]
        return str(batch.reason)

    def rejects(self, batch: load.Batch) -> list[tuple[int, str, str]]:
        """Return source row, column and rule of every reject of a batch, each of which must say all of O6."""
        found = self.sql(f"select * from raw.rejects where batch_id = {batch.batch_id} order by source_row, reject_id")
        for one in found:
            assert one["feed"] == self.contract.feed
            assert one["source_file"].startswith(batch.file)
            assert one["message"] == CHECKS[one["rule"]].message
            assert one["original_row"]
        return [(one["source_row"], one["column_name"], one["rule"]) for one in found]

    # --------------------------------------------------------------------------------------------------------- oracles

    def conserved(self) -> None:
        """O1: per file, what was landed is accepted, set aside or a repetition; and it is in the tables."""
        counted = " + ".join(
            f"(select count(*) from raw.{table.raw_table} where _batch_id = batch_id)" for table in self.contract.tables
        )
        for one in self.sql(
            f"select *, {counted} as in_raw,"
            " (select count(*) from raw.rejects where rejects.batch_id = batches.batch_id) as in_rejects"
            " from raw.batches where status = 'loaded'"
        ):
            assert one["rows_landed"] == one["rows_accepted"] + one["rows_rejected"] + one["rows_duplicate"], one
            assert (one["in_raw"], one["in_rejects"]) == (one["rows_accepted"], one["rows_rejected"]), one

    def no_leak(self) -> None:
        """O7: a personal value stands in the row as delivered and in the raw table, and in no message."""
        said = self.sql("select reason from raw.batches") + self.sql("select value, message, details from raw.rejects")
        assert SECRET not in json.dumps(said, ensure_ascii=False)

    def raw(self) -> list[dict[str, Any]]:
        """Return the rows of the raw tables, less what depends on when they were loaded."""
        found = []
        for table in self.contract.tables:
            found += self.sql(f"select * from raw.{table.raw_table}")
        return sorted(({**one, "_batch_id": None} for one in found), key=repr)

    def content(self) -> str:
        """Return a hash of everything that landing left: rows, rejects and accounts."""
        return content_sha256(
            [
                *self.raw(),
                *self.sql("select source_file, source_row, rule, details, original_row from raw.rejects"),
                *self.sql(
                    "select source_file, sha256, status, rows_landed, rows_accepted, rows_rejected from raw.batches"
                ),
            ]
        )

    def sql(self, statement: str) -> list[dict[str, Any]]:
        """Run a query."""
        with self.engine.connect() as connection:
            return [dict(one._mapping) for one in connection.execute(text(statement))]


def content_sha256(found: Iterable[dict[str, Any]]) -> str:
    """Return a hash of rows, whatever their order."""
    lines = sorted(json.dumps(one, default=str, sort_keys=True, ensure_ascii=False) for one in found)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
