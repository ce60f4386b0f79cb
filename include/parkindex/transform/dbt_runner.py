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

_PASSED = {"success", "pass", "warn", "skipped", "no-op"}
_PR_SET_PDEATHSIG = 1


def run(arguments: list[str]) -> dict[str, Any]:
    """Run dbt once.

    Returns:
        ``{"success", "failed": [{"node", "status", "message", "path"}], "error"}``. A node that was skipped because
        another one failed is not listed: the other one is.
    """
    outcome = dbtRunner().invoke(arguments)
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
    for line in sys.stdin:
        request = json.loads(line)
        os.environ.update(request["environment"])
        answers.write(json.dumps(run(request["arguments"])) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
