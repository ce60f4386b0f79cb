from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from parkindex.errors import BadInputError
from parkindex.publish import candidates, code


def test_a_candidate_is_hashed_recorded_and_listed(house: Any) -> None:
    candidate = house.build("张三")
    assert candidate.candidate_id == "2025-c1"
    assert candidate.schema_prefix == "cand_1__"
    assert candidate.as_known == datetime(2026, 3, 31, 9, 30, tzinfo=UTC)
    assert candidate.built_by == "张三"
    assert candidate.code_sha256 == "c0de" * 16
    assert candidates.get(house.engine, "2025-c1") == candidate
    assert candidates.list_candidates(house.engine) == [candidate]
    assert house.attempts("build") == [("done", None)]


def test_rank_intervals_come_from_the_numpy_engine(house: Any) -> None:
    house.build()
    rows = house.sql("select * from cand_1__park_index.park_ranking where rank is not null")
    assert len(rows) >= 20
    assert all(1 <= row.rank_low <= row.rank_high <= 22 and 0 <= row.tier_share <= 1 for row in rows)


def test_content_hash_is_that_of_rows_not_of_their_order_or_the_session(make_house: Callable[[], Any]) -> None:
    one, other = make_house(), make_house()
    other.backwards = True
    name = other.engine.url.database
    other.sql(f"alter database {name} set timezone to 'America/New_York'")
    other.sql(f"alter database {name} set extra_float_digits to 0")
    assert one.build().content_sha256 == other.build().content_sha256


def test_content_hash_changes_with_any_cell(house: Any) -> None:
    before = house.build().content_sha256
    house.cell("indicator_scores", "value", park_code="P03", indicator_code="B2")["value"] += Decimal("0.000000000001")
    assert house.build().content_sha256 != before


def test_a_failed_build_leaves_no_half_candidate(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("the engine broke")

    monkeypatch.setattr(candidates.doubt, "rank_intervals", fail)
    with pytest.raises(RuntimeError, match="broke"):
        house.build()
    assert house.sql("select nspname from pg_namespace where nspname like 'cand%'") == []
    assert candidates.list_candidates(house.engine) == []
    assert house.attempts("build") == [("refused", "RuntimeError: the engine broke")]


def test_a_delivery_during_the_build_refuses_the_candidate(
    house: Any, land: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidates.warehouse, "relate", lambda *_: land("patents", "d" * 64))
    with pytest.raises(BadInputError, match="while the candidate was built"):
        house.build()


def test_rows_of_another_edition_are_refused(house: Any) -> None:
    house.cell("parks", "edition", park_code="P03")["edition"] = 2024
    with pytest.raises(BadInputError, match="another edition: 2024"):
        house.build()


def test_nothing_known_by_then_is_said(house: Any) -> None:
    with pytest.raises(BadInputError, match="Nothing had been received"):
        candidates.build(house.engine, house.settings, 2025, datetime(2020, 1, 1, tzinfo=UTC), built_by="x")


def test_inputs_hash_does_not_depend_on_batch_numbers(make_house: Callable[[], Any]) -> None:
    one, other = make_house(), make_house()
    rows = [("patents", "1" * 64), ("headcounts", "2" * 64)]
    for house, order in ((one, rows), (other, rows[::-1])):
        for feed, sha256 in order:
            house.sql(
                "insert into raw.batches (feed, contract_version, contract_sha256, source_file, sha256, size_bytes,"
                " received_at, status, rows_landed, rows_accepted, rows_rejected, rows_duplicate)"
                " values (:f, '1', '1', 'f', :s, 1, '2026-01-01T00:00:00Z', 'loaded', 0, 0, 0, 0)",
                f=feed,
                s=sha256,
            )
    now = datetime(2027, 1, 1, tzinfo=UTC)
    hashes = []
    for house in (one, other):
        with house.engine.connect() as connection:
            hashes.append(code.inputs_sha256(connection, now))
    assert hashes[0] == hashes[1]


def test_gc_drops_what_a_killed_build_left_and_what_is_overtaken(house: Any) -> None:
    first = house.build()
    house.sql("create schema cand_77__staging")
    second = house.ready()
    assert candidates.gc(house.engine) == ["cand_77__"]
    house.publish(second)
    third = house.build()
    assert candidates.gc(house.engine) == [first.schema_prefix]
    with house.engine.connect() as connection:
        assert [candidates.has_schemas(connection, one) for one in (first, second, third)] == [False, True, True]
