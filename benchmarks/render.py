"""Write the tables of ``docs/performance/ingest.md`` from ``docs/performance/ingest.json``.

Usage: ``python benchmarks/render.py``, after ``make bench-full``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).resolve().parents[1] / "docs" / "performance"
_NOTE = "Generated from ingest.json by `python benchmarks/render.py`. Do not edit: measure again."
_HEADER = f"<!-- {_NOTE} -->\n\n# Ingest, measured\n\n"


def tables(result: dict[str, Any]) -> str:
    """Return a measurement as Markdown."""
    from ingest import WAYS

    box, postgres, ways = result["machine"], result["postgres"], result["ways"]
    floor, wide = ways["floor"], ways["floor_wide"]
    packages = ", ".join(f"{name} {version}" for name, version in {**box["packages"], **result["peers"]}.items())
    settings = ", ".join(f"{name} {value}" for name, value in postgres.items())
    lines = [
        f"{result['rows']:,} rows × {result['columns']} columns ({result['size_bytes'] / 2**20:.0f} MiB), of which "
        f"{result['good_rows']:,} are good; median of {result['rounds']} interleaved rounds"
        + (f" (of {', '.join(result['slow'])}: {result['slow_rounds']})" if result["slow"] else "")
        + ".",
        "",
        f"{box['cores']} cores ({box['cpu']}), {box['memory_gib']} GiB, load {box['load_1m']} before "
        f"and {box['load_1m_after']} after, Python {box['python']}, kernel {box['kernel']}. Postgres: {settings}. "
        f"{packages}.",
        "",
        "| way | seconds | ÷ floor | ÷ wide floor | least–most s | CPU s | server CPU s "
        "| CPU ÷ floor | peak MiB | accepted | rejected |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    cost = _cost(floor)
    for way, one in ways.items():
        rejected = "–" if one["rejected"] is None else f"{one['rejected']:,}"
        # An earlier form of the measurement has no processor time of the server.
        server = f"{one['server_cpu_seconds']:.1f}" if "server_cpu_seconds" in one else "–"
        ratio = f"{_cost(one) / cost:.2f}" if cost and "server_cpu_seconds" in one else "–"
        lines.append(
            f"| {WAYS[way]} | {one['seconds']:.2f} | {one['seconds'] / floor['seconds']:.2f} | "
            f"{one['seconds'] / wide['seconds']:.2f} | {min(one['all_seconds']):.2f}–{max(one['all_seconds']):.2f} | "
            f"{one['cpu_seconds']:.1f} | {server} | {ratio} | {one['peak_rss'] / 2**20:.0f} | {one['accepted']:,} | "
            f"{rejected} |"
        )
    lines += ["", *(f"Left out: {name}: {why}." for name, why in result["left_out"].items())]
    lines += [
        "",
        "| format | rows | MiB | rows/s | bare parser, rows/s | peak MiB |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, one in result["formats"].items():
        ours, bare = one["ours"], one["bare"]
        rows = ours["accepted"] + ours["rejected"] + ours["repeated"]
        lines.append(
            f"| {name} | {rows:,} | {one['size_bytes'] / 2**20:.0f} | {rows / ours['seconds']:,.0f} | "
            f"{bare['accepted'] / bare['seconds']:,.0f} | {ours['peak_rss'] / 2**20:.0f} |"
        )
    lines += [
        "",
        "| rows | seconds | ÷ floor | µs per row | peak MiB |",
        "| ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {one['rows']:,} | {one['seconds']:.2f} | {one['seconds'] / one['floor_seconds']:.2f} | "
        f"{one['seconds'] / one['rows'] * 1e6:.2f} | {one['peak_rss'] / 2**20:.0f} |"
        for one in result["growth"]
    ]
    return "\n".join(lines) + "\n"


def _cost(one: dict[str, Any]) -> float:
    """Return the processor time of both sides, seconds."""
    return float(one["cpu_seconds"]) + float(one.get("server_cpu_seconds", 0.0))


def main() -> None:
    """Write the page."""
    result = json.loads((_FOLDER / "ingest.json").read_text("utf-8"))
    (_FOLDER / "ingest.md").write_text(_HEADER + tables(result), "utf-8")


if __name__ == "__main__":
    main()
