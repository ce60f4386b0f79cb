"""The gate on a small candidate: it passes when all holds, each planted fault is found, and no pass is vacuous."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import Engine, select, text

from gate_fixture import CONTENT, make
from parkindex import gate, methodology, pipeline
from parkindex.gate import suites
from parkindex.ledger import tables
from parkindex.publish import serve
from parkindex.runtime.postgres import Cluster
from parkindex.settings import EXPECTATIONS_DIR, Settings, with_driver

_GOOD = "gate_good"
_LATER = "gate_later"
_PREFIX = "cand_1__"
_INDEX = f'"{_PREFIX}park_index"'
_MARTS = f'"{_PREFIX}marts"'
_STAGING = f'"{_PREFIX}staging"'


@dataclass(frozen=True)
class Good:
    """The good candidate and its warehouse, which is only copied from."""

    postgres: Cluster
    engine: Engine
    subject: gate.CandidateSubject


@pytest.fixture(scope="module")
def good(postgres: Cluster, _empty_warehouse: str) -> Iterator[Good]:
    postgres.ensure_database(_GOOD, template=_empty_warehouse)
    engine = pipeline.engine_of(_settings(postgres, _GOOD))
    yield Good(postgres, engine, make(engine))
    postgres.drop_database(_GOOD)


_numbers = count(2)


def _with(good: Good, *faults: str) -> gate.CandidateSubject:
    """Copy the candidate's schemas to a prefix of their own, plant faults there, return it as a subject."""
    prefix = f"cand_{next(_numbers)}__"
    with good.engine.begin() as connection:
        relations = connection.execute(
            text("select schemaname, tablename from pg_tables where schemaname like 'cand_1\\_\\_%' order by 1, 2")
        ).all()
        for schema in sorted({schema for schema, _ in relations}):
            connection.execute(text(f'create schema "{schema.replace(_PREFIX, prefix)}"'))
        for schema, name in relations:
            connection.execute(
                text(f'create table "{schema.replace(_PREFIX, prefix)}".{name} as table "{schema}".{name}')
            )
        for fault in faults:
            connection.execute(text(fault.replace(_PREFIX, prefix)))
    return replace(good.subject, schema_prefix=prefix)


@pytest.fixture(scope="module")
def later(good: Good) -> Iterator[Good]:
    """The same warehouse after faulty deliveries, all received after the candidate's known time."""
    good.postgres.ensure_database(_LATER, template=_GOOD)
    engine = pipeline.engine_of(_settings(good.postgres, _LATER))
    with engine.begin() as connection:
        for statement in _LATER_DELIVERIES:
            connection.execute(text(statement))
    yield Good(good.postgres, engine, good.subject)
    good.postgres.drop_database(_LATER)


def _settings(postgres: Cluster, name: str) -> Settings:
    return Settings(
        home=Path("/nonexistent"), inbox=Path("/nonexistent"), own_warehouse_url=with_driver(postgres.url(name))
    )


def _failed(evaluation: gate.Evaluation | gate.Verdict) -> dict[str, gate.Result]:
    return {result.id: result for result in evaluation.expectations if not result.success}


# ------------------------------------------------------------------------------------------------------ the whole gate


def test_good_candidate_passes_and_the_verdict_is_recorded_with_its_hash(good: Good, warehouse: Settings) -> None:
    verdict = gate.run(good.engine, warehouse, good.subject)

    # Ten of the eleven feeds were not delivered, which warns; nothing else is amiss.
    assert verdict.verdict == "pass"
    assert all(name.endswith(".delivered") for name in _failed(verdict))
    assert len(_failed(verdict)) == 10
    run, results = _recorded(good.engine, verdict)
    assert (run.subject, run.candidate_id, run.content_sha256) == ("candidate", "2025-c1", CONTENT)
    assert (run.verdict, run.suites_sha256) == ("pass", verdict.suites_sha256)
    assert run.expectations_evaluated == len(results) == len(verdict.expectations)
    # Four figures of 34 computed indicators, of four areas, and of the park.
    assert results["edition.double_entry"].success
    assert results["edition.double_entry"].rows_looked_at == 22 * (34 * 4 + 4 * 4 + 4)


_LATE_SIGNATURE = "edition.rules_were_frozen"


def test_rules_that_were_signed_after_the_data_came_are_told(good: Good, warehouse: Settings) -> None:
    early = replace(good.subject, as_known=datetime(2025, 6, 30, 1, tzinfo=UTC))
    failed = _failed(gate.evaluate(good.engine, early, stages=("edition",)))
    assert failed[_LATE_SIGNATURE].severity == "warning"
    assert failed[_LATE_SIGNATURE].failing_keys[0]["signed_on"] == "2025-06-30"
    unsigned = replace(good.subject, methodology_sha256=methodology.store(good.engine, methodology.load(2026)))
    keys = _failed(gate.evaluate(good.engine, unsigned, stages=("edition",)))[_LATE_SIGNATURE].failing_keys
    assert keys[0]["signed_on"] in (None, "None")


def test_marts_are_gated_without_a_candidate(good: Good, warehouse: Settings) -> None:
    verdict = gate.run(good.engine, warehouse, gate.MartsSubject(schema_prefix=_PREFIX))

    assert verdict.verdict == "pass"
    assert {result.stage for result in verdict.expectations} == {"gate", "raw", "staging", "marts"}
    run, _ = _recorded(good.engine, verdict)
    assert (run.subject, run.candidate_id, run.content_sha256) == ("marts", None, None)


def test_an_error_stops_and_a_warning_does_not(good: Good, warehouse: Settings) -> None:
    jump = f"update {_INDEX}.park_ranking set rank_previous = rank + 9, rank_change = 9 where park_code = 'P03'"
    warned = gate.run(good.engine, warehouse, _with(good, jump))
    assert warned.verdict == "pass"
    assert _failed(warned)["edition.no_sudden_jump"].severity == "warning"

    twice = f"insert into {_MARTS}.enterprises select * from {_MARTS}.enterprises"
    stopped = gate.run(good.engine, warehouse, _with(good, twice))
    assert stopped.verdict == "fail"
    run, results = _recorded(good.engine, stopped)
    assert run.verdict == "fail"
    assert results["marts.enterprises_unique"].failing_keys == [{"enterprise_id_uscc": "E1", "rows": "2"}]


def _recorded(engine: Engine, verdict: gate.Verdict) -> tuple[Any, dict[str, Any]]:
    runs, results = tables.gate_runs, tables.expectation_results
    with engine.connect() as connection:
        run = connection.execute(select(runs).where(runs.c.gate_run_id == verdict.gate_run_id)).one()
        rows = connection.execute(select(results).where(results.c.gate_run_id == verdict.gate_run_id)).all()
    return run, {row.expectation_id: row for row in rows}


# ------------------------------------------------------------------------------------------------------ planted faults

_FAULTS = [
    (
        f"delete from {_INDEX}.indicator_scores where park_code = 'P05' and indicator_code = 'D1'",
        {"park_index.register_complete"},
    ),
    (
        f"insert into {_INDEX}.indicator_scores select * from {_INDEX}.indicator_scores"
        " where park_code = 'P05' and indicator_code = 'D1'",
        {"park_index.register_complete"},
    ),
    (
        f"update {_INDEX}.indicator_scores set reason = ' ' where park_code = 'P05' and indicator_code = 'D1'",
        {"park_index.value_or_reason"},
    ),
    (
        f"update {_INDEX}.indicator_scores set denominator = 'NaN' where park_code = 'P05' and indicator_code = 'A2'",
        {"park_index.values_are_finite"},
    ),
    (
        f"update {_INDEX}.indicator_scores set score = 101 where park_code = 'P05' and indicator_code = 'A2'",
        {"park_index.scores_in_range", "edition.double_entry"},
    ),
    (
        f"update {_INDEX}.indicator_scores set score = 'NaN' where park_code = 'P05' and indicator_code = 'A2'",
        {"park_index.scores_in_range", "park_index.values_are_finite", "edition.double_entry"},
    ),
    (
        f"update {_INDEX}.area_scores set score = -1 where park_code = 'P05' and area_code = 'A'",
        {"park_index.area_scores_in_range", "edition.double_entry"},
    ),
    (
        f"update {_INDEX}.indicator_scores set score = 50 where park_code = 'P05' and indicator_code = 'D1'",
        {"park_index.every_value_has_a_score"},
    ),
    (
        f"insert into {_INDEX}.area_scores select * from {_INDEX}.area_scores"
        " where park_code = 'P05' and area_code = 'A'",
        {"park_index.areas_complete", "park_index.weights_add_up"},
    ),
    (
        f"update {_INDEX}.indicators set weight = weight + 1 where indicator_code = 'D1'",
        {"park_index.framework_is_the_methodology"},
    ),
    (
        # A name that was read in another encoding.
        f"update {_INDEX}.parks set name_zh = convert_from(convert_to(name_zh, 'UTF8'), 'LATIN1')"
        " where park_code = 'P05'",
        {"park_index.names_are_the_methodology"},
    ),
    (
        f"update {_INDEX}.indicator_scores set denominator = null where park_code = 'P05' and indicator_code = 'B1'",
        {"park_index.records_add_up_to_the_values"},
    ),
    (
        f"update {_INDEX}.indicator_scores set bound_high = bound_high + 1"
        " where park_code = 'P05' and indicator_code = 'A2'",
        {"park_index.bounds_are_the_methodology"},
    ),
    (
        f"update {_INDEX}.area_scores set weight = weight + 0.01 where park_code = 'P05' and area_code = 'A'",
        {"park_index.weights_add_up", "edition.double_entry"},
    ),
    (
        f"update {_INDEX}.indicator_scores set contribution = contribution + 0.01"
        " where park_code = 'P05' and indicator_code = 'A2'",
        {"park_index.contributions_add_up_to_the_score", "edition.double_entry"},
    ),
    (
        f"update {_INDEX}.contributions set amount = amount + 1"
        " where park_code = 'P05' and indicator_code = 'A2' and side = 'numerator'",
        {"park_index.records_add_up_to_the_values"},
    ),
    (
        f"delete from {_INDEX}.contributions"
        " where park_code = 'P05' and indicator_code = 'B1' and side = 'denominator'",
        {"park_index.records_add_up_to_the_values"},
    ),
    (
        f"update {_INDEX}.park_ranking set edition = 2024 where park_code = 'P05'",
        {"edition.parks_exactly_once"},
    ),
    (
        f"delete from {_INDEX}.park_ranking where rank = 22",
        {"edition.parks_exactly_once", "edition.statuses_complete", "edition.double_entry"},
    ),
    (
        f"update {_INDEX}.park_ranking set rank = rank + 1, rank_high = rank_high + 1, rank_change = rank_change - 1"
        " where rank = 22",
        {"edition.ranks_follow_scores", "edition.tiers_follow_ranks", "edition.double_entry"},
    ),
    (
        f"update {_INDEX}.park_ranking set is_tied = true where park_code = 'P05'",
        {"edition.ties_are_flagged", "edition.double_entry"},
    ),
    (
        f"update {_INDEX}.park_ranking set tier = 4 - tier where rank = 1",
        {"edition.tiers_follow_ranks", "edition.double_entry"},
    ),
    (
        f"update {_INDEX}.park_ranking set rank_low = rank + 1, rank_high = rank + 2 where park_code = 'P05'",
        {"edition.rank_interval_contains_rank"},
    ),
    (
        f"update {_INDEX}.park_ranking set tier_share = null where park_code = 'P05'",
        {"edition.rank_interval_contains_rank"},
    ),
    (
        f"update {_INDEX}.park_ranking set rank_change = 1 where park_code = 'P05'",
        {"edition.rank_change_is_explained"},
    ),
    (
        f"update {_INDEX}.park_ranking set status = 'noticed' where park_code = 'P05'",
        {"edition.statuses_complete"},
    ),
    (
        f"update {_INDEX}.park_status set strikes = 1 where park_code = 'P05'",
        {"edition.no_status_without_a_rule"},
    ),
    (
        f"update {_INDEX}.zone_targets set value = value + 1 where target_code = 'T4'",
        {"edition.zone_is_the_sum_of_parks"},
    ),
    (
        # The two engines start from the value: another value is another score, whatever SQL stored.
        f"update {_INDEX}.indicator_scores set value = value * 1.0001, numerator = numerator * 1.0001"
        " where park_code = 'P05' and indicator_code = 'A2'",
        {"edition.double_entry", "park_index.records_add_up_to_the_values"},
    ),
    (
        f"update {_INDEX}.park_ranking set score = score + 0.00000001 where park_code = 'P05'",
        {"edition.double_entry", "park_index.contributions_add_up_to_the_score"},
    ),
    (
        f"update {_INDEX}.park_ranking set rank_previous = rank + 8, rank_change = 8 where park_code = 'P05'",
        {"edition.no_sudden_jump"},
    ),
    (
        f"update {_INDEX}.indicator_values_evaluated set value = value / 10"
        " where park_code = 'P05' and indicator_code = 'A2' and edition = 2024",
        {"edition.no_sudden_value"},
    ),
    (
        f"update {_INDEX}.park_ranking set score = 101 where rank = 1",
        {"edition.scores_in_range", "edition.double_entry", "park_index.contributions_add_up_to_the_score"},
    ),
    (
        f"update {_MARTS}.park_report_items set item_value = 9",
        {"edition.self_reports_agree"},
    ),
]


@pytest.mark.parametrize(("fault", "expected"), _FAULTS, ids=[" ".join(sorted(ids)) for _, ids in _FAULTS])
def test_a_planted_fault_fails_exactly_what_it_breaks(good: Good, fault: str, expected: set[str]) -> None:
    evaluation = gate.evaluate(good.engine, _with(good, fault), stages=("park_index", "edition"))

    failed = _failed(evaluation)
    assert set(failed) == expected
    assert all(result.failing_keys for result in failed.values())
    stops = any(result.severity == "error" for result in failed.values())
    assert evaluation.verdict == ("fail" if stops else "pass")


def test_every_expectation_of_index_and_edition_has_a_planted_fault() -> None:
    planted = set().union(*(ids for _, ids in _FAULTS)) | _UNRANKED | _DELIVERY_FAULTS | {_LATE_SIGNATURE}
    # Consequences are no faults: tests/integration/publish/test_publish_waivers.py has a case of each kind.
    declared = {
        one.id for stage in ("park_index", "edition") for one in suites.load(stage) if one.type != suites.CONSEQUENCE
    }
    assert declared <= planted


_UNRANKED = {"edition.some_park_is_ranked", "edition.every_park_is_ranked"}


def test_a_ranking_without_ranks_stops_and_nothing_else_does(good: Good) -> None:
    """What public data alone give: no value anywhere, each with its reason."""
    subject = _with(
        good,
        f"update {_INDEX}.indicator_scores set value = null, numerator = null, denominator = null, data_year = null,"
        " evidence_count = 0, score = null, weight = null, contribution = null, rank = null,"
        " obs_status = 'no_data', reason = 'nothing delivered' where obs_status = 'normal'",
        f"update {_INDEX}.area_scores set score = null, weight = null, weight_share = 0, rank = null,"
        " obs_status = 'no_data' where obs_status = 'normal'",
        f"update {_INDEX}.park_ranking set score = null, rank = null, is_tied = false, tier = null, rank_low = null,"
        " rank_high = null, tier_share = null, rank_previous = null, rank_change = null, obs_status = 'not_ranked'",
        f"update {_INDEX}.zone_targets set value = null, met = null, obs_status = 'no_data', reason = 'no value'",
        f"truncate {_INDEX}.contributions",
        f"update {_INDEX}.indicator_values_evaluated set value = null",
    )
    evaluation = gate.evaluate(good.engine, subject, stages=("park_index", "edition"))

    failed = _failed(evaluation)
    assert set(failed) == _UNRANKED
    assert failed["edition.some_park_is_ranked"].severity == "error"
    assert failed["edition.every_park_is_ranked"].severity == "warning"
    assert len(failed["edition.every_park_is_ranked"].failing_keys) == 22


def test_the_first_disagreement_of_the_engines_is_explained(good: Good) -> None:
    subject = _with(
        good, f"update {_INDEX}.indicator_scores set score = 12.5 where park_code = 'P05' and indicator_code = 'A2'"
    )
    result = _failed(gate.evaluate(good.engine, subject, stages=("edition",)))["edition.double_entry"]

    assert result.observed.startswith("indicator P05/A2, score: SQL 12.500000000000, NumPy ")
    assert "bounds 0 to 400, direction 1" in result.observed
    assert [key["figure"] for key in result.failing_keys] == ["score"]


_MART_FAULTS = [
    (f"delete from {_MARTS}.parks where park_code = 'P22'", {"marts.parks_are_22"}),
    (
        f"update {_MARTS}.parks set park_code = 'P21' where park_code = 'P22'",
        {"marts.parks_unique"},
    ),
    (
        f"insert into {_MARTS}.park_enterprises (enterprise_id_uscc, park_code, valid_from, valid_to)"
        " values ('E1', 'P02', '2025-01-01', null)",
        {"marts.stays_do_not_overlap"},
    ),
    (f"update {_MARTS}.park_enterprises set park_code = 'P99'", {"marts.stays_are_in_known_parks"}),
    (f"delete from {_MARTS}.park_enterprises", {"marts.some_enterprises_are_placed"}),
    (f"update {_MARTS}.enterprises set ended_date = '2000-01-01'", {"marts.enterprises_end_after_they_began"}),
    (f"update {_MARTS}.enterprise_accounts set revenue_cny = -1", {"marts.revenue_is_not_negative"}),
    (f"update {_MARTS}.enterprise_accounts set revenue_cny = 'NaN'", {"marts.revenue_is_not_negative"}),
    (
        f"update {_MARTS}.enterprise_accounts set rd_expenditure_cny = 'Infinity'",
        {"marts.rd_expenditure_is_not_negative"},
    ),
    (f"update {_MARTS}.park_plots set built_up_km2 = 3", {"marts.plots_are_valid"}),
    (f"insert into {_MARTS}.patents select * from {_MARTS}.patents", {"marts.patents_unique"}),
    (f"delete from {_MARTS}.patents", {"marts.patents_are_not_lost"}),
    (
        f"update {_STAGING}.stg_patents__publications set publication_date = '2026-01-06'",
        {"staging.no_future_dates"},
    ),
    (
        f"insert into {_STAGING}.stg_patent_events__events select * from {_STAGING}.stg_patent_events__events",
        {"staging.patent_events_events_unique"},
    ),
    (f"delete from {_STAGING}.stg_park_plots__plots", {"staging.nothing_lost"}),
]


@pytest.mark.parametrize(("fault", "expected"), _MART_FAULTS, ids=[" ".join(sorted(ids)) for _, ids in _MART_FAULTS])
def test_a_planted_fault_before_the_index_is_found(good: Good, fault: str, expected: set[str]) -> None:
    evaluation = gate.evaluate(good.engine, _with(good, fault), stages=("staging", "marts"))

    assert set(_failed(evaluation)) == expected


_BATCH = (
    "insert into raw.batches (feed, contract_version, contract_sha256, source_file, sha256, size_bytes, received_at,"
    " status, rows_landed, rows_accepted, rows_rejected, rows_duplicate) values "
)
_LATER_DELIVERIES = [
    # Says it rejected a row which is not among the rejects.
    _BATCH + "('park_plots', '1.0.0', 'a', 'more.geojson', 'b', 1, '2026-05-01Z', 'loaded', 1, 0, 1, 0)",
    # Says it accepted a row, and the raw table is empty.
    _BATCH + "('patents', '1.0.0', 'a', 'gazette.zip', 'c', 1, '2026-05-01Z', 'loaded', 1, 1, 0, 0)",
    # A row of a batch that did not have it, and no park's.
    "insert into raw.park_plots_v1 (plot_id, plot_name, park_code, district, valid_from, area, built_up_area,"
    " datum, geometry, _batch_id, _source_file, _source_row, _known_at, _row_sha256)"
    " select 'X', plot_name, 'X', district, valid_from, area, built_up_area,"
    " datum, geometry, _batch_id, 'more.geojson', 7, '2026-05-01Z', _row_sha256 from raw.park_plots_v1",
    "insert into identity.review_queue (identity_run_id, subject_kind, subject, reason)"
    " select identity_run_id, 'name', '上海乙', 'unknown_name' from identity.runs",
]


def test_faults_in_deliveries_are_found_once_they_are_known(later: Good) -> None:
    known_later = replace(later.subject, as_known=later.subject.as_known + timedelta(days=90))
    failed = {
        name: result
        for name, result in _failed(gate.evaluate(later.engine, known_later, stages=("raw", "edition"))).items()
        if not name.endswith(".delivered") and not result.observed.startswith("nothing to look at")
    }

    assert set(failed) == _DELIVERY_FAULTS
    assert [key["rows_in_rejects"] for key in failed["raw.park_plots.rows_conserved"].failing_keys] == ["0", "0"]
    assert failed["patents__rows"].observed == "0 rows, expected at least 1"
    key = {"_source_file": "more.geojson", "_source_row": "7", "value": "X"}
    assert failed["raw.park_plots_v1.park_code.matches"].failing_keys == (key,)


_DELIVERY_FAULTS = {
    "raw.park_plots.rows_conserved",
    "raw.park_plots_v1.park_code.matches",
    "raw.patents.rows_conserved",
    "patents__rows",
    "edition.few_rejects",
    "edition.short_review_queue",
}


def test_rows_received_after_the_known_time_are_not_looked_at(later: Good) -> None:
    looked = {result.id: result for result in gate.evaluate(later.engine, later.subject, stages=("raw",)).expectations}

    assert looked["raw.park_plots_v1.park_code.matches"].success
    assert looked["raw.park_plots_v1.park_code.matches"].rows_looked_at == 1
    assert looked["patents__rows"].observed == "patents was not delivered: see raw.patents.delivered"


# ------------------------------------------------------------------------------------------------------- never vacuous


def _suite(folder: Path, stage: str, *expectations: dict[str, object]) -> Path:
    """Write a folder of suites of which one stage has these expectations, registered."""
    shutil.copytree(EXPECTATIONS_DIR, folder)
    words = {"means": {"zh": "测试", "en": "test"}, "on_failure": {"zh": "测试", "en": "test"}}
    declared = [{"severity": "error", **words, **one} for one in expectations]
    (folder / f"{stage}.yaml").write_text(
        yaml.safe_dump({"stage": stage, "owner": "test", "expectations": declared}, allow_unicode=True), "utf-8"
    )
    register = yaml.safe_load((folder / "register.yaml").read_text("utf-8"))
    register[stage] = [one["id"] for one in declared]
    (folder / "register.yaml").write_text(yaml.safe_dump(register), "utf-8")
    return folder


_TYPES: list[dict[str, object]] = [
    {"type": "expect_table_row_count_to_be_between", "kwargs": {"max_value": 10}},
    {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "x"}, "key": ["k"]},
    {"type": "expect_column_values_to_be_in_set", "kwargs": {"column": "t", "value_set": ["a"]}, "key": ["k"]},
    {"type": "expect_column_values_to_be_between", "kwargs": {"column": "x", "min_value": 0}, "key": ["k"]},
    {"type": "expect_column_values_to_match_regex", "kwargs": {"column": "t", "regex": "^a$"}, "key": ["k"]},
    {"type": "expect_compound_columns_to_be_unique", "kwargs": {"column_list": ["x"]}},
    {"type": "expect_compound_columns_to_be_unique", "kwargs": {"column_list": ["x", "t"]}},
    {"type": "unexpected_rows_expectation", "query": "select k from {marts}.things where x < 0"},
]
_THINGS = f"create table {_MARTS}.things (k integer, x numeric, t text)"


def _on_things(tmp_path: Path, **more: object) -> Path:
    expectations = [
        {"id": f"marts.t{number}", "table": "marts.things", **one, **more} for number, one in enumerate(_TYPES)
    ]
    return _suite(tmp_path / "expectations", "marts", *expectations)


def test_an_empty_table_fails_every_type(good: Good, tmp_path: Path) -> None:
    evaluation = gate.evaluate(good.engine, _with(good, _THINGS), _on_things(tmp_path), stages=("marts",))

    assert set(_failed(evaluation)) == {f"marts.t{number}" for number in range(len(_TYPES))}
    assert {result.rows_looked_at for result in _failed(evaluation).values()} == {0}
    assert evaluation.verdict == "fail"


def test_an_empty_table_passes_where_the_suite_says_why(good: Good, tmp_path: Path) -> None:
    folder = _on_things(tmp_path, may_be_empty="there may be none yet")
    evaluation = gate.evaluate(good.engine, _with(good, _THINGS), folder, stages=("marts",))

    assert evaluation.verdict == "pass"
    assert {result.observed for result in evaluation.expectations if result.stage == "marts"} == {
        "nothing to look at: there may be none yet"
    }


def test_an_all_null_column_fails_every_type_that_judges_values(good: Good, tmp_path: Path) -> None:
    subject = _with(good, _THINGS, f"insert into {_MARTS}.things select g, null, null from generate_series(1, 9) as g")
    evaluation = gate.evaluate(good.engine, subject, _on_things(tmp_path), stages=("marts",))

    # The row count and the query have rows to look at; the rest has none with a value.
    assert set(_failed(evaluation)) == {f"marts.t{number}" for number in range(1, 7)}
    assert len(_failed(evaluation)["marts.t1"].failing_keys) == 9


@pytest.mark.parametrize("value", ["NaN", "Infinity"])
def test_nan_and_infinity_do_not_pass_a_lower_bound(good: Good, tmp_path: Path, value: str) -> None:
    subject = _with(good, _THINGS, f"insert into {_MARTS}.things values (1, 1, 'a'), (2, '{value}', 'a')")
    failed = _failed(gate.evaluate(good.engine, subject, _on_things(tmp_path), stages=("marts",)))

    assert set(failed) == {"marts.t3"}
    assert failed["marts.t3"].failing_keys == ({"k": "2", "value": value},)


def test_failing_keys_are_complete_beyond_200(good: Good, tmp_path: Path) -> None:
    subject = _with(good, _THINGS, f"insert into {_MARTS}.things select g, -1, 'b' from generate_series(1, 1234) as g")
    failed = _failed(gate.evaluate(good.engine, subject, _on_things(tmp_path), stages=("marts",)))

    for name in ("marts.t2", "marts.t3", "marts.t4", "marts.t7"):
        assert [key["k"] for key in sorted(failed[name].failing_keys, key=lambda key: int(key["k"] or 0))] == [
            str(number) for number in range(1, 1235)
        ]
    assert failed["marts.t5"].failing_keys == ({"x": "-1", "rows": "1234"},)
    assert failed["marts.t6"].failing_keys == ({"x": "-1", "t": "b", "rows": "1234"},)
    assert failed["marts.t0"].observed == "1234 rows, expected at most 10"


def test_a_missing_table_or_column_or_a_broken_query_fails_and_the_rest_is_still_evaluated(
    good: Good, tmp_path: Path
) -> None:
    folder = _suite(
        tmp_path / "expectations",
        "marts",
        {"id": "marts.no_table", "table": "marts.nothing", **_TYPES[0]},
        {"id": "marts.no_column", "table": "marts.parks", **_TYPES[1]},
        {"id": "marts.broken", "table": "marts.parks", **_TYPES[7], "query": "select nonsense from {marts}.parks"},
        {"id": "marts.broken_count", "table": "marts.parks", **_TYPES[7], "query": "select 1 where false",
         "looked_at": "select 1 / 0"},
        {"id": "marts.fine", "table": "marts.parks", "type": "expect_compound_columns_to_be_unique",
         "kwargs": {"column_list": ["park_code"]}},
    )  # fmt: skip
    evaluation = gate.evaluate(good.engine, good.subject, folder, stages=("marts",))

    failed = _failed(evaluation)
    assert set(failed) == {"marts.no_table", "marts.no_column", "marts.broken", "marts.broken_count"}
    assert failed["marts.no_table"].observed == "cand_1__marts.nothing does not exist"
    assert failed["marts.no_column"].observed == "cand_1__marts.parks has no column k, x"
    assert "nonsense" in failed["marts.broken"].observed
    assert "division by zero" in failed["marts.broken_count"].observed


def test_an_empty_suite_fails(good: Good, tmp_path: Path) -> None:
    folder = _suite(tmp_path / "expectations", "marts")
    evaluation = gate.evaluate(good.engine, good.subject, folder, stages=("marts",))

    assert evaluation.verdict == "fail"
    assert _failed(evaluation)["gate.suites_are_registered"].failing_keys == ({"id": "marts", "how": "empty suite"},)


def test_a_suite_that_lost_an_expectation_fails(good: Good, tmp_path: Path) -> None:
    folder = tmp_path / "expectations"
    shutil.copytree(EXPECTATIONS_DIR, folder)
    suite = yaml.safe_load((folder / "edition.yaml").read_text("utf-8"))
    suite["expectations"] = [one for one in suite["expectations"] if one["id"] != "edition.double_entry"]
    (folder / "edition.yaml").write_text(yaml.safe_dump(suite, allow_unicode=True), "utf-8")
    evaluation = gate.evaluate(good.engine, good.subject, folder, stages=("edition",))

    assert set(_failed(evaluation)) == {"gate.suites_are_registered"}
    assert _failed(evaluation)["gate.suites_are_registered"].observed == "edition.double_entry: lost"
    assert evaluation.suites_sha256 != gate.evaluate(good.engine, good.subject, stages=("edition",)).suites_sha256


def test_an_expectation_that_was_not_evaluated_fails(good: Good, monkeypatch: pytest.MonkeyPatch) -> None:
    from parkindex.gate import gx

    validate = gx.validate

    def forgetful(url: str, batches: object) -> object:
        outcomes = validate(url, batches)  # type: ignore[arg-type]
        outcomes.pop("marts.parks_unique")
        return outcomes

    monkeypatch.setattr(gx, "validate", forgetful)
    evaluation = gate.evaluate(good.engine, good.subject, stages=("marts",))

    assert set(_failed(evaluation)) == {"gate.everything_was_evaluated"}
    assert _failed(evaluation)["gate.everything_was_evaluated"].failing_keys == ({"id": "marts.parks_unique"},)


# -------------------------------------------------------------------------------------------------------------- served

_RELEASE = gate.ReleaseSubject("2025.1", 2025, CONTENT)
_PUBLISHED = [
    "insert into publish.releases (release_id, edition, sequence, candidate_id, content_sha256, annex_sha256,"
    " previous_sha256, chain_sha256, methodology_sha256, inputs_sha256, code_sha256, as_known, published_at, reason,"
    " approved_by, gate_run_id) values ('2025.1', 2025, 1, '2025-c1', 'a', 'b', 'c', 'd', 'e', 'f', 'g',"
    " '2026-03-31Z', '2026-04-01Z', 'first', 'two people', 1)",
    *(
        f"insert into publish.{table.name} ({', '.join(names)}) select {', '.join(names)} from"
        f" (select *, '2025.1' as release_id from {_INDEX}.{table.name}) as rows"
        for table in tables.CONTENT_TABLES
        for names in [[column.name for column in table.columns]]
    ),
    "insert into publish.data_quality (release_id, edition, feed, batches, rows_landed, rows_accepted, rows_rejected,"
    " rows_duplicate) values ('2025.1', 2025, 'park_plots', 1, 1, 1, 0, 0)",
]


def test_what_is_served_is_what_was_published_and_a_view_that_serves_something_else_is_found(good: Good) -> None:
    with good.engine.begin() as connection:
        for statement in _PUBLISHED:
            connection.execute(text(statement))
    evaluation = gate.evaluate(good.engine, _RELEASE)
    assert evaluation.verdict == "pass"
    assert {result.stage for result in evaluation.expectations} == {"gate", "served"}

    columns = ", ".join(
        "cast(case when park_code = 'P05' then 99 else score end as numeric(20, 12)) as score"
        if name == "score"
        else name
        for name in next(view for view in serve.VIEWS if view.name == "park_ranking").columns
    )
    with good.engine.begin() as connection:
        connection.execute(
            text(f"create or replace view serve.park_ranking as select {columns} from publish.park_ranking")
        )
    failed = _failed(gate.evaluate(good.engine, _RELEASE))
    assert set(failed) == {"served.park_ranking"}
    assert [key["how"] for key in failed["served.park_ranking"].failing_keys] == ["not published", "not served"]
