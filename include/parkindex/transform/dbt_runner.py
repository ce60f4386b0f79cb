"""Runs dbt once and writes what became of each node: what the child process of :mod:`parkindex.transform.dbt` runs.

``python -m parkindex.transform.dbt_runner RESULT ARGUMENT…``; exit code 0 when everything passed, 1 when a node failed,
2 when dbt did not get to the nodes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from dbt.cli.main import dbtRunner

_PASSED = {"success", "pass", "warn", "skipped", "no-op"}


def main(result_path: str, *arguments: str) -> int:
    """Run dbt; write ``{"failed": [{"node", "status", "message", "path"}], "error": text or null}``.

    A node that was skipped because another one failed is not listed: the other one is.
    """
    outcome = dbtRunner().invoke(list(arguments))
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
    Path(result_path).write_text(json.dumps({"failed": failed, "error": error}, ensure_ascii=False), "utf-8")
    if outcome.success:
        return 0
    return 1 if failed else 2


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
