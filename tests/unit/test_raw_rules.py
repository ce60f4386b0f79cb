"""Rules on rows: which row breaks which, in what order, and what is stored of the good ones."""

from __future__ import annotations

from datetime import date
from hashlib import sha256
from pathlib import Path

import polars as pl
import pytest

from contract_files import small
from parkindex.contracts import Contract
from parkindex.landing import readers
from parkindex.landing.blocks import Block
from parkindex.landing.refusal import FileRefusedError
from parkindex.raw.rules import Judged, judge
from parkindex.raw.uniqueness import Keys, Seen, fingerprints, key_texts

HEADER = "代码,注册日期,名称,店主,类别,面积,座位,已占,资本"
GOOD = "A-1,2020-02-29,茶馆,王,茶,12.50,10,3,5万元"


def block_of(contract: Contract, folder: Path, *lines: str, header: str = HEADER) -> Block:
    path = folder / "shops.csv"
    path.write_text("\n".join([header, *lines]) + "\n", "utf-8")
    (block,) = readers.read(contract, path).blocks
    return block


def broken(judged: Judged) -> list[list[tuple[str, str]]]:
    """Return column and rule of everything broken, row by row."""
    height = len(judged.broken)
    return [[(rule.column, rule.id) for rule in judged.rules if rule.mask[row]] for row in range(height)]


def test_a_good_row_is_typed(tmp_path: Path) -> None:
    contract = small(tmp_path)
    judged = judge(contract, block_of(contract, tmp_path, GOOD))
    assert broken(judged) == [[]]
    assert judged.values.row(0, named=True) == {
        "code": "A-1",
        "code_key": "A1",
        "opened": "2020-02-29",  # absent in this layout: the registration date stands in
        "registered": "2020-02-29",
        "name": "茶馆",
        "name_key": "茶馆",
        "owner": "王",
        "kind": "茶",
        "area": "12.50",
        "seats": 10,
        "taken": 3,
        "capital": "5万元",
        "capital_amount": "50000.0000",
        "capital_currency": "CNY",
    }


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"代码": " "}, [("code", "value.required")]),
        ({"代码": "N/A"}, [("code", "value.required")]),
        ({"注册日期": "2021-02-29"}, [("registered", "type.date")]),
        ({"注册日期": "2021-2-3"}, [("registered", "type.date")]),
        ({"注册日期": "0000-01-01"}, [("registered", "type.date")]),
        ({"注册日期": "44197"}, [("registered", "type.date")]),
        ({"名称": "茶"}, [("name", "value.length")]),
        ({"名称": "𬭎𬭎𬭎𬭎𬭎𬭎𬭎𬭎"}, []),  # eight characters, whatever their bytes
        ({"名称": "茶茶茶茶茶茶茶茶茶"}, [("name", "value.length")]),
        ({"名称": "茶\x00馆"}, [("name", "text.damaged")]),
        ({"名称": "茶�馆"}, [("name", "text.damaged")]),
        ({"店主": "王2"}, [("owner", "value.pattern")]),
        ({"类别": "花"}, [("kind", "value.enum")]),
        ({"类别": "-"}, []),
        ({"面积": "0"}, [("area", "value.range")]),
        ({"面积": "5000"}, []),
        ({"面积": "5000.01"}, [("area", "value.range")]),
        ({"面积": "1.234"}, [("area", "number.scale")]),
        ({"面积": "1.2300"}, []),
        ({"面积": "12345.6"}, [("area", "number.precision"), ("area", "value.range")]),
        ({"面积": "1e3"}, [("area", "type.number")]),
        ({"面积": "NaN"}, [("area", "type.number")]),
        ({"面积": "１２"}, [("area", "type.number")]),
        ({"座位": "1.0"}, [("seats", "type.integer")]),
        ({"座位": "3000000000"}, [("seats", "number.precision")]),
        ({"座位": "99999999999999999999"}, [("seats", "type.integer")]),
        ({"座位": "-1", "已占": "-2"}, [("seats", "value.range")]),
        ({"已占": "11"}, [("taken", "compare.at_most")]),
        ({"座位": "", "已占": "11"}, []),  # nothing to compare with
        ({"资本": "数千万元"}, []),  # no amount, no reject
        (
            {"类别": "花", "代码": "", "已占": "x"},
            [("code", "value.required"), ("kind", "value.enum"), ("taken", "type.integer")],
        ),
    ],
)
def test_each_rule_in_column_order(tmp_path: Path, cells: dict[str, str], expected: list[tuple[str, str]]) -> None:
    contract = small(tmp_path)
    row = dict(zip(HEADER.split(","), GOOD.split(","), strict=True)) | cells
    judged = judge(contract, block_of(contract, tmp_path, GOOD, ",".join(row.values())))
    assert broken(judged) == [[], expected]
    assert judged.broken.to_list() == [False, bool(expected)]


@pytest.mark.parametrize(
    ("style", "good", "day", "bad"),
    [
        ("yyyy-MM", "2024-02", date(2024, 2, 1), "2024-02-01"),
        ("yyyy/M/d", "2024/2/9", date(2024, 2, 9), "2024-2-9"),
        ("yyyyMMdd", "20240209", date(2024, 2, 9), "2024029"),
    ],
)
def test_dates_in_the_contract_s_format(tmp_path: Path, style: str, good: str, day: date, bad: str) -> None:
    contract = small(
        tmp_path,
        (
            "synonyms: [{synonym: 注册日期}]",
            f"logicalTypeOptions: {{format: {style}}}\n        synonyms: [{{synonym: 注册日期}}]",
        ),
    )
    judged = judge(
        contract, block_of(contract, tmp_path, GOOD.replace("2020-02-29", good), GOOD.replace("2020-02-29", bad))
    )
    assert broken(judged) == [[], [("registered", "type.date")]]
    assert judged.values["registered"][0] == day


def test_an_old_registration_number_is_accepted_only_where_the_contract_says_so(tmp_path: Path) -> None:
    plain = (
        "{property: matchKey, value: identifier}",
        "{property: matchKey, value: identifier}, {property: check, value: uscc}",
    )
    lenient = (plain[0], plain[1].replace("value: uscc}", "value: uscc_or_registration_number}"))
    line = GOOD.replace("A-1", "310115000123456")
    for change, expected in ((plain, [("code", "uscc.old_registration_number")]), (lenient, [])):
        contract = small(tmp_path, change)
        assert broken(judge(contract, block_of(contract, tmp_path, line))) == [expected]


def test_a_required_amount_must_be_exact(tmp_path: Path) -> None:
    contract = small(tmp_path, ("      - name: capital\n", "      - name: capital\n        required: true\n"))
    lines = (GOOD, GOOD.replace("5万元", "数万元"), GOOD.replace("5万元", ""))
    judged = judge(contract, block_of(contract, tmp_path, *lines))
    assert broken(judged) == [[], [("capital", "money.unparsed")], [("capital", "value.required")]]


def test_a_value_in_an_unknown_column_is_set_aside_ignored_or_refused(tmp_path: Path) -> None:
    header, lines = f"{HEADER},备注", (f"{GOOD},", f"{GOOD},新")
    quarantine = small(tmp_path, ("value: freeze", "value: quarantine"))
    found = broken(judge(quarantine, block_of(quarantine, tmp_path, *lines, header=header)))
    assert found == [[], [("备注", "column.unknown")]]
    evolve = small(tmp_path, ("value: freeze", "value: evolve"))
    assert broken(judge(evolve, block_of(evolve, tmp_path, *lines, header=header))) == [[], []]
    freeze = small(tmp_path)
    nameless = block_of(freeze, tmp_path, *lines, header=f"{HEADER},")
    with pytest.raises(FileRefusedError, match="no header") as caught:
        judge(freeze, nameless)
    assert (caught.value.rule, caught.value.where) == ("file.column_unknown", "row 3")
    assert broken(judge(freeze, block_of(freeze, tmp_path, f"{GOOD},", header=f"{HEADER},"))) == [[]]


def test_repetitions_are_found_within_and_across_blocks(tmp_path: Path) -> None:
    contract = small(tmp_path)
    other = GOOD.replace("A-1", "A-2")
    first = fingerprints(block_of(contract, tmp_path, GOOD, other, GOOD))
    again = fingerprints(block_of(contract, tmp_path, other, GOOD.replace("A-1", "A-3")))
    seen = Seen()
    assert seen.repeated(first.halves).to_list() == [False, False, True]
    assert seen.repeated(again.halves).to_list() == [True, False]
    assert first.hexadecimal[0] == first.hexadecimal[2] != first.hexadecimal[1]
    assert len(first.hexadecimal[0]) == 64


def test_the_hash_of_a_row_can_be_computed_again_by_anybody(tmp_path: Path) -> None:
    contract = small(tmp_path)
    block = block_of(contract, tmp_path, GOOD, GOOD.replace("A-1", "A-2"), GOOD.replace("茶馆", ""))
    found = fingerprints(block)
    places = [block.header.places.get(column.name) for column in contract.tables[0].columns]
    for row, shown in zip(block.cells.rows(), found.hexadecimal, strict=True):
        cells = ["" if place is None else row[place] or "" for place in places]
        assert shown == sha256("\x1f".join(cells).encode("utf-8")).hexdigest()
    assert found.halves[0].tobytes() == bytes.fromhex(found.hexadecimal[0])[:16]


def test_the_hash_of_a_row_does_not_depend_on_the_order_of_columns(tmp_path: Path) -> None:
    contract = small(tmp_path)
    turned = [",".join(reversed(line.split(","))) for line in (HEADER, GOOD)]
    one = fingerprints(block_of(contract, tmp_path, GOOD)).hexadecimal[0]
    assert fingerprints(block_of(contract, tmp_path, turned[1], header=turned[0])).hexadecimal[0] == one


def test_cells_that_hold_the_separator_are_not_taken_for_others(tmp_path: Path) -> None:
    contract = small(tmp_path)
    lines = ("A\x1f,2020-02-29,B", "A,2020-02-29,\x1fB", "A,2020-02-29,B")
    found = fingerprints(block_of(contract, tmp_path, *lines, header="代码,注册日期,名称"))
    assert found.hexadecimal.n_unique() == 3


def test_keys_compare_identifiers_by_match_key_and_nothing_with_nothing(tmp_path: Path) -> None:
    contract = small(tmp_path)
    table = contract.tables[0]
    undated, other_day = GOOD.replace("2020-02-29", ""), GOOD.replace("2020-02-29", "2021-01-01")
    lines = (GOOD, GOOD.replace("A-1", "a１"), undated, other_day, undated.replace("茶馆", "书店"))
    block = block_of(contract, tmp_path, *lines)
    texts = key_texts(table, judge(contract, block).values)
    assert texts[0] == texts[1]
    assert texts[2] == texts[4] != texts[0]
    keys = Keys(table)
    keys.add(texts, block.rows, None)
    assert keys.suspects() == {("", 2), ("", 3), ("", 4), ("", 6)}
    assert Keys(table).suspects() == set()


def test_a_block_of_no_rows_breaks_nothing(tmp_path: Path) -> None:
    contract = small(tmp_path)
    block = block_of(contract, tmp_path, GOOD)
    empty = Block(block.table, block.header, block.cells.clear(), pl.Series([], dtype=pl.Int64))
    assert judge(contract, empty).broken.to_list() == []


def test_dates_out_of_the_possible(tmp_path: Path) -> None:
    future = (
        "synonyms: [{synonym: 注册日期}]",
        "synonyms: [{synonym: 注册日期}]\n        customProperties: [{property: notAfter, value: received}]",
    )
    contract = small(tmp_path, future)
    lines = [GOOD.replace("2020-02-29", day) for day in ("1899-12-31", "1900-01-01", "2024-03-01", "2024-03-02")]
    block = block_of(contract, tmp_path, *lines)
    early, late = [("registered", "date.too_early")], [("registered", "date.future")]
    assert broken(judge(contract, block, date(2024, 3, 1))) == [early, [], [], late]
    assert broken(judge(contract, block)) == [early, [], [], []]


def test_a_currency_in_its_time(tmp_path: Path) -> None:
    contract = small(
        tmp_path,
        (
            "{property: parse, value: money_text}",
            "{property: parse, value: money_text}, {property: currencyDate, value: registered}",
        ),
    )
    cases = {"1994-05-01": "德国马克", "2002-03-01": "法国法郎", "1998-12-31": "欧元", "1999-01-01": "欧元"}
    lines = [GOOD.replace("2020-02-29", day).replace("5万元", f"5万{money}") for day, money in cases.items()]
    wrong = [("capital", "money.currency_date")]
    assert broken(judge(contract, block_of(contract, tmp_path, *lines))) == [[], wrong, wrong, []]


def test_mojibake_is_told_from_names_of_other_countries(tmp_path: Path) -> None:
    contract = small(tmp_path)
    lines = [GOOD.replace("茶馆", name) for name in ("ÉÏº£", "上海".encode().decode("latin-1"), "锟斤拷茶", "Café é")]
    wrong = ("name", "text.mojibake")
    found = broken(judge(contract, block_of(contract, tmp_path, *lines)))
    assert [wrong in one for one in found] == [True, True, True, False]
    assert found[3] == []


def test_another_unit_of_money_is_brought_to_the_contract_s_exactly(tmp_path: Path) -> None:
    change = (
        "synonyms: [{synonym: 面积}]",
        "synonyms: [{synonym: 面积(千元)}]\n        customProperties: [{property: unit, value: thousand_cny}]",
    )
    contract = small(tmp_path, change)
    path = tmp_path / "units.csv"
    for header, text, expected in (
        ("面积(万元)", "12.345", "123.45"),
        ("面积(元)", "1230", "1.230"),
        ("面积(千元)", "7", "7"),
    ):
        path.write_text(f"代码,{header}\nA,{text}\nB,x\n", "utf-8")
        (block,) = readers.read(contract, path).blocks
        judged = judge(contract, block)
        assert judged.values["area"][0] == expected
        assert broken(judged) == [[], [("area", "type.number")]]
