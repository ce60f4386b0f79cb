"""The sample world's feeds through the warehouse's own loader: what is good is accepted, what is planted is refused.

Every file of every feed is landed, the API's answer is fetched over HTTP. The rows set aside must be exactly the
planted ones, each at its row and by its rule; repetitions are counted; and every file's account closes.
"""

from __future__ import annotations

import csv
import gzip
import json
import shutil
import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from parkindex import contracts, pipeline, sample
from parkindex.landing.fetch import fetch
from parkindex.raw import inbox
from parkindex.sample import files, server
from parkindex.settings import Settings

API = "patent_events"


def _expected(world: Path) -> tuple[dict[tuple[str, str, str, int], tuple[str, str]], Counter[tuple[str, str]]]:
    """Rejects by feed, file, table and row with rule and column; repetitions by feed and file."""
    rejects: dict[tuple[str, str, str, int], tuple[str, str]] = {}
    repeated: Counter[tuple[str, str]] = Counter()
    for row in json.loads((world / "noise.json").read_text(encoding="utf-8"))["rows"]:
        if row["rule"] == files.DUPLICATE:
            repeated[row["feed"], row["file"]] += 1
            continue
        tables = contracts.load(row["feed"]).tables
        table = next((one for one in tables if one.name == row["table"]), tables[0])
        named = [column.name for column in table.columns if row["column"] in column.headers]
        at = (row["feed"], row["file"], table.raw_table, row["source_row"])
        rejects[at] = (row["rule"], named[0] if named else "")
    return rejects, repeated


def _lines(path: Path) -> int:
    """Records of a CSV below its header, counted without the loader."""
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    gb = path.parent.name == "headcounts" or path.name.endswith("_gb18030.csv")
    return sum(1 for _ in csv.reader(raw.decode("gb18030" if gb else "utf-8").splitlines())) - 1


@pytest.mark.parametrize("seed", [1, 90_210])
def test_planted_rows_and_no_others_are_set_aside(
    make_warehouse: Callable[[], Settings], tmp_path: Path, seed: int
) -> None:
    settings = make_warehouse()
    engine = pipeline.engine_of(settings)
    world = tmp_path / "world"
    summary = sample.write(2025, seed, "tiny", world)
    shutil.copytree(world / "feeds", settings.inbox, dirs_exist_ok=True)
    names: dict[str, str] = {}
    with server.Server(server.Answers.of(world)) as provider:
        thread = threading.Thread(target=provider.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            fetched = fetch(contracts.load(API), provider.url, settings.inbox / API)
        finally:
            provider.shutdown()
            thread.join()
    names[fetched.name] = server.ANSWERS_FILE

    batches = [batch for feed in contracts.load_all() for batch in inbox.land(engine, settings, feed)]
    assert [batch for batch in batches if batch.status != "loaded"] == []
    assert all(
        batch.rows_landed == batch.rows_accepted + batch.rows_rejected + batch.rows_duplicate  # type: ignore[operator]
        for batch in batches
    )
    counted = {feed: dict(rows) for feed, rows in summary.files.items()}
    for batch in batches:
        assert batch.rows_landed == counted[batch.feed].pop(names.get(batch.file, batch.file)), batch
        if batch.file.endswith((".csv", ".csv.gz")):
            assert batch.rows_landed == _lines(settings.inbox / batch.feed / batch.file)
    assert all(left == {} for left in counted.values())

    expected, repeated = _expected(world)
    duplicates = {(b.feed, names.get(b.file, b.file)): b.rows_duplicate for b in batches if b.rows_duplicate}
    assert duplicates == repeated
    found: dict[tuple[str, str, str, int], tuple[str, str]] = {}
    rules: dict[str, set[str]] = defaultdict(set)
    with engine.connect() as connection:
        for row in connection.execute(
            text(
                "select r.feed, b.source_file, r.table_name, r.source_row, r.rule, r.column_name "
                "from raw.rejects r join raw.batches b using (batch_id)"
            )
        ):
            at = (row.feed, names.get(row.source_file, row.source_file), row.table_name, row.source_row)
            found[at] = (row.rule, row.column_name)
            rules[row.feed].add(row.rule)
        received = connection.execute(
            text("select source_file, extract(epoch from received_at)::bigint from raw.batches where feed = :feed"),
            {"feed": API},
        ).all()
    assert found == expected
    assert set(rules) >= set(contracts.load_all()) - {"park_reports"}
    # known time is the provider's, also over HTTP
    modified = int((world / "api" / API / server.ANSWERS_FILE).stat().st_mtime)
    assert dict(map(tuple, received))[fetched.name] == modified
