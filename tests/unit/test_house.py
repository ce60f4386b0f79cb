"""The rules of the house that no linter knows (docs/architecture.md, CONTRIBUTING.md)."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from parkindex.settings import PROJECT_ROOT

TOP_LEVEL = {
    "benchmarks",
    "contracts",
    "dags",
    "dbt_project",
    "docs",
    "expectations",
    "include",
    "methodology",
    "requirements",
    "tests",
}
TEXT_SUFFIXES = {".py", ".sql", ".yaml", ".yml", ".md", ".toml", ".in", ".txt", ".json", ".j2", ".css", ".js", ""}


def tracked() -> list[Path]:
    """Return the files of the checkout, as git knows them or, in an unpacked archive, as they lie there."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT_ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    names = [name for name in listed.stdout.decode().split("\0") if name]
    return [PROJECT_ROOT / name for name in names if (PROJECT_ROOT / name).is_file()]


def test_every_top_level_folder_is_one_the_design_names() -> None:
    folders = {
        path.relative_to(PROJECT_ROOT).parts[0] for path in tracked() if len(path.relative_to(PROJECT_ROOT).parts) > 1
    }
    assert {name for name in folders if not name.startswith(".")} == TOP_LEVEL


def test_both_readmes_fit_two_screens_and_tell_the_same_commands() -> None:
    texts = {name: (PROJECT_ROOT / name).read_text("utf-8") for name in ("README.md", "README.zh-CN.md")}
    commands = {name: set(re.findall(r"`((?:make|parkindex|python3) [^`]*)`", text)) for name, text in texts.items()}
    assert all(text.count("\n") <= 120 for text in texts.values())
    assert commands["README.md"] == commands["README.zh-CN.md"] != set()


def test_links_in_documents_lead_somewhere() -> None:
    broken = [
        f"{page.relative_to(PROJECT_ROOT)}: {target}"
        for page in tracked()
        if page.suffix == ".md"
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text("utf-8"))
        if "://" not in target and not target.startswith("mailto:") and not (page.parent / target).exists()
    ]
    assert broken == []


def test_every_decision_is_listed() -> None:
    folder = PROJECT_ROOT / "docs" / "decisions"
    listed = re.findall(r"\]\((\d{4}-[^)]+\.md)\)", (folder / "README.md").read_text("utf-8"))
    assert sorted(listed) == sorted(path.name for path in folder.glob("[0-9]*.md"))


def test_no_file_names_a_package_registry() -> None:
    hosts = re.compile(
        "|".join(
            [r"pypi\." + "org", "python" + "hosted", "npm" + "js", r"deb\.debian", "mirrors?" + r"\.(aliyun|tuna)"]
        )
    )
    named = [
        str(path.relative_to(PROJECT_ROOT))
        for path in tracked()
        if path.suffix in TEXT_SUFFIXES and hosts.search(path.read_text("utf-8", errors="replace"))
    ]
    assert named == []


def test_dag_files_are_wiring_only() -> None:
    files = sorted((PROJECT_ROOT / "dags").glob("*.py"))
    assert [path.name for path in files] == [
        "build_marts.py",
        "ingest_feeds.py",
        "maintenance.py",
        "notices.py",
        "publish_ranking.py",
        "steps.py",
        "watch_inbox.py",
    ]
    assert {
        path.name: path.read_text("utf-8").count("\n") for path in files if path.read_text("utf-8").count("\n") > 80
    } == {}


def test_dbt_finds_no_module_it_would_import_by_accident() -> None:
    # dbt imports every dbt_* module on sys.path when it starts, and a package called dbt_project would be one.
    assert not (PROJECT_ROOT / "dbt_project" / "__init__.py").exists()
    assert list((PROJECT_ROOT / "dags").glob("dbt_*.py")) == []


def test_make_lists_every_verb_it_has() -> None:
    makefile = (PROJECT_ROOT / "Makefile").read_text("utf-8")
    phony = set(re.findall(r"^\.PHONY: (\S+)", makefile, re.MULTILINE))
    shown = subprocess.run(
        ["make", "--no-print-directory"], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert set(re.findall(r"^  make (\S+)", shown, re.MULTILINE)) == phony


def test_every_module_of_index_and_publication_can_be_the_first_to_be_imported() -> None:
    """A circle of imports shows only when somebody enters it at the wrong end; layers keep circles inside a package."""
    script = (
        "import importlib, pkgutil, sys, parkindex\n"
        "names = [one.name for one in pkgutil.walk_packages(parkindex.__path__, 'parkindex.')"
        " if one.name.split('.')[1] in ('methodology', 'publish', 'scoring')]\n"
        "for name in names:\n"
        "    package = '.'.join(name.split('.')[:2])\n"
        "    for known in [known for known in sys.modules if known == package or known.startswith(package + '.')]:\n"
        "        del sys.modules[known]\n"
        "    importlib.import_module(name)\n"
        "print(len(names))\n"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr[-2000:]
    assert int(found.stdout) > 50
