"""Fetch a paged JSON API into one archive: pages as received, reconciled, under a name from their content.

The same answer gives the same file, byte for byte, so that fetching twice lands once. The archive's modification time
is the newest ``Last-Modified`` of its pages: the known time of what they say.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from dataclasses import dataclass
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
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_MOST_PAGES = 100_000
_MOST_PAGE_BYTES = 256 << 20
_RETRIED_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True)
class _Page:
    content: bytes
    items: int
    total: int
    modified: datetime | None


class _RetryLaterError(Exception):
    """The source asks to be asked again."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


def fetch(contract: Contract, source_url: str, into: Path) -> Path:
    """Fetch every page of a feed's API.

    Args:
        contract: Contract of the feed; it says how the API is paged.
        source_url: Address of the API.
        into: Folder for the archive.

    Returns:
        The archive ``<feed>_<first 16 digits of its hash>.zip``; an equal one that is there already is left alone.

    Raises:
        BadInputError: The contract has no API, or the answer is no JSON of the agreed shape, or pages and total do not
            reconcile; nothing is written.
        ServiceDownError: The source does not answer after several attempts.
    """
    paging = contract.pagination
    if paging is None:
        raise BadInputError(
            f"The contract of {contract.feed} does not say how its API is paged.",
            where=f"contracts/{contract.feed}.odcs.yaml",
            why="contract.pagination",
            next_step="add a server of type api with `pagination`",
        )
    with httpx.Client(timeout=_TIMEOUT, headers={"Accept": "application/json"}, trust_env=False) as client:
        pages = _pages(client, source_url, paging)
    content = _archive(pages)
    path = into / f"{contract.feed}_{hashlib.sha256(content).hexdigest()[:16]}.zip"
    modified = max((page.modified for page in pages if page.modified), default=None)
    if not path.exists():
        _write(path, content, modified)
    return path


def _pages(client: httpx.Client, url: str, paging: Pagination) -> list[_Page]:
    """Return all pages, reconciled: every page full but the last, and as many items as the source says there are."""
    pages: list[_Page] = []
    seen: set[bytes] = set()
    while not pages or sum(page.items for page in pages) < pages[0].total:
        number = len(pages) + 1
        if number > _MOST_PAGES:
            _unreconciled(url, f"more than {_MOST_PAGES} pages")
        page = _page(client, url, paging, number)
        if pages and page.total != pages[0].total:
            _unreconciled(url, f"the total changed from {pages[0].total} to {page.total} at page {number}")
        if page.items == 0 and page.total > 0:
            found = sum(one.items for one in pages)
            _unreconciled(url, f"page {number} is empty after {found} of {page.total} records")
        if page.items > paging.page_size:
            _unreconciled(url, f"page {number} has {page.items} records, {paging.page_size} were asked for")
        digest = hashlib.sha256(page.content).digest()
        if digest in seen and page.items:
            _unreconciled(url, f"page {number} repeats an earlier page")
        seen.add(digest)
        pages.append(page)
        if page.total == 0:
            break
    found = sum(page.items for page in pages)
    if found != pages[0].total:
        _unreconciled(url, f"{found} records came, the source says {pages[0].total}")
    return pages


def _page(client: httpx.Client, url: str, paging: Pagination, number: int) -> _Page:
    """Return one page, asked for again while the source is busy."""
    retrying = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(_ATTEMPTS),
        wait=_wait,
        retry=tenacity.retry_if_exception_type((_RetryLaterError, httpx.TransportError)),
        reraise=True,
    )
    try:
        response = retrying(_ask, client, url, {paging.page: str(number), paging.size: str(paging.page_size)})
    except (_RetryLaterError, httpx.TransportError) as error:
        raise ServiceDownError(
            f"The source does not answer (asked {_ATTEMPTS} times).",
            where=f"{url}, page {number}",
            why=str(error) or type(error).__name__,
            next_step="try again later: parkindex fetch FEED; nothing was landed",
        ) from error
    return _read(response, url, paging, number)


def _ask(client: httpx.Client, url: str, query: dict[str, str]) -> httpx.Response:
    response = client.get(httpx.URL(url).copy_merge_params(query))
    if response.status_code in _RETRIED_STATUS:
        raise _RetryLaterError(f"HTTP {response.status_code}", _retry_after(response))
    return response


def _wait(state: tenacity.RetryCallState) -> float:
    """Wait as the source asks, otherwise ever longer and never all at the same moment."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.wait if isinstance(error, _RetryLaterError) else None
    jittered = tenacity.wait_exponential_jitter(multiplier=0.5, max=_LONGEST_WAIT, jitter=0.5)(state)
    return min(_LONGEST_WAIT, asked) if asked is not None else float(jittered)


def _retry_after(response: httpx.Response) -> float | None:
    """Return the seconds of a Retry-After header, given as seconds or as a date."""
    stated = response.headers.get("Retry-After")
    if not stated:
        return None
    if stated.strip().isdigit():
        return float(stated)
    when = _http_date(stated)
    return None if when is None else max(0.0, (when - datetime.now(UTC)).total_seconds())


def _read(response: httpx.Response, url: str, paging: Pagination, number: int) -> _Page:
    where = f"{url}, page {number}"
    if response.status_code != httpx.codes.OK:
        _refuse(where, f"HTTP {response.status_code}", "look at the address and its access")
    kind = response.headers.get("Content-Type", "").split(";")[0].strip().lower()
    content = response.content
    if len(content) > _MOST_PAGE_BYTES:
        _refuse(where, f"the page has {len(content)} bytes", "ask the provider for smaller pages")
    if kind == "text/html" or content.lstrip()[:1] == b"<":
        _refuse(
            where, "HTTP 200 with a web page instead of JSON", "open the address in a browser and read what it says"
        )
    try:
        document: Any = json.loads(content)
    except ValueError as error:
        _refuse(where, f"the answer is no JSON: {error}", "ask the provider")
    items = document.get(paging.items) if isinstance(document, dict) else None
    total = document.get(paging.total) if isinstance(document, dict) else None
    if not isinstance(items, list) or not isinstance(total, int) or isinstance(total, bool) or total < 0:
        _refuse(where, f"the answer has no list {paging.items!r} or no count {paging.total!r}", "ask the provider")
    return _Page(content, len(items), total, _http_date(response.headers.get("Last-Modified")))


def _http_date(stated: str | None) -> datetime | None:
    if not stated:
        return None
    try:
        read = parsedate_to_datetime(stated)
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


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


def _unreconciled(url: str, why: str) -> NoReturn:
    _refuse(url, why, "fetch again; when it happens again, ask the provider")


def _refuse(where: str, why: str, next_step: str) -> NoReturn:
    raise BadInputError(
        "The source's answer does not reconcile.", where=where, why=f"fetch: {why}", next_step=next_step
    )
