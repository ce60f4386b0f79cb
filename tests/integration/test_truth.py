"""The proof of the numbers: sample worlds through the real pipeline equal the truth computed from their objects.

Two worlds, one of a seed that nobody knew before; all 35 indicators × 22 parks × 3 editions.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import beside_check
import links_check
import pytest
from sqlalchemy import Engine

from parkindex import contracts, methodology, pipeline, sample
from parkindex.identity import resolve
from parkindex.landing.fetch import fetch
from parkindex.publish import code
from parkindex.raw import inbox
from parkindex.sample.server import Answers, Server
from parkindex.settings import Settings
from parkindex.transform import dbt, warehouse

EDITIONS = (2023, 2024, 2025)
COUNTS = {"A5", "A7", "B4", "C6"}
PREFIX = "cand_1__"
TOLERANCE = Decimal("1e-9")


def _landed(settings: Settings, seed: int, folder: Path) -> tuple[Engine, dict[str, Any]]:
    """Land a tiny world; return the warehouse and the world's truth."""
    sample.write(EDITIONS[-1], seed, "tiny", folder)
    shutil.copytree(folder / "feeds", settings.inbox, copy_function=shutil.copy2, dirs_exist_ok=True)
    with Server(Answers.of(folder)) as server:
        answering = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        answering.start()
        fetch(contracts.load("patent_events"), server.url, settings.inbox / "patent_events")
        server.shutdown()
        answering.join()
    engine = pipeline.engine_of(settings)
    for feed in contracts.load_all():
        assert not [one.reason for one in inbox.land(engine, settings, feed) if one.status == "refused"]
    return engine, json.loads((folder / "truth.json").read_text("utf-8"))


def _known(engine: Engine) -> tuple[datetime, str]:
    with engine.connect() as connection:
        as_known = code.newest_delivery(connection)
        return as_known, code.inputs_sha256(connection, as_known)


@pytest.mark.parametrize("seed", [11, int.from_bytes(os.urandom(3), "big")], ids=["known", "chosen_now"])
def test_every_value_equals_the_truth(
    make_warehouse: Callable[[], Settings], tmp_path: Path, seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        sys.stdout.write(f" [world of seed {seed}] ")
    settings = make_warehouse()
    engine, truth = _landed(settings, seed, tmp_path / "world")
    assert truth["seed"] == seed and set(truth["values"]) == {str(edition) for edition in EDITIONS}
    as_known, inputs = _known(engine)
    rules = {edition: methodology.load(edition) for edition in EDITIONS}
    for one in rules.values():
        methodology.store(engine, one)
    newest = rules[EDITIONS[-1]].sha256
    warehouse.stage(engine, settings, PREFIX, as_known, newest)
    run = resolve.run(engine, PREFIX, as_known, inputs)
    links_check.check(engine, PREFIX, run, tmp_path / "world")
    warehouse.relate(engine, settings, PREFIX, as_known, newest, run)

    compared = 0
    for edition in EDITIONS:
        warehouse.index(engine, settings, PREFIX, as_known, newest, run, edition)
        with engine.connect() as connection:
            values = {
                (row.park_code, row.indicator_code): row.value
                for row in connection.exec_driver_sql(
                    f"select park_code, indicator_code, value from {PREFIX}park_index.indicator_scores"
                    " where obs_status <> 'not_computed'"
                )
            }
        expected = {
            (park, indicator): value
            for park, indicators in truth["values"][str(edition)].items()
            for indicator, value in indicators.items()
        }
        assert values.keys() == expected.keys()
        wrong = {key: (values[key], value) for key, value in expected.items() if not _equal(key[1], values[key], value)}
        assert not wrong, f"seed {seed}, edition {edition}: {wrong}"
        compared += len(expected)
    assert compared == 35 * 22 * 3

    if seed == 11:
        _check_the_way_back(engine)
        beside_check.check(engine, PREFIX, EDITIONS[-1], rules[EDITIONS[-1]].document, run)
        _check_identity_is_reproducible(engine, run, resolve.run(engine, PREFIX, as_known, inputs))
        variables = {"schema_prefix": PREFIX, "as_known": as_known.isoformat(), "methodology_sha256": newest}
        dbt.build(settings, ["test_type:unit"], variables, command="test")


def _equal(indicator: str, found: Decimal | None, true: float | None) -> bool:
    if found is None or true is None:
        return found is None and true is None
    difference = abs(found - Decimal(str(true)))
    return difference == 0 if indicator in COUNTS else difference <= TOLERANCE * max(abs(Decimal(str(true))), 1)


def _check_the_way_back(engine: Engine) -> None:
    """From values to rows of raw tables: every contribution names a row that is there."""
    with engine.connect() as connection:
        feeds = connection.exec_driver_sql(
            f"select distinct source_feed from {PREFIX}park_index.contributions"
        ).scalars()
        looked_at = 0
        for feed in sorted(feeds):
            # of the parks' workbooks it is the sheet of items that values rest on
            table = next(one for one in contracts.load(feed).tables if feed != "park_reports" or one.name == "items")
            lost, count = connection.exec_driver_sql(
                f"select count(*) filter (where raw_row._batch_id is null), count(*)"
                f" from {PREFIX}park_index.contributions left join raw.{table.raw_table} as raw_row"
                f" on source_batch_id = raw_row._batch_id and source_file = raw_row._source_file"
                f" and source_row = raw_row._source_row where source_feed = '{feed}'"
            ).one()
            assert lost == 0, feed
            looked_at += count
        assert looked_at > 1000
        sides = connection.exec_driver_sql(
            f"select distinct indicator_code from {PREFIX}park_index.contributions where side = 'numerator'"
        )
        assert len(sides.all()) == 35


def _check_identity_is_reproducible(engine: Engine, first: int, second: int) -> None:
    """Resolved twice, every link, stay and question is the same."""
    with engine.connect() as connection:
        for table in (
            "enterprise_links",
            "placements",
            "review_queue",
            "relations",
            "address_findings",
            "further_applicants",
        ):
            rows = [
                connection.exec_driver_sql(
                    f"select to_jsonb(one) - 'identity_run_id' from identity.{table} as one"
                    f" where identity_run_id = {run} order by 1"
                )
                .scalars()
                .all()
                for run in (first, second)
            ]
            assert rows[0] == rows[1]
            assert rows[0]
