"""Dates as whole numbers: days since 1970-01-01, so that columns of dates are integer arrays."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

_EPOCH = date(1970, 1, 1)
# The day of what never happens; later than every date of the world.
NEVER = (date(2999, 1, 1) - _EPOCH).days


def day(value: date) -> int:
    """Return the number of a date."""
    return (value - _EPOCH).days


def date_of(number: int) -> date:
    """Return the date of a number."""
    return _EPOCH + timedelta(days=int(number))


def first_day(year: int) -> int:
    """Return the number of 1 January."""
    return day(date(year, 1, 1))


def last_day(year: int) -> int:
    """Return the number of 31 December."""
    return day(date(year, 12, 31))


def iso(numbers: NDArray[np.int64]) -> list[str]:
    """Return dates as ``YYYY-MM-DD``; empty for ``NEVER``."""
    texts: list[str] = np.datetime_as_string(np.minimum(numbers, NEVER).astype("datetime64[D]"), unit="D").tolist()
    return ["" if number >= NEVER else text for number, text in zip(numbers.tolist(), texts, strict=True)]
