"""Parse dags/ as Airflow's DAG processor does, with no database and no network, and print what it finds as JSON.

Run by the tests in a process of its own: Airflow reads its configuration when it is imported.
"""

from __future__ import annotations

import json
import socket
import sys
import time


def _refuse(*_arguments: object, **_keywords: object) -> None:
    raise OSError("parsing a DAG must not use the network")


def _failure_callbacks(task: object) -> list[object]:
    """Return what is called when a task failed, of a mapped one as well."""
    told = getattr(task, "on_failure_callback", None)
    if told is None and hasattr(task, "partial_kwargs"):
        told = task.partial_kwargs.get("on_failure_callback")
    return list(told) if isinstance(told, (list, tuple)) else [told] if told else []


def main(folder: str) -> dict[str, object]:
    from airflow.dag_processing.dagbag import DagBag

    socket.socket.connect = _refuse  # type: ignore[method-assign]
    sys.path.append(folder)  # as Airflow does with a bundle
    began = time.process_time()
    bag = DagBag(folder)
    seconds = time.process_time() - began
    return {
        "seconds": seconds,
        "import_errors": bag.import_errors,
        "dags": {
            dag_id: {
                "display_name": dag.dag_display_name,
                "doc_md": dag.doc_md,
                "tags": sorted(dag.tags),
                "catchup": dag.catchup,
                "max_active_runs": dag.max_active_runs,
                "timetable": type(dag.timetable).__name__,
                "expression": getattr(dag.timetable, "expression", None),
                "time_zone": str(getattr(dag.timetable, "timezone", "")),
                "interval_days": getattr(getattr(dag.timetable, "interval", None), "days", None),
                "paused_at_first": dag.is_paused_upon_creation,
                "param_texts": {
                    name: one.schema | {"help": one.description}
                    for name, one in [(name, dag.params.get_param(name)) for name in dag.params]
                },
                "deadlines": [
                    {
                        "reference": type(one.reference).__name__,
                        "seconds": one.interval.total_seconds(),
                        "callback": one.callback.path,
                        "runs_in": type(one.callback).__name__,
                    }
                    for one in dag.deadline or []
                ],
                "params": dag.params.dump(),
                "tasks": {
                    task.task_id: {
                        "display_name": task.task_display_name,
                        "owner": task.owner,
                        "retries": task.retries,
                        "upstream": sorted(task.upstream_task_ids),
                        "outlets": [asset.name for asset in task.outlets],
                        "mapped": task.is_mapped,
                        "mode": getattr(task, "mode", None),
                        "tells": [f"{one.__module__}.{one.__qualname__}" for one in _failure_callbacks(task)],
                        "retry": task.retry_policy.serialize() if task.retry_policy else None,
                    }
                    for task in dag.tasks
                },
            }
            for dag_id, dag in bag.dags.items()
        },
    }


if __name__ == "__main__":
    found = main(sys.argv[1])
    print("FOUND " + json.dumps(found, ensure_ascii=False))  # noqa: T201
