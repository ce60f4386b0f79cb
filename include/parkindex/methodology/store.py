"""Write a methodology into the warehouse, where dbt reads it: once per hash, never changed."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine, Table, select
from sqlalchemy.dialects.postgresql import insert

from parkindex.ledger import tables
from parkindex.methodology.edition import Methodology
from parkindex.methodology.signoffs import signoffs


def store(engine: Engine, methodology: Methodology) -> str:
    """Store a methodology unless this version is there already, and who froze it by now; return its hash."""
    with engine.begin() as connection:
        known = connection.execute(
            select(tables.methodology_editions.c.edition).where(
                tables.methodology_editions.c.methodology_sha256 == methodology.sha256
            )
        ).first()
        if known is None:
            for table, rows in _rows(methodology.document).items():
                stamped = [{"methodology_sha256": methodology.sha256, **row} for row in rows]
                # Two builders may store the same version at once: the rows are equal, the second adds nothing.
                connection.execute(insert(table).on_conflict_do_nothing(), stamped)
        signed = [
            {"edition": methodology.edition, **asdict(one)}
            for one in signoffs(methodology.edition)
            if one.methodology_sha256 == methodology.sha256
        ]
        if signed:
            connection.execute(insert(tables.methodology_signoffs).on_conflict_do_nothing(), signed)
    return methodology.sha256


def _rows(document: dict[str, Any]) -> dict[Table, list[dict[str, Any]]]:
    return {
        tables.methodology_editions: [
            {"edition": document["edition"], "title": document["title"], "document": document}
        ],
        tables.methodology_areas: [
            {"area_code": area["code"], "name_zh": area["name_zh"], "name_en": area["name_en"], "position": position}
            for position, area in enumerate(document["areas"], start=1)
        ],
        tables.methodology_indicators: [
            _indicator(indicator, position) for position, indicator in enumerate(document["indicators"], start=1)
        ],
        tables.methodology_parks: [
            {**park, "position": position} for position, park in enumerate(document["parks"], start=1)
        ],
        tables.methodology_industry_sets: [
            {key: value for key, value in row.items() if key != "mark"} for row in document["industry_sets"]
        ],
        tables.methodology_equity_rounds: [
            {"round": name, "is_early": name in document["early_rounds"]["rounds"]}
            for name in document["equity_rounds"]["rounds"]
        ],
        tables.methodology_recognition_kinds: [
            {"recognition_kind": row["kind"], "points": row.get("points"), "counted_in": row.get("counted_in")}
            for row in document["recognition_kinds"]["rows"]
        ],
        tables.methodology_self_report_items: [
            _item(item, position) for position, item in enumerate(document["self_report_items"], start=1)
        ],
        tables.methodology_ipc_sets: [
            {key: row[key] for key in ("set_code", "ipc_subclass", "name_zh")} for row in document["ipc_sets"]
        ],
        tables.methodology_exchange_rates: [
            {
                "currency": row["currency"],
                "valid_from": date.fromisoformat(row["valid_from"]),
                "valid_to": date.fromisoformat(row["valid_to"]),
                "cny_per_unit": Decimal(row["cny_per_unit"]),
            }
            for row in document["exchange_rates"]
        ],
        tables.methodology_tiers: document["tiers"]["rows"],
        tables.methodology_zone_targets: [
            {
                "target_code": row["code"],
                "goal_low": row["low"],
                "goal_high": row.get("high"),
                **{key: row[key] for key in ("name_zh", "name_en", "operator", "unit", "basis", "clause")},
            }
            for row in document["zone_targets"]["rows"]
        ],
        tables.methodology_rules: [
            {
                "rule_code": rule["code"],
                "value_numeric": rule.get("value"),
                "value_text": rule.get("text"),
                "mark": rule["mark"],
            }
            for rule in (*document["rules"], *document["parameters"])
        ],
    }


def _indicator(indicator: dict[str, Any], position: int) -> dict[str, Any]:
    bounds = indicator.get("bounds", {"low": None, "high": None, "mark": "assumed"})
    return {
        "indicator_code": indicator["code"],
        "area_code": indicator["area"],
        "weight": indicator["weight"]["value"],
        "weight_mark": indicator["weight"]["mark"],
        "definition_mark": indicator["definition"]["mark"],
        "bound_low": bounds["low"],
        "bound_high": bounds["high"],
        "bound_mark": bounds["mark"],
        "position": position,
        **{key: indicator[key] for key in ("name_zh", "name_en", "unit", "direction", "formula", "clause", "state")},
    }


def _item(item: dict[str, str], position: int) -> dict[str, Any]:
    return {
        "factor": Decimal(item["factor"]),
        "highest": Decimal(item["highest"]) if item["highest"] else None,
        "times_item": item["times_item"] or None,
        "part_of": item["part_of"] or None,
        "position": position,
        **{key: item[key] for key in ("item_code", "indicator_code", "side", "name_zh", "name_en", "unit")},
    }
