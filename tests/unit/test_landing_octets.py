"""What a look at all bytes of a block tells is what a look at every cell would."""

from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import example, given, settings
from hypothesis import strategies as st

from parkindex.landing.blocks import SEPARATOR, Octets
from parkindex.raw.rules import _DAMAGED
from parkindex.raw.uniqueness import Halves, Seen
from parkindex.text import KEY_FUNCTIONS, keys

_CELLS = st.text(
    alphabet=st.sampled_from("aZ0 \\\t\n\x00\x1f\x7f-()（）Ａｂ张江、。“\u3000\u2003\u205f\u00a0\u1680\ufffd｛"),
    max_size=4,
)


@settings(deadline=None)
@given(st.lists(st.lists(_CELLS, min_size=3, max_size=3), min_size=1, max_size=6))
@example([["", "", ""]])
@example([["a ", "", ""], ["", "", " a"]])
def test_octets_overlook_nothing(rows: list[list[str]]) -> None:
    cells = pl.DataFrame(rows, schema=["a", "b", "c"], orient="row")
    joined = cells.select(pl.concat_str("a", "b", "c", separator=SEPARATOR)).to_series()
    found = Octets.of(joined, separators=2 * len(rows))
    every = [cell for row in rows for cell in row]
    damaged = pl.Series(every).str.contains(_DAMAGED).any()
    if found.plain:
        assert not damaged
        assert not any(mark in cell for cell in every for mark in "\t\n\r\x1f")
    assert found.backslash == any("\\" in cell for cell in every)
    if not found.padded:
        assert pl.Series(every).str.strip_chars().to_list() == every
    assert found.longest == joined.str.len_bytes().max()


def test_ordinary_rows_are_plain_and_not_padded() -> None:
    found = Octets.of(
        pl.Series([f"上海张江（集团）有限公司{SEPARATOR}EDA tools, IP{SEPARATOR}“张江”、药谷"]), separators=2
    )
    assert (found.plain, found.backslash, found.padded) == (True, False, False)


@settings(deadline=None)
@given(st.lists(st.none() | _CELLS | st.text(max_size=6), max_size=8), st.sampled_from(sorted(KEY_FUNCTIONS)))
def test_keys_of_many_are_the_keys_of_each(texts: list[str | None], kind: str) -> None:
    series = pl.Series("text", texts, dtype=pl.String)
    expected = series.to_frame().select(KEY_FUNCTIONS[kind](pl.col("text"))).to_series()
    assert keys(kind, series).to_list() == expected.to_list()


@settings(deadline=None)
@given(st.lists(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), max_size=12), max_size=5))
def test_seen_finds_every_repetition_and_only_those(blocks: list[list[tuple[int, int]]]) -> None:
    seen, known = Seen(), set()
    for rows in blocks:
        expected = []
        for row in rows:
            expected.append(row in known)
            known.add(row)
        halves: Halves = np.array(rows, dtype=np.uint64).reshape(len(rows), 2)
        assert seen.repeated(halves).to_list() == expected
