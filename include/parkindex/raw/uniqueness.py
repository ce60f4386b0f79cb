"""Rows that stand twice in a file, and keys that contradict each other.

A row is known by the SHA-256 of its cells. Across the blocks of a file, 128 bits of it are remembered per row; they are
also what tells a repetition. Of keys 64 bits are remembered; before anything is rejected for its key, the keys
themselves are compared (``load`` reads them again).
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from itertools import chain

import numpy as np
import numpy.typing as npt
import polars as pl
import polars_hash as plh

from parkindex.contracts import Table
from parkindex.landing.blocks import SEPARATOR, Block

# Stands for a part of a key without a value; it can stand in no good row: control characters are rejected.
_ABSENT = "\x1e"

# A table of marks takes 16 MiB, and is mostly false up to some millions of rows.
_MARK_BITS = 24
_RUNS = 16

Halves = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Fingerprints:
    """Hashes of the rows of a block.

    Attributes:
        hexadecimal: SHA-256 of each row's cells, lower-case hexadecimal.
        halves: Its first 128 bits as two numbers, shape (rows, 2).
    """

    hexadecimal: pl.Series
    halves: Halves


def fingerprints(block: Block) -> Fingerprints:
    """Hash the rows of a block: cells as delivered, in contract order, then columns the contract does not have.

    The order of a file's columns makes no difference, nor does a column that is absent against one that is empty.
    """
    joined = block.joined
    hexadecimal = joined.to_frame("row").select(plh.col("row").chash.sha2_256()).to_series()
    if not block.octets.plain:
        width = len(block.table.columns) + len(block.header.unknown) - 1
        ambiguous = joined.str.count_matches(SEPARATOR, literal=True) != width
        for index in ambiguous.arg_true():
            # A cell holds the separator itself: say where each cell ends.
            cells = block.cells.row(index)
            row = SEPARATOR.join(f"{len(cell or '')}:{cell or ''}" for cell in cells)
            hexadecimal[index] = sha256(row.encode("utf-8")).hexdigest()
    elif len(joined) and hexadecimal[0] != sha256(joined[0].encode("utf-8")).hexdigest():
        raise RuntimeError("the hashes of rows are not SHA-256")  # never seen; a wrong hash would be for ever
    halves = np.frombuffer(bytes.fromhex(hexadecimal.str.head(32).str.join("").item()), dtype="<u8")
    return Fingerprints(hexadecimal, halves.reshape(len(joined), 2))


class Seen:
    """The rows of a table seen so far in a file.

    Their hashes stand in sorted runs, on levels by their length. A table of marks, one for each value of a hash's first
    bits, tells of most rows that they stand in none.
    """

    def __init__(self) -> None:
        self._levels: list[list[Halves]] = []
        self._marks = np.zeros(1 << _MARK_BITS, dtype=np.bool_)

    def repeated(self, halves: Halves) -> pl.Series:
        """Return which rows repeat an earlier one, and remember the others."""
        order = _order(halves)
        ordered = halves[order]
        again = np.zeros(len(halves), dtype=bool)
        again[1:] = (ordered[1:] == ordered[:-1]).all(axis=1)
        marks = (ordered[:, 0] >> np.uint64(64 - _MARK_BITS)).astype(np.int64)
        possible = np.flatnonzero(self._marks[marks])
        looked_for = ordered[possible]
        for run in chain.from_iterable(self._levels):
            again[possible] |= _found(looked_for, run)
        self._marks[marks] = True
        self._remember(np.asfortranarray(ordered[~again]))
        result = np.zeros(len(halves), dtype=bool)
        result[order] = again
        return pl.Series(result, dtype=pl.Boolean)

    def _remember(self, run: Halves) -> None:
        """Keep a run; so many of one level are joined to one of the next, so that no row is sorted often."""
        for level in self._levels:
            level.append(run)
            if len(level) < _RUNS:
                return
            run = np.concatenate(level)
            run = np.asfortranarray(run[_order(run)])
            level.clear()
        self._levels.append([run])


def _order(halves: Halves) -> npt.NDArray[np.int64]:
    """Return the order of rows; of equal ones the first stays first."""
    order = np.argsort(halves[:, 0])
    high = halves[order, 0]
    if (high[1:] == high[:-1]).any():
        # Only repetitions should share 64 bits; whatever shares them is put in order by all 128, then by place.
        return np.lexsort((halves[:, 1], halves[:, 0]))
    return order


def _found(ordered: Halves, run: Halves) -> npt.NDArray[np.bool_]:
    """Return which of some rows stand in a run."""
    high = run[:, 0]
    begin = np.searchsorted(high, ordered[:, 0])
    found = np.zeros(len(ordered), dtype=bool)
    # Two rows of equal 64 bits and other 128 are not to be expected; then more than one place is looked at.
    candidates = np.flatnonzero(begin < len(run))
    while len(candidates):
        candidates = candidates[high[begin[candidates]] == ordered[candidates, 0]]
        found[candidates] |= run[begin[candidates], 1] == ordered[candidates, 1]
        begin[candidates] += 1
        candidates = candidates[begin[candidates] < len(run)]
    return found


class Keys:
    """The keys of a table's good rows seen so far in a file, as 64 bits each."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._hashes: list[npt.NDArray[np.uint64]] = []
        self._rows: list[npt.NDArray[np.int32]] = []
        self._members: list[pl.Series | None] = []

    def add(self, keys: pl.Series, rows: pl.Series, members: pl.Series | None) -> None:
        """Remember the keys of good rows."""
        self._hashes.append(keys.hash(seed=1).to_numpy())
        self._rows.append(rows.cast(pl.Int32).to_numpy())
        self._members.append(None if members is None else members.cast(pl.Categorical))

    def suspects(self) -> set[tuple[str, int]]:
        """Return member and source row of every row whose key (by its hash) stands more than once."""
        if not self._hashes:
            return set()
        ordered = np.concatenate(self._hashes)
        ordered.sort()
        double = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
        del ordered
        found: set[tuple[str, int]] = set()
        if not len(double):
            return found
        for hashes, rows, members in zip(self._hashes, self._rows, self._members, strict=True):
            places = np.flatnonzero(np.isin(hashes, double))
            named = [""] * len(places) if members is None else members[places].cast(pl.String).to_list()
            found.update(zip(named, rows[places].tolist(), strict=True))
        return found


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
    return values.select(pl.concat_str(parts, separator=SEPARATOR).alias("key")).to_series()
