from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy.exc import DatabaseError

from parkindex import contracts, pipeline
from parkindex.errors import BadInputError, NotApprovedError
from parkindex.ledger import tables
from parkindex.publish import chain, contract_changes, guards, releases, serve, withdrawals
from parkindex.publish.contract_changes import ContractChanges
from parkindex.settings import Settings

PARK_RANKING = [
    *("edition", "release_id", "park_code", "park_name_zh", "park_name_en", "rank", "is_tied", "score", "tier"),
    *("status", "rank_low", "rank_high", "tier_share", "rank_previous", "rank_change", "obs_status"),
]
# What interface.md promises of each view, in its order where it gives one.
PROMISED = {
    "park_ranking": PARK_RANKING,
    "area_scores": ["edition", "release_id", "park_code", "area_code", "score"],
    "indicator_scores": [
        *("indicator_code", "value", "unit", "numerator", "denominator", "data_year", "obs_status", "reason"),
        *("bound_low", "bound_high", "score", "weight", "contribution", "rank"),
    ],
    "indicators": ["edition", "release_id", "indicator_code", "weight"],
    "parks": ["edition", "release_id", "park_code"],
    "zone_targets": ["target_code", "value", "goal", "basis", "met"],
    "park_status": ["edition", "park_code", "status", "strikes", "rule", "evidence"],
    "releases": ["release_id", "edition", "is_current"],
    "revisions": ["edition", "release_id", "old_value", "new_value", "previous_release_id"],
    "data_quality": ["feed", "batches", "rows_landed", "rows_rejected", "reject_share", "late_days"],
    "park_quality": ["edition", "release_id", "feed", "park_code", "rows_accepted", "rows_rejected", "reject_share"],
    "feed_contracts": ["edition", "release_id", "feed", "version", "contract_sha256", "document"],
}


def test_a_release_is_frozen_chained_served_and_listed(ready_house: Any) -> None:
    candidate = ready_house.first
    release = ready_house.publish(candidate)
    assert (release.release_id, release.sequence, release.previous_sha256) == ("2025.1", 1, "0" * 64)
    assert release.content_sha256 == candidate.content_sha256
    assert release.approved_by == "李评 (evaluator), 王签 (signatory)"
    assert release.chain_sha256 == chain.chain_sha256(release.as_dict())
    served = ready_house.sql("select * from serve.park_ranking_current order by rank nulls last")
    assert len(served) == 22
    assert served[0].release_id == "2025.1"
    listed = releases.list_releases(ready_house.engine)
    assert [(row["release_id"], row["is_current"]) for row in listed] == [("2025.1", True)]
    shown = releases.show(ready_house.engine, "2025")
    assert shown["release"]["content_sha256"] == candidate.content_sha256
    assert [row["rank"] for row in shown["park_ranking"]][:1] == [1]
    with pytest.raises(BadInputError, match=r"no release '2031\.1'"):
        releases.show(ready_house.engine, "2031.1")


def test_quality_counts_the_deliveries_known_and_how_old_they_are(released_house: Any) -> None:
    rows = {row.feed: row for row in released_house.sql("select * from serve.data_quality")}
    assert rows.keys() == contracts.load_all().keys()
    registry = rows["enterprise_registry"]
    assert (registry.batches, registry.rows_landed, registry.rows_rejected) == (1, 10, 1)
    assert registry.reject_share == Decimal("0.1")
    assert registry.late_days == -200
    assert (rows["patents"].batches, rows["patents"].late_days, rows["patents"].reject_share) == (0, None, None)


def test_quality_per_park_adds_up_to_that_per_feed(released_house: Any) -> None:
    rows = released_house.sql("select * from serve.park_quality")
    totals = {
        row.feed: (row.rows_accepted, row.rows_rejected)
        for row in released_house.sql("select * from serve.data_quality")
    }
    summed: dict[str, tuple[int, int]] = dict.fromkeys(totals, (0, 0))
    for row in rows:
        accepted, rejected = summed[row.feed]
        summed[row.feed] = (accepted + row.rows_accepted, rejected + row.rows_rejected)
    assert summed == totals
    assert [(row.feed, row.park_code, row.reject_share) for row in rows] == [
        ("enterprise_registry", "none", Decimal("0.111111111111"))
    ]


def test_a_release_keeps_the_contracts_in_force_and_todays_are_compared_with_them(
    released_house: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept = {row.feed: row for row in released_house.sql("select * from serve.feed_contracts_current")}
    today = contracts.load_all()
    assert {feed: (row.version, row.contract_sha256) for feed, row in kept.items()} == {
        feed: (contract.version, contract.sha256) for feed, contract in today.items()
    }
    engine = released_house.engine
    assert contract_changes.since_release(engine, "last") == ContractChanges("2025.1", {})
    text = kept["headcounts"].document.replace("maximum: 500000", "maximum: 100")
    assert text != kept["headcounts"].document
    path = tmp_path / "headcounts.odcs.yaml"
    path.write_text(text, "utf-8")
    changed = {**today, "headcounts": contracts.load_file(path)}
    del changed["patents"]
    monkeypatch.setattr(contracts, "load_all", lambda: changed)
    found = contract_changes.since_release(engine, "2025.1").changes
    assert sorted(found) == ["headcounts", "patents"]
    assert all(any(change.breaking for change in changes) for changes in found.values())
    assert any("insured_count" in change.what for change in found["headcounts"])
    with pytest.raises(BadInputError, match="no release"):
        contract_changes.since_release(engine, "2031.1")


def test_contracts_cannot_be_compared_with_a_release_that_is_not_there(house: Any) -> None:
    with pytest.raises(BadInputError, match="Nothing was published yet"):
        contract_changes.since_release(house.engine, "last")


def test_a_revision_lists_every_cell_that_changed_and_moves_the_pointer(house: Any) -> None:
    first = house.publish(house.ready())
    cell = house.cell("indicator_scores", "value", park_code="P03", indicator_code="B2")
    before, after = cell["value"], cell["value"] + 1
    cell["value"] = after
    second = house.publish(house.ready(), "C: typing error")
    assert second.previous_sha256 == first.chain_sha256
    revised = house.sql("select * from serve.revisions where table_name = 'indicator_scores'")
    assert [(row.row_key, row.column_name, Decimal(row.old_value), Decimal(row.new_value)) for row in revised] == [
        ("P03/B2", "value", before, after)
    ]
    compared = releases.compare(house.engine, "2025.1", "2025.2")
    scores = [one for one in compared if one["table_name"] == "indicator_scores"]
    assert [(one["row_key"], one["column_name"]) for one in scores] == [("P03/B2", "value")]
    assert (Decimal(scores[0]["value_before"]), Decimal(scores[0]["value_after"])) == (before, after)
    assert {one["reason"] for one in compared} == {"C: typing error"}
    assert {row.release_id for row in house.sql("select release_id from serve.park_ranking_current")} == {"2025.2"}
    assert len(house.sql("select * from serve.park_ranking")) == 44
    assert releases.compare(house.engine, "2025.1", "2025.1") == []


def test_views_have_the_promised_columns_with_comments_and_no_floats(house: Any) -> None:
    columns = house.sql(
        "select table_name, column_name, data_type, col_description(('serve.' || table_name)::regclass,"
        " ordinal_position::int) as comment from information_schema.columns where table_schema = 'serve'"
        " order by table_name, ordinal_position"
    )
    by_view: dict[str, list[str]] = {}
    for row in columns:
        by_view.setdefault(row.table_name, []).append(row.column_name)
        assert row.comment, f"{row.table_name}.{row.column_name} has no comment"
        assert row.data_type in {
            "integer",
            "bigint",
            "smallint",
            "numeric",
            "text",
            "boolean",
            "timestamp with time zone",
        }
    for view, promised in PROMISED.items():
        places = [by_view[view].index(name) for name in promised]
        assert places == sorted(places), view
        assert by_view[f"{view}_current"] == by_view[view]
    assert by_view["park_ranking"] == PARK_RANKING


def test_preparing_again_keeps_a_readers_own_view_and_waits_for_nobody(house: Any) -> None:
    house.sql("create schema bi; ")
    house.sql("create view bi.mine as select park_code, rank from serve.park_ranking_current")
    with house.engine.connect() as reader:
        reader.exec_driver_sql("select * from serve.park_ranking_current").all()  # holds its lock until it is closed
        with house.engine.begin() as connection:
            connection.exec_driver_sql("set local lock_timeout = '1s'")
            for statement in (*guards.statements(), *serve.statements()):
                connection.exec_driver_sql(statement)
    house.publish(house.ready())
    assert len(house.sql("select * from bi.mine")) == 22


def test_services_that_start_together_prepare_one_after_the_other(house: Any) -> None:
    passwords = house.settings.run / "readers.json"
    passwords.unlink(missing_ok=True)
    together = Barrier(4)

    def prepare(settings: Settings) -> dict[str, Any]:
        together.wait()
        return pipeline.prepare(settings)

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(prepare, [house.settings] * 4))
    assert done == [{"warnings": []}] * 4
    assert passwords.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in passwords.parent.iterdir()] == [passwords.name]


@pytest.mark.parametrize(
    "statement",
    [
        *(f"delete from publish.{table.name}" for table in tables.RELEASED_TABLES),
        "update publish.park_ranking set score = 99 where park_code = 'P01'",
        "truncate publish.park_ranking",
        "update publish.releases set reason = 'x'",
        "delete from publish.approvals",
        "update publish.approvers set role = 'signatory'",
        "update publish.candidates set content_sha256 = 'x'",
        "delete from publish.current",
        "update publish.current set release_id = '2025.9'",
        "update audit.gate_runs set verdict = 'pass'",
        "delete from audit.attempts",
        "update raw.batches set rows_rejected = 0",
        "delete from raw.rejects",
        "update methodology.rules set value_numeric = 1",
    ],
)
def test_what_is_kept_cannot_be_changed(published: Any, statement: str) -> None:
    with pytest.raises(DatabaseError, match=r"append-only|cannot point at"):
        published.sql(statement)


def test_of_a_reject_only_who_settled_it_may_be_set(published: Any) -> None:
    published.sql(
        "insert into raw.rejects (batch_id, feed, table_name, source_file, source_row, column_name, rule, original_row)"
        " select batch_id, feed, 'r', 'f', 2, 'c', 'rule', '{}' from raw.batches limit 1"
    )
    with pytest.raises(DatabaseError, match="its history has 0 settling"):
        published.sql("update raw.rejects set resolved_by = 'batch 2'")
    published.sql(
        "with told as (insert into raw.reject_events (reject_id, event, actor)"
        " select reject_id, 'accepted', 'x' from raw.rejects)"
        " update raw.rejects set resolved_by = 'batch 2'"
    )
    assert [row.resolved_by for row in published.sql("select resolved_by from raw.rejects")] == ["batch 2"]
    with pytest.raises(DatabaseError, match="only resolved_by"):
        published.sql("update raw.rejects set value = 'x'")
    with pytest.raises(DatabaseError, match="settled by batch 2 already"):
        published.sql("update raw.rejects set resolved_by = 'batch 3'")


def test_a_withdrawn_release_stays_readable_and_the_one_before_is_current(released_house: Any) -> None:
    released_house.publish(released_house.ready(), "R2: again")
    assert withdrawals.withdraw(released_house.engine, "2025.2", "wrong accounts", "王签")["current"] == "2025.1"
    listed = {row["release_id"]: row for row in releases.list_releases(released_house.engine)}
    assert (listed["2025.1"]["is_current"], listed["2025.2"]["is_current"]) == (True, False)
    assert listed["2025.2"]["withdrawn_reason"] == "wrong accounts"
    assert len(released_house.sql("select * from serve.park_ranking where release_id = '2025.2'")) == 22
    with pytest.raises(NotApprovedError, match="withdrawn already"):
        withdrawals.withdraw(released_house.engine, "2025.2", "again", "王签")
    assert withdrawals.withdraw(released_house.engine, "2025.1", "also wrong", "王签")["current"] is None
    assert released_house.sql("select * from serve.park_ranking_current") == []
