"""Days found column by column are those that the calendar has, and no other text is one."""

from __future__ import annotations

from datetime import date

import polars as pl
from hypothesis import example, given, settings
from hypothesis import strategies as st

from parkindex.raw.days import iso_days

_LIKE_DAYS = st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[+ 0-9-]{8,11}", fullmatch=True)


def _expected(text: str | None) -> date | None:
    if text is None or len(text) != 10 or not text.isascii() or not (text[:4] + text[5:7] + text[8:]).isdigit():
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.year >= 1000 and text[4] == text[7] == "-" else None


@settings(deadline=None)
@given(st.lists(st.none() | _LIKE_DAYS | st.dates().map(str) | st.text(max_size=11), max_size=8))
@example(["2020-02-29", "2019-02-29", "1900-02-29", "2000-02-29", "2021-04-31", "2021-12-31", "9999-12-31"])
@example(["1000-01-01", "0999-12-31", "2020-00-10", "2020-13-10", "2020-10-00", "2020/01/01", "２020-1-1", None])
@example([])
def test_a_text_is_a_day_or_none(texts: list[str | None]) -> None:
    found = iso_days(pl.Series(texts, dtype=pl.String))
    assert found.dtype == pl.Date
    assert found.to_list() == [_expected(text) for text in texts]
