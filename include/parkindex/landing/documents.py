"""JSON documents, JSON lines, and GeoJSON: one record per item, line or feature."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from parkindex.contracts import Contract, Server
from parkindex.landing.archives import chunks, document
from parkindex.landing.blocks import Block, CellFault, SetAside, map_header, without_blank
from parkindex.landing.decoding import text_of, utf_8_pieces
from parkindex.landing.refusal import refuse

GEOMETRY = "geometry"
# Names under which CGCS2000 stands in the `crs` member of the 2008 GeoJSON specification.
_CGCS2000 = ("EPSG::4490", "EPSG:4490", "CGCS2000")
_BLOCK_LINES = 20_000
_PIECE_BYTES = 4 << 20
_MOST_LINE_BYTES = 64 << 20
_LINE_SHOWN = 2_000


def read_json(contract: Contract, server: Server, path: Path, *, notes: list[str]) -> Iterator[Block]:
    """Yield the records of a JSON document.

    Numbers are kept as the digits that were sent.

    Raises:
        FileRefusedError: It is no JSON, or has no list of objects where the contract says.
    """
    items = _items(_loaded(text_of(document(path), server, "document"), literal=True), server)
    yield from _items_block(contract, items, range(1, len(items) + 1), [], notes)


def read_json_lines(
    contract: Contract, server: Server, path: Path, *, compressed: bool, notes: list[str]
) -> Iterator[Block]:
    """Yield the records of a file with one JSON object on each line; a line that is none is set aside.

    Raises:
        FileRefusedError: The first line is no JSON object (``file.format``), or the last one is cut
            (``file.truncated``).
    """
    names: dict[str, None] = {}
    items: list[dict[str, Any]] = []
    rows: list[int] = []
    set_aside: list[SetAside] = []
    pieces = utf_8_pieces(chunks(path, _PIECE_BYTES, compressed=compressed), server)
    for number, line, has_end in _lines(pieces):
        text = line.decode("utf-8")
        if not text.strip():
            continue
        try:
            item: Any = _strict_json(text, literal=True)
            reason = "" if isinstance(item, dict) else "it is no JSON object"
        except (ValueError, RecursionError) as error:
            item, reason = None, f"it is no JSON: {error}"
        if not reason:
            items.append(item)
            rows.append(number)
            names.update(dict.fromkeys(item))
        elif not has_end and number > 1:
            refuse("file.truncated", f"The last line has no end, and {reason}.", f"line {number}")
        elif not rows and not set_aside:
            refuse("file.format", f"The first line cannot be read: {reason}.{_html_hint(text)}", f"line {number}")
        else:
            set_aside.append(
                SetAside(number, None, "document.unreadable", {"line": text.strip()[:_LINE_SHOWN]}, reason)
            )
        if len(items) + len(set_aside) >= _BLOCK_LINES:
            yield from _items_block(contract, items, rows, set_aside, notes, names=list(names))
            items, rows, set_aside = [], [], []
    yield from _items_block(contract, items, rows, set_aside, notes, names=list(names))


def _lines(pieces: Iterator[bytes]) -> Iterator[tuple[int, bytes, bool]]:
    """Yield line number (from 1), bytes, and whether the line has an end."""
    number = 0
    carried = b""
    for piece in pieces:
        *whole, carried = (carried + piece).split(b"\n")
        if len(carried) > _MOST_LINE_BYTES:
            refuse("file.budget", f"A line is longer than {_MOST_LINE_BYTES} bytes.", f"line {number + 1}")
        for line in whole:
            number += 1
            yield number, line, True
    if carried:
        yield number + 1, carried, False


def read_geojson(contract: Contract, path: Path, *, notes: list[str]) -> Iterator[Block]:
    """Yield the features of a GeoJSON collection: their properties, and the geometry as compact JSON text.

    Raises:
        FileRefusedError: It is no FeatureCollection, or names a coordinate system that is not CGCS2000.
    """
    try:
        text = document(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        refuse("file.encoding", f"The document is not UTF-8: byte {error.start} cannot be decoded.")
    collection = _loaded(text, literal=False)
    if not isinstance(collection, dict) or collection.get("type") != "FeatureCollection":
        refuse("file.format", "The file is no GeoJSON FeatureCollection.")
    named = collection.get("crs")
    name = str(named.get("properties", {}).get("name", named)) if isinstance(named, dict) else named
    if name is not None and not any(str(name).endswith(known) for known in _CGCS2000):
        refuse("file.datum", f"The file names the coordinate system {name}; CGCS2000 (EPSG:4490) is wanted.")
    features = collection.get("features")
    if not isinstance(features, list):
        refuse("file.format", "The collection has no list of features.")
    items = []
    for place, feature in enumerate(features, start=1):
        if not isinstance(feature, dict) or not isinstance(feature.get("properties"), dict):
            refuse("file.format", f"Feature {place} has no properties.")
        items.append({**feature["properties"], GEOMETRY: feature.get("geometry")})
    yield from _items_block(contract, items, range(1, len(items) + 1), [], notes)


def _items(loaded: Any, server: Server) -> list[dict[str, Any]]:
    """Return the records of a document, found by the path of keys that the contract gives."""
    items = loaded
    if server.items == "$":
        items = [loaded]
    elif server.items is not None:
        for key in server.items.split("."):
            if not isinstance(items, dict) or key not in items:
                refuse("file.format", f"The document has no key {key!r} (of {server.items}).", "document")
            items = items[key]
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        refuse("file.format", "The records are not a list of objects.", "document")
    return items


def _loaded(text: str, *, literal: bool) -> Any:
    """Parse strict JSON.

    Raises:
        FileRefusedError: It is none.
    """
    try:
        return _strict_json(text, literal=literal)
    except (ValueError, RecursionError) as error:
        refuse("file.format", f"The document is no JSON: {error}.{_html_hint(text)}", "document")


def _strict_json(text: str, *, literal: bool) -> Any:
    """Parse JSON that has no key twice and no NaN; with ``literal``, numbers stay the texts that were sent.

    Raises:
        ValueError: It is none.
        RecursionError: It is nested too deep.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            raise ValueError("an object has a key twice")
        return made

    def no_number(name: str) -> Any:
        raise ValueError(f"{name} is no JSON number")

    if literal:
        return json.loads(text, object_pairs_hook=unique, parse_constant=no_number, parse_float=str, parse_int=str)
    return json.loads(text, object_pairs_hook=unique, parse_constant=no_number)


def _html_hint(text: str) -> str:
    return " It begins like HTML." if text.lstrip()[:1] == "<" else ""


def _items_block(
    contract: Contract,
    items: list[dict[str, Any]],
    rows: Sequence[int],
    set_aside: list[SetAside],
    notes: list[str],
    names: list[str] | None = None,
) -> Iterator[Block]:
    """Yield the block of some records; ``names`` are their keys, where earlier records had more."""
    if not items and not set_aside:
        return
    (table,) = contract.tables
    if names is None:
        names = list(dict.fromkeys(name for item in items for name in item))
    header = map_header(contract, table, [_whole_text(name) for name in names], "document", notes)
    faults: list[CellFault] = []
    cells: dict[str, list[str | None]] = {}
    for place, name in enumerate(names):
        made = [_as_text(item.get(name)) for item in items]
        for index, text in enumerate(made):
            if text is not None and _whole_text(text) is not text:
                made[index] = _whole_text(text)
                faults.append(CellFault(index, place, "text.damaged"))
        cells[str(place)] = made
    frame = pl.DataFrame(cells, schema=dict.fromkeys(cells, pl.String))
    numbers = pl.Series(rows, dtype=pl.Int64)
    yield without_blank(Block(table, header, frame, numbers, None, tuple(faults), tuple(set_aside)))


def _whole_text(text: str) -> str:
    """Return a text without halves of surrogate pairs: they can be written in JSON, but are no characters."""
    if text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
