"""Blocks of text cells: what every reader gives, whatever the format of the file."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from parkindex import text
from parkindex.contracts import Contract, Server, Table
from parkindex.landing import units
from parkindex.landing.refusal import refuse

# Unit separator: between the cells of a row that are joined into one text.
SEPARATOR = "\x1f"
# Bytes that a processor's cache holds: as many are looked at at a time.
CACHED = 1 << 18
_OVERLAP = 16
_NOWHERE = np.zeros(0, dtype=np.int64)

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class CellFault:
    """A cell that the reader could not take as text: the row is set aside.

    Attributes:
        index: Place of the row in the block, from 0.
        place: Place of the cell in the row, from 0.
        rule: Rule it breaks.
    """

    index: int
    place: int
    rule: str


@dataclass(frozen=True)
class SetAside:
    """A record that is no row of cells under the header: it is landed and rejected as a whole.

    Attributes:
        row: Source row.
        member: Member of an archive, or None.
        rule: Rule it breaks.
        original: The record as delivered.
        value: What was wrong, for the reject.
    """

    row: int
    member: str | None
    rule: str
    original: dict[str, str | None]
    value: str


@dataclass(frozen=True)
class Header:
    """The header of a file, mapped to the contract.

    Attributes:
        texts: Header texts as delivered, in order.
        places: Contract column → place of its cell.
        unknown: Places of cells whose header is not in the contract.
        shifts: Contract column → power of ten that brings its numbers from the header's unit to the contract's.
    """

    texts: tuple[str, ...]
    places: dict[str, int]
    unknown: tuple[int, ...]
    shifts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Block:
    """Consecutive records of one table.

    Attributes:
        table: Table of the contract.
        header: The header they stand under.
        cells: One text column per header, named by its place ("0", "1", …), as delivered; null where a cell is absent.
        rows: Source rows, ascending.
        members: Member of an archive each row comes from; None when the file is no archive.
        faults: Cells that could not be taken as text.
        set_aside: Records that are no rows.
    """

    table: Table
    header: Header
    cells: pl.DataFrame
    rows: pl.Series
    members: pl.Series | None = None
    faults: tuple[CellFault, ...] = ()
    set_aside: tuple[SetAside, ...] = ()

    @cached_property
    def joined(self) -> pl.Series:
        """Each row's cells in one text: in contract order, then those the contract does not have.

        ``SEPARATOR`` stands between them; a cell that is absent is as an empty one.
        """
        places = [self.header.places.get(column.name) for column in self.table.columns]
        parts = [pl.lit("") if place is None else pl.col(str(place)).fill_null("") for place in places]
        parts += [pl.col(str(place)).fill_null("") for place in self.header.unknown]
        return self.cells.select(pl.concat_str(parts, separator=SEPARATOR).alias("row")).to_series()

    @cached_property
    def octets(self) -> Octets:
        """What bytes there are in the cells."""
        parts = len(self.table.columns) + len(self.header.unknown)
        return Octets.of(self.joined, separators=(parts - 1) * len(self.rows))


_LOST, _LOST_TWICE, _IDEOGRAPHIC_SPACE = "\ufffd".encode(), "锟斤拷".encode(), "\u3000".encode()


@dataclass(frozen=True)
class Octets:
    """What a look at all bytes of a block's cells tells; it saves looking at every cell for what is rarely there.

    Attributes:
        plain: There is no control character and no replacement character (U+FFFD).
        doubtful: There is a letter of Latin-1 beyond ASCII, or 锟斤拷: texts may have been read in a wrong encoding.
        backslash: There is a backslash.
        padded: A cell may begin or end with white space.
        longest: Bytes of the longest row.
    """

    plain: bool
    doubtful: bool
    backslash: bool
    padded: bool
    longest: int

    @classmethod
    def of(cls, joined: pl.Series, separators: int) -> Octets:
        """Look at rows joined by ``SEPARATOR``, which stands between their cells ``separators`` times in all."""
        data, offsets = _buffers(joined)
        raw = np.frombuffer(data, dtype=np.uint8)
        controls, deleted, backslash, latin, rare_lead, lost, lost_twice, spaces = -separators, *[False] * 7
        blanks = []
        # Some bytes more than are looked at: what is looked for may lie across.
        for begin in range(0, len(raw), CACHED):
            part = raw[begin : begin + CACHED]
            whole = bytes(data[begin : begin + CACHED + _OVERLAP])
            controls += int(np.count_nonzero(part < 0x20))
            deleted = deleted or 0x7F in whole
            blanks.append(np.flatnonzero(part == 0x20) + begin)
            backslash = backslash or 0x5C in whole
            # In UTF-8 C2 and C3 begin the letters of Latin-1 and nothing else; C2 and E1 begin some white space.
            rare_lead = rare_lead or 0xC2 in whole or 0xE1 in whole
            latin = latin or 0xC2 in whole or 0xC3 in whole
            twos = _twos(whole)
            lost = lost or _holds(twos, whole, _LOST, 0)
            lost_twice = lost_twice or _holds(twos, whole, _LOST_TWICE, 7)
            spaces = spaces or _holds(twos, whole, _IDEOGRAPHIC_SPACE, 1) or (0xE2 in whole and _general_space(whole))
        padded = controls != 0 or rare_lead or spaces or _at_edge(raw, offsets, np.concatenate([*blanks, _NOWHERE]))
        longest = int(np.diff(offsets).max(initial=0))
        return cls(controls == 0 and not (deleted or lost), latin or lost_twice, backslash, padded, longest)


def _buffers(texts: pl.Series) -> tuple[Any, npt.NDArray[np.int64]]:
    """Return the UTF-8 bytes of texts, one behind the other, and where each begins (and the last ends)."""
    # The oldest form of a column of texts is the one with all bytes in one piece.
    _, ends, data = texts.to_arrow(compat_level=pl.CompatLevel.oldest()).buffers()
    return data or b"", np.frombuffer(ends or bytes(8), dtype=np.int64)[: len(texts) + 1]


def _twos(whole: bytes) -> tuple[npt.NDArray[np.uint16], ...]:
    """Return the pairs of neighbouring bytes as numbers: those at even places, then those at odd ones."""
    starts = (start for start in (0, 1) if len(whole) > start)
    return tuple(np.frombuffer(whole, "<u2", (len(whole) - start) // 2, start) for start in starts)


def _holds(twos: tuple[npt.NDArray[np.uint16], ...], whole: bytes, wanted: bytes, place: int) -> bool:
    """Whether bytes hold some others, of which the two from a place on are rare: those are looked for first."""
    pair = int.from_bytes(wanted[place : place + 2], "little")
    return any((half == pair).any() for half in twos) and wanted in whole


def _general_space(whole: bytes) -> bool:
    """Whether there is a space of general punctuation (U+2000 to U+205F)."""
    raw = np.frombuffer(whole, dtype=np.uint8)
    places = np.flatnonzero(raw[:-2] == 0xE2)
    second, third = raw[places + 1], raw[places + 2]
    in_first_row = (second == 0x80) & ((third <= 0x8A) | np.isin(third, (0xA8, 0xA9, 0xAF)))
    return bool((in_first_row | ((second == 0x81) & (third == 0x9F))).any())


def _at_edge(raw: Bytes, offsets: npt.NDArray[np.int64], spaces: npt.NDArray[np.int64]) -> bool:
    """Whether a blank stands beside a separator, or at the beginning or the end of a row."""
    unit = ord(SEPARATOR)
    beside = (raw[np.maximum(spaces - 1, 0)] == unit) | (raw[np.minimum(spaces + 1, len(raw) - 1)] == unit)
    if beside.any():
        return True
    row = np.searchsorted(offsets, spaces, side="right") - 1
    return bool(((spaces == offsets[row]) | (spaces + 1 == offsets[row + 1])).any())


@dataclass
class ReadResult:
    """A file being read.

    Attributes:
        delivery: The delivery form of the contract that its name fits.
        blocks: Its records, in order; reading goes on while they are taken, and may still refuse the file.
        notes: What was ignored by the contract's leave (``evolve``).
    """

    delivery: Server
    blocks: Iterator[Block]
    notes: list[str] = field(default_factory=list)

    def frames(self) -> dict[str, pl.DataFrame]:
        """Read everything: per table a frame of text cells by contract column, with ``_source_row``.

        For small files and tests: a frame holds the whole file. Records set aside are not in it.
        """
        found: dict[str, list[pl.DataFrame]] = {}
        for block in self.blocks:
            named = {name: block.cells[str(place)] for name, place in block.header.places.items()}
            frame = pl.DataFrame({**named, "_source_row": block.rows})
            found.setdefault(block.table.name, []).append(frame)
        return {name: pl.concat(frames, how="diagonal") for name, frames in found.items()}


def map_header(contract: Contract, table: Table, texts: Sequence[str], where: str, notes: list[str]) -> Header:
    """Map a header to the contract by synonyms.

    Two spellings of a header are one when they differ in width, blanks or case only. A header that differs from a
    column's by its unit of money alone (``营业收入（万元）`` for a column in thousands) is that column, and its numbers
    are brought to the contract's unit, exactly.

    Args:
        contract: The contract.
        table: Its table.
        texts: Header texts as delivered.
        where: Place for messages.
        notes: Takes what is ignored.

    Raises:
        FileRefusedError: A column is missing, stands twice, or is unknown to a contract that does not allow it.
    """
    wanted = {_key(header): column.name for column in table.columns for header in column.headers}
    places: dict[str, int] = {}
    unknown: list[int] = []
    shifts: dict[str, int] = {}
    for place, header in enumerate(texts):
        name = wanted.get(_key(header))
        if name is None:
            name = _in_another_unit(table, header, where, shifts, notes)
        if name is None:
            unknown.append(place)
        elif name in places:
            refuse(
                "file.column_repeated", f"The headers {texts[places[name]]!r} and {header!r} mean one column.", where
            )
        else:
            places[name] = place
    named = [texts[place] for place in unknown if texts[place].strip()]
    _refuse_missing(table, places, named, where)
    if named and contract.on_unknown_column == "freeze":
        listed = ", ".join(repr(header) for header in named)
        refuse("file.column_unknown", f"The contract of {contract.feed} has no column {listed}.", where)
    if named and contract.on_unknown_column == "evolve":
        note = f"note: ignored columns that the contract does not have: {', '.join(named)}"
        if note not in notes:
            notes.append(note)
    return Header(tuple(texts), places, tuple(unknown), shifts)


def _in_another_unit(table: Table, header: str, where: str, shifts: dict[str, int], notes: list[str]) -> str | None:
    """Return the column that a header means but for its unit of money, if there is one."""
    base, unit = units.split(_key(header))
    if unit is None:
        return None
    for column in table.columns:
        if column.unit not in units.CONTRACT_POWERS or base not in {
            units.split(_key(one))[0] for one in column.headers
        }:
            continue
        power = units.POWERS.get(unit)
        if power is None:
            refuse("file.unit", f"The unit of {header!r} is none that can become {column.unit}.", where)
        shifts[column.name] = power - units.CONTRACT_POWERS[column.unit]
        note = f"note: {header} brought to {column.unit}: times 10^{shifts[column.name]}"
        if note not in notes:
            notes.append(note)
        return column.name
    return None


def labelled(texts: Sequence[str], cells: Sequence[str | None]) -> dict[str, str | None]:
    """Return a record as header → cell; a cell without a header, or with another's, is called by its place."""
    return dict(zip(_labels(tuple(texts), len(cells)), cells, strict=True))


@lru_cache(maxsize=256)
def _labels(texts: tuple[str, ...], count: int) -> tuple[str, ...]:
    """Return what the cells of a record are called."""
    made: dict[str, None] = {}
    for place in range(count):
        header = texts[place].strip() if place < len(texts) else ""
        made[header if header and header not in made else f"#{place + 1}"] = None
    return tuple(made)


def fits(table: Table, texts: Sequence[str]) -> bool:
    """Whether a row of texts is a header of the table: it names every required column."""
    keys = {_key(header) for header in texts}
    return all(any(_key(header) in keys for header in column.headers) for column in table.columns if column.required)


def without_blank(block: Block) -> Block:
    """Return the block without records whose cells are all blank: those are no records."""
    if block.cells.width == 0 or block.cells.height == 0:
        return block
    # Column by column: the rows that are still all blank are few from the first on.
    blank = block.cells.with_row_index("index")
    for name in block.cells.columns:
        blank = blank.filter(pl.col(name).is_null() | (pl.col(name).str.strip_chars() == ""))
        if blank.is_empty():
            return block
    keep = ~pl.Series(range(block.cells.height), dtype=pl.UInt32).is_in(blank["index"].implode())
    moved = (pl.Series([0]).append(keep.cast(pl.Int64).cum_sum())).to_list()
    return Block(
        block.table,
        block.header,
        block.cells.filter(keep),
        block.rows.filter(keep),
        None if block.members is None else block.members.filter(keep),
        tuple(CellFault(moved[fault.index], fault.place, fault.rule) for fault in block.faults if keep[fault.index]),
        block.set_aside,
    )


class Continuation:
    """Fills continuation rows from the row their anchor stands on, across blocks.

    An export of companies and their rounds writes the company once and leaves its columns blank on the rows of its
    further rounds. A record that was set aside may have been such a first row, so nothing is carried over it.
    """

    def __init__(self, table: Table) -> None:
        self.table = table
        self._carried: list[str | None] | None = None

    def fill(self, block: Block) -> Block:
        """Return the block with its continuation rows filled."""
        anchor = self.table.continuation_anchor
        if anchor is None or anchor not in block.header.places:
            return block
        if block.cells.height == 0:
            self._carried = None if block.set_aside else self._carried
            return block
        names = [
            str(block.header.places[name]) for name in self.table.continuation_columns if name in block.header.places
        ]
        anchor_name = str(block.header.places[anchor])
        frame = block.cells.select(names)
        breaks = pl.DataFrame({"row": [one.row for one in block.set_aside]}, schema={"row": pl.Int64})
        carried = dict(zip(names, self._carried or [None] * len(names), strict=True))
        first = pl.DataFrame({**carried, "row": [-1], "_break": [False]}, schema=_fill_schema(names))
        here = frame.with_columns(block.rows.cast(pl.Int64).alias("row"), pl.lit(value=False).alias("_break"))
        stops = breaks.with_columns(
            *(pl.lit(None, pl.String).alias(name) for name in names), pl.lit(True).alias("_break")
        )
        whole = pl.concat([first, here, stops.select(here.columns)]).sort("row", maintain_order=True)
        anchored = _present(anchor_name) | pl.col("_break") | (pl.col("row") == -1)
        group = whole.with_columns(anchored.cum_sum().alias("_group"))
        filled = group.with_columns(
            pl.when(~anchored & ~_present(name))
            .then(pl.col(name).first().over("_group"))
            .otherwise(pl.col(name))
            .alias(name)
            for name in names
        )
        last = filled.filter(pl.col("_group") == pl.col("_group").max()).head(1)
        self._carried = [last[name].item() for name in names]
        result = filled.filter((pl.col("row") != -1) & ~pl.col("_break"))
        cells = block.cells.with_columns(result[name] for name in names)
        return Block(block.table, block.header, cells, block.rows, block.members, block.faults, block.set_aside)


def _fill_schema(names: list[str]) -> dict[str, type[pl.DataType]]:
    return {**dict.fromkeys(names, pl.String), "row": pl.Int64, "_break": pl.Boolean}


def _present(name: str) -> pl.Expr:
    return (pl.col(name).str.strip_chars() != "").fill_null(value=False)


@lru_cache(maxsize=4096)
def _key(header: str) -> str:
    return text.key_of("name", header)


def _refuse_missing(table: Table, places: dict[str, int], unknown: list[str], where: str) -> None:
    missing = [column for column in table.columns if column.required and column.name not in places]
    if not missing:
        return
    hints = []
    for column in missing:
        names = " or ".join(repr(header) for header in column.synonyms or (column.name,))
        near = difflib.get_close_matches(column.synonyms[0] if column.synonyms else column.name, unknown, n=1)
        hints.append(names + (f" (is {near[0]!r} meant?)" if near else ""))
    refuse("file.column_missing", f"The file has no column {'; '.join(hints)}.", where)
