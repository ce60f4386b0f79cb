"""Check that what is published is what was published, say how feeds stand, clear away what nobody needs.

Rerun: now (start a new run; it changes nothing but what is cleared away). Priority: a failed `verify` is the highest
there is: a published record was altered.
"""

from __future__ import annotations

from airflow.sdk import DAG, task

from notices import report_feeds
from parkindex import pipeline
from steps import ONCE, at

with DAG(
    dag_id="maintenance",
    dag_display_name="日常维护",
    description="Verify releases, late feeds, clear away",
    doc_md=__doc__,
    schedule=at("0 6 * * *"),
    catchup=False,
    max_active_runs=1,
    tags=["maintenance"],
    default_args={"owner": "data-engineering"},
):
    verified = task(task_id="verify", task_display_name="核验发布", **ONCE)(pipeline.verify)()
    late = task(task_id="late_feeds", task_display_name="来源状况", **ONCE)(report_feeds)()
    # Nothing is cleared away while an altered record is being looked into.
    verified >> task(task_id="clear_away", task_display_name="清理", **ONCE)(pipeline.clear_away)()
