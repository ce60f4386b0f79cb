"""Faults 29 to 33 of the matrix: what must not reach a score, a rank or a status."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml
from feed_under_fault import FeedUnderFault, row
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlalchemy.exc import DataError

import gate_fixture
from parkindex import gate, methodology, pipeline
from parkindex.errors import BadInputError, ExitCode, NotApprovedError
from parkindex.publish import candidates, code, releases
from parkindex.runtime.postgres import Cluster
from parkindex.scoring.consequences import Assessed, propose
from parkindex.scoring.edition import Value, score
from parkindex.settings import EXPECTATIONS_DIR, METHODOLOGY_DIR, Settings, with_driver

_DATABASE = "faults_29_to_33"
_PREFIX = "cand_1__"
_numbers = count(2)


@dataclass(frozen=True)
class Candidate:
    """A good candidate that is only copied from."""

    engine: Engine
    subject: gate.CandidateSubject

    def gated(self, stage: str, *faults: str, folder: Path | None = None) -> dict[str, gate.Result]:
        """Return the expectations of a stage that fail on a copy with faults planted in it."""
        prefix = f"cand_{next(_numbers)}__"
        with self.engine.begin() as connection:
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
                connection.execute(text(fault.format(index=f'"{prefix}park_index"', marts=f'"{prefix}marts"')))
        evaluation = gate.evaluate(
            self.engine,
            replace(self.subject, schema_prefix=prefix),
            folder or EXPECTATIONS_DIR,
            stages=(stage,),
        )
        failed = {result.id: result for result in evaluation.expectations if not result.success}
        assert evaluation.verdict == ("fail" if any(one.severity == "error" for one in failed.values()) else "pass")
        return failed


@pytest.fixture(scope="module")
def candidate(postgres: Cluster, _empty_warehouse: str) -> Iterator[Candidate]:
    postgres.ensure_database(_DATABASE, template=_empty_warehouse)
    nowhere = Path("/nonexistent")
    engine = pipeline.engine_of(
        Settings(home=nowhere, inbox=nowhere, own_warehouse_url=with_driver(postgres.url(_DATABASE)))
    )
    yield Candidate(engine, gate_fixture.make(engine))
    postgres.drop_database(_DATABASE)


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A folder of methodologies to break."""
    folder = tmp_path / "methodology"
    shutil.copytree(METHODOLOGY_DIR, folder)
    return folder


@cache
def document() -> dict[str, Any]:
    """The rules of 2025; only read."""
    return methodology.load(2025).document


def values(known: dict[str, Any], **own: float | None) -> list[Value]:
    """Middling values of every park, with some of P05 replaced."""
    middle = {row["code"]: (row["bounds"]["low"] + row["bounds"]["high"]) / 2 for row in known["indicators"]}
    return [
        (park["park_code"], code, own.get(code, value) if park["park_code"] == "P05" else value)
        for park in known["parks"]
        for code, value in middle.items()
    ]


# ------------------------------------------------------------ 29: NULL, NaN, infinity, negative, 10³⁰ in an indicator


@pytest.mark.parametrize("cell", ["NaN", "nan", "Infinity", "-inf", "1e30", "9" * 31, "-12.50", ""])
def test_29_a_cell_that_is_no_amount_never_leaves_the_delivery(feed: FeedUnderFault, cell: str) -> None:
    batch = feed.loaded(feed.table_file("a.csv", row(代码="R1"), row(代码="R2", 面积=cell)))
    stored = [one["area"] for one in feed.sql("select area from raw.shops_v1 order by _source_row")]
    assert all(value is None or 0 <= value <= 5000 for value in stored)
    if cell:
        ((line, column, _),) = feed.rejects(batch)
        assert (line, column) == (3, "area") and len(stored) == 1


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["A1", "A9", "B1", "C3", "D8"]),
        st.one_of(st.none(), st.sampled_from([-1e30, -7.0, 0.0, 1e30, 10.0**12]), st.floats(-1e9, 1e9)),
    )
)
def test_29_scores_stay_in_range_and_what_is_missing_never_ranks_first(own: dict[str, float | None]) -> None:
    known = document()
    found = score(known, values(known, **own))
    for one in found.indicators:
        assert one.score is None or 0 <= one.score <= 100
        if one.park_code == "P05" and own.get(one.indicator_code, 0) is None:
            assert one.score is None and one.contribution is None and one.rank is None
    ranked = [park for park in found.parks if park.rank is not None]
    assert all(park.score is not None and 0 <= park.score <= 100 for park in ranked)
    assert all(park.rank is None and park.tier is None for park in found.parks if park.score is None)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_29_what_is_not_finite_is_refused_by_name(number: float) -> None:
    known = document()
    with pytest.raises(BadInputError, match="B1 of P05 is") as refused:
        score(known, values(known, B1=number))
    assert refused.value.why == "scores.finite" and refused.value.exit_code == ExitCode.BAD_INPUT


def test_29_the_gate_finds_what_got_into_the_warehouse(candidate: Candidate) -> None:
    here = "where park_code = 'P05' and indicator_code = 'A2'"
    failed = candidate.gated("park_index", f"update {{index}}.indicator_scores set value = 'NaN' {here}")
    assert "P05" in str(failed["park_index.values_are_finite"].failing_keys)
    failed = candidate.gated("edition", f"update {{index}}.indicator_scores set value = -value {here}")
    assert "P05" in str(failed["edition.double_entry"].failing_keys)
    # The numbers of the warehouse cannot hold the rest: written there, they end the build and name the column's type.
    for number in ("1e30", "'Infinity'"):
        change = f"update \"{_PREFIX}park_index\".park_ranking set score = {number} where park_code = 'P05'"
        with candidate.engine.begin() as connection, pytest.raises(DataError, match=r"overflow|infinite"):
            connection.execute(text(change))


# ------------------------------------------------------------------- 30: all-NULL column, empty mart, empty suite


def test_30_an_empty_column_and_an_empty_table_fail(candidate: Candidate) -> None:
    failed = candidate.gated(
        "marts", "update {marts}.enterprises set enterprise_id_uscc = null", "truncate {marts}.parks"
    )
    assert failed["marts.enterprises_have_an_id"].severity == "error"
    assert failed["marts.parks_are_22"].severity == "error"
    failed = candidate.gated("park_index", "truncate {index}.indicator_scores")
    assert failed["park_index.register_complete"].severity == "error"
    assert failed["park_index.every_value_has_a_score"].rows_looked_at == 0


def test_30_an_empty_suite_and_one_that_lost_an_expectation_fail(candidate: Candidate, tmp_path: Path) -> None:
    for keep in (0, 3):
        folder = tmp_path / f"suites{keep}"
        shutil.copytree(EXPECTATIONS_DIR, folder)
        suite = yaml.safe_load((folder / "edition.yaml").read_text("utf-8"))
        suite["expectations"] = suite["expectations"][:keep]
        (folder / "edition.yaml").write_text(yaml.safe_dump(suite, allow_unicode=True), "utf-8")
        assert "gate.suites_are_registered" in candidate.gated("edition", folder=folder)


# ---------------------------------------- 31: 21 or 23 parks, a park twice, a park without data in one dimension


@pytest.mark.parametrize(
    "fault",
    [
        "delete from {index}.park_ranking where park_code = 'P05'",
        "insert into {index}.park_ranking select * from {index}.park_ranking where park_code = 'P05'",
        "insert into {index}.park_ranking (edition, park_code) select edition, 'P23' from {index}.park_ranking limit 1",
    ],
    ids=["21 parks", "one twice", "23 parks"],
)
def test_31_another_number_of_parks_fails(candidate: Candidate, fault: str) -> None:
    failed = candidate.gated("edition", fault)
    assert failed["edition.parks_exactly_once"].severity == "error"
    assert failed["edition.parks_exactly_once"].failing_keys


def test_31_rules_of_another_number_of_parks_have_to_say_so(rules: Path) -> None:
    lines = (rules / "2025" / "parks.csv").read_text("utf-8").splitlines(keepends=True)
    (rules / "2025" / "parks.csv").write_text("".join(lines[:-1]), "utf-8")
    with pytest.raises(BadInputError) as refused:
        methodology.load(2025, rules)
    assert refused.value.why == "methodology.tiers" and "edition.yaml, line" in str(refused.value.where)
    (rules / "2025" / "parks.csv").write_text("".join([*lines, lines[-1]]), "utf-8")
    with pytest.raises(BadInputError, match="The park P22 stands twice"):
        methodology.load(2025, rules)


def test_31_a_park_without_data_in_an_area_is_not_ranked_and_not_zero() -> None:
    known = document()
    area = {row["code"]: None for row in known["indicators"] if row["area"] == "C"}
    found = score(known, values(known, **area))
    park = next(one for one in found.parks if one.park_code == "P05")
    assert (park.score, park.rank, park.tier) == (None, None, None)
    (scored,) = [one for one in found.areas if (one.park_code, one.area_code) == ("P05", "C")]
    assert scored.score is None and scored.weight_share == 0
    assert max(one.rank or 0 for one in found.parks) == 1  # the 21 others are equal, and none stands behind a zero


# ------------------------------------------------------- 32: weights that do not add up, negative, swapped afterwards


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("weight: {value: 5, mark: assumed}", "weight: {value: 6, mark: assumed}", "methodology.weights"),
        ("weight: {value: 5, mark: assumed}", "weight: {value: -5, mark: assumed}", "methodology.schema"),
    ],
)
def test_32_weights_that_do_not_add_up_or_are_negative_are_refused_with_their_line(
    rules: Path, old: str, new: str, why: str
) -> None:
    path = rules / "2025" / "framework.yaml"
    path.write_text(path.read_text("utf-8").replace(old, new, 1), "utf-8")
    with pytest.raises(BadInputError) as refused:
        methodology.load(2025, rules)
    assert str(refused.value.why).startswith(why) and "framework.yaml, line" in str(refused.value.where)


def test_32_weights_swapped_in_the_candidate_fail_and_name_themselves(candidate: Candidate) -> None:
    failed = candidate.gated(
        "park_index",
        "update {index}.indicators set weight = weight + 1 where indicator_code = 'A1'",
        "update {index}.indicators set weight = weight - 1 where indicator_code = 'A2'",
    )
    assert failed["park_index.framework_is_the_methodology"].severity == "error"
    assert "A1" in str(failed["park_index.framework_is_the_methodology"].failing_keys)


def test_32_rules_that_changed_after_the_build_are_refused_at_publish(
    candidate: Candidate, rules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = rules / "2025" / "framework.yaml"
    text_of = path.read_text("utf-8")
    swapped = text_of.replace("weight: {value: 5,", "weight: {value: @,", 1).replace(
        "weight: {value: 4,", "weight: {value: 5,", 1
    )
    path.write_text(swapped.replace("value: @,", "value: 4,"), "utf-8")
    changed = methodology.load(2025, rules)
    assert changed.sha256 != candidate.subject.methodology_sha256
    monkeypatch.setattr(releases.methodology, "load", lambda _: changed)
    monkeypatch.setattr(code, "code_sha256", lambda: "0" * 64)  # the fixture's: the code did not change
    with candidate.engine.connect() as connection:
        built = candidates.find(connection, candidate.subject.candidate_id)
    with pytest.raises(NotApprovedError, match="methodology is not the one of candidate"):
        releases._require_same_rules(built)


# -------------------------------------------------------- 33: an exact tie, and one within rounding, at the pass mark


@settings(max_examples=25, deadline=None)
@given(st.sampled_from([0.0, 1e-12, -1e-12, 9e-10, -9e-10]), st.integers(3, 20))
def test_33_what_differs_by_less_than_rounding_tells_shares_a_rank(apart: float, place: int) -> None:
    known = document()
    own = [
        (park, code, float(value or 0) + (apart if (park, code) == ("P07", "A1") else 0.0))
        for park, code, value in values(known)
    ]
    lower = {f"P{number:02}" for number in range(place, 23)} - {"P05", "P07"}
    own = [(park, code, value - 1 if park in lower and code == "A1" else value) for park, code, value in own]
    ranks = {park.park_code: park for park in score(known, own).parks}
    assert ranks["P05"].rank == ranks["P07"].rank and ranks["P05"].is_tied and ranks["P07"].is_tied
    assert ranks["P05"].tier == ranks["P07"].tier


@pytest.mark.parametrize("kind", ["score_below_pass_line", "last_in_peers"])
def test_33_a_tie_at_the_line_stops_for_a_person(kind: str) -> None:
    failing = {"kind": kind} if kind == "score_below_pass_line" else {"kind": kind, "count": 1}
    known = document()["consequences"] | {"failing": failing, "pass_line": 40}
    ranking = [("P01", 1, 60.0), ("P02", 2, 50.0), ("P03", 3, 40.0), ("P04", 3, 40.0)]
    now = [Assessed(2025, "r", park, "one", rank, rank, rank, total) for park, rank, total in ranking]
    found = {one.park_code: one for one in propose(known, 2025, now, {})}
    assert found["P03"].crosses_line and found["P04"].crosses_line and not found["P01"].crosses_line
    # On the line is not below it; the last of a group who are two fail both. Neither is commended for it.
    expected = None if kind == "score_below_pass_line" else "notice"
    assert found["P03"].proposed == found["P04"].proposed == expected
    assert found["P01"].proposed == found["P02"].proposed == "commended"
