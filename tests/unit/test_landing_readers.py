"""Readers: cells and source rows of every format, and files refused whole with their rule."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from datetime import date, datetime
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract_files import small
from parkindex import contracts
from parkindex.contracts import Contract
from parkindex.landing import archives, delimited, gazette, readers, store
from parkindex.landing.blocks import Block
from parkindex.landing.refusal import FileRefusedError

HEADER = "代码,名称,座位"


@pytest.fixture
def contract(tmp_path: Path) -> Contract:
    return small(tmp_path)


def blocks_of(contract: Contract, path: Path) -> list[Block]:
    return list(readers.read(contract, path).blocks)


def table_of(contract: Contract, path: Path) -> list[tuple[int, str | None, str | None, str | None]]:
    """Return source row, code, name and seats of every row."""
    (frame,) = readers.read(contract, path).frames().values()
    names = ("_source_row", "code", "name", "seats")
    return [tuple(row.get(name) for name in names) for row in frame.to_dicts()]


def refusal(contract: Contract, path: Path) -> FileRefusedError:
    with pytest.raises(FileRefusedError) as caught:
        blocks_of(contract, path)
    return caught.value


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


# ---------------------------------------------------------------------------------------------------------------- CSV


def test_lines_are_those_a_person_sees(contract: Contract, tmp_path: Path) -> None:
    text = f'{HEADER}\r\nA,茶馆,1\r\n\r\n"B","两\n行",2\r\n , ,\r\nC,"引""号",\r\n'
    found = table_of(contract, write(tmp_path / "shops.csv", text))
    assert found == [(2, "A", "茶馆", "1"), (4, "B", "两\n行", "2"), (7, "C", '引"号', "")]


def test_the_last_line_needs_no_end(contract: Contract, tmp_path: Path) -> None:
    assert table_of(contract, write(tmp_path / "shops.csv", f"{HEADER}\nA,茶馆,1")) == [(2, "A", "茶馆", "1")]


def test_a_record_with_a_cell_too_many_or_too_few_takes_no_other_with_it(contract: Contract, tmp_path: Path) -> None:
    path = write(tmp_path / "shops.csv", f'{HEADER}\nA,茶馆,1\nB,茶,馆,2\nC,书店\nD,书店,"4"\n')
    (block,) = blocks_of(contract, path)
    assert block.rows.to_list() == [2, 5]
    assert [(one.row, one.rule, one.value) for one in block.set_aside] == [
        (3, "row.ragged", "4 cells, 3 headers"),
        (4, "row.ragged", "2 cells, 3 headers"),
    ]
    assert block.set_aside[0].original == {"代码": "B", "名称": "茶", "座位": "馆", "#4": "2"}


def test_stray_quotes_are_read_as_text(contract: Contract, tmp_path: Path) -> None:
    path = write(tmp_path / "shops.csv", f'{HEADER}\nA,5" 茶馆,1\nB,"两\n行",2\nC,a,b,c\n\nD,书"店,3\n')
    (block,) = blocks_of(contract, path)
    assert block.rows.to_list() == [2, 3, 7]
    assert block.cells["1"].to_list() == ['5" 茶馆', "两\n行", '书"店']
    assert [one.row for one in block.set_aside] == [5]


@pytest.mark.parametrize("stray", ["", 'A,5"茶,1\n'])
def test_a_file_that_ends_inside_a_quoted_cell_is_refused(contract: Contract, tmp_path: Path, stray: str) -> None:
    path = write(tmp_path / "shops.csv", f'{HEADER}\n{stray}B,"茶馆,1\nC,书店,2\n')
    assert refusal(contract, path).rule == "file.truncated"


@pytest.mark.parametrize("size", [1, 7, 64, 1 << 20])
def test_blocks_of_any_size_give_the_same_rows(
    contract: Contract, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    rows = [(f"C{number}", f"名{number}\n{'x' * (number % 9)}", str(number)) for number in range(60)]
    text = io.StringIO()
    csv.writer(text).writerows([HEADER.split(","), *rows])
    path = write(tmp_path / "shops_gb.csv", text.getvalue().encode("gb18030"))
    server = readers.delivery_of(contract, path.name)
    found = delimited.read(contract, server, path, compressed=False, notes=[], block_bytes=size)
    cells = [row for block in found for row in block.cells.rows()]
    assert cells == rows


cells = st.text(st.sampled_from('a茶𬭎 ,"\n\r,'), max_size=5)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(records=st.lists(st.tuples(cells, cells, cells), max_size=8), size=st.integers(1, 40))
def test_every_record_is_read_as_python_s_csv_reads_it(
    contract: Contract, tmp_path: Path, records: list[tuple[str, str, str]], size: int
) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([HEADER.split(","), *records])
    path = write(tmp_path / "any.csv", text.getvalue())
    expected = [tuple(record) for record in records if any(cell.strip() for cell in record)]
    server = readers.delivery_of(contract, path.name)
    found = list(delimited.read(contract, server, path, compressed=False, notes=[], block_bytes=size))
    assert [row for block in found for row in block.cells.rows()] == expected
    lines = text.getvalue().split("\n")
    for block in found:
        for row, record in zip(block.rows, block.cells.rows(), strict=True):
            first = io.StringIO()
            csv.writer(first).writerow(record)
            assert lines[row - 1] == first.getvalue().split("\n")[0]


def test_gb18030_holds_what_gbk_cannot(contract: Contract, tmp_path: Path) -> None:
    path = write(tmp_path / "shops_gb.csv", f"{HEADER}\nA,𬭎店,1\n".encode("gb18030"))
    assert table_of(contract, path) == [(2, "A", "𬭎店", "1")]


def test_utf_8_declared_gb18030_is_refused_though_it_decodes(contract: Contract, tmp_path: Path) -> None:
    path = write(tmp_path / "shops_gb.csv", f"{HEADER}\nA,茶馆,1\n")
    error = refusal(contract, path)
    assert error.rule == "file.sentinel"
    assert "UTF-8" in error.what


@pytest.mark.parametrize("encoding", ["gb18030", "big5", "utf-16"])
def test_other_encodings_declared_utf_8_are_refused(contract: Contract, tmp_path: Path, encoding: str) -> None:
    header = HEADER.replace("代码,", "代碼,") if encoding == "big5" else HEADER
    name = "名稱" if encoding == "big5" else "名称"
    path = write(tmp_path / "shops.csv", f"{header}\nA,{name},1\n".encode(encoding, "replace"))
    assert refusal(contract, path).rule == "file.encoding"


def test_an_undecodable_byte_late_in_the_file_refuses_it(contract: Contract, tmp_path: Path) -> None:
    path = write(tmp_path / "shops_gb.csv", f"{HEADER}\nA,茶馆,1\n".encode("gb18030") + b"B,\xff\xff,2\n")
    assert refusal(contract, path).rule == "file.encoding"


def test_a_byte_order_mark_is_taken_off_and_may_be_demanded(contract: Contract, tmp_path: Path) -> None:
    marked = f"{HEADER}\nA,茶馆,1\n".encode("utf-8-sig")
    assert table_of(contract, write(tmp_path / "shops.csv", marked)) == [(2, "A", "茶馆", "1")]
    assert table_of(contract, write(tmp_path / "shops_bom.csv", marked)) == [(2, "A", "茶馆", "1")]
    assert refusal(contract, write(tmp_path / "shops_bom.csv", marked[3:])).rule == "file.encoding"


def test_headers_are_found_by_synonym_whatever_their_width_or_order(contract: Contract, tmp_path: Path) -> None:
    path = write(tmp_path / "shops.csv", "SEATS , 名 称,code\n1,茶馆,A\n")
    changed = small(tmp_path, ('encodingSentinels, value: ["代码"]', 'encodingSentinels, value: ["code"]'))
    assert table_of(changed, path) == [(2, "A", "茶馆", "1")]
    assert contract.feed == changed.feed


@pytest.mark.parametrize(
    ("content", "rule", "words"),
    [
        ("", "file.empty", "no bytes"),
        ("\n\n", "file.empty", "no header"),
        ("代码X,名称\nA,茶\n", "file.column_missing", "'代码X' meant"),
        ("代码,名称,代 码\nA,茶馆,B\n", "file.column_repeated", "代 码"),
        ("代码,名称,备注\nA,茶馆,x\n", "file.column_unknown", "备注"),
        ("名称,座位\n茶馆,1\n", "file.sentinel", "代码"),
        ("代码,名称\rA,茶馆\r", "file.line_ends", "CR"),
    ],
)
def test_files_refused_by_their_header(contract: Contract, tmp_path: Path, content: str, rule: str, words: str) -> None:
    error = refusal(contract, write(tmp_path / "shops.csv", content))
    assert error.rule == rule
    assert words in error.what
    assert error.reason.startswith(f"{rule}: ")


def test_a_column_the_contract_lets_pass_is_noted(tmp_path: Path) -> None:
    contract = small(tmp_path, ("value: freeze", "value: evolve"))
    reading = readers.read(contract, write(tmp_path / "shops.csv", "代码,备注\nA,x\n"))
    list(reading.blocks)
    assert reading.notes == ["note: ignored columns that the contract does not have: 备注"]


def test_a_name_that_fits_no_delivery_form_is_refused(contract: Contract, tmp_path: Path) -> None:
    assert refusal(contract, write(tmp_path / "shops.pdf", "x")).rule == "file.delivery"
    assert readers.delivery_of(contract, "2025_GB.CSV").name == "gb"
    assert readers.delivery_of(contract, "2025.csv").name == "plain"


# ----------------------------------------------------------------------------------------------------------- archives


def test_gzip_is_read_and_a_damaged_one_refused(contract: Contract, tmp_path: Path) -> None:
    packed = gzip.compress(f"{HEADER}\nA,茶馆,1\n".encode() * 1)
    assert table_of(contract, write(tmp_path / "shops.csv.gz", packed)) == [(2, "A", "茶馆", "1")]
    assert refusal(contract, write(tmp_path / "shops.csv.gz", packed[:-9])).rule == "file.archive"
    assert refusal(contract, write(tmp_path / "shops.csv.gz", b"not gzip")).rule == "file.archive"


def test_a_gzip_bomb_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "bomb.gz", gzip.compress(b"a" * 3_000_000))
    budget = archives.Budget(1, 10_000_000, 10_000_000, ratio=100, ratio_from=1_000_000)
    with pytest.raises(FileRefusedError, match="per compressed byte"):
        list(archives.chunks(path, 1 << 16, compressed=True, budget=budget))


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize(
    ("members", "budget", "rule"),
    [
        ({"../a.json": b"x"}, {}, "file.archive"),
        ({"/a.json": b"x"}, {}, "file.archive"),
        ({"c:\\a.json": b"x"}, {}, "file.archive"),
        ({"a": b"x", "b": b"y", "c": b"z"}, {"entries": 2}, "file.budget"),
        ({"a": b"x" * 50}, {"member_bytes": 49}, "file.budget"),
        ({"a": b"x" * 50, "b": b"y" * 50}, {"total_bytes": 99}, "file.budget"),
        ({"a": b"x" * 100_000}, {"ratio_from": 1_000}, "file.budget"),
    ],
)
def test_archives_within_budgets(tmp_path: Path, members: dict[str, bytes], budget: dict[str, int], rule: str) -> None:
    path = zipped(tmp_path / "a.zip", members)
    allowed = {"entries": 10, "total_bytes": 1_000_000, "member_bytes": 1_000_000, **budget}
    with pytest.raises(FileRefusedError) as caught:
        archives.members(path, archives.Budget(**allowed))
    assert caught.value.rule == rule


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"a.json": b"[]"})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    write(path, bytes(content))
    with pytest.raises(FileRefusedError, match="encrypted"):
        archives.members(path, archives.ARCHIVE)


def test_a_damaged_member_is_refused(contract: Contract, tmp_path: Path) -> None:
    path = zipped(tmp_path / "pages.zip", {"p.json": json.dumps({"data": [{"code": "A" * 60}]}).encode()})
    content = bytearray(path.read_bytes())
    content[45] ^= 0xFF
    assert refusal(contract, write(path, bytes(content))).rule == "file.archive"


# ----------------------------------------------------------------------------------------------------------- workbooks


def workbook(path: Path, sheets: dict[str, list[list[object]]], hidden: str | None = None) -> Path:
    with xlsxwriter.Workbook(str(path), {"default_date_format": "yyyy-mm-dd"}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
            if name == hidden:
                sheet.hide()
    return path


def test_a_workbook_under_a_title_with_its_own_types(contract: Contract, tmp_path: Path) -> None:
    rows = [
        ["店铺一览", "", ""],
        ["代码", "注册日期", "名称", "面积", "座位"],
        ["A", date(2024, 2, 29), "茶馆", 0.1 + 0.2, 12.0],
        [],
        ["B", datetime(2024, 3, 1, 12, 30), "书店", 1e15, "7"],  # noqa: DTZ001 - a cell has no zone
    ]
    (block,) = blocks_of(contract, workbook(tmp_path / "shops.xlsx", {"一览": rows}))
    assert block.rows.to_list() == [3, 5]
    assert block.cells.rows() == [
        ("A", "2024-02-29", "茶馆", "0.3", "12"),
        ("B", "2024-03-01 12:30:00", "书店", "1000000000000000", "7"),
    ]


def test_an_identifier_stored_as_a_number_is_named(contract: Contract, tmp_path: Path) -> None:
    path = workbook(tmp_path / "shops.xlsx", {"s": [["代码", "名称"], [913101150000000123, "茶馆"], ["B", "#REF!"]]})
    (block,) = blocks_of(contract, path)
    assert [(fault.index, fault.place, fault.rule) for fault in block.faults] == [
        (0, 0, "cell.number_as_identifier"),
        (1, 1, "cell.error"),
    ]


def test_the_sheet_is_the_visible_one_that_fits(contract: Contract, tmp_path: Path) -> None:
    good = [["代码", "名称"], ["A", "茶馆"]]
    path = workbook(tmp_path / "shops.xlsx", {"说明": [["请填写"]], "数据": good, "旧": good}, hidden="旧")
    assert [block.cells.row(0) for block in blocks_of(contract, path)] == [("A", "茶馆")]
    both = workbook(tmp_path / "both.xlsx", {"一": good, "二": good})
    assert refusal(contract, both).rule == "file.sheet_missing"
    named = small(tmp_path, ("    quality:\n", "    customProperties: [{property: sheet, value: 二}]\n    quality:\n"))
    assert len(blocks_of(named, both)) == 1
    assert refusal(named, path).rule == "file.sheet_missing"


def test_what_is_no_workbook_is_refused(contract: Contract, tmp_path: Path) -> None:
    assert refusal(contract, write(tmp_path / "shops.xlsx", "代码\nA\n")).rule == "file.archive"
    assert refusal(contract, zipped(tmp_path / "shops.xlsx", {"a.txt": b"x"})).rule == "file.format"
    assert refusal(contract, workbook(tmp_path / "shops.xlsx", {"s": []})).rule == "file.empty"


def test_continuation_rows_take_their_company_and_never_that_of_a_row_set_aside(tmp_path: Path) -> None:
    change = "    customProperties:\n      - {property: continuationColumns, value: [code, name]}\n"
    change += "      - {property: continuationAnchor, value: code}\n    quality:\n"
    contract = small(tmp_path, ("    quality:\n", change))
    lines = [",孤,0", "A,茶馆,1", ",,2", ",别名,3", "B,书,店,4", ",,5", "C,书店,6", ",,7"]
    path = write(tmp_path / "shops.csv", "\n".join([HEADER, *lines]) + "\n")
    expected = [
        (2, "", "孤", "0"),
        (3, "A", "茶馆", "1"),
        (4, "A", "茶馆", "2"),
        (5, "A", "别名", "3"),
        (7, None, None, "5"),
        (8, "C", "书店", "6"),
        (9, "C", "书店", "7"),
    ]
    server = readers.delivery_of(contract, path.name)
    for size in (1, 30, 1 << 20):
        found = delimited.read(contract, server, path, compressed=False, notes=[], block_bytes=size)
        rows = [(row, *cells) for block in found for row, cells in zip(block.rows, block.cells.rows(), strict=True)]
        assert [tuple(cell or None for cell in row) for row in rows] == [
            tuple(cell or None for cell in row) for row in expected
        ], size


# ----------------------------------------------------------------------------------------------------------- documents


def test_json_keeps_the_digits_that_were_sent(contract: Contract, tmp_path: Path) -> None:
    items = '[{"code":"A","seats":12,"area":1.10,"taken":null},{"code":"B","name":true}]'
    path = write(tmp_path / "shops.json", items)
    (frame,) = readers.read(contract, path).frames().values()
    assert frame.select("code", "seats", "area", "taken", "name", "_source_row").rows() == [
        ("A", "12", "1.10", None, None, 1),
        ("B", None, None, None, "true", 2),
    ]


def test_pages_in_an_archive_keep_their_place(contract: Contract, tmp_path: Path) -> None:
    pages = {
        "p2.json": b'{"data":[{"code":"C"}]}',
        "p1.json": b'{"data":[{"code":"A"},{"code":"B"}]}',
        "p3.json": b'{"data":[]}',
    }
    found = blocks_of(contract, zipped(tmp_path / "shops.zip", pages))
    assert [(block.members[0], block.rows.to_list()) for block in found if block.members is not None] == [
        ("p2.json", [1]),
        ("p1.json", [1, 2]),
    ]


def test_half_a_surrogate_pair_is_a_fault_of_its_cell(contract: Contract, tmp_path: Path) -> None:
    (block,) = blocks_of(contract, write(tmp_path / "shops.json", '[{"code":"A","name":"\\ud800x"}]'))
    assert [(fault.index, fault.place, fault.rule) for fault in block.faults] == [(0, 1, "text.damaged")]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("<html>busy</html>", "like HTML"),
        ('{"data":[]}', "not a list"),
        ("[1,2]", "not a list"),
        ('[{"code":"A","code":"B"}]', "twice"),
        ('[{"code":"A","area":NaN}]', "NaN"),
        ("[" * 100_000, "no JSON"),
    ],
)
def test_what_is_no_list_of_records_is_refused(contract: Contract, tmp_path: Path, content: str, words: str) -> None:
    error = refusal(contract, write(tmp_path / "shops.json", content))
    assert error.rule == "file.format"
    assert words in error.what


def geojson(**changes: object) -> str:
    feature = {
        "type": "Feature",
        "properties": {
            "地块编号": "P1-1",
            "园区代码": "P01",
            "行政区": "浦东",
            "面积公顷": 12.5,
            "建成面积公顷": 3,
            "生效日期": "2020-01-01",
            "失效日期": None,
            "坐标基准": "CGCS2000",
        },
        "geometry": {"type": "Polygon", "coordinates": [[[121.5, 31.2], [121.6, 31.2], [121.6, 31.3], [121.5, 31.2]]]},
    }
    return json.dumps({"type": "FeatureCollection", "features": [feature], **changes}, ensure_ascii=False)


def test_geojson_features_are_rows_and_another_datum_is_refused(tmp_path: Path) -> None:
    plots = contracts.load("park_plots")
    (frame,) = readers.read(plots, write(tmp_path / "p.geojson", geojson())).frames().values()
    row = frame.row(0, named=True)
    assert (row["plot_id"], row["area"], row["valid_to"], row["_source_row"]) == ("P1-1", "12.5", None, 1)
    assert row["geometry"].startswith('{"type":"Polygon","coordinates":[[[121.5,31.2]')
    named = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4490"}}
    assert blocks_of(plots, write(tmp_path / "p.geojson", geojson(crs=named)))
    named["properties"] = {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}
    assert refusal(plots, write(tmp_path / "p.geojson", geojson(crs=named))).rule == "file.datum"
    assert refusal(plots, write(tmp_path / "p.geojson", geojson(type="Feature"))).rule == "file.format"


# ------------------------------------------------------------------------------------------------------------- gazette

CURRENT = """<?xml version="1.0" encoding="utf-8"?>
<b:PatentDocumentAndRelated xmlns:b="urn:b" xmlns:base="urn:base"
  docNumber="123456789" kind="B" datePublication="20240102">
 <b:BibliographicData>
  <b:ApplicationReference dataFormat="standard"><base:DocumentID><base:DocNumber>102020001123456</base:DocNumber>
   <base:Date>20200304</base:Date></base:DocumentID></b:ApplicationReference>
  <b:ApplicationReference dataFormat="original"><base:DocumentID><base:DocNumber>202011123456.7</base:DocNumber>
   <base:Date>20200304</base:Date></base:DocumentID></b:ApplicationReference>
  <b:ClassificationIPCRDetails>
   <b:ClassificationIPCR><base:Text>H04L   29/08    (2006.01)</base:Text></b:ClassificationIPCR>
   <b:ClassificationIPCR><base:Text>G06F 3/01 (2006.01)</base:Text></b:ClassificationIPCR></b:ClassificationIPCRDetails>
  <b:InventionTitle lang="zh">一种<base:Sub>2</base:Sub>茶 &amp; 杯</b:InventionTitle>
  <b:Parties><b:ApplicantDetails>
   <b:Applicant><base:AddressBook lang="zh"><base:Name>甲公司</base:Name>
    <base:Address><base:Text>上海</base:Text></base:Address></base:AddressBook></b:Applicant>
   <b:Applicant><base:AddressBook lang="zh"><base:Name>乙大学</base:Name></base:AddressBook></b:Applicant>
  </b:ApplicantDetails></b:Parties>
 </b:BibliographicData>
</b:PatentDocumentAndRelated>"""
OF_2006 = """<?xml version="1.0"?>
<!DOCTYPE cn-patent-document SYSTEM "/DTDS/nowhere/cn.dtd">
<cn-patent-document><cn-bibliographic-data>
 <cn-publication-reference><document-id><doc-number>1234567</doc-number><kind>C</kind><date>20090102</date></document-id></cn-publication-reference>
 <application-reference><document-id><doc-number>200710000001.2</doc-number><date>20070304</date></document-id></application-reference>
 <classifications-ipcr><classification-ipcr><text>A24B 15/18</text></classification-ipcr></classifications-ipcr>
 <invention-title>旧格式</invention-title>
 <cn-parties><cn-applicants><cn-applicant><addressbook><name>丙厂</name><address><text>上海</text></address></addressbook></cn-applicant></cn-applicants></cn-parties>
</cn-bibliographic-data></cn-patent-document>"""


def test_the_current_generation() -> None:
    found = gazette.parse(CURRENT.encode())
    assert found == gazette.Publication(
        "123456789",
        "B",
        "20240102",
        "202011123456.7",
        "20200304",
        "一种2茶 & 杯",
        "甲公司",
        "上海",
        "甲公司；乙大学",
        "2",
        "H04L29/08(2006.01)",
        "H04L29/08(2006.01);G06F3/01(2006.01)",
        "st96",
    )


def test_the_generation_of_2006_with_a_mark_and_a_dtd_that_is_not_there() -> None:
    found = gazette.parse(OF_2006.encode("utf-8-sig"))
    assert (found.publication_number, found.kind, found.application_number) == ("1234567", "C", "200710000001.2")
    assert (found.first_applicant_name, found.first_applicant_address, found.schema_generation) == (
        "丙厂",
        "上海",
        "st36_2006",
    )


@pytest.mark.parametrize(
    "document",
    [
        '<!DOCTYPE a [<!ENTITY b "x">]><cn-patent-document>&b;</cn-patent-document>',
        "<!doctype a [ <!ELEMENT a ANY> ]><cn-patent-document/>",
        '<!DOCTYPE a SYSTEM "file:///etc/hostname"><cn-patent-document>&b;</cn-patent-document>',
        '<!DOCTYPE a SYSTEM "x" [<!ENTITY % b SYSTEM "http://127.0.0.1:9/">%b;]><cn-patent-document/>',
    ],
)
def test_entities_are_refused_before_they_are_read(tmp_path: Path, document: str) -> None:
    patents = contracts.load("patents")
    assert refusal(patents, write(tmp_path / "a.xml", document)).rule == "file.xml_forbidden"
    archive = zipped(tmp_path / "a.zip", {"good.xml": CURRENT.encode(), "bad.xml": document.encode()})
    error = refusal(patents, archive)
    assert (error.rule, error.where) == ("file.xml_forbidden", "bad.xml")


def test_one_broken_document_of_an_archive_is_one_record_set_aside(tmp_path: Path) -> None:
    patents = contracts.load("patents")
    members = {"1.xml": CURRENT.encode(), "2.xml": CURRENT.encode()[:-30], "3.xml": OF_2006.encode(), "4.xml": b"<a/>"}
    (block,) = blocks_of(patents, zipped(tmp_path / "a.zip", members))
    assert block.rows.to_list() == [1, 3]
    assert block.members is not None
    assert block.members.to_list() == ["1.xml", "3.xml"]
    assert [(one.row, one.member, one.rule) for one in block.set_aside] == [
        (2, "2.xml", "document.unreadable"),
        (4, "4.xml", "document.unreadable"),
    ]
    assert refusal(patents, write(tmp_path / "b.xml", CURRENT[:-30])).rule == "file.format"


# --------------------------------------------------------------------------------------------------------------- store


def test_bytes_are_kept_once_under_their_hash_and_never_edited(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "代码\nA\n")
    kept = store.keep(tmp_path / "landing", "shops", path)
    assert kept.path.read_bytes() == path.read_bytes()
    assert kept.path.name == kept.sha256 == store.sha256_of(path)
    assert kept.path.stat().st_mode & 0o222 == 0
    assert kept.relative == f"shops/{kept.sha256[:2]}/{kept.sha256}"
    assert store.keep(tmp_path / "landing", "shops", path) == kept
    assert [one for one in (tmp_path / "landing").rglob("*") if one.is_file()] == [kept.path]


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    path = write(tmp_path / "a.csv", "x")
    monkeypatch.setattr("parkindex.landing.store.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        store.keep(tmp_path / "landing", "shops", path)
    assert not any(one.is_file() for one in (tmp_path / "landing").rglob("*"))
