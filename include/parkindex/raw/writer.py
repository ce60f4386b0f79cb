"""A thread that writes: while Postgres takes one block, the next is read and judged."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import TYPE_CHECKING, Any

from psycopg import sql

if TYPE_CHECKING:
    import psycopg

# One block being written and one waiting: memory stays flat however slow the server is.
_MOST_PENDING = 2

# What has a meaning in COPY's text format; the backslash first, or it would be escaped twice.
ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_NULL = "\\N"


class Writer:
    """Runs COPY statements on one connection, in the order given, in a thread of its own.

    A context: when it ends everything is written, or the first failure is raised. Inside it nobody else may use the
    connection.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._pending: list[Future[None]] = []
        self._threads: ThreadPoolExecutor | None = None

    def __enter__(self) -> Writer:
        self._threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="copy")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._threads is not None  # noqa: S101 - __enter__ has set it
        self._threads.shutdown(wait=True, cancel_futures=error is not None)
        pending, self._pending, self._threads = self._pending, [], None
        if error is None:
            for job in pending:
                job.result()

    def copy(self, statement: sql.Composed, data: bytes | memoryview) -> None:
        """Run ``COPY … FROM STDIN`` with bytes in its format.

        Returns when at most one earlier piece is still being written.

        Raises:
            psycopg.Error: This or an earlier piece could not be written.
        """
        assert self._threads is not None  # noqa: S101 - only inside the context
        self._pending.append(self._threads.submit(self._run, statement, data))
        while len(self._pending) > _MOST_PENDING:
            self._pending.pop(0).result()

    def _run(self, statement: sql.Composed, data: bytes | memoryview) -> None:
        with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
            copy.write(data)


def text_row(values: Iterable[str | int | None]) -> str:
    """Return a row in COPY's text format, with its line end."""
    return "\t".join([_NULL if value is None else _escaped(str(value)) for value in values]) + "\n"


def _escaped(text: str) -> str:
    for plain, escaped in ESCAPES.items():
        text = text.replace(plain, escaped)
    return text
