"""Check that what is published is what was published, say which feeds are late, clear away what nobody needs.

Rerun: now (start a new run; it changes nothing but what is cleared away). Priority: a failed `verify` is the highest
there is: a published record was altered.
"""

from __future__ import annotations

from airflow.sdk import DAG, CronTriggerTimetable, task

from parkindex import pipeline

STEP = {"retries": 0, "multiple_outputs": False}

with DAG(
    dag_id="maintenance",
    dag_display_name="日常维护",
    description="Verify releases, late feeds, clear away",
    doc_md=__doc__,
    schedule=CronTriggerTimetable("0 6 * * *", timezone=pipeline.BUSINESS_TIME_ZONE),
    catchup=False,
    max_active_runs=1,
    tags=["maintenance"],
    default_args={"owner": "data-engineering"},
):
    verified = task(task_id="verify", task_display_name="核验发布", **STEP)(pipeline.verify)()
    late = task(task_id="late_feeds", task_display_name="逾期来源", **STEP)(pipeline.late_feeds)()
    # Nothing is cleared away while an altered record is being looked into.
    verified >> task(task_id="clear_away", task_display_name="清理", **STEP)(pipeline.clear_away)()
