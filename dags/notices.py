"""Tell people when a run fails or is not done in time; where to is the connection ``parkindex_notify``, if it is there.

No DAG of its own: what the DAG files hand to Airflow as callbacks. The connection's URI is an address of
``parkindex.notices`` (type smtp: host, login, password, and ``from`` and ``to`` as extra); a host that is a whole URL
(``https://…``, ``robot+https://…``) is a web hook. Without the connection, ``PARKINDEX_NOTIFY`` says where to.
"""

from __future__ import annotations

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException, AirflowSecretsBackendAccessDenied

from parkindex import pipeline

CONNECTION = "parkindex_notify"


def addresses() -> list[str] | None:
    """Return where notices go by Airflow's connection; None when there is none.

    Airflow 3.3 gives no connection to what it calls when a deadline is missed: then the environment says where to.
    """
    try:
        known = Connection.get(CONNECTION)
    except (AirflowNotFoundException, AirflowSecretsBackendAccessDenied):
        return None
    return [known.host if "://" in (known.host or "") else known.get_uri()]


def tell_failure(context: dict) -> None:
    """Tell that a task failed for good: which, why and what to do next, as its error says."""
    failed, error = context["ti"], context.get("exception")
    pipeline.notify(
        "failed",
        f"{failed.dag_id}.{failed.task_id} failed 任务失败",
        f"{error if error is not None else 'no error was reported'}\n  run: {failed.run_id}",
        {"dag_id": failed.dag_id, "task_id": failed.task_id, "run_id": failed.run_id, "map_index": failed.map_index},
        addresses(),
    )


def tell_deadline(context: dict) -> None:
    """Tell that a run was not done when it had to be."""
    run, deadline = context["dag_run"], context["deadline"]
    pipeline.notify(
        "deadline",
        f"{run['dag_id']} is not done in time 未按时完成",
        f"Run {run['dag_run_id']} had to end by {deadline['deadline_time']}.\n  next: look at it in Airflow",
        {"dag_id": run["dag_id"], "run_id": run["dag_run_id"], "deadline": str(deadline["deadline_time"])},
        addresses(),
    )


def report_feeds() -> list[dict]:
    """Return how every feed stands; tell people when one is late."""
    return pipeline.feeds_report(addresses())
