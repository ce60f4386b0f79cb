"""Fetch a paged JSON API into one archive: pages as received, reconciled, under a name from their content.

The same answer gives the same file, byte for byte, so that fetching twice lands once. The archive's modification time
is the newest ``Last-Modified`` of its pages: the known time of what they say.

Every page is committed to disk before the next is asked for. A crawl that was broken off (a crash, an expired token, a
source that went away) goes on behind its last committed page, if the first page is still what it was. Pages of the last
whole crawl are asked for with their ``ETag`` and ``Last-Modified``: what did not change is not sent again.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import time
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, NoReturn

import httpx
import tenacity

from parkindex.contracts import Contract, Pagination
from parkindex.errors import BadInputError, ServiceDownError

_ATTEMPTS = 6
_LONGEST_WAIT = 60.0
# A source that asks for more patience than this is asked again by the next run, not by this one.
_LONGEST_ASKED = 600.0
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
# A page must be whole by then, however steadily it drips.
_PAGE_SECONDS = 120.0
_MOST_PAGES = 100_000
_MOST_PAGE_BYTES = 256 << 20
_RETRIED_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
_NO_ACCESS = frozenset({401, 403})


@dataclass(frozen=True)
class _Page:
    """One page as received.

    Attributes:
        content: Its bytes.
        items: SHA-256 of each of its records, in order.
        total: Records in all pages, as the source says.
        etag: Its validator, if the source sent one.
        last_modified: The header of that name, if the source sent one.
    """

    content: bytes
    items: tuple[str, ...]
    total: int
    etag: str | None
    last_modified: str | None


@dataclass(frozen=True)
class _Answer:
    """What came for one request: a body, or that nothing changed."""

    status: int
    headers: httpx.Headers
    content: bytes


class _RetryLaterError(Exception):
    """The source asks to be asked again."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


def fetch(contract: Contract, source_url: str, into: Path, *, token: str | None = None) -> Path:
    """Fetch every page of a feed's API.

    Args:
        contract: Contract of the feed; it says how the API is paged.
        source_url: Address of the API.
        into: Folder for the archive. Pages are committed beside it, in ``.fetch/<feed>``.
        token: Bearer token that the source asks for.

    Returns:
        The archive ``<feed>_<first 16 digits of its hash>.zip``; an equal one that is there already is left alone.

    Raises:
        BadInputError: The contract has no API, the source refuses access, the answer is no JSON of the agreed shape, or
            pages and total do not reconcile; no archive is written.
        ServiceDownError: The source does not answer after several attempts; the next fetch goes on from here.
    """
    paging = contract.pagination
    if paging is None:
        raise BadInputError(
            f"The contract of {contract.feed} does not say how its API is paged.",
            where=f"contracts/{contract.feed}.odcs.yaml",
            why="contract.pagination",
            next_step="add a server of type api with `pagination`",
        )
    headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    with httpx.Client(timeout=_TIMEOUT, headers=headers, trust_env=False) as client:
        pages = _Crawl(client, source_url, paging, into.parent / ".fetch" / contract.feed).run()
    content = _archive(pages)
    path = into / f"{contract.feed}_{hashlib.sha256(content).hexdigest()[:16]}.zip"
    modified = max(filter(None, (_http_date(page.last_modified) for page in pages)), default=None)
    if not path.exists():
        _write(path, content, modified)
    return path


class _Crawl:
    """All pages of one API, asked for one after the other and committed one by one."""

    def __init__(self, client: httpx.Client, url: str, paging: Pagination, folder: Path) -> None:
        self.client = client
        self.url = url
        self.paging = paging
        # What is kept is of this source only, asked in this way only; the address may hold a secret.
        source = f"{url}\n{paging}"
        self.partial = folder / f"{hashlib.sha256(source.encode()).hexdigest()[:16]}.partial"
        self.last = self.partial.with_suffix(".last")
        self.seen: set[str] = set()

    def run(self) -> list[_Page]:
        """Return all pages, reconciled: every page full but the last, and as many records as the source says.

        Raises:
            BadInputError: They do not reconcile; what was committed is forgotten, so that the next crawl begins anew.
            ServiceDownError: The source does not answer; what was committed stays.
        """
        pages = self._resumed()
        known = _committed(self.last)
        while not pages or (sum(len(page.items) for page in pages) < pages[0].total):
            number = len(pages) + 1
            if number > _MOST_PAGES:
                self._unreconciled(f"more than {_MOST_PAGES} pages")
            page = self._page(number, known[number - 1] if number <= len(known) else None)
            self._check(pages, page, number)
            _commit(self.partial, number, page)
            pages.append(page)
            if page.total == 0:
                break
        found = sum(len(page.items) for page in pages)
        if found != pages[0].total:
            self._unreconciled(f"{found} records came, the source says {pages[0].total}")
        if len(pages) > 1 and not self._is_unchanged(pages[0]):
            self._unreconciled("the first page changed while the others were read: records may have moved")
        shutil.rmtree(self.last, ignore_errors=True)
        self.partial.rename(self.last)
        return pages

    def _resumed(self) -> list[_Page]:
        """Return the pages of a crawl that was broken off, if the source still begins as it did then."""
        pages = _committed(self.partial)
        if pages and self._is_unchanged(pages[0]):
            self.seen.update(item for page in pages for item in page.items)
            return pages
        shutil.rmtree(self.partial, ignore_errors=True)
        return []

    def _is_unchanged(self, first: _Page) -> bool:
        """Whether the source still begins with the same records; a time of day beside them does not matter."""
        page = self._page(1, first)
        return (page.items, page.total) == (first.items, first.total)

    def _check(self, pages: list[_Page], page: _Page, number: int) -> None:
        """Hold a page against those before it."""
        found = sum(len(one.items) for one in pages)
        if pages and page.total != pages[0].total:
            self._unreconciled(f"the total changed from {pages[0].total} to {page.total} at page {number}")
        if not page.items and page.total > 0:
            self._unreconciled(f"page {number} is empty after {found} of {page.total} records")
        if len(page.items) > self.paging.page_size:
            self._unreconciled(f"page {number} has {len(page.items)} records, {self.paging.page_size} were asked for")
        again = [item for item in page.items if item in self.seen]
        # A provider may repeat a record; where the repetition straddles two pages it is no overlap.
        straddling = len(again) == 1 and again[0] == page.items[0] == pages[-1].items[-1] and len(page.items) > 1
        if again and not straddling:
            self._unreconciled(f"page {number} repeats {len(again)} record(s) of earlier pages")
        self.seen.update(page.items)

    def _page(self, number: int, known: _Page | None) -> _Page:
        """Return one page, asked for again while the source is busy; one that did not change is not sent again."""
        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(_ATTEMPTS),
            wait=_wait,
            sleep=_sleep,
            retry=tenacity.retry_if_exception_type((_RetryLaterError, httpx.TransportError)),
            reraise=True,
        )
        try:
            answer = retrying(self._ask, number, known)
        except (_RetryLaterError, httpx.TransportError) as error:
            raise ServiceDownError(
                f"The source does not answer (asked {retrying.statistics.get('attempt_number', 1)} times).",
                where=f"{self._shown}, page {number}",
                why=str(error) or type(error).__name__,
                next_step="try again later: parkindex fetch FEED goes on from this page; nothing was landed",
            ) from error
        if answer.status == httpx.codes.NOT_MODIFIED and known is not None:
            return known
        return _read(answer, f"{self._shown}, page {number}", self.paging)

    def _ask(self, number: int, known: _Page | None) -> _Answer:
        """Ask once.

        Raises:
            _RetryLaterError: It is worth asking again.
            httpx.TransportError: The connection failed.
        """
        query = {self.paging.page: str(number), self.paging.size: str(self.paging.page_size)}
        headers = {}
        if known is not None and known.etag is not None:
            headers["If-None-Match"] = known.etag
        if known is not None and known.last_modified is not None:
            headers["If-Modified-Since"] = known.last_modified
        address = httpx.URL(self.url).copy_merge_params(query)
        began = time.monotonic()
        with self.client.stream("GET", address, headers=headers) as response:
            if response.status_code in _RETRIED_STATUS:
                raise _RetryLaterError(f"HTTP {response.status_code}", _retry_after(response))
            content = bytearray()
            for piece in response.iter_bytes():
                content += piece
                if len(content) > _MOST_PAGE_BYTES:
                    _refuse(
                        f"{self._shown}, page {number}",
                        f"the page has more than {_MOST_PAGE_BYTES} bytes",
                        "ask the provider for smaller pages",
                    )
                if time.monotonic() - began > _PAGE_SECONDS:
                    raise _RetryLaterError(f"the page was not whole after {_PAGE_SECONDS:.0f} s")
            return _Answer(response.status_code, response.headers, bytes(content))

    @property
    def _shown(self) -> str:
        """The address as it may stand in a message: a query may hold a key."""
        return str(httpx.URL(self.url).copy_with(query=None, userinfo=b""))

    def _unreconciled(self, why: str) -> NoReturn:
        shutil.rmtree(self.partial, ignore_errors=True)
        _refuse(self._shown, why, "fetch again; when it happens again, ask the provider")


# ----------------------------------------------------------------------------------------------------- committed pages


def _commit(folder: Path, number: int, page: _Page) -> None:
    """Keep a page: it is there when its note is, and its note is written last."""
    folder.mkdir(parents=True, exist_ok=True)
    note = {name: value for name, value in asdict(page).items() if name != "content"}
    note["sha256"] = hashlib.sha256(page.content).hexdigest()
    _whole(folder / f"{number:06}.json", page.content)
    _whole(folder / f"{number:06}.note", json.dumps(note).encode())


def _committed(folder: Path) -> list[_Page]:
    """Return the committed pages from the first on, as far as they are whole."""
    pages: list[_Page] = []
    while True:
        path = folder / f"{len(pages) + 1:06}.json"
        try:
            note = json.loads(path.with_suffix(".note").read_bytes())
            content = path.read_bytes()
        except (FileNotFoundError, ValueError):
            return pages
        if hashlib.sha256(content).hexdigest() != note.pop("sha256", None):
            return pages
        pages.append(_Page(content, tuple(note["items"]), note["total"], note["etag"], note["last_modified"]))


def _whole(path: Path, content: bytes) -> None:
    """Write a file under its name only when it is whole and on disk."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.rename(path)
    finally:
        temporary.unlink(missing_ok=True)


# -------------------------------------------------------------------------------------------------------------- waiting


def _sleep(seconds: float) -> None:
    time.sleep(seconds)


def _wait(state: tenacity.RetryCallState) -> float:
    """Wait as the source asks, otherwise ever longer and never all at the same moment."""
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, _RetryLaterError) and error.wait is not None:
        if error.wait > _LONGEST_ASKED:
            raise _RetryLaterError(f"{error}, and asks to wait {error.wait:.0f} s") from error
        return error.wait
    return float(tenacity.wait_exponential_jitter(multiplier=0.5, max=_LONGEST_WAIT, jitter=0.5)(state))


def _retry_after(response: httpx.Response) -> float | None:
    """Return the seconds of a Retry-After header, given as seconds or as a date."""
    stated = response.headers.get("Retry-After")
    if not stated:
        return None
    if stated.strip().isdigit():
        return float(stated)
    when = _http_date(stated)
    return None if when is None else max(0.0, (when - datetime.now(UTC)).total_seconds())


# -------------------------------------------------------------------------------------------------------------- reading


def _read(answer: _Answer, where: str, paging: Pagination) -> _Page:
    """Return a page, checked to be one."""
    if answer.status in _NO_ACCESS:
        raise BadInputError(
            "The source refuses access.",
            where=where,
            why=f"fetch: HTTP {answer.status}",
            next_step="renew the token (PARKINDEX_SOURCE_<FEED>_TOKEN, or the Airflow connection parkindex_<feed>) "
            "and fetch again: it goes on from this page",
        )
    if answer.status != httpx.codes.OK:
        _refuse(where, f"HTTP {answer.status}", "look at the address and its access")
    kind = answer.headers.get("Content-Type", "").split(";")[0].strip().lower()
    content = answer.content
    if kind == "text/html" or content.lstrip()[:1] == b"<":
        _refuse(
            where, "HTTP 200 with a web page instead of JSON", "open the address in a browser and read what it says"
        )
    try:
        document: Any = json.loads(content)
    except (ValueError, RecursionError) as error:
        _refuse(where, f"the answer is no JSON: {error}", "ask the provider")
    items = document.get(paging.items) if isinstance(document, dict) else None
    total = document.get(paging.total) if isinstance(document, dict) else None
    if not isinstance(items, list) or not isinstance(total, int) or isinstance(total, bool) or total < 0:
        _refuse(where, f"the answer has no list {paging.items!r} or no count {paging.total!r}", "ask the provider")
    headers = answer.headers
    return _Page(content, _hashes(items), total, headers.get("ETag"), headers.get("Last-Modified"))


def _hashes(items: Sequence[Any]) -> tuple[str, ...]:
    """Return the hash of each record, whatever the order of its keys."""
    return tuple(hashlib.sha256(json.dumps(item, sort_keys=True).encode()).hexdigest() for item in items)


def _http_date(stated: str | None) -> datetime | None:
    if not stated:
        return None
    try:
        read = parsedate_to_datetime(stated)
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


# -------------------------------------------------------------------------------------------------------------- writing


def _archive(pages: list[_Page]) -> bytes:
    """Return a ZIP of the pages whose bytes depend on nothing but theirs."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for number, page in enumerate(pages, start=1):
            entry = zipfile.ZipInfo(f"page_{number:05}.json", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, page.content)
    return buffer.getvalue()


def _write(path: Path, content: bytes, modified: datetime | None) -> None:
    """Write the archive under its name only when it is whole, with its known time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(content)
        if modified is not None:
            os.utime(temporary, (modified.timestamp(), modified.timestamp()))
        temporary.rename(path)
    finally:
        temporary.unlink(missing_ok=True)


def _refuse(where: str, why: str, next_step: str) -> NoReturn:
    raise BadInputError(
        "The source's answer does not reconcile.", where=where, why=f"fetch: {why}", next_step=next_step
    )
