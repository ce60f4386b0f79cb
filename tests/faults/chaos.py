"""Run the long proofs, one after the other, and write down how they ended: ``make chaos``.

A proof is a command that ends with code 0 when everything it asserts holds; its last line of output is its figure. A
new one is one line of ``PROOFS``. ``docs/reliability/chaos.md`` is written by this command and by nothing else.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reliability" / "chaos.md"
# What is proved → the command, from the checkout.
PROOFS: dict[str, tuple[str, ...]] = {
    "Damaged deliveries end in rows, rejects or a named refusal, and no row gets lost": (
        *("tests/faults/fuzz.py", "10000", "--seed", "1"),
    ),
    "Any cell and row that a release's chain protects, changed by who owns the database, is found": (
        *(
            "-m",
            "pytest",
            "-q",
            "--no-header",
            "-p",
            "no:cacheprovider",
            "--whole",
            "tests/faults/test_tamper_sweep.py",
        ),
    ),
    "A load killed at any step ends, landed again, as one that was never disturbed": ("tests/faults/kill.py", "30"),
    "Publication, build and gate, killed at any moment and done again, are whole, and readers see whole releases": (
        "tests/faults/kill_publication.py",
    ),
    "A corrupted candidate stops at the gate, or is listed with the reason why the gate cannot know": (
        "tests/faults/mutate_gate.py",
    ),
}
_HEAD = """<!-- Written by tests/faults/chaos.py (make chaos). Do not edit. -->
| proof | command | figure |
| --- | --- | --- |
"""


def main() -> int:
    """Run every proof; write the page when all held."""
    lines = []
    failed = []
    for proof, words in PROOFS.items():
        began = time.monotonic()
        # Native readers print what a panic they recover from looked like; it is no part of the figure.
        done = subprocess.run(
            [sys.executable, *words],
            cwd=ROOT,
            env={**os.environ, "RUST_BACKTRACE": "0", "PYTHONUTF8": "1"},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        said = done.stdout.strip().splitlines()
        print(f"{'held' if done.returncode == 0 else 'FAILED'}  {proof}  {time.monotonic() - began:.0f} s")  # noqa: T201
        if done.returncode != 0:
            failed.append(proof)
            print(done.stdout[-2000:], done.stderr[-4000:])  # noqa: T201
        lines.append(f"| {proof} | `python {' '.join(words)}` | {said[-1] if said else ''} |")
    if failed:
        return 1
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(_HEAD + "\n".join(lines) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
