"""The example of docs/method/engine.md runs and gives what the page says."""

from __future__ import annotations

import re
from pathlib import Path

from click.testing import CliRunner

from parkindex.cli.__main__ import cli
from parkindex.scoring import method
from parkindex.settings import PROJECT_ROOT

PAGE = (PROJECT_ROOT / "docs" / "method" / "engine.md").read_text("utf-8")


def test_the_example_gives_the_scores_on_the_page(tmp_path: Path) -> None:
    blocks = dict(re.findall(r"^```\w+ (\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
    assert set(blocks) == {"meta.csv", "data.csv", "method.yaml", "scores.csv"}
    for name in ("meta.csv", "data.csv", "method.yaml"):
        (tmp_path / name).write_text(blocks[name], "utf-8")
    words = ["score", "--out", f"{tmp_path}/results"]
    for option in ("data", "meta", "method"):
        words += [f"--{option}", str(next(tmp_path.glob(f"{option}.*")))]
    shown = CliRunner().invoke(cli, words)
    assert shown.exit_code == 0, shown.output
    assert (tmp_path / "results" / "scores.csv").read_text("utf-8") == blocks["scores.csv"]


def test_the_page_names_every_option_of_the_schema() -> None:
    schema = method._validator().schema
    assert isinstance(schema, dict)

    def names(item: object) -> set[str]:
        if isinstance(item, list):
            return set().union(*map(names, item))
        if not isinstance(item, dict):
            return set()
        own = set(item.get("properties", {})) | {word for word in item.get("enum", []) if isinstance(word, str)}
        return own.union(*map(names, item.values()))

    assert {name for name in names(schema) if not re.search(rf"\b{name}\b", PAGE)} == set()
