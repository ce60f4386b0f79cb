"""Deliveries in every format, small and made here: what providers send, for tests that need one of each."""

from __future__ import annotations

import csv
import gzip
import io
import json
import struct
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import xlsxwriter

_END, _FREE, _FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
_PACKED = datetime(2024, 1, 2, tzinfo=UTC)


def delimited(rows: Sequence[Sequence[str]], delimiter: str = ",", line_end: str = "\n") -> str:
    """Return rows as RFC 4180 text."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=line_end).writerows(rows)
    return text.getvalue()


def workbook(path: Path, sheets: Mapping[str, Sequence[Sequence[object]]], **options: object) -> Path:
    """Write an XLSX workbook; texts stay texts."""
    settings = {"default_date_format": "yyyy-mm-dd", "strings_to_formulas": False, **options}
    with xlsxwriter.Workbook(str(path), settings) as book:
        book.set_properties({"created": _PACKED.replace(tzinfo=None)})
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    return path


def old_workbook(rows: Sequence[Sequence[str | float]], sheet: str = "Sheet1") -> bytes:
    """Return an XLS workbook (BIFF8 in a compound file) of one sheet of texts and numbers.

    Documented in [MS-XLS] and [MS-CFB]: only the records that a reader needs.
    """

    def record(kind: int, body: bytes) -> bytes:
        return struct.pack("<HH", kind, len(body)) + body

    cells = b""
    for number, row in enumerate(rows):
        for place, cell in enumerate(row):
            if isinstance(cell, str):
                text = struct.pack("<HB", len(cell), 1) + cell.encode("utf-16-le")
                cells += record(0x0204, struct.pack("<HHH", number, place, 0) + text)
            else:
                cells += record(0x0203, struct.pack("<HHHd", number, place, 0, cell))
    begin = record(0x0809, struct.pack("<HHHHII", 0x0600, 5, 0, 0, 0, 0)) + record(0x0042, struct.pack("<H", 1200))
    name = struct.pack("<BB", len(sheet), 1) + sheet.encode("utf-16-le")
    offset = len(begin) + 4 + 6 + len(name) + 4
    book = begin + record(0x0085, struct.pack("<IBB", offset, 0, 0) + name) + record(0x000A, b"")
    book += record(0x0809, struct.pack("<HHHHII", 0x0600, 0x10, 0, 0, 0, 0)) + cells + record(0x000A, b"")
    size = max(4096, -(-len(book) // 512) * 512)
    book = book.ljust(size, b"\0")
    chain = [_FAT, _END, *range(3, 2 + size // 512), _END]
    fat = struct.pack(f"<{len(chain)}I", *chain).ljust(512, b"\xff")

    def entry(label: str, kind: int, child: int, start: int, length: int) -> bytes:
        named = (label + "\0").encode("utf-16-le")
        body = named.ljust(64, b"\0") + struct.pack("<HBBIII", len(named), kind, 1, _FREE, _FREE, child)
        return body + bytes(36) + struct.pack("<IQ", start, length)

    folder = entry("Root Entry", 5, 1, _END, 0) + entry("Workbook", 2, _FREE, 2, size) + bytes(256)
    head = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + struct.pack("<HHHHH6xIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096, _END, 0, _END, 0)  # fmt: skip  # noqa: E501
    return head + struct.pack("<I", 0) + b"\xff" * (108 * 4) + fat + folder + book


def zipped(members: Mapping[str, bytes]) -> bytes:
    """Return a ZIP."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            # A fixed day: the same members are the same bytes, whenever they are packed.
            entry = zipfile.ZipInfo(name, _PACKED.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return buffer.getvalue()


def tarred(members: Mapping[str, bytes], *, compressed: bool = False) -> bytes:
    """Return a TAR, through gzip when it is ``compressed``."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(buffer.getvalue(), mtime=0) if compressed else buffer.getvalue()


def json_lines(items: Sequence[Mapping[str, object]]) -> str:
    """Return one JSON object a line."""
    return "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items)


PUBLICATION = """<?xml version="1.0" encoding="utf-8"?>
<b:PatentDocumentAndRelated xmlns:b="urn:b" xmlns:base="urn:base"
  docNumber="{number}" kind="B" datePublication="20240102">
 <b:BibliographicData>
  <b:ApplicationReference dataFormat="original"><base:DocumentID><base:DocNumber>202011123456</base:DocNumber>
   <base:Date>20200304</base:Date></base:DocumentID></b:ApplicationReference>
  <b:InventionTitle lang="zh">一种茶杯</b:InventionTitle>
  <b:Parties><b:ApplicantDetails>
   <b:Applicant><base:AddressBook lang="zh"><base:Name>甲公司</base:Name></base:AddressBook></b:Applicant>
  </b:ApplicantDetails></b:Parties>
 </b:BibliographicData>
</b:PatentDocumentAndRelated>"""
