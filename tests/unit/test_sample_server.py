"""The sample's HTTP server: pages, refusals, the time of the data, and an end by signal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from email.utils import formatdate
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from parkindex.errors import BadInputError
from parkindex.sample.server import PATH, Answers, Server

MOMENT = 1_750_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    into = tmp_path / "样本 world" / "api" / "patent_events"
    into.mkdir(parents=True)
    path = into / "events.json"
    items = [{"eventId": f"PE{number}", "holder": "虚构"} for number in range(7)]
    path.write_text(json.dumps({"notice": "合成数据", "total": 7, "data": items}), encoding="utf-8")
    os.utime(path, (MOMENT, MOMENT))
    return tmp_path / "样本 world"


@pytest.fixture
def port(folder: Path) -> Iterator[int]:
    with Server(Answers.of(folder)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def _get(port: int, address: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request(method, address)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def test_pages_add_up_to_the_total(port: int) -> None:
    found: list[Any] = []
    for page in (1, 2, 3, 4):
        status, headers, body = _get(port, f"{PATH}?page={page}&pageSize=3")
        document = json.loads(body)
        assert (status, document["total"], document["page"]) == (200, 7, page)
        assert headers["Last-Modified"] == formatdate(MOMENT, usegmt=True)
        assert headers["Content-Type"] == "application/json; charset=utf-8"
        found += document["data"]
    assert [item["eventId"] for item in found] == [f"PE{number}" for number in range(7)]


def test_without_a_query_the_first_page_is_meant(port: int) -> None:
    assert len(json.loads(_get(port, PATH)[2])["data"]) == 7


@pytest.mark.parametrize(
    "query", ["page=0", "page=x", "page=-1", "pageSize=5001", "page=1&page=2", "page=%D9%A3", "page"]
)
def test_a_page_that_cannot_be_is_a_bad_request(port: int, query: str) -> None:
    status, _, body = _get(port, f"{PATH}?{query}")
    assert status == 400
    assert json.loads(body)["error"]


def test_another_path_is_not_found(port: int) -> None:
    assert _get(port, "/api/v1/other")[0] == 404
    assert _get(port, "/")[0] == 404


def test_head_has_the_headers_alone(port: int) -> None:
    status, headers, body = _get(port, PATH, "HEAD")
    assert (status, body) == (200, b"")
    assert int(headers["Content-Length"]) > 0


def test_the_inner_folder_serves_as_well(folder: Path) -> None:
    assert Answers.of(folder / "api" / "patent_events") == Answers.of(folder)


def test_a_folder_without_answers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="nothing to answer from"):
        Answers.of(tmp_path)
    (tmp_path / "events.json").write_text("[]", encoding="utf-8")
    with pytest.raises(BadInputError, match="not what the sample world writes"):
        Answers.of(tmp_path)


def test_the_program_writes_its_port_and_ends_by_signal(folder: Path, tmp_path: Path) -> None:
    port_file = tmp_path / "port"
    words = [sys.executable, "-m", "parkindex.sample.server", "--folder", str(folder), "--port-file", str(port_file)]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, env={**os.environ, "LANG": "C"})
    try:
        until = time.monotonic() + 20
        while not port_file.exists():
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.02)
        assert _get(int(port_file.read_text(encoding="ascii")), f"{PATH}?pageSize=1")[0] == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
    finally:
        process.kill()
        process.communicate()


def test_the_program_says_what_is_missing(tmp_path: Path) -> None:
    words = [
        sys.executable,
        "-m",
        "parkindex.sample.server",
        "--folder",
        str(tmp_path),
        "--port-file",
        str(tmp_path / "p"),
    ]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    assert ended.returncode == 3
    assert "parkindex sample --out DIR" in ended.stderr
    assert not (tmp_path / "p").exists()
