"""Delivery forms beyond the first: other delimiters, encodings, line ends and containers, and what workbooks hide."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import xlsxwriter

import delivered
from contract_files import plain, server
from parkindex import contracts
from parkindex.contracts import Contract
from parkindex.errors import BadInputError
from parkindex.landing import archives, readers
from parkindex.landing.refusal import FileRefusedError

COLUMNS = {
    "code": {"header": "代码", "required": True},
    "name": "名称",
    "opened": {"header": "日期", "logicalType": "date", "physicalType": "date"},
}
ROWS = [["代码", "名称", "日期"], ["A", "茶\n馆", "2024-01-02"], ["B", "书,店", "2024-01-03"]]
CELLS = [tuple(row) for row in ROWS[1:]]
ITEMS = [dict(zip(ROWS[0], row, strict=True)) for row in ROWS[1:]]


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Contract]:
    def make(*servers: dict[str, object], **properties: object) -> Contract:
        properties = {"encodingSentinels": ["代码", "代碼"], **properties}
        return plain(tmp_path, "shops", COLUMNS, servers, key=["code"], **properties)

    return make


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def cells_of(contract: Contract, path: Path) -> list[tuple[str | None, ...]]:
    return [row for block in readers.read(contract, path).blocks for row in block.cells.rows()]


def rule_of(contract: Contract, path: Path) -> str:
    with pytest.raises(FileRefusedError) as caught:
        list(readers.read(contract, path).blocks)
    return caught.value.rule


# ------------------------------------------------------------------------------------------------------ text, declared


@pytest.mark.parametrize("delimiter", ["\t", ";", "|"])
def test_other_delimiters(made: Callable[..., Contract], tmp_path: Path, delimiter: str) -> None:
    contract = made(server("tab", "*.tsv", "csv", delimiter=delimiter))
    text = delivered.delimited(ROWS, delimiter) + f'C{delimiter}5" 店{delimiter}\n' + "D\n"
    blocks = list(readers.read(contract, write(tmp_path / "a.tsv", text)).blocks)
    assert [row for block in blocks for row in block.cells.rows()] == [*CELLS, ("C", '5" 店', "")]
    assert [(one.row, one.rule) for block in blocks for one in block.set_aside] == [(6, "row.ragged")]


@pytest.mark.parametrize("encoding", ["UTF-16", "UTF-16-LE", "Big5", "GBK", "cp936", "UTF-8-SIG", "utf_32"])
def test_any_encoding_that_python_knows(made: Callable[..., Contract], tmp_path: Path, encoding: str) -> None:
    contract = made(server("other", "*.csv", "csv", encoding))
    text = delivered.delimited(ROWS)
    if encoding == "Big5":
        text = text.replace("馆", "館").replace("书", "書").replace("码", "碼").replace("称", "稱")
        contract = plain(
            tmp_path,
            "shops",
            {**COLUMNS, "code": "代碼", "name": "名稱"},
            [server("other", "*.csv", "csv", encoding)],
            key=["code"],
            encodingSentinels=["代碼"],
        )
    found = cells_of(contract, write(tmp_path / "a.csv", text.encode(encoding)))
    assert [row[0] for row in found] == ["A", "B"]
    assert found[1][1] == ("書,店" if encoding == "Big5" else "书,店")


def test_an_encoding_that_nobody_knows_is_a_contract_error(made: Callable[..., Contract]) -> None:
    for name in ("klingon", "rot13", "base64", "idna"):
        with pytest.raises(BadInputError) as caught:
            made(server("other", "*.csv", "csv", name))
        assert caught.value.why == "contract.closed_list"
    with pytest.raises(BadInputError, match="encodingSentinels"):
        made(server("other", "*.csv", "csv", "Big5"), encodingSentinels=[])


@pytest.mark.parametrize(
    ("form", "properties"),
    [
        ("parquet", {}),
        ("json", {"delimiter": ";"}),
        ("csv", {"delimiter": ";;"}),
        ("csv", {"delimiter": '"'}),
        ("csv", {"lineEnds": "LFCR"}),
        ("csv", {"serialDates": "1900"}),
        ("xlsx", {"serialDates": "1905"}),
        ("csv", {"trailer": "no anchors"}),
        ("csv", {"misreadAs": "klingon"}),
    ],
)
def test_what_a_delivery_form_cannot_mean_is_a_contract_error(
    made: Callable[..., Contract], form: str, properties: dict[str, object]
) -> None:
    with pytest.raises(BadInputError) as caught:
        made(server("odd", "*.x", form, **properties))
    assert caught.value.why.startswith("contract.")
    assert ".odcs.yaml:" in caught.value.where


def test_utf_16_needs_its_mark_and_is_not_taken_for_another(made: Callable[..., Contract], tmp_path: Path) -> None:
    contract = made(server("wide", "*_w.csv", "csv", "UTF-16"), server("gb", "*.csv", "csv", "GB18030"))
    text = delivered.delimited(ROWS)
    assert rule_of(contract, write(tmp_path / "a_w.csv", text.encode("utf-16-le"))) == "file.encoding"
    assert rule_of(contract, write(tmp_path / "a.csv", text.encode("utf-16"))) == "file.encoding"


def test_lines_that_end_in_cr_are_read_where_declared(made: Callable[..., Contract], tmp_path: Path) -> None:
    contract = made(server("mac", "*.csv", "csv", lineEnds="CR"))
    rows = [*ROWS, ["C", "一\r二\n三", "2024-01-04"]]
    text = delivered.delimited(rows, line_end="\r").replace("茶\n馆", "茶馆")
    (block,) = readers.read(contract, write(tmp_path / "a.csv", text)).blocks
    assert block.cells.rows()[0] == ("A", "茶馆", "2024-01-02")
    assert block.cells.rows()[2] == ("C", "一\r二\n三", "2024-01-04")
    assert block.rows.to_list() == [2, 3, 4]
    packed = contracts.load_file(tmp_path / "shops.odcs.yaml")
    assert cells_of(packed, write(tmp_path / "b.csv", text.rstrip("\r")))[2][1] == "一\r二\n三"


def test_text_saved_after_a_wrong_reading_is_read_back_where_declared(
    made: Callable[..., Contract], tmp_path: Path
) -> None:
    broken = delivered.delimited(ROWS).encode("gb18030").decode("latin-1").encode("utf-8")
    path = write(tmp_path / "a.csv", broken)
    repairing = made(server("repaired", "*.csv", "csv", "GB18030", misreadAs="latin-1"))
    reading = readers.read(repairing, path)
    assert [row for block in reading.blocks for row in block.cells.rows()] == CELLS
    assert reading.notes == ["note: repaired as declared: GB18030 that was read as latin-1 and saved as UTF-8"]
    assert rule_of(made(server("plain", "*.csv", "csv")), path) == "file.sentinel"
    assert rule_of(repairing, write(path, delivered.delimited(ROWS))) == "file.encoding"


# ------------------------------------------------------------------------------------------------------------ cut files


@pytest.mark.parametrize("stray", ["", 'Z,5" 店,\n'])
def test_a_last_record_without_all_its_cells_and_its_end_was_cut(
    made: Callable[..., Contract], tmp_path: Path, stray: str
) -> None:
    contract = made(server("text", "*.csv", "csv"))
    text = f"代码,名称,日期\n{stray}A,茶馆,2024-01-02\nB,书"
    assert rule_of(contract, write(tmp_path / "a.csv", text)) == "file.truncated"
    assert len(list(readers.read(contract, write(tmp_path / "a.csv", text + "\n")).blocks)) == 1


def test_a_trailer_must_be_there_and_tell_the_truth(made: Callable[..., Contract], tmp_path: Path) -> None:
    contract = made(server("text", "*.csv", "csv", trailer="^共(?P<rows>[0-9,]+)条$"))
    body = "代码,名称,日期\nA,茶馆,2024-01-02\nB,书店,\nC\n"
    path = tmp_path / "a.csv"
    blocks = list(readers.read(contract, write(path, body + "共3条")).blocks)
    assert sum(block.cells.height for block in blocks) == 2
    assert [one.row for block in blocks for one in block.set_aside] == [4]
    assert rule_of(contract, write(path, body + "共4条\n")) == "file.row_count"
    assert rule_of(contract, write(path, body)) == "file.truncated"
    whole_width = made(server("text", "*.csv", "csv", trailer="^END$"))
    assert cells_of(whole_width, write(path, "代码,名称,日期\nA,茶馆,\nEND,,\n")) == [("A", "茶馆", "")]


# ----------------------------------------------------------------------------------------------------------- JSON lines


def test_json_lines_keep_their_line_and_one_bad_line_takes_no_other(
    made: Callable[..., Contract], tmp_path: Path
) -> None:
    contract = made(server("lines", "*.jsonl", "jsonl"), server("packed", "*.jsonl.gz", "jsonl"))
    text = delivered.json_lines(ITEMS[:1]) + "\n{'代码': 'X'}\n[1]\n" + delivered.json_lines(ITEMS[1:])
    for path in (write(tmp_path / "a.jsonl", text), write(tmp_path / "a.jsonl.gz", gzip.compress(text.encode()))):
        (block,) = readers.read(contract, path).blocks
        assert block.cells.rows() == CELLS
        assert block.rows.to_list() == [1, 5]
        assert [(one.row, one.rule) for one in block.set_aside] == [
            (3, "document.unreadable"),
            (4, "document.unreadable"),
        ]
    assert rule_of(contract, write(tmp_path / "a.jsonl", text + '{"代码": "C"')) == "file.truncated"
    assert rule_of(contract, write(tmp_path / "a.jsonl", "<html>\n")) == "file.format"
    assert rule_of(contract, write(tmp_path / "a.jsonl", '{"名称": "茶馆"}\n')) == "file.column_missing"


def test_records_stand_where_the_path_leads(made: Callable[..., Contract], tmp_path: Path) -> None:
    contract = made(
        server("one", "*_one.json", "json", items="$"), server("deep", "*.json", "json", items="result.list")
    )
    deep = json.dumps({"result": {"list": ITEMS, "total": 2}, "status": "200"})
    assert cells_of(contract, write(tmp_path / "a.json", deep)) == CELLS
    assert cells_of(contract, write(tmp_path / "a_one.json", json.dumps(ITEMS[0]))) == CELLS[:1]
    for content in ({"result": []}, {"result": {"list": {}}}, [], {"result": {"list": [1]}}):
        assert rule_of(contract, write(tmp_path / "a.json", json.dumps(content))) == "file.format"


# ----------------------------------------------------------------------------------------------------------- containers


def formats(tmp_path: Path) -> dict[str, bytes]:
    """Return a delivery of the same records in every format that one file can have."""
    book = delivered.workbook(tmp_path / "made.xlsx", {"s": ROWS}).read_bytes()
    return {
        "csv": delivered.delimited(ROWS).encode(),
        "jsonl": delivered.json_lines(ITEMS).encode(),
        "json": json.dumps(ITEMS).encode(),
        "xlsx": book,
        "xls": delivered.old_workbook(ROWS),
    }


@pytest.mark.parametrize("form", ["csv", "jsonl", "json", "xlsx", "xls"])
def test_every_format_in_every_container(made: Callable[..., Contract], tmp_path: Path, form: str) -> None:
    content = formats(tmp_path)[form]
    contract = made(
        server("plain", f"*.{form}", form),
        server("gz", f"*.{form}.gz", form),
        *(server(suffix, f"*.{suffix}", form, members=f"*.{form}") for suffix in ("zip", "tar", "tar.gz", "tgz")),
    )
    members = {f"一月/a.{form}": content, "README.txt": b"read me", "__MACOSX/._a": b"x", f"b.{form}": content}
    assert cells_of(contract, write(tmp_path / f"a.{form}", content)) == CELLS
    assert cells_of(contract, write(tmp_path / f"a.{form}.gz", gzip.compress(content))) == CELLS
    for suffix, packed in (
        ("zip", delivered.zipped(members)),
        ("tar", delivered.tarred(members)),
        ("tar.gz", delivered.tarred(members, compressed=True)),
        ("tgz", delivered.tarred(members, compressed=True)),
    ):
        reading = readers.read(contract, write(tmp_path / f"a.{suffix}", packed))
        blocks = list(reading.blocks)
        assert [row for block in blocks for row in block.cells.rows()] == CELLS * 2
        sources = {name for block in blocks if block.members is not None for name in block.members}
        assert sources == {f"一月/a.{form}", f"b.{form}"}
        assert reading.notes == ["note: ignored 2 member(s) of the archive: README.txt, __MACOSX/._a"]
    assert rule_of(contract, write(tmp_path / "a.zip", delivered.zipped({"c.txt": b"x"}))) == "file.empty"
    broken = delivered.zipped({f"b.{form}": b"\x00\xff"})
    with pytest.raises(FileRefusedError) as caught:
        list(readers.read(contract, write(tmp_path / "a.zip", broken)).blocks)
    assert caught.value.where.startswith(f"b.{form}")


def test_gazette_documents_in_a_tar(tmp_path: Path) -> None:
    contract = plain(
        tmp_path,
        "gazette",
        {name: name for name in ("publication_number", "kind", "first_applicant_name")},
        [server("tar", "*.tar.gz", "cnipa_xml", members="*.xml")],
        key=["publication_number"],
        onUnknownColumn="evolve",
    )
    members = {f"{n}.xml": delivered.PUBLICATION.format(number=10**8 + n).encode() for n in range(3)}
    packed = delivered.tarred({**members, "0.tif": b"II*"}, compressed=True)
    (block,) = readers.read(contract, write(tmp_path / "a.tar.gz", packed)).blocks
    assert block.rows.to_list() == [1, 2, 3]
    assert block.cells["0"].to_list() == ["100000000", "100000001", "100000002"]


def odd_tar(kind: bytes, name: str = "a.csv") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.type = kind
        entry.linkname = "/etc/passwd"
        archive.addfile(entry)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (odd_tar(tarfile.SYMTYPE), "file.archive"),
        (odd_tar(tarfile.LNKTYPE), "file.archive"),
        (odd_tar(tarfile.CHRTYPE), "file.archive"),
        (delivered.tarred({"../a.csv": b"x"}), "file.archive"),
        (delivered.tarred({"/a.csv": b"x"}), "file.archive"),
        (delivered.tarred({"a.csv.gz": b"x"}), "file.archive"),
        (delivered.tarred({"a.csv": delivered.delimited(ROWS).encode()})[:1024], "file.truncated"),
        (delivered.tarred({"a.csv": b"x" * 2000})[:1500], "file.archive"),
        (b"no tar", "file.archive"),
    ],
)
def test_a_tar_that_is_not_to_be_trusted(
    made: Callable[..., Contract], tmp_path: Path, content: bytes, rule: str
) -> None:
    contract = made(server("tar", "*.tar", "csv"))
    assert rule_of(contract, write(tmp_path / "a.tar", content)) == rule


def test_a_tar_bomb_is_refused_at_the_byte_that_exceeds_the_budget(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tgz", delivered.tarred({"a": b"a" * 5_000_000}, compressed=True))
    budget = archives.Budget(10, 10_000_000, 10_000_000, ratio=100, ratio_from=1_000_000)
    with pytest.raises(FileRefusedError, match="per compressed byte"):
        for _, _, stream in archives.walk(path, "tar", notes=[], budget=budget):
            stream.read()
    for small in (archives.Budget(10, 10_000_000, 1_000), archives.Budget(0, 10_000_000, 10_000_000)):
        with pytest.raises(FileRefusedError) as caught:
            list(archives.walk(path, "tar", notes=[], budget=small))
        assert caught.value.rule == "file.budget"


def test_a_chinese_windows_names_members_in_its_own_encoding(made: Callable[..., Contract], tmp_path: Path) -> None:
    packed = bytearray(delivered.zipped({"AAAA.csv": delivered.delimited(ROWS).encode()}))
    for _ in range(2):
        at = packed.index(b"AAAA")
        packed[at : at + 4] = "一月".encode("gb18030")
    contract = made(server("zip", "*.zip", "csv"))
    (block,) = readers.read(contract, write(tmp_path / "a.zip", bytes(packed))).blocks
    assert block.members is not None
    assert set(block.members) == {"一月.csv"}


def test_documents_held_in_memory_have_a_budget(
    made: Callable[..., Contract], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "DOCUMENT_BYTES", 40)
    contract = made(server("json", "*.json", "json"))
    assert rule_of(contract, write(tmp_path / "a.json", json.dumps(ITEMS))) == "file.budget"
    with pytest.raises(FileRefusedError, match="or more"):
        archives.whole(io.BytesIO(b"x" * 41))


# ------------------------------------------------------------------------------------------------------------ workbooks


def test_a_formula_without_a_stored_result_is_named(made: Callable[..., Contract], tmp_path: Path) -> None:
    contract = made(server("book", "*.xlsx", "xlsx"))
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx")) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ROWS[0])
        sheet.write(1, 0, "A")
        sheet.write_formula(1, 1, '="茶"&"馆"', None, "")
        sheet.write(2, 0, "B")
        sheet.write_formula(2, 1, "=1+1", None, 2)
        sheet.write(3, 0, "C")
        sheet.write_formula(3, 1, "=1+1", None, "")
    content = (tmp_path / "a.xlsx").read_bytes()
    # xlsxwriter writes an empty result without saying that it is a text: nothing was ever calculated.
    (block,) = readers.read(contract, tmp_path / "a.xlsx").blocks
    assert [(fault.index, fault.place, fault.rule) for fault in block.faults] == [
        (0, 1, "cell.formula_without_value"),
        (2, 1, "cell.formula_without_value"),
    ]
    assert block.cells.rows()[1] == ("B", "2", "")
    assert content == (tmp_path / "a.xlsx").read_bytes()


def test_merged_cells_are_named_in_header_and_rows(tmp_path: Path) -> None:
    def merged(path: Path, *ranges: tuple[int, int, int, int]) -> Path:
        with xlsxwriter.Workbook(str(path)) as book:
            sheet = book.add_worksheet()
            for number, row in enumerate([*ROWS, ["C", "", ""]]):
                sheet.write_row(number, 0, row)
            for one in ranges:
                sheet.merge_range(*one, "x")
        return path

    forms = [server("book", "*.xlsx", "xlsx")]
    contract = plain(tmp_path, "shops", COLUMNS, forms, key=["code"])
    (block,) = readers.read(contract, merged(tmp_path / "a.xlsx", (2, 1, 3, 1))).blocks
    assert [(fault.index, fault.place, fault.rule) for fault in block.faults] == [(2, 1, "cell.merged")]
    for header in ((0, 1, 0, 2), (0, 0, 1, 0)):
        assert rule_of(contract, merged(tmp_path / "b.xlsx", header)) in ("file.header_merged", "file.column_missing")
    carried = {"continuationColumns": ["code", "name"], "continuationAnchor": "code"}
    continuing = plain(tmp_path, "shops", COLUMNS, forms, key=["code"], table=carried)
    (block,) = readers.read(continuing, merged(tmp_path / "a.xlsx", (2, 1, 3, 1))).blocks
    assert block.faults == ()


def test_a_day_number_is_a_fault_unless_its_date_system_is_declared(tmp_path: Path) -> None:
    rows = [["代码", "名称", "日期"], ["A", "a", 45293], ["B", "b", date(2024, 1, 2)], ["C", "c", 0.5]]
    undeclared = plain(tmp_path, "shops", COLUMNS, [server("book", "*.xls*", "xlsx")], key=["code"])
    (block,) = readers.read(undeclared, delivered.workbook(tmp_path / "a.xlsx", {"s": rows})).blocks
    assert [(fault.index, fault.rule) for fault in block.faults] == [
        (0, "cell.number_as_date"),
        (2, "cell.number_as_date"),
    ]
    for system, serial, options in (("1900", 45293, {}), ("1904", 43831, {"date_1904": True})):
        rows[1][2] = serial
        path = delivered.workbook(tmp_path / "a.xlsx", {"s": rows}, **options)
        forms = [server("book", "*.xlsx", "xlsx", serialDates=system)]
        (block,) = readers.read(plain(tmp_path, "shops", COLUMNS, forms, key=["code"]), path).blocks
        assert block.cells["2"].to_list() == ["2024-01-02", "2024-01-02", "0.5"]
        assert [fault.index for fault in block.faults] == [2]


def test_several_sheets_of_one_table_keep_their_names(tmp_path: Path) -> None:
    contract = plain(
        tmp_path, "shops", COLUMNS, [server("book", "*.xlsx", "xlsx")], key=["code"], table={"sheets": "*月"}
    )
    sheets = {"说明": [["x"]], "一月": ROWS, "二月": [ROWS[0], ["C", "c", ""]], "合计": [["y"]]}
    blocks = list(readers.read(contract, delivered.workbook(tmp_path / "a.xlsx", sheets)).blocks)
    assert [(block.members[0], block.cells.height) for block in blocks if block.members is not None] == [
        ("一月", 2),
        ("二月", 1),
    ]
    none = delivered.workbook(tmp_path / "a.xlsx", {"总表": ROWS})
    assert rule_of(contract, none) == "file.sheet_missing"


def test_a_sheet_that_states_a_wrong_dimension_is_read_whole(made: Callable[..., Contract], tmp_path: Path) -> None:
    contract = made(server("book", "*.xlsx", "xlsx"))
    rows = [ROWS[0], *([f"C{number}", "x", "2024-01-02"] for number in range(500))]
    path = delivered.workbook(tmp_path / "a.xlsx", {"s": rows})
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    assert b'ref="A1:C501"' in parts[sheet]
    parts[sheet] = parts[sheet].replace(b'ref="A1:C501"', b'ref="A1:B100"')
    assert len(cells_of(contract, write(path, delivered.zipped(parts)))) == 500


def test_a_header_in_another_unit_of_money(tmp_path: Path) -> None:
    columns = {
        "code": "代码",
        "revenue": {
            "header": "营业收入(千元)",
            "logicalType": "number",
            "physicalType": "numeric(20,4)",
            "customProperties": [{"property": "unit", "value": "thousand_cny"}],
        },
    }
    contract = plain(tmp_path, "shops", columns, [server("text", "*.csv", "csv")], key=["code"])
    reading = readers.read(contract, write(tmp_path / "a.csv", "代码,营业收入（万元）\nA,12.5\n"))
    (block,) = reading.blocks
    assert block.header.shifts == {"revenue": 1}
    assert reading.notes == ["note: 营业收入（万元） brought to thousand_cny: times 10^1"]
    assert rule_of(contract, write(tmp_path / "a.csv", "代码,营业收入(美元)\nA,12.5\n")) == "file.unit"
    assert rule_of(contract, write(tmp_path / "a.csv", "代码,利润(万元)\nA,12.5\n")) == "file.column_unknown"
