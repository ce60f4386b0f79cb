"""Rows that stand twice in a file, and keys that contradict each other.

A row is known by the SHA-256 of its cells. Across the blocks of a file, 128 bits of it are remembered per row; they are
also what tells a repetition. Keys are remembered the same way; before anything is rejected for its key, the keys
themselves are compared (``load`` reads them again).
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import polars as pl

from parkindex.contracts import Table
from parkindex.landing.blocks import Block

# Neither can stand in a good row: control characters are rejected.
_SEPARATOR, _ABSENT = "\x1f", "\x1e"


@dataclass(frozen=True)
class Fingerprints:
    """Hashes of the rows of a block.

    Attributes:
        hexadecimal: SHA-256 of each row's cells, lower-case hexadecimal.
        halves: Its first 128 bits as two numbers, columns ``high`` and ``low``.
    """

    hexadecimal: pl.Series
    halves: pl.DataFrame


def fingerprints(block: Block) -> Fingerprints:
    """Hash the rows of a block: cells as delivered, in contract order, then columns the contract does not have.

    The order of a file's columns makes no difference, nor does a column that is absent against one that is empty.
    """
    places = [block.header.places.get(column.name) for column in block.table.columns]
    parts = [pl.lit("") if place is None else pl.col(str(place)).fill_null("") for place in places]
    parts += [pl.col(str(place)).fill_null("") for place in block.header.unknown]
    width = len(parts) - 1
    joined = block.cells.select(pl.concat_str(parts, separator=_SEPARATOR).alias("row")).to_series()
    ambiguous = joined.str.count_matches(_SEPARATOR, literal=True) != width
    texts = joined.to_list()
    for index in ambiguous.arg_true():
        # A cell holds the separator itself: say where each cell ends.
        cells = block.cells.row(index)
        texts[index] = _SEPARATOR.join(f"{len(cell or '')}:{cell or ''}" for cell in cells)
    digests = b"".join([sha256(text.encode("utf-8")).digest() for text in texts])
    matrix = np.frombuffer(digests, dtype=np.uint8).reshape(len(texts), 32)
    halves = np.frombuffer(matrix[:, :16].tobytes(), dtype="<u8").reshape(len(texts), 2)
    whole = digests.hex()
    hexadecimal = pl.Series([whole[begin : begin + 64] for begin in range(0, len(whole), 64)], dtype=pl.String)
    return Fingerprints(hexadecimal, pl.DataFrame({"high": halves[:, 0], "low": halves[:, 1]}, schema=_HALVES))


_HALVES = {"high": pl.UInt64, "low": pl.UInt64}


class Seen:
    """The rows of a table seen so far in a file."""

    def __init__(self) -> None:
        self._seen: list[pl.DataFrame] = []

    def repeated(self, halves: pl.DataFrame) -> pl.Series:
        """Return which rows repeat an earlier one, and remember the others."""
        again = ~halves.select(pl.struct("high", "low").is_first_distinct()).to_series()
        for earlier in self._seen:
            numbered = halves.with_row_index("index")
            known = numbered.join(earlier, on=["high", "low"], how="semi")["index"]
            again = again | numbered["index"].is_in(known.implode())
        self._seen.append(halves.filter(~again))
        if len(self._seen) > 8:
            self._seen = [pl.concat(self._seen)]
        return again


class Keys:
    """The keys of a table's good rows seen so far in a file."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._seen: list[pl.DataFrame] = []

    def add(self, keys: pl.Series, rows: pl.Series, members: pl.Series | None) -> None:
        """Remember the keys of good rows."""
        frame = pl.DataFrame(
            {
                "high": keys.hash(seed=1),
                "low": keys.hash(seed=2),
                "row": rows,
                "member": members if members is not None else pl.Series([""] * len(rows), dtype=pl.String),
            }
        )
        self._seen.append(frame)

    def suspects(self) -> set[tuple[str, int]]:
        """Return member and source row of every row whose key (by its hash) stands more than once."""
        if not self._seen:
            return set()
        whole = pl.concat(self._seen)
        double = whole.filter(whole.select(pl.struct("high", "low").is_duplicated()).to_series())
        return set(zip(double["member"].to_list(), double["row"].to_list(), strict=True))


def key_texts(table: Table, values: pl.DataFrame) -> pl.Series:
    """Return the primary key of typed rows as one text.

    Identifiers are compared by their match keys: one code in two spellings is one code. A part without a value equals
    another without one, as it does in every step after this (staging's latest version, the gate's unique key).
    """
    parts = []
    for name in table.primary_key:
        column = table.column(name)
        stored = f"{name}_key" if column.match_key == "identifier" else name
        parts.append(pl.col(stored).cast(pl.String).fill_null(_ABSENT))
    return values.select(pl.concat_str(parts, separator=_SEPARATOR).alias("key")).to_series()
