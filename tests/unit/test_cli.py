"""The command line as a script sees it: help, exit codes, JSON, language. No warehouse runs here."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from parkindex.cli.__main__ import VERBS
from parkindex.settings import PROJECT_ROOT


def parkindex(home: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PARKINDEX_", "LC_"))}
    return subprocess.run(
        [sys.executable, "-m", "parkindex.cli.__main__", *words],
        env={**clean, "PARKINDEX_HOME": str(home), "LANG": "C", **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def test_help_lists_every_verb_and_loads_none_of_the_heavy_libraries() -> None:
    program = "import sys; sys.argv = ['parkindex', '--help']; from parkindex.cli.__main__ import cli\n"
    program += "try: cli()\nexcept SystemExit: pass\n"
    program += "print(sorted({'polars', 'sqlalchemy', 'numpy', 'great_expectations', 'httpx'} & set(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert set(VERBS) <= set(re.findall(r"^  (\S+)", shown, re.MULTILINE))
    assert shown.splitlines()[-1] == "[]"


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_explains_itself(verb: str) -> None:
    from click.testing import CliRunner

    from parkindex.cli.__main__ import cli

    shown = CliRunner().invoke(cli, [verb, "--help"])
    assert shown.exit_code == 0, shown.output
    assert "Usage:" in shown.output


def test_unknown_words_are_a_usage_error(tmp_path: Path) -> None:
    assert parkindex(tmp_path, "publicate").returncode == 2
    assert parkindex(tmp_path, "build").returncode == 2
    assert parkindex(tmp_path, "build", "next-year").returncode == 2
    assert parkindex(tmp_path, "gate").returncode == 2
    assert parkindex(tmp_path, "gate", "2025-c1", "--marts").returncode == 2


def test_without_a_warehouse_the_error_says_what_to_do_and_exits_7(tmp_path: Path) -> None:
    refused = parkindex(tmp_path, "releases", "--json")
    document = json.loads(refused.stdout)
    assert refused.returncode == 7 == document["exit_code"]
    assert document["where"] and document["why"] and "make up" in document["next"]
    assert "Traceback" not in refused.stderr


def test_messages_follow_the_language(tmp_path: Path) -> None:
    assert "下一步" in parkindex(tmp_path, "releases", LANG="zh_CN.UTF-8").stderr
    assert "next: " in parkindex(tmp_path, "releases").stderr
    assert "下一步" in parkindex(tmp_path, "releases", "--lang", "zh").stderr


def test_debug_shows_the_traceback_and_nothing_else_does(tmp_path: Path) -> None:
    assert "Traceback" in parkindex(tmp_path, "releases", "--debug").stderr
    assert "Traceback" not in parkindex(tmp_path, "releases").stderr


def test_methodology_check_names_every_edition(tmp_path: Path) -> None:
    checked = json.loads(parkindex(tmp_path, "methodology", "check", "--json").stdout)
    folders = [path.name for path in (PROJECT_ROOT / "methodology").iterdir() if path.is_dir()]
    assert sorted(str(one["edition"]) for one in checked["editions"]) == sorted(folders)
    assert all(re.fullmatch("[0-9a-f]{64}", one["methodology_sha256"]) for one in checked["editions"])


def test_an_unknown_edition_is_bad_input(tmp_path: Path) -> None:
    refused = parkindex(tmp_path, "methodology", "check", "1999", "--json")
    assert refused.returncode == 3
    assert "1999" in json.loads(refused.stdout)["error"]
