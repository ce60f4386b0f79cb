"""Bring in what providers deliver: one DAG per contract.

Rerun: now (start a new run; a file that is in the warehouse is recognised by its bytes and not loaded twice).
Priority: high in the first week of a month, when most deliveries come; otherwise low.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, Asset, Connection, CronTriggerTimetable, ExceptionRetryPolicy, RetryAction, RetryRule, task
from airflow.sdk.exceptions import AirflowNotFoundException

from parkindex import pipeline

# A contract that is broken today is broken in a minute; a service that is away may be back.
RETRY = {
    "retries": 3,
    "retry_delay": timedelta(seconds=20),
    "retry_policy": ExceptionRetryPolicy(
        rules=[RetryRule(exception=list(pipeline.WORTH_RETRYING))], default=RetryAction.FAIL
    ),
    "multiple_outputs": False,
}


def looked_for(months: int, place: int) -> str:
    """When a feed's inbox is looked into: every night if it is due monthly, else on Mondays; one after the other."""
    return f"{place * 3} 2 * * {'*' if months <= 1 else '1'}"


def fetch(feed: str) -> dict:
    """Fetch a feed; address and token are those of the connection ``parkindex_<feed>``, where there is one."""
    try:
        known = Connection.get(f"parkindex_{feed}")
    except AirflowNotFoundException:
        return pipeline.fetch(feed)
    address = known.host if "://" in (known.host or "") else None
    return pipeline.fetch(feed, url=address, token=known.password)


def ingest(plan: dict, place: int) -> DAG:
    """Make the DAG of one feed from what its contract says."""
    feed = plan["feed"]
    with DAG(
        dag_id=f"ingest_{feed}",
        dag_display_name=f"接收 {plan['name_zh']}",
        description=plan["name"],
        doc_md=f"# {plan['name_zh']} · {plan['name']}\n\n{plan['description']}\n\n{__doc__}",
        # No start date: with one, Airflow would at once run the last night before it was started.
        schedule=CronTriggerTimetable(
            looked_for(plan["frequency_months"], place), timezone=pipeline.BUSINESS_TIME_ZONE
        ),
        catchup=False,
        max_active_runs=1,
        tags=["ingest", plan["domain"]],
        default_args={"owner": plan["owner"]},
    ) as dag:
        asset = Asset(name=feed, uri=f"parkindex://raw/{feed}", group="feed")
        land = task(task_id="land", task_display_name="入库", outlets=[asset], **RETRY)(pipeline.land_inbox)(feed)
        if plan["has_source"]:
            task(task_id="fetch", task_display_name="抓取", **RETRY)(fetch)(feed) >> land
    return dag


for number, planned in enumerate(pipeline.feed_plans()):
    globals()[f"ingest_{planned['feed']}"] = ingest(planned, number)
