from __future__ import annotations

import threading
from typing import Any

import pytest

from parkindex import methodology
from parkindex.errors import AlteredError, GateFailedError, NotApprovedError, ParkindexError, UsageError
from parkindex.methodology import Methodology
from parkindex.publish import approvals, code, releases

EVALUATOR, METHODOLOGIST = ("李评", "evaluator"), ("赵法", "methodologist")


def nothing_published(house: Any) -> bool:
    tables = ("releases", "current", "park_ranking", "indicator_scores", "data_quality", "revisions")
    return not any(house.sql(f"select 1 from publish.{table} limit 1") for table in tables)


def decide(house: Any, candidate: Any, name: str, role: str, decision: str = "approve", sha256: str = "") -> None:
    approvals.decide(house.engine, candidate.candidate_id, sha256 or candidate.content_sha256, name, role, decision, "")


# ----------------------------------------------------------------------------------------------------------- decisions


def test_an_unregistered_person_may_not_decide(house: Any) -> None:
    candidate = house.build()
    house.gate(candidate)
    with pytest.raises(NotApprovedError, match="not registered"):
        decide(house, candidate, *EVALUATOR)
    assert house.attempts("approve")[0][0] == "refused"
    assert house.sql("select * from publish.approvals") == []


def test_nobody_decides_in_a_role_that_is_not_theirs(house: Any) -> None:
    candidate = house.build()
    house.gate(candidate)
    approvals.register(house.engine, *EVALUATOR)
    with pytest.raises(NotApprovedError, match="registered as evaluator"):
        decide(house, candidate, EVALUATOR[0], "signatory")
    with pytest.raises(UsageError, match="not a role"):
        decide(house, candidate, EVALUATOR[0], "king")
    with pytest.raises(NotApprovedError, match="already"):
        approvals.register(house.engine, EVALUATOR[0], "signatory")


def test_nobody_approves_what_they_built(house: Any) -> None:
    candidate = house.build(built_by=EVALUATOR[0])
    house.gate(candidate)
    approvals.register(house.engine, *EVALUATOR)
    with pytest.raises(NotApprovedError, match="built candidate"):
        decide(house, candidate, *EVALUATOR)


def test_an_approval_of_another_hash_is_refused(house: Any) -> None:
    candidate = house.build()
    house.gate(candidate)
    approvals.register(house.engine, *EVALUATOR)
    with pytest.raises(NotApprovedError, match="hash is not"):
        decide(house, candidate, *EVALUATOR, sha256="f" * 64)


@pytest.mark.parametrize("verdicts", [[], ["fail"], ["pass", "fail"]])
def test_only_what_the_gate_passed_last_can_be_approved(house: Any, verdicts: list[str]) -> None:
    candidate = house.build()
    for verdict in verdicts:
        house.gate(candidate, verdict)
    with pytest.raises(NotApprovedError, match="gate did not pass"):
        house.approve(candidate)


def test_one_decision_per_person_and_the_same_one_twice_is_the_same(house: Any) -> None:
    candidate = house.build()
    house.gate(candidate)
    house.approve(candidate, EVALUATOR)
    house.approve(candidate, EVALUATOR)
    with pytest.raises(NotApprovedError, match="decided on candidate 2025-c1 already: approve"):
        decide(house, candidate, *EVALUATOR, "reject")
    assert len(house.sql("select * from publish.approvals")) == 1


# --------------------------------------------------------------------------------------------------------- publication


def test_nothing_is_published_without_a_verdict_for_exactly_this_content(ready_house: Any) -> None:
    candidate = ready_house.first
    ready_house.gate(candidate, content_sha256="f" * 64)
    with pytest.raises(GateFailedError, match="did not pass"):
        ready_house.publish(candidate)
    ready_house.gate(candidate, "fail")
    with pytest.raises(GateFailedError):
        ready_house.publish(candidate)
    assert nothing_published(ready_house)
    assert [outcome for outcome, _ in ready_house.attempts("publish")] == ["refused", "refused"]


def test_one_approver_is_not_enough_nor_two_in_one_role(house: Any) -> None:
    candidate = house.build()
    house.gate(candidate)
    house.approve(candidate, EVALUATOR)
    with pytest.raises(NotApprovedError, match="two people in two roles"):
        house.publish(candidate)
    house.approve(candidate, ("钱评", "evaluator"))
    with pytest.raises(NotApprovedError, match="two people in two roles"):
        house.publish(candidate)
    house.approve(candidate, METHODOLOGIST)
    assert house.publish(candidate).release_id == "2025.1"


def test_a_rejection_stops_publication_whoever_approved(ready_house: Any) -> None:
    candidate = ready_house.first
    approvals.register(ready_house.engine, *METHODOLOGIST)
    decide(ready_house, candidate, *METHODOLOGIST, "reject")
    with pytest.raises(NotApprovedError, match=r"赵法 .* rejected"):
        ready_house.publish(candidate)
    assert nothing_published(ready_house)


@pytest.mark.parametrize(
    ("column", "value"), [("content_sha256", "f" * 64), ("code_sha256", "f" * 64), ("methodology_sha256", "f" * 64)]
)
def test_an_approval_bound_to_something_else_does_not_count(ready_house: Any, column: str, value: str) -> None:
    candidate = ready_house.first
    ready_house.as_administrator("publish.approvals", f"update publish.approvals set {column} = :value", value=value)
    with pytest.raises(NotApprovedError, match="is bound to another"):
        ready_house.publish(candidate)
    assert nothing_published(ready_house)


def test_changed_code_is_refused(ready_house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    candidate = ready_house.first
    monkeypatch.setattr(code, "code_sha256", lambda: "0" * 64)
    with pytest.raises(NotApprovedError, match="code is not the code"):
        ready_house.publish(candidate)
    assert nothing_published(ready_house)


def test_changed_methodology_is_refused(ready_house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    candidate = ready_house.first
    now = methodology.load(2025)
    monkeypatch.setattr(methodology, "load", lambda _: Methodology(now.edition, now.document, "0" * 64))
    with pytest.raises(NotApprovedError, match="methodology is not"):
        ready_house.publish(candidate)
    assert nothing_published(ready_house)


def test_a_candidate_changed_after_approval_is_refused(ready_house: Any) -> None:
    candidate = ready_house.first
    ready_house.sql("update cand_1__park_index.indicator_scores set value = value + 1 where park_code = 'P03'")
    with pytest.raises(AlteredError, match="not what was built and approved"):
        ready_house.publish(candidate)
    assert nothing_published(ready_house)


def test_a_revision_needs_a_reason(released_house: Any) -> None:
    second = released_house.ready()
    for untyped in ("  ", "typing error", "C:", "R4: again"):
        with pytest.raises(NotApprovedError, match="a revision needs a reason with its type"):
            released_house.publish(second, untyped)
    assert released_house.publish(second, "C: typing error in a report").reason == "C: typing error in a report"


def test_publishing_twice_gives_the_same_release(ready_house: Any) -> None:
    candidate = ready_house.first
    assert ready_house.publish(candidate) == ready_house.publish(candidate)
    assert len(ready_house.sql("select * from publish.releases")) == 1


def test_an_approval_that_looked_at_another_current_release_is_void(house: Any) -> None:
    first, second = house.ready(), house.ready()
    house.publish(first)
    with pytest.raises(NotApprovedError, match=r"when the current release was None, now it is 2025\.1"):
        house.publish(second, "R1: late accounts")
    house.gate(second)
    house.approve(second)
    assert house.publish(second, "R1: late accounts").release_id == "2025.2"


def test_of_two_publishers_at_once_one_wins(house: Any) -> None:
    candidates = [house.ready(), house.ready()]
    start = threading.Barrier(4)
    outcomes: list[str] = []

    def run(candidate: Any) -> None:
        start.wait()
        try:
            outcomes.append(house.publish(candidate, "R2: again").release_id)
        except ParkindexError as error:
            outcomes.append(type(error).__name__)

    threads = [threading.Thread(target=run, args=(one,)) for one in [*candidates, *candidates]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["2025.1", "2025.1", "NotApprovedError", "NotApprovedError"]
    assert len(house.sql("select * from publish.releases")) == 1


@pytest.mark.parametrize("step", ["_move_pointer", "_freeze"])
def test_a_publisher_that_dies_leaves_nothing_half(
    ready_house: Any, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    candidate = ready_house.first
    whole = getattr(releases, step)

    def die(*arguments: Any) -> None:
        whole(*arguments)
        ready_house.sql(
            "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and pid <> pg_backend_pid()"
        )
        arguments[0].exec_driver_sql("select 1")

    with monkeypatch.context() as patched, pytest.raises(Exception, match=r"terminat|closed"):
        patched.setattr(releases, step, die)
        ready_house.publish(candidate)
    assert nothing_published(ready_house)
    assert ready_house.publish(candidate).release_id == "2025.1"
