from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from parkindex import contracts, gate
from parkindex.errors import BadInputError
from parkindex.gate import raw_suite, subjects, suites
from parkindex.gate.verdict import verdict_of
from parkindex.settings import EXPECTATIONS_DIR

_CANDIDATE = gate.CandidateSubject("2025-c1", "cand_1__", 2025, "a" * 64, "b" * 64, datetime(2026, 3, 31, tzinfo=UTC))
_MARTS = gate.MartsSubject("next__")
_RELEASE = gate.ReleaseSubject("2025.1", 2025, "a" * 64)
_SUBJECTS = {"staging": _MARTS, "marts": _MARTS, "park_index": _CANDIDATE, "edition": _CANDIDATE, "served": _RELEASE}


@pytest.mark.parametrize("stage", suites.WRITTEN_STAGES)
def test_every_suite_is_valid_registered_and_can_be_asked_of_its_subjects(stage: str) -> None:
    suite = suites.load(stage)

    assert suite
    assert suites.departures(suite, suites.load_register()[stage]) == []
    for one in suite:
        assert one.owner
        for query in filter(None, (one.query, one.looked_at)):
            for subject in {_SUBJECTS[stage], _CANDIDATE if stage != "served" else _RELEASE}:
                assert not subjects.placeholders(subjects.rendered(subject, query))


def test_every_feed_has_a_derived_suite_and_ids_are_unique_over_all_suites() -> None:
    known = contracts.load_all()
    derived = raw_suite.derive(known.values())
    ids = [one.id for one in derived]
    assert {f"raw.{feed}.delivered" for feed in known} | {f"raw.{feed}.rows_conserved" for feed in known} <= set(ids)
    judged = {one.table for one in derived}
    assert {f"raw.{table.raw_table}" for contract in known.values() for table in contract.tables} <= judged

    ids += [one.id for stage in suites.WRITTEN_STAGES for one in suites.load(stage)]
    assert len(ids) == len(set(ids))


def test_what_the_contract_calls_optional_may_be_empty_and_the_rest_may_not() -> None:
    known = contracts.load_all()
    optional = {
        (f"raw.{table.raw_table}", column.name)
        for contract in known.values()
        for table in contract.tables
        for column in table.columns
        if not column.required
    }
    for one in raw_suite.derive(known.values()):
        if one.type in (suites.NOT_NULL, suites.IN_SET, suites.BETWEEN, suites.REGEX):
            assert (one.may_be_empty is not None) == ((one.table, one.columns[0]) in optional), one.id


def test_the_hash_follows_every_field_of_every_expectation() -> None:
    suite = suites.load("edition")
    first = suite[0]
    changed = [
        replace(first, severity="warning"),
        replace(first, query=f"{first.query} "),
        replace(first, may_be_empty="because of nothing"),
        replace(first, on_failure={**first.on_failure, "en": "do nothing"}),
    ]
    hashes = {suites.sha256_of(suite), suites.sha256_of(suite[1:])}
    hashes |= {suites.sha256_of((one, *suite[1:])) for one in changed}
    assert len(hashes) == 2 + len(changed)
    assert suites.sha256_of(suite) == suites.sha256_of(suites.load("edition"))


def test_departures_name_what_is_lost_and_what_is_new() -> None:
    suite = suites.load("served")[:2]
    assert suites.departures(suite, [suite[0].id, "served.gone"]) == [
        (suite[1].id, "not registered"),
        ("served.gone", "lost"),
    ]


def test_parameters_are_quoted_as_literals_and_schemas_as_identifiers() -> None:
    hostile = replace(_CANDIDATE, candidate_id="x'; drop table y; --", schema_prefix='a"b__')
    assert subjects.rendered(hostile, "{marts}.t {candidate_id} {edition} {{2}}") == (
        "\"a\"\"b__marts\".t 'x''; drop table y; --' 2025 {{2}}"
    )
    assert subjects.rendered(hostile, "{as_known}") == "cast('2026-03-31T00:00:00+00:00' as timestamp with time zone)"
    assert "infinity" in subjects.rendered(_MARTS, "{as_known}")


@pytest.mark.parametrize(
    ("subject", "query"),
    [
        (_MARTS, "{methodology_sha256}"),
        (_MARTS, "{edition}"),
        (_CANDIDATE, "{release_id}"),
        (_RELEASE, "select 1 from {marts}.parks"),
    ],
)
def test_a_placeholder_that_means_nothing_for_the_subject_is_refused(subject: gate.Subject, query: str) -> None:
    with pytest.raises(ValueError, match=f"no meaning for {subject.kind}|a release has no schema"):
        subjects.rendered(subject, query)


def _edited(tmp_path: Path, edit: Any) -> Path:
    folder = tmp_path / "expectations"
    shutil.copytree(EXPECTATIONS_DIR, folder)
    document = yaml.safe_load((folder / "marts.yaml").read_text("utf-8"))
    edit(document)
    (folder / "marts.yaml").write_text(yaml.safe_dump(document, allow_unicode=True), "utf-8")
    return folder


def _first(**changes: object) -> Any:
    def edit(document: dict[str, Any]) -> None:
        document["expectations"][0] |= changes

    return edit


def _drop(key: str) -> Any:
    return lambda document: document["expectations"][0].pop(key)


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (_drop("severity"), "'severity' is a required property"),
        (_drop("means"), "'means' is a required property"),
        (_first(severity="fatal"), "'fatal' is not one of"),
        (_first(type="expect_wonders"), "'expect_wonders' is not one of"),
        (_first(kwargs={"min_value": 1, "mostly": 0.9}), "'mostly' was unexpected"),
        (_first(may_be_empty=""), "too short"),
        (_first(on_failure={"zh": "查看"}), "'en' is a required property"),
        (_first(id="edition.parks"), "does not begin with its stage"),
        (_first(id="marts.parks_unique"), "stands twice"),
        (_first(query="select 1"), "should not be valid"),
        (lambda document: document["expectations"][5].update(query="select {marts_}"), "unknown placeholder {marts_}"),
        (lambda document: document.update(stage="edition"), "of stage edition"),
    ],
)
def test_a_bad_suite_is_refused_with_its_file_and_reason(tmp_path: Path, edit: Any, said: str) -> None:
    folder = _edited(tmp_path, edit)
    with pytest.raises(BadInputError) as refused:
        suites.load("marts", folder)
    assert said in str(refused.value)
    assert str(folder / "marts.yaml") in refused.value.where


def test_a_missing_or_unreadable_suite_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="missing"):
        suites.load("marts", tmp_path)
    (tmp_path / "marts.yaml").write_text("a: [", "utf-8")
    with pytest.raises(BadInputError, match="cannot be read"):
        suites.load("marts", tmp_path)
    (tmp_path / "register.yaml").write_text("marts: []", "utf-8")
    with pytest.raises(BadInputError, match="register"):
        suites.load_register(tmp_path)


def test_errors_stop_warnings_do_not_and_nothing_is_no_pass() -> None:
    good = gate.Result("a", "marts", "error", success=True, observed="", rows_looked_at=1)
    warned = replace(good, severity="warning", success=False)
    assert verdict_of([good, warned]) == "pass"
    assert verdict_of([good, replace(good, success=False)]) == "fail"
    assert verdict_of([]) == "fail"


def test_naming_the_gate_does_not_load_great_expectations() -> None:
    code = "import sys, parkindex.gate; sys.exit('great_expectations' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
