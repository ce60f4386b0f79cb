"""The project's own contracts: all valid, what they derive current, and every check described."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from parkindex import contracts
from parkindex.contracts import derive
from parkindex.landing.checks import CHECKS
from parkindex.settings import PROJECT_ROOT

GOLDEN = Path(__file__).parent.parent / "golden"
FEEDS = sorted(contracts.load_all())


def test_there_are_eleven_feeds() -> None:
    assert FEEDS == [
        "enterprise_accounts",
        "enterprise_registry",
        "financing_rounds",
        "headcounts",
        "park_members",
        "park_plots",
        "park_reports",
        "patent_events",
        "patents",
        "recognitions",
        "street_ranges",
    ]


@pytest.mark.parametrize("feed", FEEDS)
def test_every_contract_says_who_how_often_and_what_its_rows_are(feed: str) -> None:
    contract = contracts.load(feed)
    assert contract.owner
    assert contract.latency_days > 0
    for table in contract.tables:
        assert table.grain.startswith("One row per")
        assert any(rule.metric == "rowCount" for rule in table.quality)
        for column in table.columns:
            if column.logical_type == "number" and column.name not in ("value",):
                assert column.unit, f"{feed}.{column.name} has no unit"


def test_derived_dbt_sources_are_current() -> None:
    assert derive.write_sources(check=True) == [], "run `make derive`"


def test_tables_derived_from_a_contract_are_these() -> None:
    statements = derive.ddl(contracts.load("financing_rounds"))
    assert ";\n".join(statements) + ";\n" == (GOLDEN / "financing_rounds.ddl.sql").read_text("utf-8")


def test_every_check_is_described_for_people_and_no_other() -> None:
    page = (PROJECT_ROOT / "docs" / "checks.md").read_text("utf-8")
    described = re.findall(r"^\| `([a-z_.]+)` \|", page, flags=re.MULTILINE)
    assert sorted(described) == sorted(CHECKS)
    assert len(set(described)) == len(described)


def test_every_check_is_used_and_no_other_is() -> None:
    sources = [
        *(PROJECT_ROOT / "include/parkindex/landing").glob("*.py"),
        *(PROJECT_ROOT / "include/parkindex/raw").glob("*.py"),
    ]
    code = "\n".join(path.read_text("utf-8") for path in sources if path.name != "checks.py")
    prefixes = {rule.split(".")[0] for rule in CHECKS}
    used = set(re.findall(rf'"((?:{"|".join(sorted(prefixes))})\.[a-z_]+)"', code))
    typed = {f"type.{kind}" for kind in ("date", "integer", "number")}
    assert used | typed == set(CHECKS)
