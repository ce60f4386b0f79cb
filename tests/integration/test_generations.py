"""A generation brought forward is the one built from nothing, after deliveries, corrections, deletions, replays.

The deliveries are drawn from a seed that is printed, in random order of arrival, and put into the raw tables directly.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Connection, Engine, text

from parkindex import methodology, pipeline
from parkindex.identity import resolve
from parkindex.settings import Settings
from parkindex.transform import generations, promote
from parkindex.transform import warehouse as layers

KEPT, WHOLE = "next__", "cand_1__"
START = datetime(2025, 1, 1, tzinfo=UTC)
STANDARDS = (None, "GB/T 4754-2011", "GB/T 4754-2017")
SQUARE = (
    '{"type": "Polygon", "coordinates": [[[121.5, 31.2], [121.6, 31.2], [121.6, 31.3], [121.5, 31.3], [121.5, 31.2]]]}'
)


class World:
    """What providers send, drawn one delivery after the other."""

    def __init__(self, connection: Connection, seed: int) -> None:
        """Begin with nothing delivered."""
        self.connection = connection
        self.random = np.random.default_rng(seed)

    def deliver(
        self, feed: str, table: str, received: datetime, rows: list[dict[str, Any]], of: int | None = None
    ) -> int:
        """Put a batch and its rows where landing would; ``of`` makes it a replay of that batch."""
        replay = {"replays": of, "came": received - timedelta(days=3), "part": "p" * 64} if of else {}
        batch: int = self.connection.execute(
            text(
                "insert into raw.batches (feed, contract_version, contract_sha256, source_file, sha256, size_bytes,"
                " received_at, status, rows_landed, rows_accepted, rows_rejected, rows_duplicate, replays_batch_id,"
                " file_received_at, part_sha256)"
                " values (:feed, '1.0.0', repeat('c', 64), :file, :sha, 1, :at, 'loaded',"
                " :n, :n, 0, 0, :replays, :came, :part) returning batch_id"
            ),
            {
                **{"replays": None, "came": None, "part": None, **replay},
                **{"feed": feed, "file": "f.csv", "at": received, "n": len(rows)},
                "sha": hashlib.sha256(self.random.bytes(8)).hexdigest(),
            },
        ).scalar_one()
        for number, row in enumerate(rows, start=2):
            whole = {**row, "_batch_id": batch, "_source_file": f"f{batch}.csv", "_source_row": number}
            whole |= {"_known_at": received, "_row_sha256": "0" * 64}
            columns = ", ".join(whole)
            values = ", ".join(f":{name}" for name in whole)
            self.connection.execute(text(f"insert into raw.{table} ({columns}) values ({values})"), whole)
        return batch

    def withdraw(self, table: str, batch: int, known: datetime) -> None:
        """Withdraw some rows of a batch from a known time on, as a replay does."""
        rows = self.connection.execute(
            text(f"select _source_file, _source_row from raw.{table} where _batch_id = :batch order by 2"),
            {"batch": batch},
        ).all()
        for file, row in rows[:: int(self.random.integers(1, 4))]:
            self.connection.execute(
                text(
                    "insert into raw.withdrawn_rows (batch_id, table_name, source_file, source_row, known_at,"
                    " by_batch_id, is_replaced, correction_id)"
                    " values (:batch, :table, :file, :row, :at, :batch, false, 'test') on conflict do nothing"
                ),
                {"batch": batch, "table": table, "file": file, "row": row, "at": known},
            )

    def registrations(self) -> list[dict[str, Any]]:
        """Registry rows of some of forty enterprises, in and outside the plot."""
        found = {}
        for number in self.random.integers(0, 40, size=8).tolist():
            day = date(2020, 1, 1) + timedelta(days=int(self.random.integers(0, 6)) * 200)
            inside = bool(self.random.integers(0, 2))
            code = f"91310000MA1K{number:06}"
            found[code, day] = {
                **{"enterprise_name": f"上海{number}样公司", "enterprise_name_key": f"上海{number}样公司"},
                **{"uscc": code, "uscc_key": code, "effective_date": day, "registered_date": date(2020, 1, 1)},
                "industry_code": "6520",
                "industry_standard": STANDARDS[int(self.random.integers(0, 3))],
                "longitude": 121.55 if inside else 121.9,
                "latitude": 31.25,
            }
        return list(found.values())

    def headcounts(self) -> list[dict[str, Any]]:
        """Months of some enterprises."""
        found = {}
        for number in self.random.integers(0, 40, size=12).tolist():
            month = date(2024, int(self.random.integers(1, 13)), 1)
            code = f"91310000MA1K{number:06}"
            found[code, month] = {
                **{"month": month, "uscc": code, "uscc_key": code, "enterprise_name": "x"},
                "insured_count": int(self.random.integers(0, 900)),
            }
        return list(found.values())

    def publications(self) -> list[dict[str, Any]]:
        """Publications by enterprises of the registry, perhaps not registered yet, and by others."""
        found = {}
        for number in self.random.integers(0, 30, size=8).tolist():
            name = f"上海{int(self.random.integers(0, 50))}样公司"
            kind = "AB"[int(self.random.integers(0, 2))]
            found[number, kind] = {
                **{"publication_number": f"{number:09}", "kind": kind, "publication_date": date(2024, 5, 1)},
                **{"application_number": f"2020{number:08}", "application_number_key": f"2020{number:08}"},
                **{"application_date": date(2020, 1, 1), "title": f"t{number}", "first_applicant_name": name},
                **{"first_applicant_name_key": name, "applicant_names": name, "applicant_count": 1},
                "schema_generation": "st96",
            }
        return list(found.values())

    def days(self, first: int, last: int) -> None:
        """Some deliveries of each feed received between two days, in any order; some replayed, some withdrawn."""
        feeds = (
            ("enterprise_registry", "enterprise_registry_v1", self.registrations),
            ("headcounts", "headcounts_v1", self.headcounts),
            ("patents", "patents_v1", self.publications),
        )
        for feed, table, rows in feeds:
            for day in self.random.integers(first, last, size=3).tolist():
                at = START + timedelta(days=day)
                batch = self.deliver(feed, table, at, rows())
                chance = float(self.random.random())
                if chance < 0.4:
                    self.withdraw(table, batch, at + timedelta(days=int(self.random.integers(0, 6))))
                elif chance < 0.7:
                    self.deliver(feed, table, at + timedelta(days=1), rows(), of=batch)


def built(engine: Engine, settings: Settings, prefix: str, as_known: datetime, sha256: str, *, keep: bool) -> None:
    layers.stage(engine, settings, prefix, as_known, sha256, keep=keep)
    run = resolve.run(engine, prefix, as_known, "0" * 64)
    layers.relate(engine, settings, prefix, as_known, sha256, run)


def hashes(engine: Engine, prefix: str) -> dict[str, str]:
    """Return the hash of every table of staging and marts, whatever the order of its rows."""
    with engine.connect() as connection:
        names: list[str] = list(
            connection.execute(
                text(
                    "select schemaname || '.' || tablename from pg_tables where schemaname in (:staging, :marts)"
                    " and (schemaname = :marts or tablename like 'stg%')"
                ),
                {"staging": f"{prefix}staging", "marts": f"{prefix}marts"},
            ).scalars()
        )
        statement = (
            "select count(*) || ' ' || md5(string_agg(cast(t as text), '|' order by cast(t as text))) from {} as t"
        )
        return {
            name.removeprefix(prefix): str(connection.exec_driver_sql(statement.format(name)).scalar_one())
            for name in names
        }


@pytest.fixture
def house(warehouse: Settings) -> Iterator[tuple[Settings, Engine, str]]:
    """A warehouse with one plot in one park."""
    engine = pipeline.engine_of(warehouse)
    yield warehouse, engine, methodology.store(engine, methodology.load(2025))
    engine.dispose()


def test_brought_forward_equals_built_from_nothing(
    house: tuple[Settings, Engine, str], capsys: pytest.CaptureFixture[str]
) -> None:
    settings, engine, sha256 = house
    seed = int(np.random.default_rng().integers(0, 2**31))
    with capsys.disabled():
        sys.stdout.write(f" [deliveries of seed {seed}] ")
    plot = {
        **{"plot_id": "A", "park_code": "P01", "district": "x", "area": 10, "built_up_area": 5},
        **{"valid_from": date(2020, 1, 1), "datum": "CGCS2000", "geometry": SQUARE},
    }
    with engine.begin() as connection:
        world = World(connection, seed)
        world.deliver("park_plots", "park_plots_v1", START, [plot])
        world.days(1, 40)
    first = START + timedelta(days=30)
    built(engine, settings, KEPT, first, sha256, keep=True)
    with engine.connect() as connection:
        before = connection.exec_driver_sql(
            f"select oid from pg_class where oid = '{KEPT}marts.headcounts'::regclass"
        ).all()

    # the next days, among them deliveries of days that are over and of days that were not known yet
    with engine.begin() as connection:
        world.connection = connection
        world.days(10, 60)
    second = START + timedelta(days=55)
    built(engine, settings, KEPT, second, sha256, keep=True)
    built(engine, settings, WHOLE, second, sha256, keep=False)
    with engine.connect() as connection:
        after = connection.exec_driver_sql(
            f"select oid from pg_class where oid = '{KEPT}marts.headcounts'::regclass"
        ).all()
        changed: int = connection.exec_driver_sql(
            f"select count(*) from {KEPT}staging.changed__headcounts"
        ).scalar_one()
        everything: int = connection.exec_driver_sql(f"select count(*) from {KEPT}marts.headcounts").scalar_one()
    # it was not built anew: the table is the same one, and not every key was touched
    assert before == after
    assert 0 < changed < everything
    forward, whole = hashes(engine, KEPT), hashes(engine, WHOLE)
    assert len(whole) > 40
    assert {name for name in whole if forward[name] != whole[name]} == set(), f"seed {seed}"
    assert forward.keys() == whole.keys()

    # promoted, it stands in for nothing to promote; the generation before waits to be brought forward
    assert promote(engine) is True
    assert promote(engine) is False
    with engine.begin() as connection:
        assert not generations.begin(connection, KEPT, first, sha256)
        assert connection.exec_driver_sql("select count(*) from serve.marts_headcounts").scalar_one() == everything
