"""Tell people what needs them: a run that failed, one that is not done in time, a feed that is late.

One interface, three ways: a file of log lines, a mail (SMTP), a web hook. Where notices go is a list of addresses, in
``PARKINDEX_NOTIFY`` or in the Airflow connection ``parkindex_notify``:

=====================================================  ==============================================================
address                                                is sent
=====================================================  ==============================================================
``log:``                                               a line of JSON in ``<home>/logs/notices.jsonl``
``smtp://user:password@host:587/?from=A&to=B,C``       a mail after STARTTLS (``starttls=no``: without)
``smtps://user:password@host:465/?from=A&to=B``        a mail over TLS
``https://host/path`` (``http://``)                    the notice as a JSON document
``robot+https://host/path``                            ``{"msgtype": "text", "text": {"content": …}}``, as robots of
                                                       chat groups take it (assumed of WeCom and DingTalk, not tried)
=====================================================  ==============================================================

An address may hold a password or a token: it stands in no message but by its scheme and host.
"""

from __future__ import annotations

import json
import logging
import smtplib
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

import httpx

from parkindex.errors import BadInputError, ServiceDownError

KINDS = ("failed", "deadline", "late")
FILE = "notices.jsonl"
_SECONDS = 20.0
_ROBOT = "robot+"
_MAIL_PORTS = {"smtp": 587, "smtps": 465}
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Notice:
    """What somebody has to know.

    Attributes:
        kind: One of :data:`KINDS`.
        subject: One sentence.
        text: What happened, where, why, and what to do next; personal values are masked by whoever made it.
        facts: The same for programs: plain values.
        at: When it was said.
    """

    kind: str
    subject: str
    text: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def as_dict(self) -> dict[str, Any]:
        """Return the notice as the JSON document that web hooks and the log get."""
        return {
            "kind": self.kind,
            "subject": self.subject,
            "text": self.text,
            "facts": dict(self.facts),
            "at": self.at.isoformat(),
        }


class Notifier(Protocol):
    """One way to tell people."""

    def send(self, notice: Notice) -> None:
        """Send a notice.

        Raises:
            OSError: It did not go out (``smtplib`` and ``ssl`` errors are some).
            httpx.HTTPError: It did not go out.
        """


@dataclass(frozen=True)
class LogNotifier:
    """Appends to a file, and to the log of the process (in Airflow: of the task)."""

    path: Path

    def send(self, notice: Notice) -> None:
        """Append one line."""
        _LOG.warning("%s: %s\n%s", notice.kind, notice.subject, notice.text)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps(notice.as_dict(), ensure_ascii=False, default=str) + "\n"
        # One write of one line: tasks that say something at the same moment do not mix.
        with self.path.open("ab", buffering=0) as stream:
            stream.write(line.encode("utf-8"))


@dataclass(frozen=True)
class MailNotifier:
    """Sends a mail."""

    address: SplitResult = field(repr=False)

    def send(self, notice: Notice) -> None:
        """Connect, log in where the address says how, send."""
        told = parse_qs(self.address.query)
        mail = EmailMessage()
        mail["From"] = told["from"][0]
        mail["To"] = ", ".join(one for names in told["to"] for one in names.split(","))
        mail["Subject"] = f"[parkindex] {notice.subject}"
        mail["Date"] = format_datetime(notice.at)
        mail.set_content(f"{notice.text}\n\n{json.dumps(dict(notice.facts), ensure_ascii=False, default=str)}\n")
        host, port = self.address.hostname or "", self.address.port or _MAIL_PORTS[self.address.scheme]
        with self._connected(host, port) as server:
            if self.address.scheme == "smtp" and told.get("starttls", ["yes"])[0] != "no":
                server.starttls(context=ssl.create_default_context())
            if self.address.username:
                server.login(unquote(self.address.username), unquote(self.address.password or ""))
            server.send_message(mail)

    def _connected(self, host: str, port: int) -> smtplib.SMTP:
        if self.address.scheme == "smtps":
            return smtplib.SMTP_SSL(host, port, timeout=_SECONDS, context=ssl.create_default_context())
        return smtplib.SMTP(host, port, timeout=_SECONDS)


@dataclass(frozen=True)
class HookNotifier:
    """Posts JSON to a web hook."""

    url: str = field(repr=False)
    is_robot: bool

    def send(self, notice: Notice) -> None:
        """Post the notice; an answer that is no success is an error."""
        content = f"{notice.subject}\n{notice.text}"
        document = {"msgtype": "text", "text": {"content": content}} if self.is_robot else notice.as_dict()
        body = json.dumps(document, ensure_ascii=False, default=str).encode("utf-8")
        with httpx.Client(timeout=_SECONDS) as client:
            answer = client.post(self.url, content=body, headers={"Content-Type": "application/json; charset=utf-8"})
            answer.raise_for_status()


def notifier(address: str, logs: Path) -> Notifier:
    """Return the way that an address names.

    Args:
        address: See the module.
        logs: Folder of logs.

    Raises:
        BadInputError: It is no address that is known here, or says not enough.
    """
    parts = urlsplit(address)
    if parts.scheme == "log":
        return LogNotifier(logs / FILE)
    scheme = parts.scheme.removeprefix(_ROBOT)
    if scheme in ("http", "https") and parts.hostname:
        return HookNotifier(address.removeprefix(_ROBOT), is_robot=parts.scheme.startswith(_ROBOT))
    if parts.scheme not in _MAIL_PORTS or not parts.hostname:
        raise _unusable(address, "schemes: log, smtp, smtps, http, https, robot+https")
    told = parse_qs(parts.query)
    missing = [name for name in ("from", "to") if not told.get(name)]
    if missing:
        raise _unusable(address, f"a mail needs ?from=…&to=…; missing: {', '.join(missing)}")
    return MailNotifier(parts)


def send(notice: Notice, addresses: Sequence[str], logs: Path) -> list[str]:
    """Send a notice every way; one that fails does not keep it from the others.

    Args:
        notice: What to say.
        addresses: Where to; see the module.
        logs: Folder of logs.

    Returns:
        Scheme and host of every address it went to.

    Raises:
        BadInputError: An address is not usable; nothing was sent.
        ServiceDownError: Some did not go out; names them.
    """
    ways: list[tuple[str, Callable[[Notice], None]]] = [
        (shown(one), notifier(one, logs).send) for one in dict.fromkeys(addresses)
    ]
    failed = []
    for name, way in ways:
        try:
            way(notice)
        except (OSError, httpx.HTTPError) as error:
            # The text of such an error may hold the address; its class and the host say enough.
            failed.append(f"{name} ({type(error).__name__})")
    if failed:
        raise ServiceDownError(
            "A notice did not go out everywhere.",
            where=", ".join(failed),
            why=notice.subject,
            next_step="see that the server is reachable and the address right (PARKINDEX_NOTIFY, or the Airflow "
            "connection parkindex_notify)",
        )
    return [name for name, _ in ways]


def shown(address: str) -> str:
    """Return what of an address may stand in a message: scheme and host."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.hostname}" if parts.hostname else f"{parts.scheme}:"


def _unusable(address: str, why: str) -> BadInputError:
    return BadInputError(
        "Notices cannot be sent to this address.",
        where=shown(address),
        why=why,
        next_step="correct PARKINDEX_NOTIFY, or the Airflow connection parkindex_notify",
    )
