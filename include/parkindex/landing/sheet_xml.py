"""What a sheet's own XML says and calamine does not: which formulas have no stored result, and how many rows there are.

A formula without a result (written by a program, never calculated) is read as an empty cell by every reader; an empty
cell may be lawful, a missing result never is. The rows are counted because a reader once trusted a sheet's stated
dimension and lost four fifths of a feed.

The XML is searched as bytes while it is unpacked; only a sheet that has a formula at all is parsed.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from parkindex.landing.refusal import refuse

_PIECE_BYTES = 1 << 20
_MOST_CARRIED = 64 << 20
_FORMULA = re.compile(rb"<(?:[\w.-]+:)?f[\s/>]")
_ROW = re.compile(rb"<(?:[\w.-]+:)?row\s[^>]*?\br=[\"'](\d+)[\"']")
_ROW_START = re.compile(rb"<(?:[\w.-]+:)?row[\s>]")
_VALUE = re.compile(rb"</(?:[\w.-]+:)?(?:v|is)>")
_REFERENCE = re.compile(r"([A-Z]+)([0-9]+)")
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


@dataclass(frozen=True)
class Facts:
    """What the XML of a sheet says.

    Attributes:
        last_row: Number of the last row that has a value; None when rows are not numbered or the format has no XML.
        without_value: Row (from 1) and column (from 0) of every formula without a stored result.
    """

    last_row: int | None = None
    without_value: tuple[tuple[int, int], ...] = ()


def facts_of(path: Path, sheet: str) -> Facts:
    """Return the facts of a sheet of an XLSX workbook.

    Raises:
        FileRefusedError: The workbook's parts do not fit together, or one of them is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            part = _part_of(archive, sheet)
            if part is None:
                return Facts()
            last_row, has_formula = _scanned(archive, part)
            return Facts(last_row, tuple(_without_value(archive, part)) if has_formula else ())
    except (zipfile.BadZipFile, zlib.error, etree.XMLSyntaxError, KeyError, EOFError, OSError) as error:
        refuse("file.format", f"The sheet cannot be read: {error}", f"sheet {sheet}")


def _parsed(archive: zipfile.ZipFile, part: str) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    return etree.fromstring(archive.read(part), parser)


def _part_of(archive: zipfile.ZipFile, sheet: str) -> str | None:
    """Return the archive's member that holds a sheet, found by the workbook's relations."""
    book = "xl/workbook.xml"
    if book not in archive.namelist():
        return None
    relations = _parsed(archive, "xl/_rels/workbook.xml.rels")
    targets = {one.get("Id"): str(one.get("Target")) for one in relations.iter("{*}Relationship")}
    for one in _parsed(archive, book).iter("{*}sheet"):
        if one.get("name") == sheet:
            target = targets[one.get(_RELATION)]
            return target[1:] if target.startswith("/") else posixpath.normpath(posixpath.join("xl", target))
    return None


def _scanned(archive: zipfile.ZipFile, part: str) -> tuple[int | None, bool]:
    """Return the last row that has a value, and whether there is any formula."""
    last_row: int | None = None
    has_formula = False
    carried = b""
    with archive.open(part) as stream:
        while piece := stream.read(_PIECE_BYTES):
            data = carried + piece
            has_formula = has_formula or _FORMULA.search(data) is not None
            starts = [found.start() for found in _ROW_START.finditer(data)]
            ends = [*starts[1:], len(data)][: len(starts)]
            for begin, end in zip(reversed(starts), reversed(ends), strict=True):
                number = _ROW.match(data, begin)
                if number is not None and _VALUE.search(data, begin, end):
                    last_row = int(number.group(1))
                    break
            # The last row may go on in the next piece.
            carried = data[starts[-1] :] if starts else data[-64:]
            if len(carried) > _MOST_CARRIED:
                refuse("file.budget", "A row of the sheet is longer than 64 MiB.")
    return last_row, has_formula


def _without_value(archive: zipfile.ZipFile, part: str) -> list[tuple[int, int]]:
    """Return the cells that have a formula and no result; an empty text is a result."""
    found: list[tuple[int, int]] = []
    with archive.open(part) as stream:
        for _, cell in etree.iterparse(stream, tag="{*}c", resolve_entities=False, no_network=True, load_dtd=False):
            if cell.find("{*}f") is not None and cell.get("t") != "str" and not cell.findtext("{*}v"):
                place = _REFERENCE.fullmatch(cell.get("r", ""))
                if place is not None:
                    found.append((int(place.group(2)), _column(place.group(1))))
            cell.clear()
    return found


def _column(letters: str) -> int:
    """Return a column's place from 0."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1
