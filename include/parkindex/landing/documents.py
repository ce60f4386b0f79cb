"""JSON documents and pages, and GeoJSON: one record per item or feature."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from parkindex.contracts import Contract, Server
from parkindex.landing.archives import ARCHIVE, members, read_member
from parkindex.landing.blocks import Block, CellFault, map_header, without_blank
from parkindex.landing.refusal import refuse

GEOMETRY = "geometry"
# Names under which CGCS2000 stands in the `crs` member of the 2008 GeoJSON specification.
_CGCS2000 = ("EPSG::4490", "EPSG:4490", "CGCS2000")


def read_json(contract: Contract, server: Server, path: Path, *, notes: list[str]) -> Iterator[Block]:
    """Yield the records of a JSON document, or of every page in a ZIP in the archive's order.

    Numbers are kept as the digits that were sent.

    Raises:
        FileRefusedError: A page is no JSON, or has no list of objects where the contract says.
    """
    if not zipfile.is_zipfile(path):
        if server.path is not None and server.path.endswith(".zip"):
            refuse("file.archive", "The file is no ZIP archive that can be read.")
        yield from _items_block(contract, _items(path.read_bytes(), server, ""), None, notes)
        return
    entries = members(path, ARCHIVE)
    with zipfile.ZipFile(path) as archive:
        for entry in entries:
            items = _items(read_member(archive, entry), server, entry.filename)
            yield from _items_block(contract, items, entry.filename, notes)


def read_geojson(contract: Contract, path: Path, *, notes: list[str]) -> Iterator[Block]:
    """Yield the features of a GeoJSON collection: their properties, and the geometry as compact JSON text.

    Raises:
        FileRefusedError: It is no FeatureCollection, or names a coordinate system that is not CGCS2000.
    """
    document = _loaded(path.read_bytes(), "", literal=False)
    if not isinstance(document, dict) or document.get("type") != "FeatureCollection":
        refuse("file.format", "The file is no GeoJSON FeatureCollection.")
    named = document.get("crs")
    name = str(named.get("properties", {}).get("name", named)) if isinstance(named, dict) else named
    if name is not None and not any(str(name).endswith(known) for known in _CGCS2000):
        refuse("file.datum", f"The file names the coordinate system {name}; CGCS2000 (EPSG:4490) is wanted.")
    features = document.get("features")
    if not isinstance(features, list):
        refuse("file.format", "The collection has no list of features.")
    items = []
    for place, feature in enumerate(features, start=1):
        if not isinstance(feature, dict) or not isinstance(feature.get("properties"), dict):
            refuse("file.format", f"Feature {place} has no properties.")
        items.append({**feature["properties"], GEOMETRY: feature.get("geometry")})
    yield from _items_block(contract, items, None, notes)


def _items(content: bytes, server: Server, member: str) -> list[dict[str, Any]]:
    document = _loaded(content, member, literal=True)
    where = member or "document"
    items = document
    if server.items is not None:
        if not isinstance(document, dict) or server.items not in document:
            refuse("file.format", f"The document has no key {server.items!r}.", where)
        items = document[server.items]
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        refuse("file.format", "The records are not a list of objects.", where)
    return items


def _loaded(content: bytes, member: str, *, literal: bool) -> Any:
    """Parse strict JSON; with ``literal``, numbers stay the texts that were sent."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            raise ValueError("an object has a key twice")
        return made

    def no_number(name: str) -> Any:
        raise ValueError(f"{name} is no JSON number")

    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        refuse("file.encoding", f"The document is not UTF-8: byte {error.start} cannot be decoded.", member)
    try:
        if literal:
            return json.loads(text, object_pairs_hook=unique, parse_constant=no_number, parse_float=str, parse_int=str)
        return json.loads(text, object_pairs_hook=unique, parse_constant=no_number)
    except (ValueError, RecursionError) as error:
        hint = " It begins like HTML." if text.lstrip()[:1] == "<" else ""
        refuse("file.format", f"The document is no JSON: {error}.{hint}", member)


def _items_block(
    contract: Contract, items: list[dict[str, Any]], member: str | None, notes: list[str]
) -> Iterator[Block]:
    if not items:
        return
    (table,) = contract.tables
    names = list(dict.fromkeys(name for item in items for name in item))
    header = map_header(contract, table, names, member or "document", notes)
    faults: list[CellFault] = []
    cells: dict[str, list[str | None]] = {}
    for place, name in enumerate(names):
        made = [_as_text(item.get(name)) for item in items]
        for index, text in enumerate(made):
            if text is not None and not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
                # Half of a surrogate pair can be written in JSON, but is no character and fits no database.
                made[index] = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
                faults.append(CellFault(index, place, "text.damaged"))
        cells[str(place)] = made
    rows = pl.Series(range(1, len(items) + 1), dtype=pl.Int64)
    frame = pl.DataFrame(cells, schema=dict.fromkeys(cells, pl.String))
    origin = None if member is None else pl.Series([member] * len(items), dtype=pl.String)
    yield without_blank(Block(table, header, frame, rows, origin, tuple(faults)))


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
