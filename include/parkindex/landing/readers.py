"""From a delivered file to blocks of text cells: the delivery form is chosen by the file's name, first match."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from parkindex.contracts import Contract, Server
from parkindex.landing import delimited, documents, gazette, workbook
from parkindex.landing.blocks import Block, ReadResult
from parkindex.landing.refusal import refuse

__all__ = ["Block", "ReadResult", "delivery_of", "read"]

_OTHER_TEXT_MARKS = {codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16"}


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
    notes: list[str] = []
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
    if server.format == "csv":
        with path.open("rb") as stream:
            marked = _OTHER_TEXT_MARKS.get(stream.read(2))
        if marked:
            refuse("file.encoding", f"The file is {marked}, not {server.encoding}.")
        return delimited.read(contract, server, path, compressed=name.lower().endswith(".gz"), notes=notes)
    if server.format == "xlsx":
        return workbook.read(contract, path, notes=notes)
    if server.format == "json":
        return documents.read_json(contract, server, path, notes=notes)
    if server.format == "geojson":
        return documents.read_geojson(contract, path, notes=notes)
    return gazette.read(contract, path, notes=notes)
