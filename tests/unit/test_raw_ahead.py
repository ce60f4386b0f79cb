"""Blocks are read ahead in a thread: in order, with their errors, and nothing goes on behind the loader's back."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from parkindex.raw.ahead import ahead
from parkindex.raw.writer import text_row


def _same(number: int) -> int:
    return number


class _Counted:
    """Numbers from 0 that remember what became of their generator."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.fails_at = fails_at
        self.given = 0
        self.is_closed = False

    def numbers(self) -> Iterator[int]:
        try:
            for number in range(1000):
                if number == self.fails_at:
                    raise LookupError(f"number {number}")
                self.given = number + 1
                yield number
        finally:
            self.is_closed = True


def test_items_come_in_order_and_made() -> None:
    counted = _Counted()
    with ahead(counted.numbers(), lambda number: number * number) as made:
        assert list(made) == [number * number for number in range(1000)]
    assert counted.is_closed


def test_an_error_of_the_iterator_comes_where_its_item_would_have_come() -> None:
    counted = _Counted(fails_at=3)
    taken: list[int] = []
    with pytest.raises(LookupError, match="number 3"), ahead(counted.numbers(), _same) as made:
        taken.extend(made)
    assert taken == [0, 1, 2]
    assert counted.is_closed


def test_an_error_of_making_is_raised_too() -> None:
    counted = _Counted()
    with pytest.raises(ZeroDivisionError), ahead(counted.numbers(), lambda number: 1 // (2 - number)) as made:
        list(made)
    assert counted.is_closed


@pytest.mark.parametrize("taken", [0, 1, 5])
def test_who_stops_early_leaves_no_thread_and_no_open_iterator(taken: int) -> None:
    before = threading.active_count()
    counted = _Counted()
    with pytest.raises(KeyError), ahead(counted.numbers(), _same) as made:
        for _ in range(taken):
            next(made)
        raise KeyError
    assert threading.active_count() == before
    assert counted.is_closed
    # Those taken, one that waits, one that was being made, and one that took the place of the one thrown away.
    assert counted.given <= taken + 4


def test_no_more_is_read_ahead_than_asked() -> None:
    counted = _Counted()
    with ahead(counted.numbers(), _same, most=1) as made:
        for taken in range(20):
            assert next(made) == taken
            assert counted.given <= taken + 4


def test_a_row_in_the_text_format_keeps_what_has_a_meaning_in_it() -> None:
    assert text_row([7, None, "a\tb", "c\\nd", "e\nf\r", ""]) == "7\t\\N\ta\\tb\tc\\\\nd\te\\nf\\r\t\n"
