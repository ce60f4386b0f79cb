"""Start runs of DAGs and follow them to their end; a failed task ends the following at once, with its reason."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from parkindex import errors
from parkindex.errors import ExitCode, ParkindexError
from parkindex.runtime import airflow
from parkindex.runtime.airflow import Api
from parkindex.runtime.view import DONE, FAILED, RUNNING, WAITING, Line, View
from parkindex.settings import Settings

_POLL_SECONDS = 0.7
# A task that is answered before the scheduler has noticed that it waits is taken for lost and failed (Airflow 3.3.2).
# Its supervisor may tell the scheduler only at the next heartbeat, 5 s later.
_BEFORE_ANSWER_SECONDS = 9.0
_TASK_STATES = {
    "success": DONE,
    "skipped": DONE,
    "failed": FAILED,
    "upstream_failed": FAILED,
    "running": RUNNING,
    "up_for_retry": RUNNING,
    "awaiting_input": RUNNING,
}
_NOTED = ("candidate_id", "verdict", "release_id", "promoted", "already_landed")


class TaskFailedError(ParkindexError):
    """A task of a DAG failed; carries the exit code of what failed in it, where that is known."""

    def __init__(self, failure: Failure, dag_id: str, task_id: str, log: Path) -> None:
        super().__init__(
            f"The task {dag_id}.{task_id} failed: {failure.what}",
            where=f"{failure.where + '; ' if failure.where else ''}log {log}",
            why=failure.why,
            next_step=failure.next_step or "look at the log, correct the cause, and run it again",
        )
        self.exit_code = failure.exit_code


@dataclass(frozen=True)
class Failure:
    """What a task's log says of the error that ended it."""

    what: str
    where: str = ""
    why: str = ""
    next_step: str = ""
    exit_code: ExitCode = ExitCode.SERVICE_DOWN


Answer = Callable[[dict[str, Any]], None]


def follow(
    api: Api,
    settings: Settings,
    view: View,
    stage: str,
    run_id: str,
    runs: dict[str, dict[str, Any]],
    answer: Answer | None = None,
) -> dict[str, Any]:
    """Trigger one run each of some DAGs and follow them until all have ended.

    Args:
        api: Airflow.
        settings: The installation, for the logs.
        view: Where to show it.
        stage: Name of the stage in the view.
        run_id: Id of the runs, the same for all.
        runs: DAG → conf.
        answer: Called with each task instance that waits for a person.

    Returns:
        ``<dag>.<task>`` → what the task returned.

    Raises:
        TaskFailedError: A task failed; the other runs are ended.
    """
    for dag_id, conf in runs.items():
        api.trigger(dag_id, run_id, conf)
    results: dict[str, Any] = {}
    waiting: dict[tuple[str, int], float] = {}
    answered: set[tuple[str, int]] = set()
    while True:
        # Runs first: when they have ended, the tasks read after them are final.
        states = {dag_id: state for dag_id, state in api.runs(run_id).items() if dag_id in runs}
        tasks = [task for task in api.tasks(run_id) if task["dag_id"] in runs]
        for task in sorted(tasks, key=lambda one: (one["dag_id"], one["start_date"] or "9", one["task_id"])):
            name = f"{task['dag_id']}.{task['task_id']}"
            if task["state"] == "success" and name not in results:
                results[name] = api.result(task["dag_id"], run_id, task["task_id"])
            attempt = (name, task["try_number"])
            if task["state"] == "awaiting_input" and attempt not in answered and answer is not None:
                since = waiting.setdefault(attempt, time.monotonic())
                if time.monotonic() - since >= _BEFORE_ANSWER_SECONDS:
                    answer(task)
                    answered.add(attempt)
            view.show(_line(stage, task, results.get(name)))
            if task["state"] == "failed":
                _end_others(api, run_id, states)
                raise _failed(settings, task)
        if states and all(state in ("success", "failed") for state in states.values()) and len(states) == len(runs):
            break
        time.sleep(_POLL_SECONDS)
    for dag_id, state in states.items():
        if state == "failed":
            raise TaskFailedError(Failure("the run was ended by somebody"), dag_id, "*", airflow.task_logs(settings))
    return results


def end_leftover_runs(api: Api, prefix: str) -> int:
    """End the runs that an interrupted year left, told by the prefix of their id; returns how many."""
    left = [run for run in api.active_runs() if run["dag_run_id"].startswith(prefix)]
    for run in left:
        api.fail_run(run["dag_id"], run["dag_run_id"])
    return len(left)


def _end_others(api: Api, run_id: str, states: dict[str, str]) -> None:
    for dag_id, state in states.items():
        if state in ("queued", "running"):
            api.fail_run(dag_id, run_id)


def _line(stage: str, task: dict[str, Any], result: Any) -> Line:
    facts = result if isinstance(result, dict) else {}
    state = _TASK_STATES.get(task["state"] or "", WAITING)
    seconds = task["duration"]
    if state == RUNNING and task["start_date"]:
        began = datetime.fromisoformat(task["start_date"])
        seconds = (datetime.now(began.tzinfo) - began).total_seconds()
    notes = [f"{name} {facts[name]}" for name in _NOTED if facts.get(name)]
    if task["state"] in ("up_for_retry", "awaiting_input", "upstream_failed"):
        notes.append(task["state"].replace("_", " "))
    rejected = facts.get("rows_rejected")
    if rejected:
        notes.append(f"{rejected:,} rejected")
    return Line(
        stage=stage,
        task=f"{task['dag_id'].removeprefix('ingest_')}.{task['task_id']}",
        state=state,
        seconds=seconds,
        rows=facts.get("rows_landed"),
        note=", ".join(notes),
    )


def _failed(settings: Settings, task: dict[str, Any]) -> TaskFailedError:
    log = (
        airflow.task_logs(settings)
        / f"dag_id={task['dag_id']}"
        / f"run_id={task['dag_run_id']}"
        / f"task_id={task['task_id']}"
        / f"attempt={task['try_number']}.log"
    )
    return TaskFailedError(read_failure(log), task["dag_id"], task["task_id"], log)


def read_failure(log: Path) -> Failure:
    """Read from a task's log (JSON lines) which error ended it."""
    try:
        lines = log.read_text("utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return Failure("it ended without writing a log", why="its process was killed, or the disk is full")
    for line in reversed(lines):
        try:
            record = json.loads(line)
        except ValueError:
            continue
        detail = record.get("error_detail") if isinstance(record, dict) else None
        if detail:
            return _as_failure(str(detail[0].get("exc_type")), str(detail[0].get("exc_value")))
    return Failure("its process ended without an error message", why="killed, or out of memory")


def _as_failure(kind: str, text: str) -> Failure:
    known = getattr(errors, kind, None)
    if not (isinstance(known, type) and issubclass(known, ParkindexError)):
        return Failure(f"{kind}: {text.splitlines()[0] if text else 'no message'}", exit_code=ExitCode.BAD_INPUT)
    parts = {"what": "", "where": "", "why": "", "next": ""}
    current = "what"
    for line in text.splitlines():
        label, _, rest = line.strip().partition(": ")
        if line.startswith("  ") and label in ("where", "why", "next"):
            current, line = label, rest  # noqa: PLW2901 - the label is taken off the line it stands on
        parts[current] += (" " if parts[current] else "") + line.strip()
    return Failure(parts["what"], parts["where"], parts["why"], parts["next"], known.exit_code)
