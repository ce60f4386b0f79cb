"""Days of the calendar out of texts in the form of ISO 8601, a whole column at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

_FIRST_YEAR, _LAST_YEAR = 1000, 9999
_WIDTH = len("yyyy-MM-dd")
_DIGITS = [0, 1, 2, 3, 5, 6, 8, 9]
_DASHES = [4, 7]
# First day of every month, as days since 1970-01-01, and the first one after the last.
_MONTHS = (
    np.arange(f"{_FIRST_YEAR}-01", f"{_LAST_YEAR + 1}-02", dtype="datetime64[M]")
    .astype("datetime64[D]")
    .astype(np.int32)
)


def iso_days(texts: pl.Series) -> pl.Series:
    """Return the days that texts name: null where a text is no day from the year 1000 on, or there is none.

    Only ``yyyy-MM-dd`` in ASCII digits is one: no blanks, no signs, no shorter months.
    """
    fitting = (texts.str.len_bytes() == _WIDTH).fill_null(value=False)
    found = _days(texts.filter(fitting))
    if len(found) == len(texts):
        return found
    every = pl.Series([None], dtype=pl.Date).new_from_index(0, len(texts))
    return every.scatter(fitting.arg_true(), found) if len(found) else every


def _days(texts: pl.Series) -> pl.Series:
    """Return the days that texts of ten bytes name."""
    buffer = texts.to_arrow(compat_level=pl.CompatLevel.oldest()).buffers()[2]
    raw = np.frombuffer(buffer or b"", dtype=np.uint8)[: _WIDTH * len(texts)].reshape(len(texts), _WIDTH)
    digits = raw[:, _DIGITS] - np.uint8(ord("0"))
    is_day = (digits <= 9).all(axis=1) & (raw[:, _DASHES] == ord("-")).all(axis=1)
    # What is no digit was left out above; the rest is small enough for any place in the table.
    year = _number(digits[:, :4])
    month, day = _number(digits[:, 4:6]), _number(digits[:, 6:8])
    is_day &= (year >= _FIRST_YEAR) & (month >= 1) & (month <= 12)
    place = np.where(is_day, (year - _FIRST_YEAR) * 12 + month - 1, 0)
    first = _MONTHS[place]
    is_day &= (day >= 1) & (day <= _MONTHS[place + 1] - first)
    found = pl.Series(first + day - 1, dtype=pl.Int32)
    return (found if is_day.all() else found.zip_with(pl.Series(is_day), pl.Series([None], dtype=pl.Int32))).cast(
        pl.Date
    )


def _number(digits: npt.NDArray[np.uint8]) -> npt.NDArray[np.int32]:
    """Return the numbers that rows of digits write."""
    made = np.zeros(len(digits), dtype=np.int32)
    for place in range(digits.shape[1]):
        made = made * 10 + digits[:, place]
    return made
