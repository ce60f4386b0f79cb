"""Delimited files (CSV, TSV …) in blocks: decoded as declared, split by RFC 4180, parsed by polars.

The structure of a block (where records begin, how many cells they have, on which line they stand) is found by NumPy on
the bytes, so that a record with a cell too many is set aside with its line and takes no other record with it. A block
whose quotes do not stand as RFC 4180 wants is read by Python's csv module instead: slower, and forgiving in the same
way for every record.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from parkindex.contracts import Contract, Server, Table
from parkindex.landing.archives import chunks
from parkindex.landing.blocks import (
    CACHED,
    Block,
    Continuation,
    Header,
    SetAside,
    labelled,
    map_header,
    without_blank,
)
from parkindex.landing.decoding import utf_8_pieces
from parkindex.landing.refusal import refuse

BLOCK_BYTES = 8 << 20
_MOST_RECORD_BYTES = 64 << 20
_NEWLINE, _RETURN, _QUOTE = b'\n\r"'
# A file whose lines end in CR is read with CR and LF exchanged, and its cells are changed back.
_EXCHANGED = bytes.maketrans(b"\r\n", b"\n\r")


def read(
    contract: Contract,
    server: Server,
    path: Path,
    *,
    compressed: bool,
    notes: list[str],
    block_bytes: int = BLOCK_BYTES,
) -> Iterator[Block]:
    """Yield the records of a delimited file, block by block.

    Raises:
        FileRefusedError: The encoding, the header or the quoting is not what it should be.
    """
    (table,) = contract.tables
    has_cr = server.line_ends == "CR"
    received = _whole_header(chunks(path, block_bytes, compressed=compressed), b"\r" if has_cr else b"\n")
    pieces = utf_8_pieces(received, server, contract.encoding_sentinels)
    reader = _Reader(contract, table, server, notes)
    continuation = Continuation(table)
    for block in reader.blocks((piece.translate(_EXCHANGED) for piece in pieces) if has_cr else pieces):
        yield continuation.fill(without_blank(_changed_back(block) if has_cr else block))


def _whole_header(pieces: Iterator[bytes], line_end: bytes) -> Iterator[bytes]:
    """Yield the pieces, the first of them grown until it holds the whole first line."""
    first = b""
    for piece in pieces:
        first += piece
        if line_end in piece or len(first) > _MOST_RECORD_BYTES:
            break
    if first:
        yield first
    yield from pieces


def _changed_back(block: Block) -> Block:
    """Return a block whose cells hold CR and LF as they were delivered."""
    marks, exchanged = ["\r", "\n"], ["\n", "\r"]
    cells = block.cells.with_columns(pl.all().str.replace_many(marks, exchanged)) if block.cells.width else block.cells
    table = str.maketrans("\r\n", "\n\r")
    set_aside = tuple(
        replace(one, original={name: cell and cell.translate(table) for name, cell in one.original.items()})
        for one in block.set_aside
    )
    return replace(block, cells=cells, set_aside=set_aside)


@dataclass(frozen=True)
class _Structure:
    """Where the records of some bytes are.

    Attributes:
        starts: Offset of each record.
        ends: Offset behind each record's line end.
        widths: Cells of each record.
        lines: Line of each record, from 0, relative to the bytes.
        line_count: Line ends in all records.
        well_formed: Whether quotes stand where RFC 4180 has them.
    """

    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    widths: npt.NDArray[np.int64]
    lines: npt.NDArray[np.int64]
    line_count: int
    well_formed: bool


def _set_of(characters: bytes) -> npt.NDArray[np.bool_]:
    """Return a table of 256: whether a byte is one of the characters."""
    table = np.zeros(256, dtype=bool)
    table[list(characters)] = True
    return table


def _structure(data: bytes, delimiter: bytes) -> _Structure:
    """Find records by the parity of quotes: outside quotes the delimiter ends a cell and a newline a record."""
    raw = np.frombuffer(data, dtype=np.uint8)
    has_quotes = b'"' in data
    positions, kinds = _marks(raw, delimiter[0], has_quotes=has_quotes)
    is_newline = kinds == _NEWLINE
    ends_at, breaks_at = positions, is_newline
    quotes = positions[:0]
    if has_quotes:
        is_quote = kinds == _QUOTE
        quotes = positions[is_quote]
        outside = ~(is_quote | (np.cumsum(is_quote, dtype=np.int32) & 1).astype(bool))
        ends_at, breaks_at = positions[outside], is_newline[outside]
    breaks = np.flatnonzero(breaks_at)
    ends = ends_at[breaks].astype(np.int64) + 1
    widths = np.diff(breaks, prepend=-1)
    starts = np.concatenate([[0], ends[:-1]]) if len(ends) else np.zeros(0, dtype=np.int64)
    newlines = positions[is_newline]
    if len(newlines) == len(ends):
        lines, line_count = np.arange(len(ends)), len(ends)
    else:
        lines = np.searchsorted(newlines, starts)
        line_count = int(np.searchsorted(newlines, ends[-1])) if len(ends) else 0
    return _Structure(starts, ends, widths, lines, line_count, _quotes_fit(raw, quotes, delimiter))


def _marks(
    raw: npt.NDArray[np.uint8], delimiter: int, *, has_quotes: bool
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
    """Return places and kinds of delimiters, newlines and quotes; looks at as many bytes as a cache holds at a time."""
    places, kinds = [np.zeros(0, dtype=np.int32)], [raw[:0]]
    for begin in range(0, len(raw), CACHED):
        part = raw[begin : begin + CACHED]
        found = (part == delimiter) | (part == _NEWLINE)
        if has_quotes:
            found |= part == _QUOTE
        here = np.flatnonzero(found).astype(np.int32)
        kinds.append(part[here])
        places.append(here + np.int32(begin))
    return np.concatenate(places), np.concatenate(kinds)


def _quotes_fit(raw: npt.NDArray[np.uint8], quotes: npt.NDArray[np.int32], delimiter: bytes) -> bool:
    """Whether every quote that opens follows a cell's beginning and every one that closes precedes a cell's end."""
    opening, closing = quotes[0::2], quotes[1::2]
    before = raw[opening[opening > 0] - 1]
    after = raw[closing[closing < len(raw) - 1] + 1]
    beside = _set_of(delimiter + b'\n\r"')
    return bool(beside[before].all() and beside[after].all())


class _Reader:
    """Reads one file's records from pieces of UTF-8 bytes."""

    def __init__(self, contract: Contract, table: Table, server: Server, notes: list[str]) -> None:
        self.contract = contract
        self.table = table
        self.delimiter = server.delimiter
        self.has_trailer = server.trailer is not None
        self.notes = notes
        self.header: Header | None = None
        self.line = 1

    def blocks(self, pieces: Iterator[bytes]) -> Iterator[Block]:
        """Yield blocks of whole records; the rest of a piece is carried to the next."""
        carried = b""
        for piece in pieces:
            carried += piece
            if len(carried) > _MOST_RECORD_BYTES + len(piece):
                refuse("file.truncated", "A record is longer than 64 MiB: a quote is not closed.", f"line {self.line}")
            structure = _structure(carried, self.delimiter.encode())
            if not structure.well_formed:
                yield from self._slowly(chain([carried], pieces))
                return
            if len(structure.ends):
                end = int(structure.ends[-1])
                yield from self._block(carried, structure)
                carried = carried[end:]
        if carried.strip():
            structure = _structure(carried + b"\n", self.delimiter.encode())
            if structure.well_formed and not len(structure.ends):
                refuse("file.truncated", "The file ends inside a quoted cell.", f"line {self.line}")
            if not structure.well_formed:
                yield from self._slowly(iter([carried]))
                return
            yield from self._block(carried + b"\n", structure, is_cut=True)
        if self.header is None:
            refuse("file.empty", "The file has no header.")

    def _block(self, data: bytes, structure: _Structure, *, is_cut: bool = False) -> Iterator[Block]:
        """Yield the block of some whole records, the header's record taken off; ``is_cut``: the last had no end."""
        raw = np.frombuffer(data, dtype=np.uint8)
        keep = ~_is_empty_line(raw, structure)
        if self.header is None:
            if not keep.any():
                self.line += structure.line_count
                return
            first = int(np.flatnonzero(keep)[0])
            record = data[int(structure.starts[first]) : int(structure.ends[first])]
            self._take_header(_cells(record, self.delimiter), self.line + int(structure.lines[first]))
            keep[first] = False
        assert self.header is not None  # noqa: S101 - _take_header has set it, or refused the file
        width = len(self.header.texts)
        lines = structure.lines + self.line
        self.line += structure.line_count
        ragged = keep & (structure.widths != width)
        keep &= ~ragged
        if is_cut and ragged[-1]:
            self._refuse_cut(int(structure.widths[-1]), int(lines[-1]))
        spans = zip(structure.starts[ragged], structure.ends[ragged], lines[ragged], strict=True)
        shifted = ((_cells(data[int(begin) : int(end)], self.delimiter), int(line)) for begin, end, line in spans)
        # A record of blanks only is none, however many they are.
        set_aside = tuple(self._ragged(cells, line) for cells, line in shifted if any(cell.strip() for cell in cells))
        body = _without(data, structure, np.flatnonzero(~keep))
        rows = pl.Series(lines[keep], dtype=pl.Int64)
        yield Block(self.table, self.header, _parsed(body, width, len(rows), self.delimiter), rows, set_aside=set_aside)

    def _slowly(self, pieces: Iterator[bytes]) -> Iterator[Block]:
        """Yield blocks by Python's csv module, from the current record on."""
        csv.field_size_limit(_MOST_RECORD_BYTES)
        lines = _Lines(pieces)
        records: list[list[str]] = []
        rows: list[int] = []
        set_aside: list[SetAside] = []
        first_line = self.line
        reader = csv.reader(lines, delimiter=self.delimiter)
        row = begin = first_line
        last: list[str] = []
        while (record := self._next(reader, begin)) is not None:
            row, begin = begin, first_line + reader.line_num
            lines.pending = 0
            last = record
            if not any(cell.strip() for cell in record):
                continue
            if self.header is None:
                self._take_header(record, row)
            elif len(record) != len(self.header.texts):
                set_aside.append(self._ragged(record, row))
            else:
                records.append(record)
                rows.append(row)
            if len(records) >= 50_000:
                yield self._listed(records, rows, set_aside)
                records, rows, set_aside = [], [], []
        if lines.open_quote:
            refuse("file.truncated", "The file ends inside a quoted cell.", f"line {begin}")
        if lines.is_cut and self.header is not None and last:
            self._refuse_cut(len(last), row)
        if self.header is not None:
            yield self._listed(records, rows, set_aside)

    def _refuse_cut(self, cells: int, line: int) -> None:
        """Refuse a file whose last record has neither all its cells nor a line end."""
        assert self.header is not None  # noqa: S101 - it is cut against a header
        width = len(self.header.texts)
        if cells < width and not self.has_trailer:
            what = f"The last record has {cells} of {width} cells and no line end: the file was cut."
            refuse("file.truncated", what, f"line {line}")

    @staticmethod
    def _next(reader: Iterator[list[str]], line: int) -> list[str] | None:
        try:
            return next(reader, None)
        except csv.Error as error:
            refuse("file.line_ends", f"A record cannot be told apart: {error}.", f"line {line}")

    def _listed(self, records: list[list[str]], rows: list[int], set_aside: list[SetAside]) -> Block:
        assert self.header is not None  # noqa: S101 - records are only listed under a header
        width = len(self.header.texts)
        cells = pl.DataFrame(
            {str(place): [record[place] for record in records] for place in range(width)},
            schema={str(place): pl.String for place in range(width)},
        )
        return Block(self.table, self.header, cells, pl.Series(rows, dtype=pl.Int64), set_aside=tuple(set_aside))

    def _take_header(self, texts: list[str], line: int) -> None:
        if any("\r" in header for header in texts):
            refuse("file.line_ends", "The lines end in CR alone; LF or CRLF is read.", f"line {line}")
        sentinels = self.contract.encoding_sentinels
        if sentinels and not any(sentinel in header for sentinel in sentinels for header in texts):
            listed = ", ".join(sentinels)
            refuse("file.sentinel", f"The header holds none of: {listed}.", f"line {line}")
        self.header = map_header(self.contract, self.table, texts, f"line {line}", self.notes)

    def _ragged(self, record: list[str], line: int) -> SetAside:
        assert self.header is not None  # noqa: S101 - a record is ragged against a header
        texts = self.header.texts
        return SetAside(line, None, "row.ragged", labelled(texts, record), f"{len(record)} cells, {len(texts)} headers")


class _Lines:
    """Lines of text out of pieces of bytes, line ends kept.

    Attributes:
        pending: Lines handed out since the reader last finished a record (the reader sets it back).
        open_quote: Whether the file ended while a record was unfinished.
        is_cut: Whether the last line had no end.
    """

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._stream = io.TextIOWrapper(io.BufferedReader(_Pieces(pieces)), encoding="utf-8", newline="\n")
        self.pending = 0
        self.open_quote = False
        self.is_cut = False

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._stream.readline()
        if not line:
            self.open_quote = self.open_quote or self.pending > 0
            raise StopIteration
        self.pending += 1
        self.is_cut = not line.endswith("\n")
        return line


class _Pieces(io.RawIOBase):
    """A stream over pieces of bytes."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def readable(self) -> bool:
        """Whether it can be read: it can."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill the buffer from the next piece."""
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = piece
        taken = self._rest[: len(buffer)]
        self._rest = self._rest[len(taken) :]
        buffer[: len(taken)] = taken
        return len(taken)


def _without(data: bytes, structure: _Structure, dropped: npt.NDArray[np.int64]) -> bytes:
    """Return the bytes of all records but some."""
    begins = [0, *structure.ends[dropped].tolist()]
    ends = [*structure.starts[dropped].tolist(), int(structure.ends[-1])]
    whole = memoryview(data)
    return b"".join([whole[begin:end] for begin, end in zip(begins, ends, strict=True)])


def _is_empty_line(raw: npt.NDArray[np.uint8], structure: _Structure) -> npt.NDArray[np.bool_]:
    """Whether a record is a line without any text: such lines are no records."""
    first = raw[structure.starts]
    short = structure.ends - structure.starts <= 2
    return np.asarray(short & ((first == _NEWLINE) | (first == _RETURN)))


def _cells(record: bytes, delimiter: str) -> list[str]:
    """Return the cells of one whole record."""
    csv.field_size_limit(_MOST_RECORD_BYTES)
    text = record.decode("utf-8")
    try:
        return next(csv.reader(io.StringIO(text, newline="\n"), delimiter=delimiter), [])
    except csv.Error:  # a bare CR outside quotes, which the csv module does not read
        return text.rstrip("\r\n").split(delimiter)


def _parsed(body: bytes, width: int, height: int, delimiter: str) -> pl.DataFrame:
    """Parse whole records of equal width into text cells; an empty cell is the empty text."""
    names = [str(place) for place in range(width)]
    if height == 0:
        return pl.DataFrame(schema=dict.fromkeys(names, pl.String))
    frame = pl.read_csv(
        body,
        has_header=False,
        separator=delimiter,
        schema=dict.fromkeys(names, pl.String),
        empty_string_is_null=False,
        raise_if_empty=True,
    )
    if frame.shape != (height, width):
        # Never seen; if the two ever disagree about the same bytes, no row number could be believed.
        raise RuntimeError(f"polars read {frame.shape}, the structure says {(height, width)}")
    return frame
