"""A synthetic world's deliveries: exactly what was planted wrong is set aside, for the reason it was planted for."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from sqlalchemy import text

from parkindex import contracts, pipeline, sample
from parkindex.contracts import Contract
from parkindex.raw import load
from parkindex.settings import Settings


def test_exactly_the_planted_rows_are_set_aside(warehouse: Settings, tmp_path: Path) -> None:
    world = tmp_path / "world"
    sample.write(2025, 11, "tiny", world)
    planted = json.loads((world / "noise.json").read_text("utf-8"))["rows"]
    settings = replace(warehouse, inbox=world / "feeds")
    engine = pipeline.engine_of(settings)
    repetitions: dict[tuple[str, str], int] = {}
    for feed in contracts.load_all():
        for batch in load.land_inbox(engine, settings, feed):
            assert batch.status == "loaded", batch
            assert batch.rows_landed == (batch.rows_accepted or 0) + (batch.rows_rejected or 0) + (
                batch.rows_duplicate or 0
            )
            if batch.rows_duplicate:
                repetitions[feed, batch.file] = batch.rows_duplicate
    with engine.connect() as connection:
        rows = connection.execute(
            text("select feed, split_part(source_file, '/', 1) as file, source_row, rule, column_name from raw.rejects")
        ).all()
    delivered = {(feed, path.name) for feed in contracts.load_all() for path in (world / "feeds" / feed).glob("*")}
    known = [row for row in planted if (row["feed"], row["file"]) in delivered]
    wanted = sorted(
        (row["feed"], row["file"], row["source_row"], row["rule"]) for row in known if row["rule"] != "duplicate"
    )
    assert sorted((row.feed, row.file, row.source_row, row.rule) for row in rows) == wanted
    doubles = [(row["feed"], row["file"]) for row in known if row["rule"] == "duplicate"]
    assert repetitions == {key: doubles.count(key) for key in set(doubles)}
    titles = {
        (row["feed"], row["file"], row["source_row"]): row["column"] for row in known if row["rule"].startswith("value")
    }
    for row in rows:
        if (row.feed, row.file, row.source_row) in titles:
            assert titles[row.feed, row.file, row.source_row] in headers(contracts.load(row.feed), row.column_name)


def headers(contract: Contract, name: str) -> set[str]:
    """Return everything a provider may call a column of this name."""
    return {
        header
        for table in contract.tables
        for column in table.columns
        if column.name == name
        for header in (*column.headers, column.title)
    }
