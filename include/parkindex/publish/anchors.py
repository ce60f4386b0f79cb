"""Anchors: places outside the warehouse that keep the head of the chain.

Who owns the database can recompute every hash in it. What was handed out before they cannot take back: a line in a file
on another machine, a commit in a git repository, a mail in somebody's box. A head is one line of JSON, the same
everywhere, so that a saved mail can be compared as a file is.
"""

from __future__ import annotations

import json
import os
import smtplib
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from sqlalchemy import Engine, insert, select

from parkindex.errors import AlteredError, BadInputError, ParkindexError, ServiceDownError, UsageError
from parkindex.ledger import attempts, tables
from parkindex.publish import canonical, releases
from parkindex.settings import Settings

HEADS_FILE = "heads.jsonl"
_KIND = "parkindex_head"
_VERSION = 1
_SECONDS = 20
_FORMS = "file:///FOLDER/heads.jsonl, git:///REPOSITORY[?push=REMOTE], smtp://[USER@]HOST[:PORT]?from=…&to=…[&tls=1]"


@dataclass(frozen=True)
class Head:
    """The head of the chain when a release was published; every value a text, as it is hashed."""

    release_id: str
    sequence: str
    chain_sha256: str
    previous_sha256: str
    content_sha256: str
    published_at: str

    def line(self) -> str:
        """Return the head as one line of ASCII JSON, without a line feed."""
        return json.dumps({_KIND: _VERSION, **asdict(self)}, sort_keys=True, separators=(",", ":"))


def head_of(record: Mapping[str, Any]) -> Head:
    """Return the head that a release's record, or a link of a bundle's chain, stands for."""
    return Head(*(str(canonical.text_of(record[one.name])) for one in fields(Head)))


class Anchor(Protocol):
    """A place outside the warehouse that keeps heads."""

    @property
    def label(self) -> str:
        """The place, without secrets."""

    def keep(self, head: Head) -> str:
        """Keep a head, once; return what tells where it is kept."""

    def kept(self) -> list[Head] | None:
        """Return what is kept, oldest first; None when the place cannot be asked."""


@dataclass(frozen=True)
class FileAnchor:
    """A file, one head per line, best where the owner of the database cannot write; a saved mail is read too."""

    path: Path

    @property
    def label(self) -> str:
        """The file as a URL."""
        return self.path.as_uri()

    def keep(self, head: Head) -> str:
        """Add a line at the end, flushed to disk."""
        there = self.kept() or []
        _require_no_other(there, head, self.label)
        if head not in there:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as stream:
                stream.write(f"{head.line()}\n".encode())
                stream.flush()
                os.fsync(stream.fileno())
            there.append(head)
        return f"line {there.index(head) + 1}"

    def kept(self) -> list[Head] | None:
        """Return the heads among the file's lines."""
        try:
            return heads_in(self.path.read_text("utf-8", errors="replace"))
        except FileNotFoundError:
            return []


@dataclass(frozen=True)
class GitAnchor:
    """A git repository: ``heads.jsonl``, a commit per release, pushed to a remote when one is named."""

    repository: Path
    remote: str | None = None

    @property
    def label(self) -> str:
        """The repository as a URL."""
        return f"git://{self.repository}"

    def keep(self, head: Head) -> str:
        """Commit a line; push it when a remote is named. A line that is committed already is only pushed."""
        there = self.kept()
        _require_no_other(there, head, self.label)
        if head not in there:
            path = self.repository / HEADS_FILE
            lines = [*(one.line() for one in there), head.line()]
            path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
            self._git("add", HEADS_FILE)
            identity = ("-c", "user.name=parkindex", "-c", "user.email=parkindex@localhost")
            message = f"Keep the head of {head.release_id}\n\n{head.chain_sha256}"
            self._git(*identity, "commit", "--quiet", "--no-verify", "-m", message, "--", HEADS_FILE)
        if self.remote is not None:
            self._git("push", "--quiet", self.remote, "HEAD")
        return f"commit {self._git('log', '-1', '--format=%H', '--', HEADS_FILE).strip()}"

    def kept(self) -> list[Head]:
        """Return every head that was ever committed, so that a later commit cannot take one away."""
        self._git("rev-parse", "--git-dir")
        if not self._git("rev-list", "-n", "1", "--all").strip():
            return []
        found: dict[Head, None] = {}
        for commit in self._git("log", "--reverse", "--format=%H", "--", HEADS_FILE).split():
            listed = self._git("ls-tree", "--name-only", commit, "--", HEADS_FILE).strip()
            for head in heads_in(self._git("show", f"{commit}:{HEADS_FILE}")) if listed else []:
                found[head] = None
        return list(found)

    def _git(self, *words: str) -> str:
        try:
            done = subprocess.run(
                ["git", "-C", str(self.repository), *words],
                capture_output=True,
                text=True,
                encoding="utf-8",
                check=False,
                timeout=_SECONDS * 3,
            )
        except (FileNotFoundError, subprocess.TimeoutExpired) as error:
            raise ServiceDownError(
                "git does not answer.",
                where=self.label,
                why=str(error),
                next_step="install git, or name another anchor",
            ) from error
        if done.returncode != 0:
            raise ServiceDownError(
                "The git repository cannot be used as an anchor.",
                where=self.label,
                why=done.stderr.strip() or f"git {words[0]} ended with {done.returncode}",
                next_step=f"git init {self.repository}, or name another repository in PARKINDEX_ANCHORS",
            )
        return done.stdout


@dataclass(frozen=True)
class MailAnchor:
    """E-mail: the head goes to people; to compare it, save the mail and give it as a file."""

    host: str
    port: int
    sender: str
    recipients: tuple[str, ...]
    user: str | None = None
    password: str | None = None
    tls: bool = False

    @property
    def label(self) -> str:
        """Server and recipients."""
        return f"smtp://{self.host}:{self.port}?to={','.join(self.recipients)}"

    def keep(self, head: Head) -> str:
        """Send the head; the same head has the same message id, so that a second one shows as such."""
        message = EmailMessage()
        message["Subject"] = f"parkindex: head of the chain, release {head.release_id}"
        message["From"] = self.sender
        message["To"] = ", ".join(self.recipients)
        message["Message-ID"] = f"<{head.release_id}.{head.chain_sha256[:32]}@parkindex>"
        message.set_content(
            f"Release {head.release_id} was published. Keep this mail: with it an alteration of the whole chain is\n"
            f"found. Save it and run: parkindex verify --anchor SAVED_MAIL\n\n{head.line()}\n",
            cte="7bit",
        )
        try:
            with smtplib.SMTP(self.host, self.port, timeout=_SECONDS) as server:
                if self.tls:
                    server.starttls()
                if self.user is not None:
                    server.login(self.user, self.password or "")
                server.send_message(message)
        except (OSError, smtplib.SMTPException) as error:
            raise ServiceDownError(
                "The head of the chain could not be mailed.",
                where=self.label,
                why=f"{type(error).__name__}: {error}",
                next_step="check PARKINDEX_ANCHORS and PARKINDEX_SMTP_PASSWORD, then parkindex anchors hand",
            ) from error
        return f"message {message['Message-ID']}"

    def kept(self) -> list[Head] | None:
        """A mail server cannot be asked."""
        return None


def heads_in(text: str) -> list[Head]:
    """Return the heads among the lines of a text; other lines (those of a mail, say) are not heads."""
    found = []
    for line in text.splitlines():
        if not line.startswith("{") or f'"{_KIND}"' not in line:
            continue
        try:
            read = json.loads(line)
            found.append(Head(*(str(read[one.name]) for one in fields(Head))))
        except (ValueError, KeyError, TypeError) as error:
            raise BadInputError(
                "A line says it is a head of the chain and is none.",
                where=line[:80],
                why=f"{type(error).__name__}: {error}",
                next_step="compare the anchor with another one; keep it as evidence",
            ) from error
    return found


def of(spec: str, password: str | None = None) -> Anchor:
    """Return the anchor that a URL, or the path of a file or git repository, names.

    Raises:
        UsageError: It names none.
    """
    parts = urlsplit(spec)
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    match parts.scheme:
        case "file":
            return FileAnchor(Path(unquote(parts.path)))
        case "git":
            return GitAnchor(Path(unquote(parts.netloc + parts.path)), options.get("push"))
        case "smtp" if parts.hostname and options.get("from") and options.get("to"):
            return MailAnchor(
                parts.hostname,
                parts.port or smtplib.SMTP_PORT,
                options["from"],
                tuple(options["to"].split(",")),
                unquote(parts.username) if parts.username else None,
                password,
                options.get("tls") == "1",
            )
        case "":
            path = Path(spec).expanduser().resolve()
            return GitAnchor(path) if path.is_dir() else FileAnchor(path)
        case _:
            raise UsageError(
                f"{spec.split('?', maxsplit=1)[0]!r} is not an anchor.",
                why=f"forms: {_FORMS}",
                next_step="correct PARKINDEX_ANCHORS",
            )


def configured(settings: Settings) -> list[Anchor]:
    """Return the installation's anchors; without a setting, a file in its home."""
    specs = settings.anchors or ((settings.home / "anchors" / HEADS_FILE).as_uri(),)
    return [of(spec, settings.smtp_password) for spec in specs]


def hand_over(engine: Engine, settings: Settings) -> list[dict[str, Any]]:
    """Hand every head that an anchor has not got yet to it, oldest first; each is recorded.

    An anchor that fails does not keep the others from theirs, and does not undo a publication: the failure is recorded
    and told, and the next call hands over what is missing.

    Returns:
        Per anchor ``{"anchor", "handed": [release_id], "receipt", "error"}``; error is None when all went well.
    """
    outcomes = []
    for anchor in configured(settings):
        handed: list[str] = []
        receipt, error = None, None
        try:
            for release in _missing(engine, anchor):
                receipt = anchor.keep(head_of(release.as_dict()))
                with engine.begin() as connection:
                    connection.execute(
                        insert(tables.anchor_receipts).values(
                            release_id=release.release_id,
                            anchor=anchor.label,
                            chain_sha256=release.chain_sha256,
                            receipt=receipt,
                        )
                    )
                    attempts.done(connection, "anchor", f"{release.release_id} to {anchor.label}")
                handed.append(release.release_id)
        except (ParkindexError, OSError) as failure:
            attempts.refused(engine, "anchor", anchor.label, failure)
            error = str(failure)
        outcomes.append({"anchor": anchor.label, "handed": handed, "receipt": receipt, "error": error})
    return outcomes


def _missing(engine: Engine, anchor: Anchor) -> list[releases.Release]:
    receipts = tables.anchor_receipts.c
    with engine.connect() as connection:
        done: set[str] = set(
            connection.execute(select(receipts.release_id).where(receipts.anchor == anchor.label)).scalars()
        )
        return [release for release in releases.chained(connection) if release.release_id not in done]


def receipts(engine: Engine) -> list[dict[str, Any]]:
    """Return where each head was handed to, oldest first."""
    with engine.connect() as connection:
        query = select(tables.anchor_receipts).order_by(tables.anchor_receipts.c.receipt_id)
        return [dict(row) for row in connection.execute(query).mappings()]


def require_kept(anchor: Anchor) -> list[Head]:
    """Return what an anchor keeps.

    Raises:
        BadInputError: Nothing: a comparison with nothing would find nothing.
    """
    heads = anchor.kept()
    if not heads:
        raise BadInputError(
            "No head of a chain is kept there.",
            where=anchor.label,
            why="a mail server cannot be asked; save the mail and give the file"
            if heads is None
            else "there is no line that says parkindex_head",
            next_step="parkindex anchors list tells where heads were handed to",
        )
    return heads


def departures(heads: Iterable[Head], chain: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """Compare kept heads with a chain; return what departs as (what, where, detail).

    Args:
        heads: As an anchor keeps them.
        chain: Records of releases, or links of a bundle's chain, from the first release on.
    """
    there = {one.sequence: one for one in map(head_of, chain)}
    found = []
    for head in heads:
        now = there.get(head.sequence)
        if now is None:
            detail = f"anchored as place {head.sequence} of the chain, head {head.chain_sha256}; it is not in the chain"
            found.append(("missing release", f"release {head.release_id}", detail))
        elif now != head:
            differing = next(one.name for one in fields(Head) if getattr(now, one.name) != getattr(head, one.name))
            detail = f"{differing} anchored {getattr(head, differing)}, now {getattr(now, differing)}"
            found.append(("another head", f"release {head.release_id}", detail))
    return found


def _require_no_other(there: Iterable[Head], head: Head, label: str) -> None:
    """Refuse to keep a second head for one place of the chain."""
    for one in there:
        if one.sequence == head.sequence and one != head:
            raise AlteredError(
                f"The anchor keeps another head for place {head.sequence} of the chain.",
                where=label,
                why=f"kept {one.release_id} {one.chain_sha256[:12]}…, now {head.release_id} {head.chain_sha256[:12]}…",
                next_step="parkindex verify; the chain was recomputed, or the anchor belongs to another warehouse",
            )
