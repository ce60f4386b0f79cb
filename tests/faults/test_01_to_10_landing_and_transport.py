"""Faults 1 to 10 of the matrix: landing and transport."""

from __future__ import annotations

import gzip
import json
import resource
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from feed_under_fault import GOOD, HEADER, WHEN, FeedUnderFault, row, rows

from parkindex.errors import BadInputError, ServiceDownError
from parkindex.landing import fetch as fetching
from parkindex.raw import inbox, status
from parkindex.raw.writer import Writer
from parkindex.settings import PROJECT_ROOT


def test_01_same_file_twice_is_a_no_op_that_names_the_batch(feed: FeedUnderFault) -> None:
    first = feed.loaded(feed.table_file("a.csv", *rows(20)))
    again = feed.land(feed.table_file("other name.csv", *rows(20)))
    assert again.reason == f"already landed as batch {first.batch_id} (a.csv)"
    assert len(feed.raw()) == 20


def test_02_same_name_and_other_bytes_is_a_new_version(feed: FeedUnderFault) -> None:
    first = feed.loaded(feed.table_file("a.csv", *rows(10)))
    changed = [row(代码="R0", 面积="99"), *rows(12)[1:]]
    second = feed.loaded(feed.table_file("a.csv", *changed), WHEN + timedelta(days=1))
    assert second.batch_id != first.batch_id
    assert f"new version of batch {first.batch_id}: by key 2 added, 0 removed, 1 changed" in str(second.reason)
    assert len(feed.raw()) == 10 + 12  # both are kept
    kept = {one["landing_path"] for one in feed.sql("select landing_path from raw.batches")}
    assert all((feed.settings.landing / path).is_file() for path in kept)
    assert len(kept) == 2


@pytest.mark.parametrize("cut", [",3", "3,5万"])
def test_03_a_cut_file_is_refused(feed: FeedUnderFault, cut: str) -> None:
    text = feed.table_file("whole.csv", *rows(5)).read_text("utf-8")
    at = text.rindex(cut)
    feed.refused(feed.file("a.csv", text[:at]), "file.truncated")
    feed.refused(feed.file("b.csv", text[:at] + ',"3,5万元\n'), "file.truncated")
    packed = gzip.compress(text.encode())
    feed.refused(feed.file("c.csv.gz", packed[:-5]), "file.archive")


def test_03_a_wrong_number_of_records_is_refused(feed: FeedUnderFault) -> None:
    form = 'path: "*.csv", format: csv, encoding: UTF-8'
    feed.changed((form, form + ", customProperties: [{property: trailer, value: '^END (?P<rows>[0-9]+)$'}]"))
    body = feed.table_file("whole.csv", *rows(5)).read_text("utf-8")
    assert feed.loaded(feed.file("a.csv", body + "END 5\n")).rows_landed == 5
    feed.refused(feed.file("b.csv", body + "END 6\n"), "file.row_count")
    feed.refused(feed.file("c.csv", body), "file.truncated")


# ------------------------------------------------------------------------------------------------------------ transport


class Source:
    """A loopback API of five records, two a page, that misbehaves as told."""

    def __init__(self) -> None:
        self.items = [{"code": f"S{number}", "name": "茶馆"} for number in range(5)]
        self.asked: list[int] = []
        self.says: Any = lambda page, times: None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                page = int(parse_qs(urlsplit(self.path).query)["page"][0])
                outer.asked.append(page)
                told = outer.says(page, outer.asked.count(page))
                status, headers, body = told or (200, {}, outer.page(page))
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **headers}.items():
                    self.send_header(name, value)
                if "Content-Length" not in headers:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/shops"

    def page(self, number: int, total: int | None = None) -> bytes:
        part = self.items[(number - 1) * 2 : number * 2]
        return json.dumps({"data": part, "total": len(self.items) if total is None else total}).encode()


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Iterator[Source]:
    monkeypatch.setattr(fetching, "_sleep", lambda seconds: None)
    made = Source()
    thread = Thread(target=made.http.serve_forever, args=(0.02,))
    thread.start()
    yield made
    made.http.shutdown()
    made.http.server_close()
    thread.join()


def fetched(feed: FeedUnderFault, source: Source) -> Path:
    return fetching.fetch(feed.contract, source.url, feed.settings.inbox / "shops")


def nothing_came(feed: FeedUnderFault) -> None:
    assert inbox.land(feed.engine, feed.settings, "shops") == []
    assert feed.raw() == feed.sql("select from raw.batches") == []


def test_04_a_web_page_in_place_of_data_is_refused(feed: FeedUnderFault, source: Source) -> None:
    html = b"<!doctype html><title>captcha</title>"
    for headers in ({"Content-Type": "text/html"}, {}):
        source.says = lambda page, times, headers=headers: (200, headers, html)
        with pytest.raises(BadInputError) as caught:
            fetched(feed, source)
        assert "web page" in caught.value.why
        assert source.url in caught.value.where
        assert caught.value.next_step
    nothing_came(feed)
    feed.refused(feed.file("a.csv", html), "file.sentinel")
    assert "HTML" in feed.refused(feed.file("a.json", html), "file.format")


def test_05_storms_are_outlasted_and_half_a_body_is_never_landed(feed: FeedUnderFault, source: Source) -> None:
    def storm(page: int, times: int) -> Any:
        if times == 1:
            return 429, {"Retry-After": "1"}, b""
        if times == 2:
            return 200, {"Content-Length": "5000"}, source.page(page)[:10]
        return (503, {}, b"") if times == 3 else None

    source.says = storm
    path = fetched(feed, source)
    assert source.asked.count(2) == 4
    assert feed.loaded(path).rows_accepted == 5
    source.says = lambda page, times: (503, {}, b"")
    source.asked.clear()
    with pytest.raises(ServiceDownError):
        fetched(feed, source)
    assert len(source.asked) == 6
    source.says = lambda page, times: (200, {"Content-Length": "5000"}, source.page(page)[:10])
    with pytest.raises(ServiceDownError):
        fetched(feed, source)
    assert [one.name for one in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("fault", ["repeated", "missing", "total", "moved"])
def test_06_pages_that_do_not_reconcile_land_nothing(feed: FeedUnderFault, source: Source, fault: str) -> None:
    def wrong(page: int, times: int) -> Any:
        if fault == "repeated" and page == 2:
            return 200, {}, source.page(1)
        if fault == "missing" and page == 2:
            return 200, {}, source.page(9)
        if fault == "total" and page == 3:
            return 200, {}, source.page(3, total=6)
        if fault == "moved" and page == 1 and times > 1:
            return 200, {}, source.page(2)
        return None

    source.says = wrong
    with pytest.raises(BadInputError, match="does not reconcile") as caught:
        fetched(feed, source)
    assert caught.value.why.startswith("fetch: ")
    nothing_came(feed)


def test_07_a_token_that_expires_midway_costs_no_row_and_doubles_none(feed: FeedUnderFault, source: Source) -> None:
    source.says = lambda page, times: (401, {}, b"") if page == 3 and times == 1 else None
    with pytest.raises(BadInputError, match="refuses access") as caught:
        fetched(feed, source)
    assert "goes on from this page" in caught.value.next_step
    nothing_came(feed)
    path = fetched(feed, source)
    assert source.asked == [1, 2, 3, 1, 3, 1]
    batch = feed.loaded(path)
    assert (batch.rows_landed, batch.rows_duplicate) == (5, 0)


def test_08_a_feed_that_is_missing_on_its_day_is_named_with_its_days(feed: FeedUnderFault) -> None:
    feed.loaded(feed.table_file("a.csv", GOOD))
    (known,) = status.feeds(feed.engine, feed.settings, at=WHEN + timedelta(days=37))
    assert (known["feed"], known["late_days"]) == ("shops", 7)
    (known,) = status.feeds(feed.engine, feed.settings, at=WHEN + timedelta(days=1))
    assert known["late_days"] == -29


def test_09_a_full_feed_that_shrinks_is_held_and_deletes_nothing(feed: FeedUnderFault) -> None:
    full = "  - {property: onUnknownColumn, value: freeze}\n"
    feed.changed((full, full + "  - {property: delivery, value: full}\n  - {property: maxShrinkShare, value: 0.3}\n"))
    feed.loaded(feed.table_file("a.csv", *rows(100)))
    later = WHEN + timedelta(days=30)
    feed.refused(feed.table_file("b.csv", *rows(40)), "file.shrunk", later)
    feed.refused(feed.file("c.csv", ",".join(HEADER) + "\n"), "file.empty", later)
    assert len(feed.raw()) == 100
    assert feed.loaded(feed.table_file("d.csv", *rows(90)), later).rows_accepted == 90


def test_10_a_full_disk_leaves_nothing_and_the_next_try_succeeds(
    feed: FeedUnderFault, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = feed.table_file("a.csv", *rows(2_000))
    # The kernel itself refuses the write in the middle of the file, in a process of its own.
    child = textwrap.dedent("""
        import resource, sys
        from pathlib import Path
        from parkindex.landing import store
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
        try:
            store.keep(Path(sys.argv[1]), "shops", Path(sys.argv[2]))
        except OSError as error:
            print(error)
            sys.exit(0)
        sys.exit(1)
    """)
    assert resource.RLIMIT_FSIZE
    assert path.stat().st_size > 40_000
    done = subprocess.run(
        [sys.executable, "-c", child, str(feed.settings.landing), str(path)],
        env={"PYTHONPATH": str(PROJECT_ROOT / "include"), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "File too large" in done.stdout
    assert not [one for one in feed.settings.landing.rglob("*") if one.is_file()]

    def full(*_: object, **__: object) -> None:
        raise psycopg.errors.DiskFull("could not extend file: No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Writer, "_run", full)
        with pytest.raises(ServiceDownError, match="nothing of it was loaded") as caught:
            feed.land(path)
    assert "parkindex doctor" in caught.value.next_step
    nothing_came(feed)
    assert feed.loaded(path).rows_accepted == 2_000
