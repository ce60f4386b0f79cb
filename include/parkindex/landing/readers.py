"""From a delivered file to blocks of text cells: the delivery form is chosen by the file's name, first match."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

import polars as pl

from parkindex.contracts import Contract, Server
from parkindex.landing import archives, delimited, documents, gazette, workbook
from parkindex.landing.blocks import Block, ReadResult
from parkindex.landing.decoding import repaired
from parkindex.landing.refusal import FileRefusedError, refuse
from parkindex.landing.trailer import without_trailer

__all__ = ["Block", "ReadResult", "delivery_of", "read"]

# Read in pieces, also out of gzip; every other format is unpacked to a temporary file first.
_STREAMED = ("csv", "jsonl")


def read(contract: Contract, path: Path, name: str | None = None) -> ReadResult:
    """Open a delivered file for reading.

    Args:
        contract: Contract of its feed.
        path: Where the bytes are.
        name: Name under which it was delivered, where ``path`` has another (default: the path's own).

    Returns:
        Its delivery form and its blocks; the file may still be refused while they are taken.

    Raises:
        FileRefusedError: Its name fits no delivery form, or it is empty.
    """
    name = name or path.name
    server = delivery_of(contract, name)
    if path.stat().st_size == 0:
        refuse("file.empty", "The file has no bytes.")
    note = repaired(server)
    notes = [note] if note else []
    return ReadResult(server, _blocks(contract, server, path, name, notes), notes)


def delivery_of(contract: Contract, name: str) -> Server:
    """Return the first delivery form whose pattern fits a file name, whatever the case of its letters.

    Raises:
        FileRefusedError: None fits.
    """
    forms = [(server, server.path.lower()) for server in contract.servers if server.path is not None]
    fitting = [server for server, pattern in forms if fnmatchcase(name.lower(), pattern)]
    if not fitting:
        patterns = ", ".join(pattern for _, pattern in forms)
        refuse("file.delivery", f"The name {name!r} fits none of the contract's delivery forms: {patterns}.")
    return fitting[0]


def _blocks(contract: Contract, server: Server, path: Path, name: str, notes: list[str]) -> Iterator[Block]:
    """Yield the blocks of a file, unpacked if its name says that it is packed."""
    packing = archives.packing(name)
    if packing is None:
        yield from _plain(contract, server, path, notes)
    elif packing == "gzip" and server.format in _STREAMED:
        yield from _plain(contract, server, path, notes, compressed=True)
    elif packing == "gzip":
        with tempfile.TemporaryDirectory(prefix="parkindex-") as folder:
            yield from _plain(contract, server, archives.unpacked(path, Path(folder) / "unpacked"), notes)
    elif server.format == "cnipa_xml":
        yield from gazette.read_archive(
            contract, archives.walk(path, packing, pattern=server.members, notes=notes), notes=notes
        )
    else:
        yield from _members(contract, server, path, packing, notes)


def _members(contract: Contract, server: Server, path: Path, packing: str, notes: list[str]) -> Iterator[Block]:
    """Yield the blocks of every member of an archive, each read like a file of its own."""
    with tempfile.TemporaryDirectory(prefix="parkindex-") as folder:
        for _, member, stream in archives.walk(path, packing, pattern=server.members, notes=notes):
            copied = archives.copy(stream, Path(folder) / "member")
            try:
                for block in _plain(contract, server, copied, notes):
                    yield _of_member(block, member)
            except FileRefusedError as error:
                where = f"{member}, {error.where}" if error.where else member
                raise FileRefusedError(error.rule, error.what, where=where) from error


def _of_member(block: Block, member: str) -> Block:
    """Return a block that says which member its records come from."""
    inner = block.members
    prefixed = [member] * len(block.rows) if inner is None else [f"{member}/{name}" for name in inner]
    return replace(
        block,
        members=pl.Series(prefixed, dtype=pl.String),
        set_aside=tuple(
            replace(one, member=member if one.member is None else f"{member}/{one.member}") for one in block.set_aside
        ),
    )


def _plain(
    contract: Contract, server: Server, path: Path, notes: list[str], *, compressed: bool = False
) -> Iterator[Block]:
    """Yield the blocks of one file that is not packed (or packed with gzip, and read in pieces)."""
    blocks = _formatted(contract, server, path, notes, compressed=compressed)
    return blocks if server.trailer is None else without_trailer(blocks, server.trailer)


def _formatted(
    contract: Contract, server: Server, path: Path, notes: list[str], *, compressed: bool
) -> Iterator[Block]:
    if server.format == "csv":
        return delimited.read(contract, server, path, compressed=compressed, notes=notes)
    if server.format in ("xlsx", "xls"):
        return workbook.read(contract, server, path, notes=notes)
    if server.format == "json":
        return documents.read_json(contract, server, path, notes=notes)
    if server.format == "jsonl":
        return documents.read_json_lines(contract, server, path, compressed=compressed, notes=notes)
    if server.format == "geojson":
        return documents.read_geojson(contract, path, notes=notes)
    return gazette.read(contract, path, notes=notes)
