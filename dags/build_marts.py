"""Build the marts anew from everything landed, gate them, make them the ones that are served.

Rerun: now (start a new run; each builds a whole new generation and replaces the former in one transaction, or not at
all). Priority: low; nobody is ranked by it.

Every night, and not on the news of a feed: nine deliveries of one day would build nine times, and waiting for news of
all nine would build once a year. A night without news costs a few minutes of an idle machine.
"""

from __future__ import annotations

from airflow.sdk import DAG, Asset, task

from parkindex import pipeline
from steps import ONCE, STEP, at

FEEDS = [
    Asset(name=plan["feed"], uri=f"parkindex://raw/{plan['feed']}", group="feed") for plan in pipeline.feed_plans()
]
MARTS = Asset(name="marts", uri="parkindex://marts", group="marts")

with DAG(
    dag_id="build_marts",
    dag_display_name="构建集市",
    description="Staging, identity, marts; gated, then served",
    doc_md=__doc__,
    schedule=at("30 3 * * *"),
    catchup=False,
    max_active_runs=1,
    tags=["marts"],
    default_args={"owner": "data-engineering"},
):
    staged = task(task_id="stage", task_display_name="暂存层", inlets=FEEDS, **STEP)(pipeline.stage_marts)()
    resolved = task(task_id="identity", task_display_name="主体识别", **STEP)(pipeline.resolve_identity)(staged)
    built = task(task_id="marts", task_display_name="集市", **STEP)(pipeline.build_marts)(resolved)
    gated = task(task_id="gate", task_display_name="闸门", **ONCE)(pipeline.gate_marts)()
    promoted = task(task_id="promote", task_display_name="切换", outlets=[MARTS], **STEP)(pipeline.promote_marts)()
    built >> gated >> promoted
