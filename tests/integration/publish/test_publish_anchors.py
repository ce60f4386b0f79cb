"""Heads that were handed out before an administrator recomputed everything: a file, a git repository, a mail."""

from __future__ import annotations

import socketserver
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from parkindex import pipeline
from parkindex.errors import AlteredError, BadInputError, ServiceDownError, UsageError
from parkindex.publish import anchors, bundle, chain, releases, verify
from parkindex.publish.anchors import FileAnchor, GitAnchor


def recompute_as_administrator(house: Any) -> None:
    """Change a reason and every hash after it, so that the warehouse agrees with itself again."""
    with house.engine.connect() as connection:
        chained = releases.chained(connection)
    previous = chain.GENESIS
    for release in chained:
        changed = replace(release, reason="nothing to see here", previous_sha256=previous)
        previous = chain.chain_sha256(changed.as_dict())
        house.as_administrator(
            "publish.releases",
            "update publish.releases set reason = :reason, previous_sha256 = :before, chain_sha256 = :head"
            " where release_id = :release",
            reason=changed.reason,
            before=changed.previous_sha256,
            head=previous,
            release=release.release_id,
        )


def with_anchors(house: Any, *specs: str) -> Any:
    return replace(house.settings, anchors=specs)


def test_a_chain_recomputed_by_an_administrator_is_found_by_what_was_handed_out(
    released_house: Any, tmp_path: Path
) -> None:
    kept = tmp_path / "elsewhere" / "heads.jsonl"
    settings = with_anchors(released_house, kept.as_uri())
    (outcome,) = anchors.hand_over(released_house.engine, settings)
    assert (outcome["handed"], outcome["receipt"], outcome["error"]) == (["2025.1"], "line 1", None)
    assert verify.verify_warehouse(released_house.engine, settings) == []

    recompute_as_administrator(released_house)
    assert verify.verify_warehouse(released_house.engine, released_house.settings) == []  # it agrees with itself
    (found,) = verify.verify_warehouse(released_house.engine, settings)
    assert (found.what, found.where) == ("another head", f"release 2025.1, {kept.as_uri()}")
    (given,) = verify.verify_warehouse(released_house.engine, released_house.settings, [FileAnchor(kept)])
    assert given.what == "another head"


def test_heads_are_handed_over_once_and_a_second_for_one_place_is_refused(released_house: Any, tmp_path: Path) -> None:
    kept = tmp_path / "heads.jsonl"
    settings = with_anchors(released_house, kept.as_uri())
    anchors.hand_over(released_house.engine, settings)
    assert anchors.hand_over(released_house.engine, settings)[0]["handed"] == []
    head = anchors.heads_in(kept.read_text("utf-8"))[0]
    assert FileAnchor(kept).keep(head) == "line 1"
    assert kept.read_text("utf-8").count("\n") == 1
    with pytest.raises(AlteredError, match="another head for place 1"):
        FileAnchor(kept).keep(replace(head, chain_sha256="f" * 64))
    assert [row["receipt"] for row in anchors.receipts(released_house.engine)] == ["line 1"]


def test_an_anchor_that_was_emptied_is_found_by_its_receipts(released_house: Any, tmp_path: Path) -> None:
    kept = tmp_path / "heads.jsonl"
    settings = with_anchors(released_house, kept.as_uri())
    anchors.hand_over(released_house.engine, settings)
    kept.unlink()
    (found,) = verify.verify_warehouse(released_house.engine, settings)
    assert (found.what, found.detail) == ("missing anchor", "handed over: line 1")
    with pytest.raises(BadInputError, match="No head"):
        verify.verify_warehouse(released_house.engine, settings, [FileAnchor(kept)])


def test_a_git_repository_keeps_every_head_that_was_ever_committed(released_house: Any, tmp_path: Path) -> None:
    remote, repository = tmp_path / "remote.git", tmp_path / "heads"
    for words in (("init", "--quiet", "--bare", str(remote)), ("init", "--quiet", str(repository))):
        subprocess.run(["git", *words], check=True)
    subprocess.run(["git", "-C", str(repository), "remote", "add", "away", str(remote)], check=True)
    settings = with_anchors(released_house, f"git://{repository}?push=away")
    (outcome,) = anchors.hand_over(released_house.engine, settings)
    assert outcome["receipt"].startswith("commit ")
    assert verify.verify_warehouse(released_house.engine, settings) == []
    assert GitAnchor(remote).kept() == GitAnchor(repository).kept()

    (repository / anchors.HEADS_FILE).write_text("", "utf-8")
    committed = ("-c", "user.name=x", "-c", "user.email=x@x", "commit", "--quiet", "--all", "-m", "Forget")
    subprocess.run(["git", "-C", str(repository), *committed], check=True)
    recompute_as_administrator(released_house)
    (found,) = verify.verify_warehouse(released_house.engine, settings)
    assert found.what == "another head"
    subprocess.run(["rm", "-rf", str(repository / ".git")], check=True)
    with pytest.raises(ServiceDownError, match="git repository"):
        GitAnchor(repository).kept()


class _Mailbox(socketserver.StreamRequestHandler):
    """As much of SMTP as one mail takes."""

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        data = False
        for raw in self.rfile:
            line = raw.decode().rstrip("\r\n")
            if data:
                if line == ".":
                    data = False
                    self.wfile.write(b"250 kept\r\n")
                else:
                    self.server.lines.append(line)  # type: ignore[attr-defined]
            elif line.upper() == "DATA":
                data = True
                self.wfile.write(b"354 go on\r\n")
            elif line.upper() == "QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"250 ok\r\n")


@pytest.fixture
def mailbox() -> Iterator[Any]:
    with socketserver.TCPServer(("127.0.0.1", 0), _Mailbox) as server:
        server.lines = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_saved_mail_is_an_anchor(released_house: Any, mailbox: Any, tmp_path: Path) -> None:
    port = mailbox.server_address[1]
    people = "from=zone@example.invalid&to=audit@example.invalid"
    settings = with_anchors(released_house, f"smtp://127.0.0.1:{port}?{people}")
    (outcome,) = anchors.hand_over(released_house.engine, settings)
    assert outcome["error"] is None
    assert outcome["receipt"].startswith("message <2025.1.")
    saved = tmp_path / "saved.eml"
    saved.write_text("\n".join(mailbox.lines), "utf-8")
    given = [anchors.of(str(saved))]
    assert verify.verify_warehouse(released_house.engine, settings, given) == []
    folder = bundle.write(released_house.engine, released_house.settings, "2025.1")
    assert verify.verify_bundle(folder, given=given) == []
    recompute_as_administrator(released_house)
    assert {one.what for one in verify.verify_warehouse(released_house.engine, settings, given)} >= {"another head"}
    with pytest.raises(BadInputError, match="No head"):
        verify.verify_warehouse(released_house.engine, settings, anchors.configured(settings))


def test_an_anchor_that_fails_is_told_and_recorded_and_the_others_have_theirs(
    released_house: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, blocked = tmp_path / "heads.jsonl", tmp_path / "a file"
    blocked.write_text("", "utf-8")
    settings = with_anchors(released_house, (blocked / "heads.jsonl").as_uri(), kept.as_uri())
    failed, done = anchors.hand_over(released_house.engine, settings)
    assert failed["error"]
    assert (done["handed"], done["error"]) == (["2025.1"], None)
    assert [outcome for outcome, _ in released_house.attempts("anchor")] == ["refused", "done"]
    monkeypatch.setattr(pipeline, "_open", lambda: (settings, released_house.engine))
    with pytest.raises(ServiceDownError, match="1 of 2 anchors"):
        pipeline.hand_over_heads()
    with pytest.raises(UsageError, match="not an anchor"):
        anchors.of("ftp://somewhere/heads")
