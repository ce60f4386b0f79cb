"""Rows set aside and what becomes of them: replays, returns, closing, corrections, and the account that stays whole."""

from __future__ import annotations

import csv
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook
from shop_feed import WHEN, Shop, changed, shop
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from xlsxwriter import Workbook

from parkindex.errors import AlteredError, BadInputError, UsageError
from parkindex.landing.refusal import FileRefusedError
from parkindex.publish import annex
from parkindex.raw import history, rejects, replay, returns, status

__all__ = ["shop"]
LATER = WHEN + timedelta(days=10)
WIDER = ("enum: [{value: 茶}, {value: 书}]", "enum: [{value: 茶}, {value: 书}, {value: 花}]")


def run(shop: Shop, **narrow: object) -> list[replay.Replayed]:
    made = replay.replay(shop.engine, shop.settings, received_at=LATER, by="李四", **narrow)  # type: ignore[arg-type]
    shop.conserved()
    return made


def test_a_contract_fix_brings_rows_in_from_the_kept_bytes(shop: Shop) -> None:
    batch = shop.land("a.csv", changed(), changed(代码="B", 类别="花"), changed(代码="C", 面积="x"))
    shop.deliver("a.csv", changed(代码="Z"))  # what the provider's folder holds by now does not matter
    shop.use(WIDER)
    (done,) = run(shop, feed="shops")
    assert (done.replays_batch_id, done.judged, done.accepted, done.still_rejected) == (batch.batch_id, 2, 1, 1)
    brought = shop.sql(f"select * from raw.shops_v1 where _batch_id = {done.batch_id}")
    assert [(row["code"], row["kind"], row["_source_file"], row["_source_row"]) for row in brought] == [
        ("B", "花", "a.csv", 3)
    ]
    assert brought[0]["_known_at"] == LATER
    (recorded,) = shop.sql(f"select * from raw.batches where batch_id = {done.batch_id}")
    assert (recorded["file_received_at"], recorded["received_at"], recorded["rows_landed"]) == (WHEN, LATER, 1)
    first, second = (rejects.show(shop.engine, number) for number in (1, 2))
    assert first["resolved_by"] == f"batch {done.batch_id}"
    assert [(one["event"], one["actor"], one["batch_id"]) for one in first["history"]] == [
        ("accepted", "李四", done.batch_id)
    ]
    assert second["resolved_by"] is None
    assert [(one["event"], one["note"]) for one in second["history"]] == [("replayed", "type.number")]
    # Landed once, counted once.
    (feed,) = status.feeds(shop.engine, shop.settings)
    assert [feed[f"rows_{what}"] for what in ("landed", "accepted", "rejected", "duplicate")] == [3, 2, 1, 0]
    assert feed["last_received_at"] == WHEN
    # A second replay finds nothing more.
    assert [(one.batch_id, one.accepted, one.still_rejected) for one in run(shop, feed="shops")] == [(None, 0, 1)]
    assert len(shop.sql("select from raw.shops_v1")) == 2


def test_published_quality_counts_a_row_once_and_as_it_was_known(shop: Shop) -> None:
    shop.land("a.csv", changed(), changed(代码="B", 类别="花"), changed(代码="C", 面积="x"), changed())
    shop.use(WIDER)
    run(shop, feed="shops")
    shares = {}
    for as_known in (WHEN, LATER):
        with shop.engine.connect() as connection:
            found = annex.measured(connection, 2025, as_known)
        (row,) = found["data_quality"]
        (park,) = found["park_quality"]
        assert (park["park_code"], park["rows_accepted"], park["rows_rejected"]) == (
            "none",
            row["rows_accepted"],
            row["rows_rejected"],
        )
        shares[as_known] = [row[name] for name in ("batches", "rows_landed", "rows_accepted", "rows_rejected")]
        assert row["rows_landed"] == row["rows_accepted"] + row["rows_rejected"] + row["rows_duplicate"]
    assert shares == {WHEN: [1, 4, 1, 2], LATER: [1, 4, 2, 1]}


def test_rejects_are_counted_per_park_where_rows_name_it(shop: Shop) -> None:
    shop.use(
        ("- name: code\n", "- name: park_code\n"),
        ("version: 1.0.0", "version: 2.0.0"),
        ("physicalName: shops_v1", "physicalName: shops_v2"),
        (
            "synonyms: [{synonym: 代码}]",
            "synonyms: [{synonym: 代码}, {synonym: 占比%}]\n        logicalTypeOptions: {pattern: '^P[0-9]{2}$'}",
        ),
    )
    rows = [
        changed(代码="P01"),
        changed(代码="P01", 注册日期="2021-01-01", 类别="花"),
        changed(代码="P02"),
        changed(代码="?"),
    ]
    shop.land("a.csv", *rows)
    expected = [
        ("shops", "P01", 1, 1, Decimal("0.5")),
        ("shops", "P02", 1, 0, Decimal(0)),
        ("shops", None, 0, 1, Decimal(1)),
    ]
    assert [tuple(row.values()) for row in status.by_park(shop.engine)] == expected
    # Whoever settles a row does not make a delivery better than it was.
    rejects.close(shop.engine, 1, "李四", "never opened")
    assert [tuple(row.values()) for row in status.by_park(shop.engine)] == expected
    (feed,) = status.feeds(shop.engine, shop.settings)
    assert (feed["rows_rejected"], feed["rejects_open"], feed["reject_share"]) == (2, 1, Decimal("0.5"))
    assert feed["rows_accepted"] == sum(row["rows_accepted"] for row in status.by_park(shop.engine))


def test_a_row_that_a_correction_replaced_is_counted_once(shop: Shop) -> None:
    shop.use(("- name: code\n", "- name: park_code\n"), ("version: 1.0.0", "version: 2.0.0"), ("shops_v1", "shops_v2"))
    shop.land("a.csv", changed(代码="P01"), changed(代码="P02"), changed(代码="P03", 类别="花"))
    shop.correct(
        "wrong-park", locate="{park_code: P02}", expect="{seats: '10'}", action="override", set="{seats: '12'}"
    )
    before = status.feeds(shop.engine, shop.settings)[0]
    (done,) = replay.replay(shop.engine, shop.settings, feed="shops", received_at=LATER, by="李四")
    assert (done.accepted, done.changed) == (0, 1)
    after = status.feeds(shop.engine, shop.settings)[0]
    assert {name: after[name] for name in before} == before
    assert [(row["park_code"], row["rows_accepted"], row["rows_rejected"]) for row in status.by_park(shop.engine)] == [
        ("P01", 1, 0),
        ("P02", 1, 0),
        ("P03", 0, 1),
    ]


@hypothesis_settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["茶", "花", "书", "草"]),
            st.sampled_from(["1", "x", "9000", ""]),
            st.sampled_from(["王", "王1"]),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_a_replay_ends_where_a_fresh_load_by_the_new_contract_would(
    shop: Shop, records: list[tuple[str, str, str]]
) -> None:
    number = len(shop.sql("select from raw.batches"))
    rows = [
        changed(代码=f"P{number}-{place}", 类别=kind, 面积=area, 店主=owner)
        for place, (kind, area, owner) in enumerate(records)
    ]
    shop.use()
    first = shop.land(f"p{number}.csv", *rows)
    shop.use(WIDER, ("maximum: 5000", "maximum: 9999"))
    if first.rows_rejected:
        run(shop, batch_id=first.batch_id)
    # The same rows, but not the same bytes: a blank line is no record.
    fresh = shop.land(f"q{number}.csv", *rows, [])
    accepted = {
        name: shop.sql(
            f"select _source_row, kind, area, owner from raw.shops_v1 where _source_file = '{name}' order by 1"
        )
        for name in (f"p{number}.csv", f"q{number}.csv")
    }
    assert accepted[f"p{number}.csv"] == accepted[f"q{number}.csv"]
    assert rejects.count(shop.engine, batch_id=first.batch_id, only_open=True) == fresh.rows_rejected


def test_a_replay_may_be_narrowed_to_a_rule_a_batch_or_single_rejects(shop: Shop) -> None:
    rows = [changed(代码=f"B{number}", 类别="花") for number in range(3)]
    one = shop.land("a.csv", *rows, changed(代码="C", 面积="x"))
    two = shop.land("b.csv", changed(代码="D", 类别="花"))
    shop.use(WIDER)
    assert [done.judged for done in run(shop, rule="type.number")] == [1]
    assert [(done.judged, done.accepted) for done in run(shop, reject_ids=[2])] == [(1, 1)]
    assert [done.replays_batch_id for done in run(shop, batch_id=two.batch_id)] == [two.batch_id]
    assert [(done.replays_batch_id, done.judged, done.accepted) for done in run(shop, feed="shops")] == [
        (one.batch_id, 3, 2)
    ]
    with pytest.raises(BadInputError, match="no reject 99"):
        run(shop, reject_ids=[99])
    with pytest.raises(BadInputError, match="no loaded file 77"):
        run(shop, batch_id=77)
    with pytest.raises(UsageError, match="Nothing says which"):
        run(shop)
    with pytest.raises(BadInputError, match="before its file"):
        replay.replay(shop.engine, shop.settings, feed="shops", received_at=WHEN)


def test_a_row_that_came_good_but_contradicts_another_stays_out(shop: Shop) -> None:
    shop.land("a.csv", changed(代码="B"), changed(代码="b", 类别="花"), changed(代码="C", 类别="花"))
    shop.use(WIDER)
    (done,) = run(shop, feed="shops")
    assert (done.accepted, done.still_rejected) == (1, 1)
    assert [row["code"] for row in shop.sql("select code from raw.shops_v1 order by code")] == ["B", "C"]
    assert rejects.show(shop.engine, 1)["history"][0]["note"] == "key.contradicted"


def test_a_replay_of_bytes_that_were_changed_is_refused(shop: Shop) -> None:
    shop.land("a.csv", changed(类别="花"))
    (row,) = shop.sql("select landing_path from raw.batches")
    path = shop.settings.landing / row["landing_path"]
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace("花".encode(), "茶".encode()))
    with pytest.raises(AlteredError, match="not those that were landed"):
        run(shop, feed="shops")


def test_a_reject_is_settled_once_and_never_without_its_history(shop: Shop) -> None:
    shop.land("a.csv", changed(类别="花"))
    with pytest.raises(IntegrityError, match="history has 0 settling"), shop.engine.begin() as connection:
        connection.execute(text("update raw.rejects set resolved_by = 'me'"))
    with pytest.raises(UsageError):
        rejects.close(shop.engine, 1, "李四", " ")
    rejects.close(shop.engine, 1, "李四", "the shop was never opened")
    assert rejects.show(shop.engine, 1)["history"][0]["note"] == "the shop was never opened"
    with pytest.raises(BadInputError, match="settled by 李四 already"):
        rejects.close(shop.engine, 1, "李四", "again")
    with pytest.raises(IntegrityError, match="append-only"), shop.engine.begin() as connection:
        connection.execute(text("delete from raw.reject_events"))
    assert run(shop, feed="shops") == []


# -------------------------------------------------------------------------------------------------------------- returns


def exported(shop: Shop, name: str) -> list[list[str]]:
    path = shop.folder / name
    rejects.export(shop.engine, path, keys=shop.settings.keys)
    if path.suffix == ".xlsx":
        return CalamineWorkbook.from_path(str(path)).get_sheet_by_name("rejects").to_python()  # type: ignore[return-value]
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.reader(stream))


@pytest.mark.parametrize("kind", ["csv", "gb18030.csv", "xlsx"])
def test_an_export_that_came_back_corrected_settles_its_rejects(shop: Shop, kind: str) -> None:
    shop.land(
        "a.csv",
        changed(),
        changed(代码="B", 类别="花", 店主="=王小明"),
        changed(代码="C", 面积="x"),
        changed(代码="D", 面积="y"),
        [*changed(代码="E"), "多"],
    )
    lines = exported(shop, f"r.{kind}")
    place = {header: number for number, header in enumerate(lines[0])}
    assert lines[1][place["rule_zh"]] == "不在代码表中"
    by_code = {line[place["代码"]]: line for line in lines[1:]}
    by_code["B"][place["类别"]] = "茶"
    by_code["C"][place["面积"]] = "-1"
    by_code["E"][place["#10"]] = ""
    path = shop.folder / f"back.{kind}"
    if kind == "xlsx":
        with Workbook(str(path), {"strings_to_formulas": False}) as book:
            sheet = book.add_worksheet("rejects")
            for number, line in enumerate(lines):
                sheet.write_row(number, 0, line)
            sheet.write_number(2, place["面积"], -1)
    else:
        with path.open("w", encoding="gb18030" if kind.startswith("gb") else "utf-8-sig", newline="") as stream:
            csv.writer(stream).writerows(lines)
    (batch,) = returns.land(shop.engine, shop.settings, path, LATER, by="李四")
    shop.conserved()
    assert (batch.rows_landed, batch.rows_accepted, batch.rows_rejected, batch.rows_duplicate) == (4, 2, 1, 1)
    stored = shop.sql(f"select * from raw.shops_v1 where _batch_id = {batch.batch_id} order by code")
    assert [(row["code"], row["owner"], row["_known_at"]) for row in stored] == [
        ("B", None, LATER),
        ("E", None, LATER),
    ]
    told = {number: rejects.show(shop.engine, number) for number in range(1, 6)}
    events = {number: [one["event"] for one in row["history"]] for number, row in told.items()}
    by_row = {row["source_row"]: number for number, row in told.items() if row["source_file"] == "a.csv"}
    assert events[by_row[3]] == events[by_row[6]] == ["returned"]
    assert events[by_row[4]] == ["rejected_again"]
    assert events[by_row[5]] == []
    again = told[5]
    assert (again["source_file"], again["rule"], again["value"]) == (f"back.{kind}", "value.range", "-1")
    assert told[by_row[4]]["history"][0]["note"] == "reject 5"
    # The same file again does nothing; the next export holds what is open.
    assert returns.land(shop.engine, shop.settings, path, LATER)[0].status == "already_landed"
    assert sorted(line[0] for line in exported(shop, "next.csv")[1:]) == sorted(["5", str(by_row[5])])
    # A returned row can be replayed like any other.
    shop.use(("exclusiveMinimum: 0", "minimum: -5"))
    with pytest.raises(BadInputError, match="before its file"):
        run(shop, rule="value.range")
    done = replay.replay(shop.engine, shop.settings, rule="value.range", received_at=LATER + timedelta(days=1))
    assert [one.accepted for one in done] == [1]
    shop.conserved()


@pytest.mark.parametrize(
    ("header", "line", "words"),
    [
        (["x"], ["1"], "do not begin with"),
        (None, ["99"], "no reject 99"),
        (None, ["x"], "does not say which reject"),
    ],
)
def test_a_file_that_answers_nothing_is_refused_whole(
    shop: Shop, header: list[str] | None, line: list[str], words: str
) -> None:
    shop.land("a.csv", changed(类别="花"))
    path = shop.folder / "back.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([header or list(rejects.EXPORTED), line])
    with pytest.raises(FileRefusedError, match=words) as caught:
        returns.land(shop.engine, shop.settings, path, LATER)
    assert caught.value.rule == "file.return"
    assert rejects.show(shop.engine, 1)["history"] == []


def test_a_settled_reject_is_not_answered_twice(shop: Shop) -> None:
    shop.land("a.csv", changed(代码="B", 类别="花"))
    exported(shop, "r.csv")
    text_of = (shop.folder / "r.csv").read_text("utf-8-sig")
    for name, code in (("one.csv", "茶"), ("two.csv", "书")):
        (shop.folder / name).write_text(text_of.replace(",花,", f",{code},"), "utf-8")
    returns.land(shop.engine, shop.settings, shop.folder / "one.csv", LATER)
    with pytest.raises(FileRefusedError, match=r"settled already: 1 \(by batch 2\)"):
        returns.land(shop.engine, shop.settings, shop.folder / "two.csv", LATER)


# ---------------------------------------------------------------------------------------------------------- corrections


def test_corrections_are_applied_at_loading_and_recorded_per_row(shop: Shop) -> None:
    shop.correct("b-kind", locate="{code: b}", expect="{kind: 花}", action="override", set="{kind: 茶}")
    shop.correct("c-area", locate="{code: C}", expect='{area: "125000"}', action="scale", scale="{area: 0.0001}")
    shop.correct("d-gone", locate="{code: D}", expect="{name: 茶馆}", action="drop")
    shop.correct("e-look", locate="{code: E}", expect="{name: 茶馆}", action="flag")
    shop.correct("f-owner", locate="{code: F}", expect="{owner: 王1}", action="override", set="{owner: 王一}")
    shop.correct("g-other", file='"z*.csv"', locate="{code: G}", expect="{name: 书店}", action="drop")
    shop.correct("h-over", valid_until="2025-02-28", locate="{code: G}", expect="{name: 书店}", action="drop")
    batch = shop.land(
        "a.csv",
        changed(代码="B", 类别="花"),
        changed(代码="C", 面积="125000"),
        changed(代码="D"),
        changed(代码="E"),
        changed(代码="F", 店主="王1"),
        changed(代码="G"),
    )
    shop.conserved()
    assert (batch.rows_accepted, batch.rows_rejected) == (5, 1)
    stored = {row["code"]: row for row in shop.sql("select * from raw.shops_v1")}
    assert (stored["B"]["kind"], str(stored["C"]["area"]), stored["F"]["owner"]) == ("茶", "12.50", None)
    touched = {row["correction_id"]: row for row in shop.sql("select * from raw.corrected_rows")}
    assert {name: (row["source_row"], row["column_name"]) for name, row in touched.items()} == {
        "b-kind": (2, "kind"),
        "c-area": (3, "area"),
        "d-gone": (4, ""),
        "e-look": (5, ""),
        "f-owner": (6, "owner"),
    }
    assert (touched["b-kind"]["old_value"], touched["b-kind"]["new_value"]) == ("花", "茶")
    assert touched["f-owner"]["old_value"] == "王＊＊"
    (dropped,) = rejects.list_rejects(shop.engine)
    assert (dropped["rule"], dropped["resolved_by"]) == ("correction.dropped", "correction d-gone")
    assert "b-kind (1)" in str(batch.reason)


def test_a_correction_whose_error_is_gone_refuses_the_file(shop: Shop) -> None:
    shop.correct("b-kind", locate="{code: B}", expect="{kind: 花}", action="override", set="{kind: 茶}")
    assert shop.land("other.csv", changed()).status == "loaded"
    batch = shop.land("a.csv", changed(代码="B", 类别="书"))
    assert batch.status == "refused"
    assert str(batch.reason).startswith(
        "file.correction_stale: The correction b-kind no longer finds its error in kind"
    )


def test_a_correction_that_came_later_is_applied_by_a_replay(shop: Shop) -> None:
    first = shop.land(
        "a.csv",
        changed(代码="A"),
        changed(代码="B", 面积="125000", 名称="书店"),
        changed(代码="C", 面积="4000"),
        changed(代码="D"),
        changed(代码="E"),
        changed(代码="E", 面积="13"),
    )
    assert first.rows_rejected == 3
    shop.correct("b-area", locate="{code: B}", expect='{area: "125000"}', action="scale", scale="{area: 0.0001}")
    shop.correct("c-area", locate="{code: C}", expect='{area: "4000"}', action="override", set="{area: 40}")
    shop.correct("d-gone", locate="{code: D}", expect="{name: 茶馆}", action="drop")
    shop.correct("e-once", locate='{code: E, area: "13"}', expect="{name: 茶馆}", action="drop")
    (done,) = run(shop, feed="shops")
    assert (done.judged, done.accepted, done.dropped, done.still_rejected) == (3, 2, 1, 0)
    assert (done.changed, done.withdrawn) == (1, 1)
    gone = shop.sql("select * from raw.withdrawn_rows order by source_row")
    assert [(row["source_row"], row["is_replaced"], row["correction_id"], row["known_at"]) for row in gone] == [
        (4, True, "c-area", LATER),
        (5, False, "d-gone", LATER),
    ]
    brought = shop.sql(f"select code, area from raw.shops_v1 where _batch_id = {done.batch_id} order by code")
    assert [(row["code"], str(row["area"])) for row in brought] == [("B", "12.50"), ("C", "40.00"), ("E", "12.50")]
    again = run(shop, feed="shops")
    assert [(one.batch_id, one.changed, one.withdrawn) for one in again] == [(None, 0, 0)]


def test_a_correction_may_not_break_a_good_row(shop: Shop) -> None:
    shop.land("a.csv", changed(代码="B"))
    shop.correct("b-kind", locate="{code: B}", expect="{kind: 茶}", action="override", set="{kind: 花}")
    with pytest.raises(BadInputError, match="breaks a row that is good"):
        run(shop, feed="shops")
    assert shop.sql("select from raw.withdrawn_rows") == []


def test_two_people_who_answer_one_row_at_once_get_one_settlement_and_one_clear_refusal(shop: Shop) -> None:
    shop.land("a.csv", changed(类别="花"))
    with shop.engine.connect() as one, one.begin():
        history.settle(one, [1], "closed", "张三", "张三", notes={1: "never opened"})
        with ThreadPoolExecutor(1) as pool:
            other = pool.submit(rejects.close, shop.engine, 1, "李四", "never opened")
            until = time.monotonic() + 30
            waits = "select count(*) from pg_locks where not granted"
            while not shop.sql(waits)[0]["count"]:  # it has read the row as open, and waits
                assert time.monotonic() < until
                time.sleep(0.01)
            one.commit()
            with pytest.raises(BadInputError, match="settled by somebody else meanwhile") as caught:
                other.result()
    assert caught.value.why == "1 by 张三"
    assert "rejects show 1" in caught.value.next_step
    assert [(one["event"], one["actor"]) for one in rejects.show(shop.engine, 1)["history"]] == [("closed", "张三")]


def test_a_new_version_leaves_to_a_person_what_they_are_settling(shop: Shop) -> None:
    shop.land("a.csv", changed(类别="花"))
    with shop.engine.connect() as person, person.begin():
        history.settle(person, [1], "closed", "张三", "张三", notes={1: "never opened"})
        with ThreadPoolExecutor(1) as pool:
            landing = pool.submit(shop.land, "a.csv", changed(代码="B"), at=LATER)
            until = time.monotonic() + 30
            while not shop.sql("select count(*) from pg_locks where not granted")[0]["count"]:
                assert time.monotonic() < until
                time.sleep(0.01)
            person.commit()
            assert landing.result().status == "loaded"
    assert [one["event"] for one in rejects.show(shop.engine, 1)["history"]] == ["closed"]
    shop.conserved()
