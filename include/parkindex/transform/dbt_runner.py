"""Runs dbt on request: what the child process of :mod:`parkindex.transform.dbt` runs.

Requests come as one JSON object a line on standard input, answers go out the same way on standard output; dbt's own
output goes to standard error. The process ends with its input, or with its parent.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from typing import Any

from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest

_PASSED = {"success", "pass", "warn", "skipped", "no-op"}
_PR_SET_PDEATHSIG = 1


def run(request: dict[str, Any], parsed: dict[str, Manifest]) -> dict[str, Any]:
    """Run dbt once.

    Args:
        request: ``parse`` and ``run`` (arguments), and ``parsed_as``: what the parse depends on. Two requests that
            agree in it share one parse of the project.
        parsed: The last parse, under its ``parsed_as``.

    Returns:
        ``{"success", "failed": [{"node", "status", "message", "path"}], "error"}``. A node that was skipped because
        another one failed is not listed: the other one is.
    """
    outcome = None
    if request["parsed_as"] not in parsed:
        outcome = dbtRunner().invoke(request["parse"])
        parsed.clear()
        if outcome.success and isinstance(outcome.result, Manifest):
            parsed[request["parsed_as"]] = outcome.result
    if request["parsed_as"] in parsed:
        outcome = dbtRunner(manifest=parsed[request["parsed_as"]]).invoke(request["run"])
    if outcome is None:
        raise RuntimeError("dbt neither parsed nor ran")
    failed = [
        {
            "node": result.node.name,
            "status": str(result.status),
            "message": result.message or "",
            "path": result.node.original_file_path,
        }
        for result in getattr(outcome.result, "results", None) or ()
        if str(result.status) not in _PASSED
    ]
    error = None if outcome.exception is None else f"{type(outcome.exception).__name__}: {outcome.exception}"
    return {"success": bool(outcome.success), "failed": failed, "error": error}


def main() -> None:
    """Answer requests until the input ends."""
    # Linux: a killed parent closes our input only when dbt looks at it again, which may be minutes later.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    parsed: dict[str, Manifest] = {}
    for line in sys.stdin:
        request = json.loads(line)
        os.environ.update(request["environment"])
        answers.write(json.dumps(run(request, parsed)) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
