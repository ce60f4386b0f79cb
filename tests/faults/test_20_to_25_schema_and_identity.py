"""Faults 20 to 25 of the matrix: schema, contract, and codes of enterprises."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest
from feed_under_fault import GOOD, HEADER, WHEN, FeedUnderFault, row, rows
from hypothesis import given, settings
from hypothesis import strategies as st

from contract_files import small
from parkindex import contracts, text
from parkindex.contracts import pins
from parkindex.errors import BadInputError
from parkindex.raw import codes


def test_20_a_new_column_is_recorded_refused_or_set_aside_as_the_contract_says(feed: FeedUnderFault) -> None:
    wider = [*HEADER, "颜色"]
    path = feed.table_file("a.csv", [*GOOD, "红"], [*row(代码="B"), ""], header=wider)
    assert "颜色" in feed.refused(path, "file.column_unknown")
    feed.changed(("value: freeze", "value: evolve"))
    batch = feed.loaded(feed.table_file("b.csv", [*GOOD, "红"], header=wider))
    assert (batch.rows_accepted, batch.reason) == (1, "note: ignored columns that the contract does not have: 颜色")


def test_20_in_quarantine_only_rows_with_a_value_there_are_set_aside(feed: FeedUnderFault) -> None:
    feed.changed(("value: freeze", "value: quarantine"))
    batch = feed.loaded(feed.table_file("a.csv", [*GOOD, "红"], [*row(代码="B"), ""], header=[*HEADER, "颜色"]))
    assert feed.rejects(batch) == [(2, "颜色", "column.unknown")]


def test_21_columns_are_found_by_name_and_a_renamed_one_by_its_likeness(feed: FeedUnderFault) -> None:
    first = feed.loaded(feed.table_file("a.csv", GOOD))
    feed.loaded(feed.table_file("b.csv", GOOD[::-1], header=HEADER[::-1]))
    one, other = feed.sql("select * from raw.shops_v1 order by _batch_id")
    assert {name: cell for name, cell in one.items() if name[0] != "_"} == {
        name: cell for name, cell in other.items() if name[0] != "_"
    }
    assert first.rows_accepted == 1
    renamed = ["代码号", *HEADER[1:]]
    reason = feed.refused(feed.table_file("c.csv", GOOD, header=renamed), "file.column_missing")
    assert "'代码号' meant" in reason
    reason = feed.refused(feed.table_file("d.csv", GOOD[1:], header=HEADER[1:]), "file.sentinel")


def test_22_a_unit_that_shifts_is_held(feed: FeedUnderFault) -> None:
    plain = (
        "logicalTypeOptions: {exclusiveMinimum: 0, maximum: 5000}",
        "customProperties: [{property: unitGuard, value: true}]",
    )
    feed.changed(plain, ("numeric(6,2)", "numeric(16,2)"))
    for day in range(3):
        lines = [row(代码=f"{day}-{number}", 面积=str(100 + number + day)) for number in range(40)]
        feed.loaded(feed.table_file(f"{day}.csv", *lines), WHEN + timedelta(days=day))
    lines = [row(代码=f"x-{number}", 面积=f"{100 + number}0000") for number in range(40)]
    reason = feed.refused(feed.table_file("x.csv", *lines), "file.unit_shift", WHEN + timedelta(days=9))
    assert "area" in reason


def test_23_an_unknown_code_is_set_aside_and_counted_never_other(feed: FeedUnderFault) -> None:
    batch = feed.loaded(feed.table_file("a.csv", row(类别="酒"), row(代码="B", 类别="酒"), row(代码="C")))
    assert feed.rejects(batch) == [(2, "kind", "value.enum"), (3, "kind", "value.enum")]
    assert [one["kind"] for one in feed.raw()] == ["茶"]


def test_24_a_contract_edited_without_a_new_version_is_refused(feed: FeedUnderFault) -> None:
    feed.patch.undo()
    folder = feed.folder / "contracts"
    folder.mkdir()
    small(folder)
    assert pins.pin(contracts.load_all(folder).values(), folder) == ["shops 1.0.0"]
    assert pins.pin(contracts.load_all(folder).values(), folder) == []
    small(folder, ("maxLength: 8", "maxLength: 9"))
    for load_again in (lambda: contracts.load("shops", folder), lambda: contracts.load_all(folder)):
        with pytest.raises(BadInputError, match="was changed and is still") as caught:
            load_again()
        assert caught.value.why.startswith("contract.pinned")
        assert "contract pin" in caught.value.next_step
    small(folder, ("maxLength: 8", "maxLength: 9"), ("version: 1.0.0", "version: 1.1.0"))
    assert pins.pin(contracts.load_all(folder).values(), folder) == ["shops 1.1.0"]
    (folder / pins.FILE).write_text("[]", "utf-8")
    with pytest.raises(BadInputError, match="cannot be read"):
        contracts.load_all(folder)


def test_25_a_code_in_any_case_and_width_is_judged_by_its_check_digit(feed: FeedUnderFault) -> None:
    checked = "{property: matchKey, value: identifier}, {property: check, value: uscc}"
    feed.changed(("{property: matchKey, value: identifier}", checked))
    good = "91310115000000123" + codes.uscc_check_character("91310115000000123")
    wrong = good[:-1] + ("A" if good[-1] != "A" else "B")
    lines = [row(代码=good.lower()), row(代码=wrong), row(代码="310115000123456")]
    batch = feed.loaded(feed.table_file("a.csv", *lines))
    assert feed.rejects(batch) == [
        (3, "code", "uscc.check_digit"),
        (4, "code", "uscc.old_registration_number"),
    ]
    assert [(one["code"], one["code_key"]) for one in feed.raw()] == [(good.lower(), good)]


def test_25_an_old_number_is_accepted_where_the_contract_permits_it(feed: FeedUnderFault) -> None:
    checked = "{property: matchKey, value: identifier}, {property: check, value: uscc_or_registration_number}"
    feed.changed(("{property: matchKey, value: identifier}", checked))
    batch = feed.loaded(feed.table_file("a.csv", row(代码="310115000123456"), row(代码="310115000123457")))
    assert feed.rejects(batch) == [(3, "code", "uscc.old_number_check_digit")]


FIRST = st.text(st.sampled_from(codes.USCC_ALPHABET), min_size=17, max_size=17).map(
    lambda made: made[:2] + "310115" + made[8:]
)


@settings(deadline=None, max_examples=80)
@given(FIRST, st.integers(0, 17), st.sampled_from(codes.USCC_ALPHABET))
def test_25_one_wrong_character_is_always_found(first: str, place: int, other: str) -> None:
    code = first + codes.uscc_check_character(first)
    assert not broken(code)
    assert not broken(text.key_of("identifier", f" {code.lower()} "))
    if code[place] != other:
        assert broken(code[:place] + other + code[place + 1 :])


def broken(code: str) -> bool:
    found = codes.uscc_faults(pl.Series([code]), old_numbers_allowed=False)
    return any(mask.any() for mask in found.values())


@pytest.mark.parametrize("count", [1, 7])
def test_25_the_same_code_twice_with_other_contents_counts_for_nobody(feed: FeedUnderFault, count: int) -> None:
    batch = feed.loaded(feed.table_file("a.csv", *rows(count), row(代码="R0", 面积="99")))
    assert [rule for _, _, rule in feed.rejects(batch)] == ["key.contradicted"] * 2
    assert len(feed.raw()) == count - 1
