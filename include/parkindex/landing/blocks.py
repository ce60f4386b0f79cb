"""Blocks of text cells: what every reader gives, whatever the format of the file."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import polars as pl

from parkindex import text
from parkindex.contracts import Contract, Server, Table
from parkindex.landing.refusal import refuse


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
    """

    texts: tuple[str, ...]
    places: dict[str, int]
    unknown: tuple[int, ...]


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

    Two spellings of a header are one when they differ in width, blanks or case only.

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
    for place, header in enumerate(texts):
        name = wanted.get(_key(header))
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
    return Header(tuple(texts), places, tuple(unknown))


def labelled(texts: Sequence[str], cells: Sequence[str | None]) -> dict[str, str | None]:
    """Return a record as header → cell; a cell without a header, or with another's, is called by its place."""
    made: dict[str, str | None] = {}
    for place, cell in enumerate(cells):
        header = texts[place].strip() if place < len(texts) else ""
        made[header if header and header not in made else f"#{place + 1}"] = cell
    return made


def fits(table: Table, texts: Sequence[str]) -> bool:
    """Whether a row of texts is a header of the table: it names every required column."""
    keys = {_key(header) for header in texts}
    return all(any(_key(header) in keys for header in column.headers) for column in table.columns if column.required)


def without_blank(block: Block) -> Block:
    """Return the block without records whose cells are all blank: those are no records."""
    if block.cells.width == 0 or block.cells.height == 0:
        return block
    blank = block.cells.select(
        pl.all_horizontal(
            (pl.col(name).is_null() | (pl.col(name).str.strip_chars() == "")) for name in block.cells.columns
        )
    ).to_series()
    if not blank.any():
        return block
    keep = ~blank
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
