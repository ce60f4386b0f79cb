"""What holds a file, what drifts, and what a new version of a file changes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from shop_feed import WHEN, Shop, changed, shop

from parkindex.errors import UsageError
from parkindex.raw import limits, rejects
from parkindex.raw.limits import Acceptance

__all__ = ["shop"]
END = "customProperties:\n  - {property: onUnknownColumn, value: freeze}\n"


def said(*properties: str) -> tuple[str, str]:
    return END, END + "".join(f"  - {{property: {one}}}\n" for one in properties)


def accepting(rule: str) -> Acceptance:
    return Acceptance(frozenset({rule}), "张三", "confirmed by phone")


@pytest.mark.parametrize("limit", ["{count: 1}", "{share: 0.05}", "{count: 5, share: 0.05}"])
def test_too_many_rejects_hold_a_file_until_somebody_lets_it_in(shop: Shop, limit: str) -> None:
    shop.use(said(f"rejectLimit, value: {limit}"))
    rows = [changed(代码=f"G{number}") for number in range(17)]
    rows += [changed(代码="B", 类别="花"), changed(代码="C", 类别="花"), changed(代码="G0")]
    held = shop.land("a.csv", *rows)
    assert held.status == "refused"
    assert (held.rows_landed, held.rows_accepted, held.rows_rejected, held.rows_duplicate) == (20, 0, 2, 1)
    assert str(held.reason).startswith("file.reject_limit: 2 of 20 rows are set aside; the contract allows")
    assert shop.sql("select from raw.shops_v1") == []
    assert [row["batch_id"] for row in rejects.list_rejects(shop.engine)] == [held.batch_id] * 2
    # Landed again it is the same refusal; the rows are there once.
    assert shop.land("a.csv", *rows) == held
    assert rejects.count(shop.engine) == 2
    # Another acceptance than the one that is needed does not help.
    assert shop.land("a.csv", *rows, accept=accepting(limits.SHRINK)).status == "refused"
    loaded = shop.land("a.csv", *rows, accept=accepting(limits.REJECTS))
    shop.conserved()
    assert (loaded.status, loaded.rows_accepted, loaded.rows_rejected) == ("loaded", 17, 2)
    assert str(loaded.reason).startswith("accepted by 张三: confirmed by phone (file.reject_limit: 2 of 20")
    told = shop.sql("select * from audit.attempts where subject like 'shops batch %' order by attempt_id")
    assert [(row["action"], row["outcome"]) for row in told] == [("land", "refused"), ("land", "done")]
    assert told[1]["actor"] == "张三"
    assert "confirmed by phone" in told[1]["reason"]
    # What was set aside while the file was held is settled by the batch that let it in.
    assert rejects.count(shop.engine, only_open=True) == 2
    (first, *_) = rejects.list_rejects(shop.engine, batch_id=held.batch_id)
    assert first["resolved_by"] == f"batch {loaded.batch_id}"


def test_the_share_of_few_rows_holds_nothing(shop: Shop) -> None:
    shop.use(said("rejectLimit, value: {share: 0.05}"))
    assert shop.land("a.csv", changed(), changed(代码="B", 类别="花")).status == "loaded"


def test_who_lets_a_file_in_says_who_and_why() -> None:
    for by, reason in (("", "x"), ("张三", " ")):
        with pytest.raises(UsageError, match="who, and why"):
            Acceptance(frozenset({limits.REJECTS}), by, reason)


def test_a_full_delivery_that_shrinks_is_no_deletion(shop: Shop) -> None:
    shop.use(said("delivery, value: full", "maxShrinkShare, value: 0.2"))
    rows = [changed(代码=f"S{number}") for number in range(10)]
    shop.land("jan.csv", *rows)
    held = shop.land("feb.csv", *rows[:4], at=WHEN + timedelta(days=30))
    assert str(held.reason).startswith("file.shrunk: 4 rows after 10 in batch 1: a full delivery may shrink by 20 %")
    assert shop.land("mar.csv", *rows[:8], at=WHEN + timedelta(days=60)).status == "loaded"
    # A delivery is compared with the one before it in time, not with a later one.
    assert shop.land("old.csv", *rows[:2], at=WHEN - timedelta(days=30)).status == "loaded"
    let_in = shop.land("feb.csv", *rows[:4], at=WHEN + timedelta(days=30), accept=accepting(limits.SHRINK))
    assert let_in.status == "loaded"
    shop.conserved()


@pytest.mark.parametrize(("factor", "power"), [(10_000, 4), (0.001, -3)])
def test_a_unit_that_changed_holds_a_file(shop: Shop, factor: float, power: int) -> None:
    shop.use(
        ("logicalTypeOptions: {minimum: 0}\n", "customProperties: [{property: unitGuard, value: true}]\n"),
        ("property: atMost, value: seats", "property: unitGuard, value: false"),
    )
    months = [
        [changed(代码=f"M{month}-{number}", 座位=str(20_000 + number * 1_000 + month)) for number in range(40)]
        for month in range(3)
    ]
    for month, rows in enumerate(months):
        assert shop.land(f"m{month}.csv", *rows, at=WHEN + timedelta(days=30 * month)).status == "loaded"
    shifted = [[*row[:6], str(int(int(row[6]) * factor)), *row[7:]] for row in months[0]]
    shifted = [[f"N{number}", *row[1:]] for number, row in enumerate(shifted)]
    held = shop.land("m3.csv", *shifted, at=WHEN + timedelta(days=90))
    assert str(held.reason).startswith("file.unit_shift: the median of shops.seats is ")
    assert f"about 10^{power} times as much" in str(held.reason)
    assert (
        shop.land("m3.csv", *shifted, at=WHEN + timedelta(days=90), accept=accepting(limits.SHIFT)).status == "loaded"
    )
    # Three times as much is growth, and few values say little.
    grown = [[*row[:6], str(int(row[6]) * 3), *row[7:]] for row in months[1]]
    assert shop.land("m4.csv", *grown, at=WHEN + timedelta(days=35)).status == "loaded"
    assert shop.land("m5.csv", *shifted[:20], at=WHEN + timedelta(days=36)).status == "loaded"


def test_codes_drift_as_the_contract_says(shop: Shop) -> None:
    rows = [changed(), changed(代码="B", 类别="茶叶"), changed(代码="C", 类别="茶叶")]
    assert shop.land("quarantine.csv", *rows).rows_rejected == 2
    shop.use(said("onUnknownCode, value: freeze"))
    assert str(shop.land("freeze.csv", *rows, changed(代码="Z")).reason) == (
        "file.code_unknown: '茶叶' of kind is not in the code list (is '茶' meant?), and 1 more in this block. (row 3)"
    )
    shop.use(said("onUnknownCode, value: evolve"))
    batch = shop.land("evolve.csv", *rows, changed(代码="Y"))
    assert (batch.rows_accepted, batch.rows_rejected) == (4, 0)
    assert "codes that the contract does not have in kind: '茶叶' in 2 row(s)" in str(batch.reason)


def test_types_drift_as_the_contract_says(shop: Shop) -> None:
    rows = [
        changed(代码="A", 注册日期="2020/2/29", 座位="1,010", 面积="1.25E+1"),
        changed(代码="B", 注册日期="2020年2月29日", 座位="10.0", 面积="+12.50"),
        changed(代码="C", 注册日期="2020-13-01"),
        changed(代码="D", 座位="10.5"),
        changed(代码="E", 面积="twelve"),
    ]
    assert shop.land("quarantine.csv", *rows).rows_rejected == 5
    shop.use(said("onTypeMismatch, value: freeze"))
    refused = shop.land("freeze.csv", *rows, changed(代码="Z"))
    assert str(refused.reason).startswith("file.type_drift: '2020/2/29' of registered is no date, and 2 more")
    shop.use(said("onTypeMismatch, value: evolve"))
    batch = shop.land("evolve.csv", *rows, changed(代码="Y"))
    assert (batch.rows_accepted, batch.rows_rejected) == (3, 3)
    stored = shop.sql("select code, registered::text, seats, area::text from raw.shops_v1 where code in ('A', 'B')")
    assert [tuple(row.values()) for row in sorted(stored, key=lambda row: row["code"])] == [
        ("A", "2020-02-29", 1010, "12.50"),
        ("B", "2020-02-29", 10, "12.50"),
    ]
    assert "2 value(s) of registered in another spelling" in str(batch.reason)


def test_a_new_version_says_what_it_changes_and_settles_the_old_rejects(shop: Shop) -> None:
    first = shop.land("a.csv", changed(代码="A"), changed(代码="B"), changed(代码="C"), changed(代码="D", 类别="花"))
    second = shop.land(
        "a.csv",
        changed(代码="A"),
        changed(代码="B", 面积="99"),
        changed(代码="D", 类别="书"),
        changed(代码="E"),
        at=WHEN + timedelta(days=1),
    )
    assert second.reason == f"new version of batch {first.batch_id}: by key 2 added, 1 removed, 1 changed"
    (recorded,) = shop.sql(f"select * from raw.batches where batch_id = {second.batch_id}")
    assert recorded["changes"] == {"shops_v1": {"added": 2, "removed": 1, "changed": 1, "same": 1}}
    assert recorded["previous_batch_id"] == first.batch_id
    told = rejects.show(shop.engine, 1)
    assert (told["resolved_by"], told["history"][0]["event"]) == (f"batch {second.batch_id}", "superseded")
    # Both versions stay, each with its own known time; a version that comes late is compared with what was before it.
    assert len(shop.sql("select from raw.shops_v1 where code = 'A'")) == 2
    late = shop.land("a.csv", changed(代码="A", 面积="1"), at=WHEN - timedelta(days=1))
    assert late.reason is None
    shop.conserved()


def test_rows_that_withdraw_a_key_are_marked_where_the_contract_says_so(shop: Shop) -> None:
    grain = "    dataGranularityDescription: One row per shop and day.\n"
    withdrawal = "{property: withdrawal, value: {column: kind, values: [废止]}}"
    shop.use(
        (grain, f"{grain}    customProperties: [{withdrawal}]\n"),
        ("{value: 书}]", "{value: 书}, {value: 废止}]"),
        ("version: 1.0.0", "version: 2.0.0"),
        ("physicalName: shops_v1", "physicalName: shops_v2"),
    )  # fmt: skip
    shop.land("a.csv", changed(代码="A"))
    shop.land("b.csv", changed(代码="A", 类别="废止"), at=WHEN + timedelta(days=1))
    rows = shop.sql("select is_withdrawn, _known_at from raw.shops_v2 order by _known_at")
    assert [tuple(row.values()) for row in rows] == [(False, WHEN), (True, WHEN + timedelta(days=1))]
