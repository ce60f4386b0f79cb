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


def main(folder: str) -> dict[str, object]:
    from airflow.dag_processing.dagbag import DagBag

    socket.socket.connect = _refuse  # type: ignore[method-assign]
    began = time.perf_counter()
    bag = DagBag(folder)
    seconds = time.perf_counter() - began
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
                "params": dag.params.dump(),
                "tasks": {
                    task.task_id: {
                        "display_name": task.task_display_name,
                        "owner": task.owner,
                        "retries": task.retries,
                        "upstream": sorted(task.upstream_task_ids),
                        "outlets": [asset.name for asset in task.outlets],
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
