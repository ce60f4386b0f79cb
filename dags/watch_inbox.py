"""See files that were dropped into the inbox, and land them without waiting for the night.

Rerun: never by hand (the next look follows at once). Priority: low; what it misses, the nightly runs find.

One run waits, without holding a worker, until files are there that nothing was done with and that nobody has written to
for a while; it starts the DAGs of their feeds and ends, and the next run begins to wait. The same files start a DAG
once: a file that was refused waits for a person.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, PokeReturnValue, task

from parkindex import pipeline
from steps import WAIT


def look() -> PokeReturnValue:
    """Return the runs to start; nothing yet when no file was dropped."""
    found = pipeline.dropped_files()
    runs = [
        {"trigger_dag_id": f"ingest_{one['feed']}", "trigger_run_id": f"dropped__{one['feed']}__{one['drop']}"}
        for one in found
    ]
    return PokeReturnValue(is_done=bool(runs), xcom_value=runs)


with DAG(
    dag_id="watch_inbox",
    dag_display_name="收件监视",
    description="Land files as they are dropped into the inbox",
    doc_md=__doc__,
    schedule="@continuous",
    start_date=datetime(2025, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=pipeline.watch_starts_paused(),
    tags=["ingest"],
    default_args={"owner": "data-engineering"},
):
    dropped = task.sensor(
        task_id="look",
        task_display_name="等候文件",
        mode="reschedule",
        poke_interval=pipeline.watch_seconds(),
        timeout=timedelta(days=1),
        soft_fail=True,  # a day without a file is no failure
        **WAIT,
    )(look)()
    TriggerDagRunOperator.partial(
        task_id="start", task_display_name="启动接收", skip_when_already_exists=True, **WAIT
    ).expand_kwargs(dropped)
