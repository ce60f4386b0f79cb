"""Keep the figures of the long proofs, and make their page: ``docs/reliability/chaos.json`` → ``figures.md``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).resolve().parents[2] / "docs" / "reliability"
FIGURES, PAGE = _FOLDER / "chaos.json", _FOLDER / "figures.md"
_HEADER = (
    "<!-- Generated from chaos.json by `make chaos`. Do not edit: run it again. -->\n\n# Kills, races, mutations\n\n"
)
_KILLED = (
    ("naive", "truncate and insert (the customary way)", "random moment"),
    ("release", "approve, publish, bundle", "random moment"),
    ("steps", "approve, publish, bundle", "each named step"),
    ("restart", "approve, publish, bundle", "Postgres stopped, immediate mode"),
    ("build", "build", "named steps, random moments"),
    ("gate", "gate", "named steps, random moments"),
)


def keep(part: str, figures: dict[str, Any]) -> None:
    """Write the figures of a part beside those of the others, and the page anew."""
    kept = json.loads(FIGURES.read_text("utf-8")) if FIGURES.exists() else {}
    kept[part] = figures
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    FIGURES.write_text(json.dumps(kept, ensure_ascii=False, indent=1, sort_keys=True) + "\n", "utf-8")
    PAGE.write_text(page(kept), "utf-8")


def page(kept: dict[str, Any]) -> str:
    """Return the page of kept figures."""
    lines = [
        "| what was done | interrupted at | times | died in it | broken after | reads | bad reads |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for part, what, where in _KILLED:
        if part in kept:
            one = kept[part]
            times = one.get("moments", 0) + len(one.get("steps", ()))
            lines.append(
                f"| {what} | {where} | {times} | {one['kills']} | {one.get('broken', 0)} |"
                f" {_number(one.get('reads'))} | {_number(one.get('bad_reads'))} |"
            )
    if "race" in kept:
        told = ", ".join(f"{kind}: {count}" for kind, count in sorted(kept["race"]["told"].items()))
        lines += [
            "",
            f"Published twice at once: {kept['race']['races']} times; one won, the other said so each time ({told}).",
        ]
    if "mutations" in kept:
        one = kept["mutations"]
        lines += [
            "",
            f"Corruptions of a good candidate: {one['planted']}; stopped at the gate: {one['stopped']}; warned:"
            f" {one['warned']}; beyond it: {one['beyond']} (listed with reasons in ../reliability.md).",
        ]
    return _HEADER + "\n".join(lines) + "\n"


def _number(count: int | None) -> str:
    return "–" if count is None else f"{count:,}"
