"""Bring in what providers deliver: one DAG per contract, one task per file.

Rerun: now (start a new run; a file that is in the warehouse is recognised by its bytes and not loaded twice). A file
that was refused fails its own task; the others are loaded. Priority: high in the first week of a month, when most
deliveries come; otherwise low.

Backfill: start a run with days, or `airflow backfill create --dag-id … --from-date … --to-date …`: each of its runs
lands the files that came in its own interval. It runs beside the nightly ones.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import (
    DAG,
    Asset,
    Connection,
    DeadlineAlert,
    DeadlineReference,
    Param,
    SyncCallback,
    task,
)
from airflow.sdk.exceptions import AirflowNotFoundException

from notices import tell_deadline
from parkindex import pipeline
from steps import STEP, at

RETRY = STEP | {"retries": 3, "retry_delay": timedelta(seconds=20)}
FILES = "{{ task.op_kwargs['files'] | join(' ') | truncate(200, True) }}"  # Airflow keeps 250 characters


def fetch(feed: str) -> dict:
    """Fetch a feed; address and token are those of the connection ``parkindex_<feed>``, where there is one."""
    try:
        known = Connection.get(f"parkindex_{feed}")
    except AirflowNotFoundException:
        return pipeline.fetch(feed)
    return pipeline.fetch(feed, url=known.host if "://" in (known.host or "") else None, token=known.password)


def look(feed: str, params: dict | None = None, dag_run: object = None) -> list[list[str]]:
    """Return the files that this run is to land."""
    interval = (dag_run.data_interval_start, dag_run.data_interval_end)
    return pipeline.files_to_land(feed, **pipeline.span_of_run(params, dag_run.run_type, interval))


def land(feed: str, files: list[str], outlet_events: dict | None = None) -> dict:
    """Land files; the event of the feed's asset says what came and what was set aside."""
    landed = pipeline.land_files(feed, files)
    outlet_events[Asset(name=feed, uri=f"parkindex://raw/{feed}")].extra = landed
    return landed


for plan in pipeline.feed_plans():
    with DAG(
        **plan["dag"] | {"doc_md": f"{plan['dag']['doc_md']}\n\n# Runs 运行\n\n{__doc__}"},
        schedule=at(plan["cron"], interval=timedelta(days=plan["days"])),
        catchup=False,  # and no start date: with one, Airflow would at once run the last night before it was started
        max_active_runs=1,
        params={name: Param(**param) for name, param in pipeline.INGEST_PARAMS.items()},
        deadline=DeadlineAlert(
            DeadlineReference.DAGRUN_QUEUED_AT, pipeline.INGEST_DEADLINE, SyncCallback(tell_deadline)
        ),
        default_args={"owner": plan["owner"]},
    ) as dag:
        feed = plan["feed"]
        asset = Asset(name=feed, uri=f"parkindex://raw/{feed}", group="feed")
        shown = {"map_index_template": FILES, "outlets": [asset]}
        found = task(task_id="look", task_display_name="清点", **RETRY)(look)(feed)
        task(task_id="land", task_display_name="入库", **shown, **RETRY)(land).partial(feed=feed).expand(files=found)
        if plan["has_source"]:
            task(task_id="fetch", task_display_name="抓取", **RETRY)(fetch)(feed) >> found
    globals()[dag.dag_id] = dag
