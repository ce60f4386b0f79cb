"""Publish the ranking of an edition: candidate, signed exceptions, gate, two people, release, bundle, anchors.

Rerun: now (start a new run with the same params; it builds a candidate of its own). Do not clear the approvals of a
run: they are bound to the hash of what was looked at. Priority: high from January until the edition is published.

Whoever answers types the name they are registered under. The answer here is only the form: the approval is a record in
the warehouse, bound to the candidate's hash, and the publisher checks it there.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import DAG, Asset, Param, task

import steps
from notices import tell_failure
from parkindex import pipeline

STEP = steps.STEP | {"multiple_outputs": True}  # later steps take single facts of earlier ones
ONCE = STEP | {"retries": 0}
RANKING = Asset("ranking", "parkindex://ranking")
FORM = {"approver": "Registered name 登记姓名", "note": "Note, or reason as printed 意见或理由"}


def build(params: dict | None = None, dag_run: object = None) -> dict:
    """Build the candidate that the params of the run ask for; who started the run built it."""
    starter = getattr(dag_run, "triggering_user_name", None) or "airflow"
    return pipeline.build_candidate(params["edition"], params["as_known"], built_by=starter)


def ask(role: str, title: str, brief: dict) -> HITLOperator:
    """Ask a person for a decision on what the brief shows; exceptions are skipped when there is nothing to sign."""
    fields = {name: Param("", type="string", title=shown) for name, shown in FORM.items()}
    return HITLOperator(
        task_id=f"approve_{role}",
        task_display_name=f"审批 {title}",
        subject=brief["subject"],
        body=brief["markdown"],
        options=[pipeline.APPROVE, pipeline.REJECT],
        # Only the form is asked for again: Airflow takes a task that is answered at once for lost.
        retries=3,
        retry_delay=timedelta(seconds=2),
        on_failure_callback=tell_failure,
        params=fields,
    )


with DAG(
    dag_id="publish_ranking",
    dag_display_name="发布排名",
    description="Candidate, gate, approvals, release, bundle, anchors",
    doc_md=__doc__,
    schedule=None,
    max_active_runs=1,
    tags=["publish"],
    default_args={"owner": "evaluation-office"},
    params={
        "edition": Param(pipeline.DEFAULT_EDITION, type="integer", title="Edition 评价年度"),
        "as_known": Param(None, type=["null", "string"], format="date", title="As known 数据截止日"),
        "reason": Param(None, type=["null", "string"], title="Reason for a replacement 更正理由"),
    },
):
    candidate = task(task_id="build", task_display_name="候选版本", **STEP)(build)()["candidate_id"]
    skipping = task.short_circuit(ignore_downstream_trigger_rules=False, task_display_name="待签字", **STEP)
    exceptions = ask("exceptions", "例外签字", skipping(pipeline.signing_needs)(candidate)).output
    signed = task(task_display_name="登记签字", **STEP)(pipeline.record_waivers)(candidate, exceptions)
    gating = task(task_id="gate", task_display_name="闸门", trigger_rule="none_failed", **ONCE)
    signed >> (gated := gating(pipeline.gate_candidate)(candidate))
    brief = task(task_id="brief", task_display_name="审批材料", **STEP)(pipeline.approval_brief)(gated)
    answers = {role: ask(role, title, brief).output for role, title in pipeline.APPROVING_ROLES.items()}
    recorded = task(task_id="record", task_display_name="登记审批", **STEP)(pipeline.record_answers)(gated, answers)
    publishing = task(task_id="publish", task_display_name="发布", outlets=[RANKING], **ONCE)
    recorded >> (release := publishing(pipeline.publish_built)(candidate, "{{ params.reason or '' }}"))
    bundle = task(task_id="bundle", task_display_name="发布包", **STEP)(pipeline.write_bundle)(release["release_id"])
    bundle >> task(task_id="anchor", task_display_name="外部锚定", **STEP)(pipeline.hand_over_heads)()
