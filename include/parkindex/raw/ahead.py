"""Take from an iterator ahead of need, in a thread: while one block is judged, the next is read.

What reads a file spends its time in code that lets other threads run (polars, NumPy, the disk), so on a second core it
costs the loader no time at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, Queue
from threading import Event, Thread
from typing import TypeVar

_Item = TypeVar("_Item")
_Made = TypeVar("_Made")
# How long a thread that waits for its queue goes without looking whether it is still wanted.
_LOOKS_EVERY = 0.05


class _End:
    """Stands behind the last item; with the error that ended the iterator, if one did."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


@contextmanager
def ahead(items: Iterator[_Item], make: Callable[[_Item], _Made], most: int = 1) -> Iterator[Iterator[_Made]]:
    """Give what ``make`` makes of each item, in order; reading and making run in a thread of their own.

    A context: when it ends, the iterator is closed and the thread has ended, whether or not everything was taken. An
    error of the iterator or of ``make`` is raised where its item would have come.

    Args:
        items: Used by the thread alone.
        make: Likewise.
        most: Items that may wait while one is being made.
    """
    made: Queue[_Made | _End] = Queue(maxsize=most)
    unwanted = Event()

    def run() -> None:
        error: BaseException | None = None
        try:
            for item in items:
                _put(made, make(item), unwanted)
                if unwanted.is_set():
                    break
        except BaseException as raised:  # noqa: BLE001 - it is raised where the items are taken
            error = raised
        finally:
            # A generator holds files and folders that it gives back when it is closed.
            close = getattr(items, "close", None)
            if close is not None:
                close()
            _put(made, _End(error), unwanted)

    def taken() -> Iterator[_Made]:
        while not isinstance(one := made.get(), _End):
            yield one
        if one.error is not None:
            raise one.error

    thread = Thread(target=run, name="read", daemon=True)
    thread.start()
    try:
        yield taken()
    finally:
        unwanted.set()
        while thread.is_alive():
            _empty(made)
            thread.join(_LOOKS_EVERY)


def _empty(made: Queue[_Made | _End]) -> None:
    """Empty a queue, so that nobody waits for a place in it."""
    try:
        while True:
            made.get_nowait()
    except Empty:
        return


def _put(made: Queue[_Made | _End], one: _Made | _End, unwanted: Event) -> None:
    if not unwanted.is_set():
        made.put(one)
