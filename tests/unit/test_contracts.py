"""Contracts: what is accepted, what is refused with file and line, what a change breaks, what is derived."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from contract_files import SMALL, small, write
from parkindex import contracts
from parkindex.contracts import derive
from parkindex.errors import BadInputError


def test_a_contract_says_everything_in_plain_data(tmp_path: Path) -> None:
    contract = small(tmp_path)
    table = contract.tables[0]
    assert (contract.feed, contract.major, contract.owner, contract.frequency) == ("shops", 1, "shop-desk", "P12M")
    assert contract.source_url == "http://shops.example/api"
    assert contract.pagination is not None
    assert contract.pagination.page_size == 2
    assert table.primary_key == ("code", "opened")
    assert table.column("area").exclusive_minimum == "0"
    assert table.column("owner").is_personal
    assert table.column("capital").derived[0][:2] == ("capital_amount", "numeric(24,4)")
    assert contract.null_tokens == ("", "-", "N/A")


@pytest.mark.parametrize(
    ("old", "new", "rule", "near"),
    [
        ("status: active", "statsu: active", "contract.schema", "statsu"),
        ("        required: true", "        requierd: true", "contract.schema", "requierd"),
        ('type: local, path: "*_gb.csv"', 'type: custom, path: "*_gb.csv"', "contract.closed_list", "custom"),
        ("value: freeze", "value: ignore", "contract.closed_list", "ignore"),
        ("property: atMost", "property: atmost", "contract.closed_list", "atmost"),
        ("value: seats}", "value: seat}", "contract.reference", "seat"),
        ("physicalType: numeric(6,2)", "physicalType: float8", "contract.type", "float8"),
        ("{minLength: 2, maxLength: 8}", "{minLength: 2, maximum: 8}", "contract.", "maximum"),
        ("pattern: '^[^0-9]+$'", "pattern: '[^0-9]+'", "contract.pattern", "[^0-9]+"),
        ("pattern: '^[^0-9]+$'", "pattern: '^(?=a).+$'", "contract.pattern", "(?=a)"),
        ("synonyms: [{synonym: 座位}]", "synonyms: [{synonym: 面积}]", "contract.synonyms", "面积"),
        ("primaryKeyPosition: 2", "primaryKeyPosition: 3", "contract.primary_key", "numbered"),
        ("physicalName: shops_v1", "physicalName: shops_v2", "contract.major_version", "shops_v2"),
        ("version: 1.0.0", "version: '1.0'", "contract.version", "1.0"),
        ("team: {name: shop-desk}", "team: {description: nobody}", "contract.owner", "team"),
        (
            "{property: latency, value: 30, unit: d}",
            "{property: retention, value: 3, unit: y}",
            "contract.",
            "retention",
        ),
        ('value: ["代码"]}', "value: []}", "contract.sentinel", "GB18030"),
        ("mustBeGreaterThan: 0", "mustBeGreaterThan: 0.5", "contract.quality", "bound"),
        ("name: Shops\n", "name: Shops\nname: Again\n", "contract.yaml", "stands twice"),
        ("value: {page: page, size: size, ", "value: {page: page, ", "contract.pagination", "size"),
        ('path: "*.csv", format: csv', 'path: "*.csv", format: parquet', "contract.", "parquet"),
    ],
)
def test_a_broken_contract_is_refused_with_rule_file_and_line(
    tmp_path: Path, old: str, new: str, rule: str, near: str
) -> None:
    path = write(tmp_path, (old, new))
    with pytest.raises(BadInputError) as caught:
        contracts.load_file(path)
    error = caught.value
    assert error.why.startswith(rule)
    assert near in error.what + error.why
    named, line = error.where.rsplit(":", maxsplit=1)
    assert named == str(path)
    assert 1 <= int(line) <= SMALL.count("\n") + 1
    assert "parkindex contract check" in error.next_step


def test_the_line_named_is_the_one_that_is_wrong(tmp_path: Path) -> None:
    path = write(tmp_path, ("property: atMost", "property: atmost"))
    wanted = next(number for number, line in enumerate(path.read_text("utf-8").splitlines(), 1) if "atmost" in line)
    with pytest.raises(BadInputError) as caught:
        contracts.load_file(path)
    assert caught.value.where.endswith(f":{wanted}")


def test_dates_stay_texts_and_only_true_and_false_are_booleans(tmp_path: Path) -> None:
    dated = small(tmp_path, ("synonyms: [{synonym: 注册日期}]", "logicalTypeOptions: {minimum: 1990-01-01}"))
    assert dated.tables[0].column("registered").minimum == "1990-01-01"
    answered = small(tmp_path, ("{value: 书}", "{value: no}"))
    assert answered.tables[0].column("kind").allowed == ("茶", "no")


def test_an_unknown_feed_names_the_known_ones(tmp_path: Path) -> None:
    write(tmp_path)
    with pytest.raises(BadInputError, match="no feed 'tea'") as caught:
        contracts.load("tea", tmp_path)
    assert "shops" in caught.value.why


def test_a_contract_stands_in_a_file_of_its_name(tmp_path: Path) -> None:
    write(tmp_path).rename(tmp_path / "stores.odcs.yaml")
    with pytest.raises(BadInputError) as caught:
        contracts.load_all(tmp_path)
    assert caught.value.why == "contract.file_name"


@pytest.mark.parametrize(
    ("old", "new", "breaking", "words"),
    [
        ("{value: 书}", "{value: 书}, {value: 花}", False, "added ['花']"),
        ("{value: 茶}, ", "", True, "removed ['茶']"),
        ("maximum: 5000", "maximum: 6000", False, "maximum 5000 → 6000"),
        ("maximum: 5000", "maximum: 900", True, "maximum 5000 → 900"),
        ("physicalType: numeric(6,2)", "physicalType: numeric(8,2)", True, "physical_type"),
        ("synonyms: [{synonym: 座位}]", "synonyms: [{synonym: 座位}, {synonym: 席位}]", False, "headers added"),
        ("synonyms: [{synonym: 座位}]", "synonyms: [{synonym: 席位}]", True, "headers removed"),
        ("        primaryKeyPosition: 1\n", "        primaryKeyPosition: 1\n        unique: true\n", False, ""),
        ("value: freeze", "value: evolve", False, "onUnknownColumn"),
        ('nullTokens, value: ["", ', "nullTokens, value: [", True, "nullTokens"),
        ("        classification: personal\n", "", True, "personal True → False"),
        ("latency, value: 30", "latency, value: 40", False, "40 d"),
        ("team: {name: shop-desk}", "team: {name: other-desk}", False, "owner"),
    ],
)
def test_a_change_says_whether_it_breaks(tmp_path: Path, old: str, new: str, breaking: bool, words: str) -> None:
    before = small(tmp_path)
    changes = contracts.diff(before, small(tmp_path, (old, new)))
    assert any(change.breaking for change in changes) is breaking
    if words:
        assert any(words in change.what for change in changes)
    else:
        assert changes == []


def test_a_breaking_change_asks_for_a_major_version(tmp_path: Path) -> None:
    before = small(tmp_path)
    same_major = contracts.diff(before, small(tmp_path, ("maximum: 5000", "maximum: 900")))
    assert "2.0.0" in same_major[-1].why
    changes = [("maximum: 5000", "maximum: 900"), ("version: 1.0.0", "version: 2.0.0"), ("shops_v1", "shops_v2")]
    assert not any("2.0.0" in change.why for change in contracts.diff(before, small(tmp_path, *changes)))


def test_a_contract_equals_itself(tmp_path: Path) -> None:
    assert contracts.diff(small(tmp_path), small(tmp_path)) == []


def test_expectations_follow_from_the_columns(tmp_path: Path) -> None:
    made = {one.id: one for one in derive.expectations(small(tmp_path))}
    assert made["shops__rows"].arguments == {"min": 1, "max": None}
    assert made["raw.shops_v1.key_unique_in_batch"].columns == ("code", "opened", "_batch_id")
    assert made["raw.shops_v1.kind.in_set"].arguments == {"values": ["茶", "书"]}
    assert made["raw.shops_v1.area.between"].arguments == {
        "min": "0",
        "max": "5000",
        "strict_min": True,
        "strict_max": False,
    }
    assert made["raw.shops_v1.owner.matches"].arguments == {"regex": "^[^0-9]+$"}
    assert made["raw.shops_v1.code.not_null"].severity == "error"
    assert "raw.shops_v1.name.not_null" not in made


def test_sources_are_written_once_checked_and_removed_with_their_contract(tmp_path: Path) -> None:
    folder, staging = tmp_path / "contracts", tmp_path / "staging"
    folder.mkdir()
    path = write(folder)
    written = derive.write_sources(contracts_folder=folder, staging=staging)
    assert written == [staging / "shops" / "_shops__sources.yml"]
    assert derive.write_sources(check=True, contracts_folder=folder, staging=staging) == []
    source = yaml.safe_load(written[0].read_text("utf-8"))["sources"][0]
    assert (source["name"], source["schema"], source["tables"][0]["name"]) == ("shops", "raw", "shops_v1")
    assert source["config"]["freshness"]["warn_after"] == {"count": 30, "period": "day"}

    path.write_text(path.read_text("utf-8").replace("value: 30", "value: 31"), "utf-8")
    assert derive.write_sources(check=True, contracts_folder=folder, staging=staging) == written
    derive.write_sources(contracts_folder=folder, staging=staging)
    path.unlink()
    assert derive.write_sources(contracts_folder=folder, staging=staging) == written
    assert not written[0].exists()


def test_a_hand_written_file_is_not_overwritten(tmp_path: Path) -> None:
    write(tmp_path)
    mine = tmp_path / "staging" / "shops" / "_shops__sources.yml"
    mine.parent.mkdir(parents=True)
    mine.write_text("version: 2\n", "utf-8")
    with pytest.raises(BadInputError, match="hand-written"):
        derive.write_sources(contracts_folder=tmp_path, staging=tmp_path / "staging")
    assert mine.read_text("utf-8") == "version: 2\n"
