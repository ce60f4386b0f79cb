"""Fetching a paged API: reconciled, retried, and the same answer is the same file."""

from __future__ import annotations

import json
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from contract_files import small
from parkindex import contracts
from parkindex.contracts import Contract
from parkindex.errors import BadInputError, ServiceDownError
from parkindex.landing import fetch as fetching
from parkindex.landing import readers
from parkindex.landing.fetch import fetch

WAITED: list[float] = []
SHOPS = [{"code": f"S{number}"} for number in range(5)]


@dataclass
class Answer:
    """What the server says to one request."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})


def page_of(items: list[dict[str, str]], number: int, size: int, total: int | None = None) -> Answer:
    part = items[(number - 1) * size : number * size]
    body = json.dumps({"data": part, "total": len(items) if total is None else total}).encode()
    modified = f"Mon, 0{number} Jan 2024 10:00:00 GMT"
    return Answer(body, headers={"Content-Type": "application/json", "Last-Modified": modified})


Script = Callable[[int, int, int], Answer]


class Server:
    """A loopback server that answers from a function of page, size and how often that page was asked for."""

    def __init__(self) -> None:
        self.script: Script = lambda page, size, _: page_of(SHOPS, page, size)
        self.asked: list[int] = []
        self.sent: list[dict[str, str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                query = parse_qs(urlsplit(self.path).query)
                page, size = int(query["page"][0]), int(query["size"][0])
                outer.asked.append(page)
                outer.sent.append(dict(self.headers.items()))
                answer = outer.script(page, size, outer.asked.count(page))
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/shops?key=k"
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.02,))
        self.thread.start()

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.fixture
def contract(tmp_path: Path) -> Contract:
    return small(tmp_path)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "_sleep", WAITED.append)
    WAITED.clear()


def test_pages_are_kept_as_received_and_twice_is_the_same_file(
    server: Server, contract: Contract, tmp_path: Path
) -> None:
    path = fetch(contract, server.url, tmp_path / "inbox")
    assert server.asked == [1, 2, 3, 1]  # once more the first: nothing moved
    with zipfile.ZipFile(path) as archive:
        assert [archive.read(name) for name in archive.namelist()] == [
            page_of(SHOPS, page, 2).body for page in (1, 2, 3)
        ]
    assert path.stat().st_mtime == 1704276000  # the newest Last-Modified: 3 January 2024, 10:00 UTC
    content = path.read_bytes()
    path.unlink()
    assert fetch(contract, server.url, tmp_path / "inbox") == path
    assert path.read_bytes() == content
    assert fetch(contract, server.url, tmp_path / "inbox") == path
    assert [one.name for one in (tmp_path / "inbox").iterdir()] == [path.name]
    codes = [cells[0] for block in readers.read(contract, path).blocks for cells in block.cells.rows()]
    assert codes == [shop["code"] for shop in SHOPS]


def test_a_busy_source_is_asked_again(server: Server, contract: Contract, tmp_path: Path) -> None:
    def script(page: int, size: int, times: int) -> Answer:
        busy = Answer(b"", 429, {"Retry-After": "7"}) if times == 1 else Answer(b"", 503, {})
        return page_of(SHOPS, page, size) if times > 2 else busy

    server.script = script
    fetch(contract, server.url, tmp_path / "inbox")
    assert server.asked == [1, 1, 1, 2, 2, 2, 3, 3, 3, 1]
    assert WAITED[0] == 7.0  # as asked, not sooner


def test_retry_after_is_honoured_in_seconds_and_as_a_date(monkeypatch: pytest.MonkeyPatch) -> None:
    class Response:
        def __init__(self, value: str) -> None:
            self.headers = {"Retry-After": value}

    assert fetching._retry_after(Response("12")) == 12.0  # type: ignore[arg-type]
    assert fetching._retry_after(Response("Mon, 01 Jan 2024 10:00:00 GMT")) == 0.0  # type: ignore[arg-type]
    assert fetching._retry_after(Response("soon")) is None  # type: ignore[arg-type]


def test_a_source_that_stays_busy_is_a_service_that_is_down(server: Server, contract: Contract, tmp_path: Path) -> None:
    server.script = lambda page, size, times: Answer(b"", 503, {})
    with pytest.raises(ServiceDownError, match="6 times") as caught:
        fetch(contract, server.url, tmp_path / "inbox")
    assert caught.value.why == "HTTP 503"
    assert not (tmp_path / "inbox").exists()


def test_nobody_listening_is_a_service_that_is_down(server: Server, contract: Contract, tmp_path: Path) -> None:
    server.http.server_close()
    with pytest.raises(ServiceDownError):
        fetch(contract, server.url, tmp_path / "inbox")


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (
            lambda page, size, _: Answer(b"<html>busy</html>", headers={"Content-Type": "text/html; charset=utf-8"}),
            "web page",
        ),
        (lambda page, size, _: Answer(b" <!doctype html>"), "web page"),
        (lambda page, size, _: Answer(b'{"data": ['), "no JSON"),
        (lambda page, size, _: Answer(b'{"data": []}'), "no count"),
        (lambda page, size, _: Answer(b'{"items": [], "total": 0}'), "no list"),
        (lambda page, size, _: Answer(b"", 404, {}), "HTTP 404"),
        (lambda page, size, _: page_of(SHOPS, 1, size), "repeats"),
        (lambda page, size, _: page_of(SHOPS, page, size, total=6 if page == 2 else None), "total changed"),
        (lambda page, size, _: page_of(SHOPS, page, size, total=7), "empty after 5 of 7"),
        (lambda page, size, _: page_of(SHOPS, page, size, total=3), "4 records came"),
        (lambda page, size, _: page_of(SHOPS, page, size + 1), "asked for"),
    ],
)
def test_an_answer_that_does_not_reconcile_writes_nothing(
    server: Server, contract: Contract, tmp_path: Path, script: Script, words: str
) -> None:
    server.script = script
    with pytest.raises(BadInputError) as caught:
        fetch(contract, server.url, tmp_path / "inbox")
    assert words in caught.value.why
    assert not (tmp_path / "inbox").exists()


def test_a_source_without_records_gives_one_empty_page(server: Server, contract: Contract, tmp_path: Path) -> None:
    server.script = lambda page, size, _: page_of([], page, size)
    path = fetch(contract, server.url, tmp_path / "inbox")
    assert server.asked == [1]
    assert list(readers.read(contract, path).blocks) == []


def test_a_feed_without_an_api_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="paged"):
        fetch(contracts.load("patents"), "http://127.0.0.1:9/", tmp_path)


def test_a_crawl_goes_on_behind_its_last_committed_page(server: Server, contract: Contract, tmp_path: Path) -> None:
    whole = fetch(contract, server.url, tmp_path / "other" / "inbox").read_bytes()
    server.script = lambda page, size, times: page_of(SHOPS, page, size) if page < 3 else Answer(b"", 503, {})
    with pytest.raises(ServiceDownError, match="asked 6 times") as caught:
        fetch(contract, server.url, tmp_path / "inbox")
    assert "goes on from this page" in caught.value.next_step
    assert "key=k" not in str(caught.value)
    server.script = lambda page, size, times: page_of(SHOPS, page, size)
    server.asked.clear()
    assert fetch(contract, server.url, tmp_path / "inbox").read_bytes() == whole
    assert server.asked == [1, 3, 1]  # the first page proves that nothing moved, the second is not sent again
    assert not [one.name for one in (tmp_path / "inbox").iterdir() if one.suffix != ".zip"]


def test_a_source_that_moved_meanwhile_is_read_anew(server: Server, contract: Contract, tmp_path: Path) -> None:
    server.script = lambda page, size, times: page_of(SHOPS, page, size) if page < 3 else Answer(b"", 503, {})
    with pytest.raises(ServiceDownError):
        fetch(contract, server.url, tmp_path / "inbox")
    moved = [{"code": "NEW"}, *SHOPS]
    server.script = lambda page, size, times: page_of(moved, page, size)
    server.asked.clear()
    path = fetch(contract, server.url, tmp_path / "inbox")
    codes = [cells[0] for block in readers.read(contract, path).blocks for cells in block.cells.rows()]
    assert codes == [shop["code"] for shop in moved]


def test_a_half_written_page_is_asked_for_again(server: Server, contract: Contract, tmp_path: Path) -> None:
    server.script = lambda page, size, times: page_of(SHOPS, page, size) if page < 3 else Answer(b"", 503, {})
    with pytest.raises(ServiceDownError):
        fetch(contract, server.url, tmp_path / "inbox")
    (second,) = tmp_path.glob(".fetch/shops/*.partial/000002.json")
    second.write_bytes(second.read_bytes()[:-3])
    server.script = lambda page, size, times: page_of(SHOPS, page, size)
    server.asked.clear()
    fetch(contract, server.url, tmp_path / "inbox")
    assert server.asked == [1, 2, 3, 1]


def test_records_that_move_between_pages_are_found(server: Server, contract: Contract, tmp_path: Path) -> None:
    shifted = [{"code": "NEW"}, *SHOPS[:-1]]  # one came, one went: the total is the same
    server.script = lambda page, size, times: page_of(SHOPS if page == 1 and times == 1 else shifted, page, size)
    with pytest.raises(BadInputError) as caught:
        fetch(contract, server.url, tmp_path / "inbox")
    assert "first page changed" in caught.value.why
    overlapping = [*SHOPS[:2], *SHOPS[:2], SHOPS[4]]
    server.script = lambda page, size, times: page_of(overlapping, page, size)
    with pytest.raises(BadInputError) as caught:
        fetch(contract, server.url, tmp_path / "inbox")
    assert "page 2 repeats 2 record(s)" in caught.value.why
    assert not list(tmp_path.glob(".fetch/shops/*.partial"))


def test_a_record_that_the_provider_repeats_across_two_pages_is_kept(
    server: Server, contract: Contract, tmp_path: Path
) -> None:
    items = [SHOPS[0], SHOPS[1], SHOPS[1], SHOPS[2]]
    server.script = lambda page, size, times: page_of(items, page, size)
    path = fetch(contract, server.url, tmp_path / "inbox")
    assert sum(block.cells.height for block in readers.read(contract, path).blocks) == 4


def test_what_did_not_change_is_not_sent_again(server: Server, contract: Contract, tmp_path: Path) -> None:
    def script(page: int, size: int, times: int) -> Answer:
        answer = page_of(SHOPS, page, size)
        answer.headers["ETag"] = f'"{page}"'
        return answer

    server.script = script
    first = fetch(contract, server.url, tmp_path / "inbox")
    server.script = lambda page, size, times: Answer(b"", 304, {})
    first.unlink()
    assert fetch(contract, server.url, tmp_path / "inbox") == first
    assert first.stat().st_mtime == 1704276000
    assert server.sent[-1]["If-None-Match"] == '"1"'
    assert server.sent[-1]["If-Modified-Since"] == "Mon, 01 Jan 2024 10:00:00 GMT"


def test_a_token_is_sent_and_an_expired_one_renewed_without_reading_twice(
    server: Server, contract: Contract, tmp_path: Path
) -> None:
    server.script = lambda page, size, times: page_of(SHOPS, page, size) if page < 3 else Answer(b"", 401, {})
    with pytest.raises(BadInputError, match="refuses access") as caught:
        fetch(contract, server.url, tmp_path / "inbox", token="old-secret")
    assert "old-secret" not in str(caught.value)
    assert "PARKINDEX_SOURCE_" in caught.value.next_step
    server.script = lambda page, size, times: page_of(SHOPS, page, size)
    server.asked.clear()
    fetch(contract, server.url, tmp_path / "inbox", token="new")
    assert server.asked == [1, 3, 1]
    assert {headers.get("Authorization") for headers in server.sent[-3:]} == {"Bearer new"}


def test_a_source_that_asks_for_too_much_patience_is_left_alone(
    server: Server, contract: Contract, tmp_path: Path
) -> None:
    server.script = lambda page, size, times: Answer(b"", 429, {"Retry-After": "86400"})
    with pytest.raises(ServiceDownError) as caught:
        fetch(contract, server.url, tmp_path / "inbox")
    assert "asks to wait 86400 s" in caught.value.why
    assert server.asked == [1]


def test_a_page_that_drips_or_never_ends_is_given_up(
    server: Server, contract: Contract, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "_PAGE_SECONDS", -1.0)
    with pytest.raises(ServiceDownError) as caught:
        fetch(contract, server.url, tmp_path / "inbox")
    assert "was not whole" in caught.value.why
    monkeypatch.setattr(fetching, "_MOST_PAGE_BYTES", 10)
    with pytest.raises(BadInputError) as refused:
        fetch(contract, server.url, tmp_path / "inbox")
    assert "more than 10 bytes" in refused.value.why
