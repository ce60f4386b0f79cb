"""What the gate must not pass alone: signed by a named person, bound to the failure, expiring, printed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import insert

from parkindex import gate, pipeline
from parkindex.errors import BadInputError, GateFailedError, NotApprovedError, UsageError
from parkindex.gate import Result
from parkindex.ledger import tables
from parkindex.publish import approvals, brief, bundle, bundle_check, releases, verify, waivers

SIGNER = ("孙评", "evaluator")
TIER = "edition.no_unsigned_tier_change"
PASS = "edition.no_unsigned_pass_change"


def results(house: Any, candidate: Any) -> dict[str, Result]:
    return {one.id: one for one in gate.evaluate_waivable(house.engine, waivers.subject_of(candidate))}


def record(house: Any, candidate: Any) -> int:
    """Record a verdict of the expectations that may be waived, as the gate does with all of them."""
    found = list(results(house, candidate).values())
    passed = not any(one.stops for one in found)
    run = house.gate(candidate, "pass" if passed else "fail")
    with house.engine.begin() as connection:
        for one in found:
            connection.execute(
                insert(tables.expectation_results).values(
                    gate_run_id=run,
                    expectation_id=one.id,
                    stage=one.stage,
                    severity=one.severity,
                    success=one.success,
                    observed=one.observed,
                    rows_looked_at=one.rows_looked_at,
                    failing_keys=list(one.failing_keys),
                    waiver_ids=list(one.waiver_ids),
                )
            )
    return int(run)


def sign(house: Any, candidate: Any, expectation: str | None = None, **changed: Any) -> list[dict[str, Any]]:
    approvals.register(house.engine, *SIGNER)
    given = {"signed_by": SIGNER[0], "role": SIGNER[1], "reason": "the accounts of P05 came late"} | changed
    return waivers.sign(house.engine, candidate.candidate_id, expectation, **given)


def moved_down(house: Any, park: str = "P01") -> Any:
    """A second candidate in which a park stands in another tier."""
    row = house.cell("park_ranking", "tier", park_code=park)
    row["tier"] = 3 if row["tier"] != 3 else 1
    return house.build()


def test_a_changed_tier_is_stopped_until_somebody_signed_for_exactly_this_change(released_house: Any) -> None:
    candidate = moved_down(released_house)
    failing = results(released_house, candidate)[TIER]
    assert failing.stops and failing.rows_looked_at == 22
    (key,) = failing.failing_keys
    assert (key["park_code"], key["what"], key["against"]) == ("P01", "tier", "2025.1")

    (made,) = [one for one in sign(released_house, candidate, f"{TIER}/P01/tier") if one["expectation_id"] == TIER]
    covered = results(released_house, candidate)[TIER]
    assert (covered.success, covered.stops, covered.waiver_ids) == (False, False, (made["waiver_id"],))
    assert sign(released_house, candidate, TIER) == []  # what is signed is not signed again

    # Another change of the same park is another failure.
    released_house.cell("park_ranking", "tier", park_code="P01")["tier"] = 2
    other = released_house.build()
    assert results(released_house, other)[TIER].stops
    assert released_house.attempts("waive")[-1][0] == "done"


def test_who_may_sign_and_for_what(released_house: Any) -> None:
    candidate = moved_down(released_house)
    with pytest.raises(UsageError, match="needs a reason"):
        sign(released_house, candidate, reason="  ")
    with pytest.raises(NotApprovedError, match="not registered"):
        sign(released_house, candidate, signed_by="某人")
    with pytest.raises(NotApprovedError, match=r"Nobody may waive edition\.double_entry"):
        sign(released_house, candidate, "edition.double_entry")
    with pytest.raises(BadInputError, match="does not fail, or is signed"):
        sign(released_house, candidate, f"{TIER}/P02/tier")
    with pytest.raises(UsageError, match="31 days"):
        sign(released_house, candidate, days=31)
    built_by_signer = replace(candidate)
    released_house.as_administrator(
        "publish.candidates",
        "update publish.candidates set built_by = :name where candidate_id = :id",
        name=SIGNER[0],
        id=built_by_signer.candidate_id,
    )
    with pytest.raises(NotApprovedError, match="built candidate"):
        sign(released_house, candidate)
    assert released_house.sql("select * from publish.waivers") == []
    assert {outcome for outcome, _ in released_house.attempts("waive")} == {"refused"}


def test_a_signed_release_prints_who_let_what_through(released_house: Any) -> None:
    candidate = moved_down(released_house)
    record(released_house, candidate)
    with pytest.raises(NotApprovedError, match="gate did not pass"):
        released_house.approve(candidate)
    with pytest.raises(GateFailedError):
        released_house.publish(candidate, "C: the tier of P01")
    sign(released_house, candidate)
    record(released_house, candidate)
    shown = brief.markdown(released_house.engine, candidate.candidate_id, [])
    assert f"{TIER} P01/tier" in shown and SIGNER[0] in shown
    released_house.approve(candidate)
    release = released_house.publish(candidate, "C: the tier of P01")
    folder = bundle.write(released_house.engine, released_house.settings, release.release_id)
    page = (folder / "audit.html").read_text("utf-8")
    assert "the accounts of P05 came late" in page and SIGNER[0] in page
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert {one["expectation_id"] for one in manifest["waivers"]} >= {TIER}
    assert {one["signed_by"] for one in manifest["waivers"]} == {SIGNER[0]}
    assert bundle_check.check(folder) == []
    assert verify.verify_warehouse(released_house.engine, released_house.settings) == []
    released_house.as_administrator("publish.waivers", "update publish.waivers set reason = 'none given'")
    found = verify.verify_warehouse(released_house.engine, released_house.settings)
    assert {one.what for one in found} == {"altered record"}
    assert all("publish.waivers" in one.where for one in found)


def test_an_expired_waiver_lets_nothing_through(released_house: Any) -> None:
    candidate = moved_down(released_house)
    sign(released_house, candidate)
    record(released_house, candidate)
    released_house.approve(candidate)
    released_house.as_administrator("publish.waivers", "update publish.waivers set expires_at = now()")
    with pytest.raises(NotApprovedError, match="expired"):
        released_house.publish(candidate, "C: the tier of P01")
    assert results(released_house, candidate)[TIER].stops


def test_a_verdict_against_another_release_does_not_count(house: Any) -> None:
    first, second = house.ready(), house.ready()
    house.publish(first)
    with pytest.raises(NotApprovedError, match="is not the one that was looked at"):
        house.publish(second, "R2: again")


def test_ties_and_near_ties_at_a_line_are_named(released_house: Any) -> None:
    ranking = sorted(
        (row for row in released_house.rows["park_ranking"] if row["rank"]),
        key=lambda row: (row["rank"], row["park_code"]),
    )
    seventh, eighth = ranking[6], ranking[7]
    eighth["score"] = seventh["score"] - Decimal("0.099999")
    candidate = released_house.build()
    found = results(released_house, candidate)["edition.no_unsigned_tie_at_a_line"]
    near = [key for key in found.failing_keys if key["line"] == "tier 1 to 2"]
    assert [(one["park_code"], one["other_park_code"]) for one in near] == [(seventh["park_code"], eighth["park_code"])]
    assert Decimal(str(near[0]["difference"])) == Decimal("0.099999")

    eighth["score"], eighth["rank"] = seventh["score"], seventh["rank"]
    seventh["is_tied"] = eighth["is_tied"] = True
    tied = results(released_house, released_house.build())["edition.no_unsigned_tie_at_a_line"]
    assert [key["difference"] for key in tied.failing_keys if key["line"] == "tier 1 to 2"] == ["0E-12"]


def test_a_reject_that_could_decide_a_rank_is_named_with_the_ranks(released_house: Any) -> None:
    batch = released_house.sql("select batch_id from raw.batches limit 1")[0].batch_id
    reject = insert(tables.rejects).values(
        batch_id=batch,
        feed="enterprise_accounts",
        table_name="raw.enterprise_accounts_v1",
        source_file="年报.xlsx",
        source_row=9,
        column_name="uscc",
        rule="uscc.check_digit",
        original_row={"统一社会信用代码": "91310000MA1K3X", "所在园区": "P05"},
        details=[],
    )
    with released_house.engine.begin() as connection:
        connection.execute(reject)
    found = results(released_house, released_house.build())["edition.no_unsigned_deciding_reject"]
    assert found.rows_looked_at == 1
    (key,) = found.failing_keys
    assert (key["feed"], key["row"], key["rule"], key["about"]) == (
        "enterprise_accounts",
        "9",
        "uscc.check_digit",
        "P05",
    )
    rank = released_house.cell("park_ranking", "rank", park_code="P05")["rank"]
    assert str(key["ranks"]).startswith(f"P05 {rank} to ")
    assert "9" not in gate.key_label(key).replace(str(key["reject_id"]), "")
    # What is settled decides nothing.
    released_house.sql(
        "with told as (insert into raw.reject_events (reject_id, event, actor, note)"
        " select reject_id, 'closed', 'x', 'seen' from raw.rejects) update raw.rejects set resolved_by = 'x'"
    )
    settled = results(released_house, released_house.build())["edition.no_unsigned_deciding_reject"]
    assert (settled.success, settled.rows_looked_at) == (True, 0)


# ----------------------------------------------------------------------------------------------------------- approvals


def test_an_approval_expires_and_may_be_renewed(ready_house: Any) -> None:
    candidate = ready_house.first
    ready_house.as_administrator(
        "publish.approvals", "update publish.approvals set decided_at = now() - interval '31 days'"
    )
    with pytest.raises(NotApprovedError, match="which has expired"):
        ready_house.publish(candidate)
    ready_house.approve(candidate)
    assert [row.renewal for row in ready_house.sql("select renewal from publish.approvals order by 1")] == [0, 0, 1, 1]
    assert ready_house.publish(candidate).release_id == "2025.1"


def test_who_is_no_longer_registered_decides_nothing_and_what_was_published_stands(ready_house: Any) -> None:
    candidate = ready_house.first
    approvals.end(ready_house.engine, "李评", "left the office", "人事")
    with pytest.raises(NotApprovedError, match="is no longer registered"):
        ready_house.publish(candidate)
    with pytest.raises(NotApprovedError, match="was ended"):
        approvals.end(ready_house.engine, "李评", "again", "人事")
    with pytest.raises(NotApprovedError, match="was ended"):
        approvals.decide(
            ready_house.engine, candidate.candidate_id, candidate.content_sha256, "李评", "evaluator", "approve"
        )
    ready_house.approve(candidate, ("赵法", "methodologist"))
    ready_house.publish(candidate)
    approvals.end(ready_house.engine, "王签", "retired", "人事")
    assert verify.verify_warehouse(ready_house.engine, ready_house.settings) == []


def test_a_task_set_to_success_by_hand_and_a_replayed_answer_are_refused_and_recorded(
    ready_house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "_open", lambda: (ready_house.settings, ready_house.engine))
    with pytest.raises(NotApprovedError, match="names no candidate"):
        pipeline.publish_built(None)
    assert ready_house.attempts("publish")[-1][0] == "refused"
    gated = {"candidate_id": "2025-c1", "content_sha256": ready_house.first.content_sha256}
    old = {
        "chosen_options": [pipeline.APPROVE],
        "responded_at": datetime(2020, 1, 1, tzinfo=UTC).isoformat(),
        "params_input": {"approver": "李评", "note": ""},
    }
    with pytest.raises(NotApprovedError, match="before candidate 2025-c1 was built"):
        pipeline.record_answers(gated, {"evaluator": old})
    with pytest.raises(NotApprovedError, match="before candidate 2025-c1 was built"):
        pipeline.record_waivers("2025-c1", old)
    assert ready_house.attempts("approve")[-1][0] == "refused"
    assert releases.list_releases(ready_house.engine) == []


def test_two_forms_answered_from_one_account_are_refused_but_on_a_sample(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "_open", lambda: (house.settings, house.engine))
    candidate = house.build()
    house.gate(candidate)
    gated = {"candidate_id": candidate.candidate_id, "content_sha256": candidate.content_sha256}
    people = {"evaluator": "李评", "signatory": "王签"}
    for role, name in people.items():
        approvals.register(house.engine, name, role)

    def answers(*accounts: str) -> dict[str, dict[str, Any]]:
        return {
            role: {
                "chosen_options": [pipeline.APPROVE],
                "params_input": {"approver": name, "note": ""},
                "responded_by_user": {"id": account, "name": account},
            }
            for (role, name), account in zip(people.items(), accounts, strict=True)
        }

    with pytest.raises(NotApprovedError, match="answered for two people") as caught:
        pipeline.record_answers(gated, answers("li", "li"))
    assert caught.value.exit_code == 5 and "evaluator and signatory" in caught.value.why
    assert house.sql("select * from publish.approvals") == []
    assert [outcome for outcome, _ in house.attempts("approve")] == ["refused"]
    with monkeypatch.context() as patched:
        patched.setattr(pipeline, "is_synthetic", lambda _: True)
        pipeline.refuse_one_account(candidate, answers("li", "li"))
    assert pipeline.record_answers(gated, answers("li", "wang"))["approvers"] == ["李评", "王签"]


def test_the_forms_of_a_run_say_what_is_to_be_signed_and_record_it(
    released_house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "_open", lambda: (released_house.settings, released_house.engine))
    candidate = moved_down(released_house)
    shown = pipeline.signing_needs(candidate.candidate_id)
    assert "to be signed" in shown["subject"]
    assert TIER in shown["markdown"] and "P01" in shown["markdown"]
    answer = {"chosen_options": [pipeline.APPROVE], "params_input": {"approver": SIGNER[0], "note": "seen and true"}}
    approvals.register(released_house.engine, *SIGNER)
    with pytest.raises(NotApprovedError, match="did not sign"):
        pipeline.record_waivers(candidate.candidate_id, {**answer, "chosen_options": [pipeline.REJECT]})
    assert pipeline.record_waivers(candidate.candidate_id, answer)["signed"] >= 1
    assert pipeline.signing_needs(candidate.candidate_id) == {}
