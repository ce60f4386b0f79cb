"""Draw what rests on what, from dbt's manifest: ``docs/lineage.svg``.

Feeds, staging, intermediate models, marts and the folders of the index stand in columns from left to right; a line
leads from what is read to what reads it. ``make derive`` writes the picture, ``tests/dbt`` refuses a stale one.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from parkindex import settings as settings_module
from parkindex.settings import DBT_PROJECT_DIR, PROJECT_ROOT

PICTURE = PROJECT_ROOT / "docs" / "lineage.svg"
_COLUMNS = ("feed", "staging", "intermediate", "marts", "park_index")
_WIDTH, _GAP, _HEIGHT, _STEP, _TOP = 300, 110, 18, 24, 46
_COLOURS = {
    "feed": "#e8e8e8",
    "staging": "#dcebf7",
    "intermediate": "#e3f1df",
    "marts": "#fdebcf",
    "park_index": "#f3dfee",
}


def draw(manifest: Mapping[str, Any]) -> str:
    """Return the picture of a manifest as SVG; the same manifest gives the same bytes."""
    place = _places(manifest)
    lines = sorted(
        {
            (place[parent], place[name])
            for name, node in manifest["nodes"].items()
            if name in place
            for parent in node["depends_on"].get("nodes", ())
            if parent in place and place[parent] != place[name]
        }
    )
    columns: dict[str, list[str]] = {column: [] for column in _COLUMNS}
    for column, label in sorted(set(place.values())):
        columns[column].append(label)
    at = {
        (column, label): (20 + _COLUMNS.index(column) * (_WIDTH + _GAP), _TOP + row * _STEP)
        for column, labels in columns.items()
        for row, label in enumerate(labels)
    }
    width = 40 + len(_COLUMNS) * (_WIDTH + _GAP) - _GAP
    height = _TOP + max(map(len, columns.values())) * _STEP + 20
    parts = [
        "<!-- GENERATED from dbt's manifest by `make derive`. Do not edit. -->",
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        ' font-family="sans-serif" font-size="12">',
        "<title>Lineage: feeds, staging, intermediate, marts, index</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for index, column in enumerate(_COLUMNS):
        left = 20 + index * (_WIDTH + _GAP)
        parts.append(f'<text x="{left}" y="28" font-size="16" font-weight="bold">{column}</text>')
    for start, end in lines:
        (x, y), (to_x, to_y) = at[start], at[end]
        out, into = x + _WIDTH, to_x
        if start[0] == end[0]:  # within a column: round the right side
            bend = out + 30
            parts.append(_curve(out, y, bend, bend, out, to_y))
        else:
            middle = (out + into) // 2
            parts.append(_curve(out, y, middle, middle, into, to_y))
    for (column, label), (x, y) in sorted(at.items()):
        parts.append(
            f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="3" fill="{_COLOURS[column]}"'
            f' stroke="#777777"/><text x="{x + 6}" y="{y + 13}">{escape(label)}</text>'
        )
    return "\n".join([*parts, "</svg>", ""])


def parse(folder: Path) -> dict[str, Any]:
    """Let dbt parse the project into a folder; return the manifest. Needs no database."""
    settings = settings_module.Settings(home=folder, inbox=folder / "inbox")
    subprocess.run(
        [
            *(sys.executable, "-c", "from dbt.cli.main import cli; cli()", "parse", "--quiet", "--no-version-check"),
            *("--project-dir", str(DBT_PROJECT_DIR), "--profiles-dir", str(DBT_PROJECT_DIR)),
            *("--target-path", str(folder / "target"), "--log-path", str(folder / "logs")),
        ],
        check=True,
        env=settings_module.child_environment(settings),
        cwd=DBT_PROJECT_DIR,
    )
    loaded: dict[str, Any] = json.loads((folder / "target" / "manifest.json").read_text("utf-8"))
    return loaded


def _places(manifest: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Return column and label of every feed and model; the index is drawn by its folders."""
    found = {
        name: ("feed", str(source["source_name"]))
        for name, source in manifest["sources"].items()
        if source["source_name"] != "ledger"
    }
    for name, node in manifest["nodes"].items():
        if node["resource_type"] == "model":
            layer = str(node["fqn"][1])
            found[name] = (layer, "/".join(node["fqn"][1:-1]) if layer == "park_index" else str(node["name"]))
        elif node["resource_type"] == "seed" and "index" not in node["fqn"]:
            found[name] = ("feed", f"reference: {node['name']}")
    return found


def _curve(x: int, y: int, bend: int, other_bend: int, to_x: int, to_y: int) -> str:
    start, end = y + _HEIGHT // 2, to_y + _HEIGHT // 2
    return (
        f'<path d="M{x} {start} C{bend} {start} {other_bend} {end} {to_x} {end}" fill="none" stroke="#9a9a9a"'
        ' stroke-width="0.7"/>'
    )


def main() -> None:
    """Write the picture."""
    with tempfile.TemporaryDirectory() as folder:
        PICTURE.write_text(draw(parse(Path(folder))), "utf-8")


if __name__ == "__main__":
    main()
