"""Faults 11 to 19 of the matrix: format."""

from __future__ import annotations

import io
import json
import socket
import struct
import tarfile
import time
import zipfile
from pathlib import Path
from typing import NoReturn

import pytest
import xlsxwriter
from feed_under_fault import GOOD, HEADER, FeedUnderFault, row, rows
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import delivered
from contract_files import plain, server
from parkindex import text
from parkindex.landing import archives, readers

BIG = 200


def encoded(encoding: str) -> bytes:
    return delivered.delimited([HEADER, *rows(3)]).encode(encoding)


def test_11_a_wrong_encoding_is_refused_and_the_likely_one_is_named(feed: FeedUnderFault) -> None:
    assert "It may be UTF-8." in feed.refused(feed.file("a_gb.csv", encoded("utf-8")), "file.sentinel")
    assert "It may be GB18030." in feed.refused(feed.file("a.csv", encoded("gb18030")), "file.encoding")
    big5 = "代碼,名稱\nA,茶館\n".encode("big5")
    feed.refused(feed.file("b_gb.csv", big5), "file.sentinel")
    feed.refused(feed.file("b.csv", big5), "file.encoding")
    feed.refused(feed.file("c.csv", encoded("utf-16")), "file.encoding")
    feed.refused(feed.file("c_bom.csv", encoded("utf-8")), "file.encoding")
    assert feed.loaded(feed.file("d.csv", encoded("utf-8-sig"))).rows_accepted == 3
    twice = encoded("gb18030").decode("latin-1").encode("utf-8")
    feed.refused(feed.file("e.csv", twice), "file.sentinel")


SPELLINGS = st.lists(st.sampled_from(["", " ", "\u00a0", "\u200b", "\u3000", "\ufeff"]), min_size=4, max_size=4)


@settings(deadline=None, max_examples=60)
@given(st.text(st.sampled_from("𬭎茶A1（）"), min_size=3, max_size=3), SPELLINGS)
def test_12_spellings_of_a_key_are_one_key(name: str, blanks: list[str]) -> None:
    wide = name.translate({ord(char): ord(char) + 0xFEE0 for char in "A1"})
    spelt = blanks[0] + "".join(char + blank for char, blank in zip(wide, blanks[1:], strict=True))
    for kind in ("name", "identifier", "address"):
        assert text.key_of(kind, spelt) == text.key_of(kind, name)


def test_12_rare_and_wide_characters_keep_their_spelling_and_match(feed: FeedUnderFault) -> None:
    feed.loaded(
        feed.file("a_gb.csv", delivered.delimited([HEADER, row(代码="a－１", 名称="𬭎 Ａ店")]).encode("gb18030"))
    )
    (kept,) = feed.raw()
    assert (kept["code"], kept["name"]) == ("a－１", "𬭎 Ａ店")
    assert (kept["code_key"], kept["name_key"]) == ("A1", "𬭎a店")
    again = feed.land(feed.table_file("b.csv", row(代码="A-1"), row(代码="a 1", 面积="9")))
    assert again.rows_rejected == 2  # two spellings of one key contradict each other


CELL = st.text(st.sampled_from('茶a, "\n'), max_size=4)


@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(CELL, min_size=1, max_size=4), min_size=1, max_size=8))
def test_13_quotes_delimiters_and_line_ends_are_read_by_rfc_4180(
    tmp_path_factory: pytest.TempPathFactory, records: list[list[str]]
) -> None:
    folder = tmp_path_factory.getbasetemp()
    contract = plain(folder, "shops", {"code": "a", "name": "b"}, [server("text", "*.csv", "csv")], key=["code"])
    path = folder / "rfc.csv"
    path.write_text(delivered.delimited([["a", "b"], *records]), "utf-8")
    blocks = list(readers.read(contract, path).blocks)
    good = [tuple(one) for one in records if len(one) == 2 and any(cell.strip() for cell in one)]
    assert [cells for block in blocks for cells in block.cells.rows()] == good
    ragged = [one for one in records if len(one) != 2 and any(cell.strip() for cell in one)]
    assert [list(one.original.values()) for block in blocks for one in block.set_aside] == ragged


def test_13_a_ragged_row_is_set_aside_with_its_line(feed: FeedUnderFault) -> None:
    lines = [row(代码="A", 名称="茶\n馆"), [*GOOD, "一格太多"], row(代码="B", 名称='"引",号'), GOOD[:4]]
    batch = feed.loaded(feed.table_file("a.csv", *lines))
    assert feed.rejects(batch) == [(4, "", "row.ragged"), (6, "", "row.ragged")]


def test_14_a_wrong_dimension_loses_no_row(feed: FeedUnderFault) -> None:
    path = delivered.workbook(feed.folder / "a.xlsx", {"s": [HEADER, *rows(BIG)]})
    parts = unzipped(path)
    sheet = "xl/worksheets/sheet1.xml"
    assert parts[sheet].count(b"<row ") == BIG + 1
    parts[sheet] = parts[sheet].replace(b'ref="A1:I201"', b'ref="A1:B40"')
    assert feed.loaded(feed.file("b.xlsx", delivered.zipped(parts))).rows_landed == BIG


def unzipped(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_15_what_a_workbook_ruins_is_named_cell_by_cell(feed: FeedUnderFault) -> None:
    path = feed.folder / "a.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("数据")
        sheet.write_row(0, 0, HEADER)
        for number, line in enumerate(rows(6), start=1):
            sheet.write_row(number, 0, line)
        sheet.write_number(1, 0, 913101150000000123)
        sheet.write_number(2, 1, 45292)
        sheet.write_formula(3, 6, "=5+5", None, "")
        sheet.merge_range(4, 4, 5, 4, "茶")
        hidden = book.add_worksheet("旧")
        hidden.write_row(0, 0, HEADER)
        hidden.write_row(1, 0, row(代码="旧"))
        hidden.hide()
    batch = feed.loaded(feed.file("b.xlsx", path.read_bytes()))
    assert (batch.rows_landed, batch.rows_accepted) == (6, 2)
    assert feed.rejects(batch) == [
        (2, "code", "cell.number_as_identifier"),
        (3, "registered", "cell.number_as_date"),
        (4, "seats", "cell.formula_without_value"),
        (6, "kind", "cell.merged"),
    ]
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADER)
        sheet.write_row(1, 0, GOOD)
        sheet.merge_range(0, 7, 0, 8, "已占")
    feed.refused(feed.file("c.xlsx", path.read_bytes()), "file.header_merged")


def gazette(feed: FeedUnderFault) -> None:
    columns = ("publication_number", "kind", "publication_date", "application_number", "first_applicant_name")
    forms = [server("zip", "*.zip", "cnipa_xml", members="*.xml"), server("one", "*.xml", "cnipa_xml")]
    made = plain(
        feed.folder,
        "gazette",
        {name: name for name in columns},
        forms,
        key=["publication_number"],
        onUnknownColumn="evolve",
    )
    feed.use(made)


NESTED = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
BOMBS = {
    "laughs": f'<!DOCTYPE a [<!ENTITY l0 "ha">{NESTED}]><a>&l9;</a>',
    "quadratic": f'<!DOCTYPE a [<!ENTITY b "{"x" * 50_000}">]><a>{"&b;" * 2_000}</a>',
    "file": '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><cn-patent-document>&b;</cn-patent-document>',
    "http": '<!DOCTYPE a [<!ENTITY b SYSTEM "http://127.0.0.1:9/x">]><cn-patent-document>&b;</cn-patent-document>',
    "parameter": '<!DOCTYPE a [<!ENTITY % b SYSTEM "http://127.0.0.1:9/x.dtd">%b;]><a/>',
    "external": '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd"><cn-patent-document>&b;</cn-patent-document>',
}


@pytest.mark.parametrize("bomb", sorted(BOMBS))
def test_16_entities_are_refused_before_they_grow_or_reach_out(
    feed: FeedUnderFault, monkeypatch: pytest.MonkeyPatch, bomb: str
) -> None:
    gazette(feed)
    path = feed.file("a.zip", delivered.zipped({"1.xml": good_publication(1), "2.xml": BOMBS[bomb].encode()}))

    def reach(*_: object) -> NoReturn:
        raise AssertionError("a document must not open a connection")

    with monkeypatch.context() as patch:
        patch.setattr(socket.socket, "connect", reach)
        began = time.perf_counter()
        with pytest.raises(Exception, match="entities"):
            list(readers.read(feed.contract, path).blocks)
        assert time.perf_counter() - began < 1
    assert "2.xml" in feed.refused(path, "file.xml_forbidden")


def good_publication(number: int) -> bytes:
    return delivered.PUBLICATION.format(number=10**8 + number).encode()


def test_17_a_document_that_breaks_off_late_publishes_nothing(
    feed: FeedUnderFault, monkeypatch: pytest.MonkeyPatch
) -> None:
    gazette(feed)
    whole = good_publication(1).replace(b"</b:PatentDocumentAndRelated>", b"<b:p>%s</b:p>" % (b"x" * 9_000_000))
    feed.refused(feed.file("a.xml", whole + b"</b:PatentDocument"), "file.format")
    # Larger than a document may be: stated without being parsed.
    monkeypatch.setattr(archives, "DOCUMENT_BYTES", 1_000_000)
    assert "1000000 are allowed" in feed.refused(feed.file("b.xml", whole), "file.budget")
    monkeypatch.undo()


def test_17_an_archive_cut_at_nine_tenths_publishes_nothing(feed: FeedUnderFault) -> None:
    gazette(feed)
    packed = delivered.zipped({f"{number}.xml": good_publication(number) for number in range(100)})
    feed.refused(feed.file("a.zip", packed[: len(packed) * 9 // 10]), "file.archive")
    assert feed.loaded(feed.file("a.zip", packed)).rows_accepted == 100


def overlapping() -> bytes:
    """A ZIP of which two members share their bytes: each honest, together a lie."""
    packed = bytearray(delivered.zipped({"a.csv": bytes(40 << 20)}))
    begin = packed.index(b"PK\x01\x02")
    end = packed.index(b"PK\x05\x06")
    entry = packed[begin:end]
    entries = [bytes(entry).replace(b"a.csv", b"%c.csv" % (97 + number)) for number in range(3)]
    tail = bytearray(packed[end:])
    struct.pack_into("<HHI", tail, 8, 3, 3, sum(map(len, entries)))
    return bytes(packed[:begin]) + b"".join(entries) + bytes(tail)


def linked() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo("a.csv")
        entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(entry)
    return buffer.getvalue()


def test_18_bombs_and_archives_that_lead_out_are_refused(feed: FeedUnderFault, tmp_path: Path) -> None:
    forms = [server(suffix, f"*.{suffix}", "csv") for suffix in ("zip", "tar", "tgz")]
    forms += [server("gz", "*.csv.gz", "csv"), server("book", "*.xlsx", "xlsx")]
    feed.use(plain(feed.folder, "shops", {"code": "代码"}, forms, key=["code"]))
    zeros = bytes(40 << 20)
    good = "代码\nA\n".encode()
    book = unzipped(delivered.workbook(feed.folder / "a.xlsx", {"s": [["代码"], ["A"]]}))
    cases = {
        "ratio.zip": (delivered.zipped({"a.csv": zeros}), "file.budget"),
        "overlap.zip": (overlapping(), "file.budget"),
        "nested.zip": (delivered.zipped({"a.zip": delivered.zipped({"a.csv": good})}), "file.archive"),
        "up.zip": (delivered.zipped({"../../evil.csv": good}), "file.archive"),
        "root.zip": (delivered.zipped({"/tmp/evil.csv": good}), "file.archive"),
        "up.tar": (delivered.tarred({"../../evil.csv": good}), "file.archive"),
        "root.tar": (delivered.tarred({"/tmp/evil.csv": good}), "file.archive"),
        "link.tar": (linked(), "file.archive"),
        "bomb.tgz": (delivered.tarred({"a.csv": zeros}, compressed=True), "file.budget"),
        "book.xlsx": (delivered.zipped({**book, "xl/worksheets/sheet1.xml": zeros}), "file.budget"),
    }
    before = {path for path in tmp_path.rglob("*") if feed.settings.home not in path.parents}
    for name, (content, rule) in cases.items():
        feed.refused(feed.file(name, content), rule)
    after = {path for path in tmp_path.rglob("*") if feed.settings.home not in path.parents}
    assert {path.name for path in after - before} == {*cases, "到 货"} - {path.name for path in before}
    assert not Path("/tmp/evil.csv").exists()


def test_19_nul_surrogates_and_giant_cells_set_one_row_aside(feed: FeedUnderFault) -> None:
    lines = [row(代码="A", 名称="茶\x00馆"), row(代码="B"), row(代码="C", 资本="x" * 10_000_000)]
    batch = feed.loaded(feed.table_file("a.csv", *lines))
    assert feed.rejects(batch) == [(2, "name", "text.damaged"), (4, "capital", "text.too_long")]
    items = json.dumps([{"code": "D", "name": "\ud800店"}, {"code": "E", "name": "书店"}])
    batch = feed.loaded(feed.file("b.json", items))
    assert feed.rejects(batch) == [(1, "name", "text.damaged")]
    assert batch.rows_accepted == 1
