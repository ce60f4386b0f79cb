"""What dbt's own parse of the project says: layers, names, descriptions, tests. Needs no database."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from parkindex import methodology
from parkindex.ledger import tables
from parkindex.publish.contents import ADDED_BY_CONTROL
from parkindex.settings import DBT_PROJECT_DIR, PROJECT_ROOT
from parkindex.transform import lineage

LAYERS = {"staging", "intermediate", "marts", "park_index"}
NAMES = {
    "staging": r"stg_[a-z0-9]+(_[a-z0-9]+)*__[a-z0-9]+(_[a-z0-9]+)*",
    "intermediate": r"int_[a-z0-9_]+ed",
    "marts": r"[a-z]+(_[a-z]+)*s",
    "park_index": r"[a-z0-9]+(_[a-z0-9]+)*",
}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return lineage.parse(tmp_path_factory.mktemp("dbt"))


def _nodes(manifest: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [node for node in manifest["nodes"].values() if node["resource_type"] == kind]


def _layer(node: dict[str, Any]) -> str:
    return str(node["fqn"][1])


def test_every_model_stands_in_a_layer_and_is_named_for_it(manifest: dict[str, Any]) -> None:
    models = _nodes(manifest, "model")
    assert {_layer(model) for model in models} == LAYERS
    odd = [model["name"] for model in models if not re.fullmatch(NAMES[_layer(model)], model["name"])]
    assert not odd
    # Postgres cuts names at 63 bytes, and an index or a swap may add to them.
    assert not [model["name"] for model in models if len(model["name"]) > 50]


def test_marts_and_index_never_read_staging(manifest: dict[str, Any]) -> None:
    layer_of = {node["unique_id"]: _layer(node) for node in _nodes(manifest, "model")}
    may_read = {
        "staging": set(),
        "intermediate": {"staging", "intermediate"},
        "marts": {"intermediate", "marts"},
        "park_index": {"marts", "park_index"},
    }
    wrong = [
        (model["name"], parent)
        for model in _nodes(manifest, "model")
        for parent in model["depends_on"]["nodes"]
        if parent in layer_of and layer_of[parent] not in may_read[_layer(model)]
    ]
    assert not wrong


def test_only_staging_reads_raw_and_each_raw_table_is_read_once(manifest: dict[str, Any]) -> None:
    # What became of deliveries (the ledger's tables in schema raw) is asked by every staging model.
    feeds = [source for source in manifest["sources"].values() if source["schema"] == "raw"]
    raw = {source["unique_id"] for source in feeds if source["source_name"] != "ledger"}
    readers = [
        (parent, model["name"], _layer(model))
        for model in _nodes(manifest, "model")
        for parent in model["depends_on"]["nodes"]
        if parent in raw
    ]
    assert {layer for _, _, layer in readers} == {"staging"}
    assert {parent for parent, _, _ in readers} == raw
    assert max(Counter(parent for parent, _, _ in readers).values()) == 1


def test_every_model_and_seed_says_what_one_row_is(manifest: dict[str, Any]) -> None:
    silent = [
        node["name"]
        for node in (*_nodes(manifest, "model"), *_nodes(manifest, "seed"))
        if not re.search(r"One row per [^.]+\.$", node["description"])
    ]
    assert not silent


def test_marts_describe_every_column_they_select(manifest: dict[str, Any]) -> None:
    for model in _nodes(manifest, "model"):
        if _layer(model) in {"marts", "staging"}:
            last_select = model["raw_code"].split("    select\n")[-1].split("\n    from ")[0]
            names = {
                line.strip().rstrip(",").split()[-1].split(".")[-1].strip("(){} ")
                for line in last_select.splitlines()
                if line.strip() and not line.strip().startswith("--")
            } - {"", "}}"}
            described = {name for name, column in model["columns"].items() if column["description"]}
            assert names - {"lineage"} <= described, model["name"]


def test_every_test_has_a_sentence_for_a_name(manifest: dict[str, Any]) -> None:
    tests = _nodes(manifest, "test")
    assert len(tests) > 50
    assert not [
        test["name"] for test in tests if not re.search(r"_(has|have|is|are|knows|exists|add|follow)_", test["name"])
    ]


def test_marts_speak_chinese_and_english_and_their_contract_is_enforced(manifest: dict[str, Any]) -> None:
    for model in _nodes(manifest, "model"):
        if _layer(model) == "marts":
            assert model["config"]["contract"]["enforced"], model["name"]
            assert model["config"]["persist_docs"] == {"relation": True, "columns": True}
            texts = {model["name"]: model["description"]}
            texts |= {f"{model['name']}.{name}": one["description"] for name, one in model["columns"].items()}
            assert not [name for name, text in texts.items() if not re.search(r"[\u4e00-\u9fff]", text)]
            assert not [name for name, text in texts.items() if not re.search(r"[A-Za-z]{3}", text)]
            assert not [name for name, one in model["columns"].items() if not one["data_type"]]
            # money and scores are exact
            assert not [
                name
                for name, one in model["columns"].items()
                if one["data_type"] in {"double precision", "real", "float"}
            ]


def test_every_mart_has_a_test_of_its_key(manifest: dict[str, Any]) -> None:
    keyed = {
        parent
        for test in _nodes(manifest, "test")
        if test.get("test_metadata", {}).get("name") == "unique_key"
        for parent in test["depends_on"]["nodes"]
    }
    assert not [
        model["name"]
        for model in _nodes(manifest, "model")
        if _layer(model) == "marts" and model["unique_id"] not in keyed
    ]


def test_every_mart_keeps_its_lineage(manifest: dict[str, Any]) -> None:
    # A park comes from the methodology, classifications from reference data; a year's figures rest on many rows.
    without = {model["name"] for model in _nodes(manifest, "model") if _layer(model) == "marts"} - {
        model["name"]
        for model in _nodes(manifest, "model")
        if {"source_batch_id", "source_file", "source_row", "known_at"} <= set(model["columns"])
    }
    assert without == {
        *("parks", "industries", "industry_concordances", "industry_tags", "industry_taxonomy_members"),
        *("park_years", "park_leading_industries", "park_industry_declarations", "park_ladder_movements"),
        *("park_incubators", "park_carriers", "park_service_cases"),
        *("tier_conditions", "tier_assessments", "small_technology_scores"),
    }


def test_each_computed_indicator_has_one_model_named_for_it(manifest: dict[str, Any]) -> None:
    computed = [one["code"] for one in methodology.load(2025).document["indicators"] if one["state"] == "computed"]
    models = [model["name"] for model in _nodes(manifest, "model") if "indicators" in model["fqn"][2:-1]]
    assert sorted(name.split("_")[0].upper() for name in models) == sorted(computed)
    # What an indicator rests on was delivered (requirements), or is reported by the park (items), or both.
    reported = {one["indicator_code"] for one in methodology.load(2025).document["self_report_items"]}
    for seed, more in (("indicator_rules.csv", set()), ("indicator_requirements.csv", reported)):
        lines = (DBT_PROJECT_DIR / "seeds" / "index" / seed).read_text("utf-8").splitlines()[1:]
        assert {line.split(",")[0] for line in lines} | more == set(computed)


def test_requirements_name_facts_that_are_looked_at(manifest: dict[str, Any]) -> None:
    lines = (DBT_PROJECT_DIR / "seeds" / "index" / "indicator_requirements.csv").read_text("utf-8").splitlines()[1:]
    facts = {line.split(",")[2] for line in lines}
    model = next(node for node in _nodes(manifest, "model") if node["name"] == "data_gaps")
    assert set(re.findall(r"\('(has_\w+)'", model["raw_code"])) == facts
    described = next(node for node in _nodes(manifest, "model") if node["name"] == "delivered_facts")["columns"]
    assert facts <= set(described)
    explained = (PROJECT_ROOT / "docs" / "method" / "no_data.md").read_text("utf-8")
    assert facts == set(re.findall(r"`(has_\w+)`", explained))


def test_the_picture_of_the_lineage_is_that_of_the_manifest(manifest: dict[str, Any]) -> None:
    drawn = lineage.draw(manifest)
    assert drawn == lineage.PICTURE.read_text("utf-8"), "stale: call make derive"
    assert drawn.count("<rect") > 100


def test_content_tables_are_models_with_the_ledgers_columns(manifest: dict[str, Any]) -> None:
    models = {(_layer(model), model["alias"]): model for model in _nodes(manifest, "model")}
    for released in tables.CONTENT_TABLES:
        # What disclosure control fills in, no model has.
        skipped = {"release_id", *ADDED_BY_CONTROL}
        columns = [column.name for column in released.columns if column.name not in skipped]
        assert sorted(models["park_index", released.name]["columns"]) == sorted(columns), released.name


def test_project_sends_no_statistics_and_uses_no_package() -> None:
    project = yaml.safe_load((DBT_PROJECT_DIR / "dbt_project.yml").read_text("utf-8"))
    assert project["flags"]["send_anonymous_usage_stats"] is False
    assert not [name for name in ("packages.yml", "dependencies.yml") if (DBT_PROJECT_DIR / name).exists()]
    # dbt would import a package found there (docs: every dbt_* module on the path is a plugin).
    assert not list(DBT_PROJECT_DIR.glob("__init__.py"))


def test_no_secret_and_no_postgres_only_syntax_in_the_project() -> None:
    profiles = (DBT_PROJECT_DIR / "profiles.yml").read_text("utf-8")
    assert re.findall(r"password: (.*)", profiles) == ["\"{{ env_var('DBT_ENV_SECRET_PARKINDEX_PASSWORD', '') }}\""]
    for path in sorted(Path(DBT_PROJECT_DIR / "models").rglob("*.sql")):
        code = re.sub(r"--.*", "", path.read_text("utf-8")).lower()
        found = re.findall(
            r"distinct\s+on\b|::|\bilike\b|\bto_char\b|\bgenerate_series\b|double precision|\bfloat\b", code
        )
        assert not found, f"{path.name}: {found}"
