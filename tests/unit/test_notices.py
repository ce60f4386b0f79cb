"""Notices reach a file, a mail server and a web hook; one way that fails does not silence the others."""

from __future__ import annotations

import json
import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from parkindex import notices, pipeline
from parkindex import settings as settings_module
from parkindex.errors import BadInputError, ServiceDownError, UsageError
from parkindex.notices import Notice

SAID = Notice(
    "late", "逾期 1 个来源", "headcounts: 7 d", {"feeds": {"headcounts": 7}}, datetime(2025, 3, 1, tzinfo=UTC)
)


@contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[int]:
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server.server_address[1]  # type: ignore[index, misc]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Mailbox(socketserver.TCPServer):
    """A mail server that takes one mail at a time and keeps what it was sent (RFC 5321, the least of it)."""

    allow_reuse_address = True

    def __init__(self) -> None:
        self.mails: list[bytes] = []
        self.heard: list[str] = []
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.say("220 mailbox")
                while line := self.rfile.readline().decode().strip():
                    outer.heard.append(line)
                    verb = line.split(" ")[0].upper()
                    if verb == "EHLO":
                        self.say("250-mailbox")
                        self.say("250 AUTH PLAIN")
                    elif verb == "DATA":
                        self.say("354 go on")
                        outer.mails.append(b"".join(iter(self.rfile.readline, b".\r\n")))
                        self.say("250 taken")
                    elif verb == "QUIT":
                        self.say("221 bye")
                        return
                    else:
                        self.say("235 in" if verb == "AUTH" else "250 ok")

            def say(self, text: str) -> None:
                self.wfile.write(f"{text}\r\n".encode())

        super().__init__(("127.0.0.1", 0), Handler)


class Hook(HTTPServer):
    """A web hook that keeps what was posted, and answers as told."""

    def __init__(self) -> None:
        self.posted: list[tuple[str, Any]] = []
        self.status = 200
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.posted.append((self.path, json.loads(body)))
                self.send_response(outer.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)


def test_the_log_gets_one_line_per_notice(tmp_path: Path) -> None:
    assert notices.send(SAID, ["log:", "log:"], tmp_path / "logs") == ["log:"]
    assert notices.send(SAID, ["log:"], tmp_path / "logs") == ["log:"]
    lines = (tmp_path / "logs" / notices.FILE).read_text("utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [SAID.as_dict()] * 2
    assert json.loads(lines[0])["facts"] == {"feeds": {"headcounts": 7}}


def test_a_mail_says_who_what_and_when_in_any_language(tmp_path: Path) -> None:
    with Mailbox() as server, serving(server) as port:
        address = f"smtp://desk:p%40ss@127.0.0.1:{port}/?from=pi@zone.test&to=a@zone.test,b@zone.test&starttls=no"
        assert notices.send(SAID, [address], tmp_path) == ["smtp://127.0.0.1"]
    (mail,) = [message_from_bytes(one, policy=policy.default) for one in server.mails]
    assert (mail["From"], mail["To"]) == ("pi@zone.test", "a@zone.test, b@zone.test")
    assert mail["Subject"] == "[parkindex] 逾期 1 个来源"
    assert mail["Date"].datetime == SAID.at
    assert "headcounts: 7 d" in mail.get_content()  # type: ignore[attr-defined]
    heard = [line.upper() for line in server.heard]
    assert [line for line in heard if line.startswith("RCPT")] == ["RCPT TO:<A@ZONE.TEST>", "RCPT TO:<B@ZONE.TEST>"]
    assert any(line.startswith("AUTH PLAIN") for line in heard)


@pytest.mark.parametrize("robot", [False, True])
def test_a_web_hook_gets_json(tmp_path: Path, robot: bool) -> None:
    with Hook() as server, serving(server) as port:
        address = f"{'robot+' if robot else ''}http://127.0.0.1:{port}/send?key=SECRET"
        notices.send(SAID, [address], tmp_path)
    ((path, document),) = server.posted
    assert path == "/send?key=SECRET"
    if robot:
        assert document == {"msgtype": "text", "text": {"content": f"{SAID.subject}\n{SAID.text}"}}
    else:
        assert document == SAID.as_dict()


def test_one_way_that_fails_does_not_silence_the_others_and_its_secrets_stand_nowhere(tmp_path: Path) -> None:
    with Hook() as server, serving(server) as port:
        server.status = 500
        hook = f"http://127.0.0.1:{port}/send?key=SECRET"
        closed = "smtp://desk:SECRET@127.0.0.1:9/?from=a@b.test&to=c@d.test"
        with pytest.raises(ServiceDownError, match="did not go out everywhere") as caught:
            notices.send(SAID, [hook, closed, "log:"], tmp_path)
    assert caught.value.where == "http://127.0.0.1 (HTTPStatusError), smtp://127.0.0.1 (ConnectionRefusedError)"
    assert "SECRET" not in str(caught.value)
    assert len((tmp_path / notices.FILE).read_text("utf-8").splitlines()) == 1
    for address in (hook, closed):
        assert "SECRET" not in repr(notices.notifier(address, tmp_path))


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("ftp://host/x", "schemes"),
        ("nowhere", "schemes"),
        ("https:///path", "schemes"),
        ("robot+smtp://host/?from=a&to=b", "schemes"),
        ("smtp://desk:SECRET@host/?from=a@b.test", "missing: to"),
    ],
)
def test_an_address_that_cannot_be_used_is_said_before_anything_is_sent(tmp_path: Path, address: str, why: str) -> None:
    with pytest.raises(BadInputError, match="cannot be sent to this address") as caught:
        notices.send(SAID, ["log:", address], tmp_path)
    assert why in caught.value.why
    assert "SECRET" not in str(caught.value)
    assert not (tmp_path / notices.FILE).exists()


def test_where_notices_go_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PARKINDEX_HOME", str(tmp_path))
    assert settings_module.load().notify == ("log:",)
    monkeypatch.setenv("PARKINDEX_NOTIFY", " log:  https://hook.test/SECRET ")
    assert settings_module.load().notify == ("log:", "https://hook.test/SECRET")
    assert "SECRET" not in repr(settings_module.load())
    monkeypatch.setenv("PARKINDEX_NOTIFY", "log:")
    assert pipeline.notify("failed", "x", "y", {"a": 1}) == ["log:"]
    assert json.loads((tmp_path / "logs" / notices.FILE).read_text("utf-8"))["kind"] == "failed"
    assert pipeline.notify("failed", "x", "y", addresses=["log:"]) == ["log:"]


@pytest.mark.parametrize("told", ["0", "-1", "soon"])
def test_a_watch_that_never_looks_is_refused(monkeypatch: pytest.MonkeyPatch, told: str) -> None:
    monkeypatch.setenv("PARKINDEX_WATCH_SECONDS", told)
    with pytest.raises(UsageError, match="PARKINDEX_WATCH_SECONDS"):
        settings_module.load()
