"""The patent events' provider, as far as a client can tell: a paged JSON API over HTTP on the loopback.

``python -m parkindex.sample.server --folder DIR --port-file FILE`` answers ``GET /api/v1/patent-events`` with
``page`` (from 1) and ``pageSize`` (1 to 5000, 1000 if not given)::

    {"notice": "…", "total": 12345, "page": 1, "pageSize": 1000, "data": [ … ]}

A page behind the last has an empty ``data``. ``Last-Modified`` is when the provider last changed its data: the time of
the file it answers from, the same on every page. Standard library only.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from parkindex.errors import BadInputError, ServiceDownError

ANSWERS_FILE = "events.json"
PATH = "/api/v1/patent-events"
DEFAULT_PAGE_SIZE = 1000
LARGEST_PAGE_SIZE = 5000
_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Answers:
    """What the server answers from.

    Attributes:
        items: All events, in the provider's order.
        notice: Says that the data is synthetic.
        last_modified: HTTP date of the last change.
    """

    items: list[Any]
    notice: str
    last_modified: str

    @classmethod
    def of(cls, folder: Path) -> Answers:
        """Read a sample world's folder, or its ``api/patent_events`` itself.

        Raises:
            BadInputError: There is no readable ``events.json``.
        """
        candidates = (folder / ANSWERS_FILE, folder / "api" / "patent_events" / ANSWERS_FILE)
        path = next((path for path in candidates if path.is_file()), None)
        if path is None:
            raise BadInputError(
                "There is nothing to answer from.",
                where=str(candidates[0]),
                why="no events.json in the folder",
                next_step="parkindex sample --out DIR, then name DIR/api/patent_events",
            )
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            return cls(list(document["data"]), str(document["notice"]), formatdate(path.stat().st_mtime, usegmt=True))
        except (ValueError, KeyError, TypeError) as error:
            raise BadInputError(
                "events.json is not what the sample world writes.",
                where=str(path),
                why=str(error),
                next_step="write the sample world again",
            ) from error

    def page(self, number: int, size: int) -> bytes:
        """Return one page as JSON bytes."""
        body = {
            "notice": self.notice,
            "total": len(self.items),
            "page": number,
            "pageSize": size,
            "data": self.items[(number - 1) * size : number * size],
        }
        return json.dumps(body, ensure_ascii=False).encode()


class Server(ThreadingHTTPServer):
    """The server of one world's answers."""

    daemon_threads = True

    def __init__(self, answers: Answers, port: int = 0) -> None:
        super().__init__((_LOOPBACK, port), _Handler)
        self.answers = answers

    @property
    def url(self) -> str:
        """Address of the API."""
        return f"http://{_LOOPBACK}:{self.server_port}{PATH}"


class _Handler(BaseHTTPRequestHandler):
    server: Server
    server_version = "parkindex-sample"
    sys_version = ""
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer a page, 404 for another path, 400 for a page that cannot be."""
        address = urlsplit(self.path)
        if address.path.rstrip("/") != PATH:
            self._refuse(HTTPStatus.NOT_FOUND, f"no such resource; the events are at {PATH}")
            return
        try:
            query = parse_qs(address.query, keep_blank_values=True, strict_parsing=bool(address.query))
            number = _whole(query, "page", 1, None)
            size = _whole(query, "pageSize", DEFAULT_PAGE_SIZE, LARGEST_PAGE_SIZE)
        except ValueError as error:
            self._refuse(HTTPStatus.BAD_REQUEST, str(error))
            return
        answers = self.server.answers
        self._send(HTTPStatus.OK, answers.page(number, size), {"Last-Modified": answers.last_modified})

    def do_HEAD(self) -> None:
        """Answer as to GET, without the body."""
        self.do_GET()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Log one request a line to the standard error output."""
        sys.stderr.write(f"{self.address_string()} {format % args}\n")

    def _refuse(self, status: HTTPStatus, reason: str) -> None:
        self._send(status, json.dumps({"error": reason}, ensure_ascii=False).encode(), {})

    def _send(self, status: HTTPStatus, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _whole(query: dict[str, list[str]], name: str, default: int, largest: int | None) -> int:
    """Read a positive whole number of the query.

    Raises:
        ValueError: It is none, stands twice, or is too large.
    """
    values = query.get(name, [str(default)])
    text = values[0]
    if len(values) > 1 or not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) < 1:
        raise ValueError(f"{name} must be one whole number from 1")
    if largest is not None and int(text) > largest:
        raise ValueError(f"{name} must not exceed {largest}")
    return int(text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT. The port is written to the port file once requests are answered."""
    parser = argparse.ArgumentParser(prog="python -m parkindex.sample.server", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="the sample world, or its api/patent_events")
    parser.add_argument(
        "--port-file", type=Path, required=True, help="file the port is written to, whole or not at all"
    )
    parser.add_argument("--port", type=int, default=0, help="port to listen on (default: a free one)")
    options = parser.parse_args(arguments)
    try:
        server = Server(Answers.of(options.folder), options.port)
    except BadInputError as error:
        sys.stderr.write(f"{error}\n")
        return int(error.exit_code)
    except OSError as error:
        refused = ServiceDownError(
            "The sample's server cannot listen.",
            where=f"{_LOOPBACK}:{options.port}",
            why=str(error),
            next_step="name another --port, or none",
        )
        sys.stderr.write(f"{refused}\n")
        return int(refused.exit_code)

    def stop(_signal: int, _frame: object) -> None:
        # shutdown() waits for the loop, which runs in this very thread
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    waiting = options.port_file.with_name(f"{options.port_file.name}.new")
    waiting.write_text(f"{server.server_port}\n", encoding="ascii")
    waiting.replace(options.port_file)
    with server:
        server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
