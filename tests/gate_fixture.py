"""A small candidate of which everything holds, written straight into the warehouse: the case that faults mutate."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Column, Engine, MetaData, Table, insert, text

from parkindex import contracts, methodology
from parkindex.contracts import derive
from parkindex.gate import CandidateSubject
from parkindex.ledger import tables
from parkindex.scoring import edition as scoring

EDITION = 2025
AS_KNOWN = datetime(2026, 3, 31, 16, tzinfo=UTC)
CONTENT = "c0ffee" + "0" * 58

# Indicators whose denominator is a sum over records; the others divide by a constant of the formula or by nothing.
_SUMMED = {"A1", "A4", "B1", "B2", "B6", "C3", "C4"}
_KEPT = Decimal("1e-12")

_STAGING = {
    "stg_enterprise_registry__enterprises": "enterprise_id_uscc text, effective_date date, registered_date date",
    "stg_enterprise_accounts__accounts": "enterprise_id_uscc text, year integer, reported_date date",
    "stg_patents__publications": "publication_number text, kind text, publication_date date",
    "stg_patent_events__events": "event_id text, event_date date",
    "stg_financing_rounds__rounds": "brand_name_key text, round_date date, round_name text",
    "stg_headcounts__headcounts": "enterprise_id_uscc text, headcount_month date",
    "stg_recognitions__recognitions": "recognition_kind text, document_number text, enterprise_name_key text",
    "stg_park_reports__covers": "park_code text, year integer, reported_date date",
    "stg_park_reports__declared_industries": (
        "park_code text, year integer, reported_date date, industry_name text, industry_code text"
    ),
    "stg_park_reports__items": "park_code text, year integer, reported_date date, item_code text",
    "stg_park_plots__plots": "plot_id text, valid_from date",
    "stg_park_members__members": "park_code text, enterprise_id_uscc text, valid_from date",
    "stg_street_ranges__ranges": "range_id text, valid_from date",
}
_LINEAGE = ", source_batch_id bigint, source_file text, source_row integer, known_at timestamptz"
_MARTS = {
    "parks": "park_code text",
    "enterprises": "enterprise_id_uscc text, registered_date date, ended_date date",
    "park_enterprises": "enterprise_id_uscc text, park_code text, valid_from date, valid_to date",
    "enterprise_accounts": "enterprise_id_uscc text, year integer, revenue_cny numeric, rd_expenditure_cny numeric",
    "headcounts": "enterprise_id_uscc text, headcount_month date, insured_count integer",
    "patents": "publication_number text, kind text",
    "park_plots": (
        "plot_id text, park_code text, valid_from date, valid_to date, area_km2 numeric, built_up_km2 numeric"
    ),
    "park_years": "park_code text, year integer",
    "park_report_items": "park_code text, year integer, item_code text, item_value numeric",
}


def make(engine: Engine, candidate_id: str = "2025-c1", prefix: str = "cand_1__") -> CandidateSubject:
    """Write a candidate under a prefix, its methodology and one delivery; return it as a subject of the gate."""
    known = _rules()
    methodology.store(engine, known)
    with engine.begin() as connection:
        for contract in contracts.load_all().values():
            for statement in derive.ddl(contract):
                connection.exec_driver_sql(statement)
        for schema in ("staging", "marts", "park_index"):
            connection.exec_driver_sql(f'create schema "{prefix}{schema}"')
        for schema, relations in (("staging", _STAGING), ("marts", _MARTS)):
            for name, columns in relations.items():
                lineage = "" if name in ("parks", "park_years") else _LINEAGE
                connection.exec_driver_sql(f'create table "{prefix}{schema}".{name} ({columns}{lineage})')
        _deliver(connection, prefix)
        run_id = connection.execute(
            insert(tables.identity_runs)
            .values(as_known=AS_KNOWN, inputs_sha256="0" * 64)
            .returning(tables.identity_runs.c.identity_run_id)
        ).scalar_one()
        connection.execute(
            insert(tables.methodology_signoffs).values(
                methodology_sha256=known.sha256,
                signed_by="somebody",
                edition=EDITION,
                version="1",
                is_demo=True,
                signed_on=date(2025, 6, 30),
                reason="first version",
            )
        )
        connection.execute(
            insert(tables.enterprise_links).values(
                identity_run_id=run_id,
                name_key="上海甲有限公司",
                enterprise_id_uscc="E1",
                method="exact_name",
                score=1,
                evidence="registry",
            )
        )
        connection.execute(
            insert(tables.candidates).values(
                candidate_id=candidate_id,
                edition=EDITION,
                schema_prefix=prefix,
                as_known=AS_KNOWN,
                methodology_sha256=known.sha256,
                code_sha256="0" * 64,
                inputs_sha256="0" * 64,
                content_sha256=CONTENT,
                identity_run_id=run_id,
                built_by="test",
            )
        )
        for name, rows in _park_index(known.document).items():
            connection.exec_driver_sql(_ddl(prefix, name))
            if rows:
                connection.execute(insert(_reflected(prefix, name)), rows)
    return CandidateSubject(candidate_id, prefix, EDITION, CONTENT, known.sha256, AS_KNOWN)


_CONTENT = {table.name: table for table in tables.CONTENT_TABLES}
_OTHERS = {
    "contributions": "park_code text, indicator_code text, side text, amount numeric, source_file text, source_row int",
    "indicator_values_evaluated": "edition int, park_code text, indicator_code text, value numeric",
}


def _ddl(prefix: str, name: str) -> str:
    if name in _OTHERS:
        return f'create table "{prefix}park_index".{name} ({_OTHERS[name]})'
    columns = ", ".join(f"{one.name} {one.type}" for one in _CONTENT[name].columns if one.name != "release_id")
    return f'create table "{prefix}park_index".{name} ({columns})'


def _reflected(prefix: str, name: str) -> Table:
    names = (
        [part.split()[0] for part in _OTHERS[name].split(", ")]
        if name in _OTHERS
        else [one.name for one in _CONTENT[name].columns if one.name != "release_id"]
    )
    types = {} if name in _OTHERS else {one.name: one.type for one in _CONTENT[name].columns}
    columns = [Column(one, types[one]) if one in types else Column(one) for one in names]
    return Table(name, MetaData(), *columns, schema=f"{prefix}park_index")


def _deliver(connection: Any, prefix: str) -> None:
    """One delivery of plots, and one row in every staging model and mart."""
    batch = connection.execute(
        insert(tables.batches)
        .values(
            feed="park_plots",
            contract_version="1.0.0",
            contract_sha256="0" * 64,
            source_file="plots.geojson",
            sha256=f"{prefix:0<64}",
            size_bytes=1,
            received_at=datetime(2026, 1, 5, tzinfo=UTC),
            status="loaded",
            rows_landed=1,
            rows_accepted=1,
            rows_rejected=0,
            rows_duplicate=0,
        )
        .returning(tables.batches.c.batch_id)
    ).scalar_one()
    connection.execute(
        text(
            "insert into raw.park_plots_v1 (plot_id, plot_name, park_code, district, valid_from, area, built_up_area,"
            " datum, geometry, _batch_id, _source_file, _source_row, _known_at, _row_sha256)"
            " values ('P01-1', '一号地块', 'P01', '浦东新区', '2020-01-01', 200, 100, 'CGCS2000',"
            " '{\"type\": \"Polygon\", \"coordinates\": []}', :batch, 'plots.geojson', 1, '2026-01-05Z', :sha)"
        ),
        {"batch": batch, "sha": "0" * 64},
    )
    lineage = {"source_batch_id": batch, "source_file": "plots.geojson", "source_row": 1, "known_at": "2026-01-05Z"}
    day = date(2024, 6, 1)
    facts: dict[str, Any] = {
        **dict.fromkeys(("effective_date", "registered_date", "reported_date", "publication_date"), day),
        **dict.fromkeys(("event_date", "round_date", "headcount_month", "valid_from"), day),
        "year": EDITION,
        "park_code": "P01",
        "plot_id": "P01-1",
        "enterprise_id_uscc": "E1",
        "area_km2": Decimal(2),
        "built_up_km2": Decimal(1),
        "revenue_cny": Decimal(100),
        "rd_expenditure_cny": Decimal(10),
        "insured_count": 5,
        "item_code": "A5",
        "item_value": Decimal("4.5"),
        "valid_to": None,
        "ended_date": date(2025, 6, 1),
    }
    for schema, relations in (("staging", _STAGING), ("marts", _MARTS)):
        for name, columns in relations.items():
            if name == "parks":
                connection.execute(text(f'insert into "{prefix}marts".parks select park_code from methodology.parks'))
                continue
            names = [part.split()[0] for part in columns.split(", ")]
            row = {one: facts.get(one, f"{one} 1") for one in names}
            if name != "park_years":
                row |= lineage
            marks = ", ".join(f":{one}" for one in row)
            connection.execute(text(f'insert into "{prefix}{schema}".{name} ({", ".join(row)}) values ({marks})'), row)


def _rules() -> methodology.Methodology:
    """The edition's rules with D1 left uncomputed, which a methodology may do and this version's do not."""
    known = methodology.load(EDITION)
    (left_out,) = (one for one in known.document["indicators"] if one["code"] == "D1")
    left_out["state"] = "not_computed"
    del left_out["bounds"]
    return known


def _park_index(document: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The rows of the index: made-up values, and what scoring makes of them."""
    parks = [park["park_code"] for park in document["parks"]]
    computed = {one["code"]: one for one in document["indicators"] if one["state"] == "computed"}
    values = {
        (park, code): _value(number, place, one["bounds"])
        for number, park in enumerate(parks)
        for place, (code, one) in enumerate(computed.items())
    }
    scored = scoring.score(document, [(*key, value) for key, value in values.items()])
    by_cell = {(row.park_code, row.indicator_code): row for row in scored.indicators}
    areas = {area["code"]: area for area in document["areas"]}
    sums = {"T1": "A5", "T4": "B10", "T6": "B5"}
    ranking = {row.park_code: row for row in scored.parks}
    return {
        "park_ranking": [
            {
                "edition": EDITION,
                "park_code": park["park_code"],
                "park_name_zh": park["name_zh"],
                "park_name_en": park["name_en"],
                "rank": ranking[park["park_code"]].rank,
                "is_tied": ranking[park["park_code"]].is_tied,
                "score": _kept(ranking[park["park_code"]].score),
                "tier": ranking[park["park_code"]].tier,
                "status": "not_assessed",
                "rank_low": max(1, (ranking[park["park_code"]].rank or 1) - 1),
                "rank_high": ranking[park["park_code"]].rank,
                "tier_share": Decimal("0.9"),
                "rank_previous": ranking[park["park_code"]].rank,
                "rank_change": 0,
                "obs_status": "normal",
            }
            for park in document["parks"]
        ],
        "area_scores": [
            {
                "edition": EDITION,
                "park_code": row.park_code,
                "area_code": row.area_code,
                "area_name_zh": areas[row.area_code]["name_zh"],
                "area_name_en": areas[row.area_code]["name_en"],
                "score": _kept(row.score),
                "weight": _kept(row.weight),
                "weight_share": _kept(row.weight_share),
                "rank": row.rank,
                "obs_status": "not_computed" if row.score is None else "normal",
            }
            for row in scored.areas
        ],
        "indicator_scores": [
            _cell(park, one, by_cell.get((park, one["code"]))) for park in parks for one in document["indicators"]
        ],
        "indicators": [
            {
                "edition": EDITION,
                "indicator_code": one["code"],
                "area_code": one["area"],
                "area_name_zh": areas[one["area"]]["name_zh"],
                "area_name_en": areas[one["area"]]["name_en"],
                **{key: one[key] for key in ("name_zh", "name_en", "unit", "direction", "formula", "clause", "state")},
                "weight": one["weight"]["value"],
                "weight_mark": one["weight"]["mark"],
                "definition_mark": one["definition"]["mark"],
                "bound_low": one.get("bounds", {}).get("low"),
                "bound_high": one.get("bounds", {}).get("high"),
                "bound_mark": one.get("bounds", {}).get("mark", "assumed"),
            }
            for one in document["indicators"]
        ],
        "parks": [
            {"edition": EDITION, **{key: park[key] for key in park if key in tables.released_parks.c}}
            for park in document["parks"]
        ],
        "zone_targets": [
            {
                "edition": EDITION,
                "target_code": code,
                "name_zh": code,
                "name_en": code,
                "value": sum(_kept(values[park, indicator]) or 0 for park in parks),
                "goal": "> 1",
                "unit": "家",
                "basis": f"Σ {indicator}",
                "met": True,
                "obs_status": "normal",
                "reason": None,
            }
            for code, indicator in sums.items()
        ],
        "park_status": [
            {
                "edition": EDITION,
                "park_code": park,
                "status": "not_assessed",
                "strikes": None,
                "rule": "none",
                "evidence": "no rule",
            }
            for park in parks
        ],
        "contributions": [
            {
                "park_code": park,
                "indicator_code": code,
                "side": side,
                "amount": _kept(value) if side == "numerator" else Decimal(1),
                "source_file": "plots.geojson",
                "source_row": 1,
            }
            for (park, code), value in values.items()
            for side in (("numerator", "denominator") if code in _SUMMED else ("numerator",))
        ],
        "indicator_values_evaluated": [
            {"edition": edition, "park_code": park, "indicator_code": code, "value": _kept(value)}
            for (park, code), value in values.items()
            for edition in (EDITION, EDITION - 1)
        ],
    }


def _value(number: int, place: int, bounds: dict[str, float]) -> Decimal:
    """Spread the parks over 10 to 90 % of the bounds, another way for every indicator."""
    share = Decimal(10 + (number * (3 + place) + 7 * place) % 81) / 100
    return _round(Decimal(str(bounds["low"])) + share * Decimal(str(bounds["high"] - bounds["low"])))


def _cell(park: str, one: dict[str, Any], scored: scoring.IndicatorScore | None) -> dict[str, Any]:
    bounds = one.get("bounds", {})
    return {
        "edition": EDITION,
        "park_code": park,
        "indicator_code": one["code"],
        "value": None if scored is None else _kept(scored.value),
        "unit": one["unit"],
        "numerator": None if scored is None else _kept(scored.value),
        "denominator": None if scored is None else Decimal(1),
        "data_year": None if scored is None else EDITION,
        "evidence_count": 0 if scored is None else 1 + (one["code"] in _SUMMED),
        "obs_status": "not_computed" if scored is None else "normal",
        "reason": "not computed in this version" if scored is None else None,
        "bound_low": bounds.get("low"),
        "bound_high": bounds.get("high"),
        "score": None if scored is None else _kept(scored.score),
        "weight": None if scored is None else _kept(scored.weight),
        "contribution": None if scored is None else _kept(scored.contribution),
        "rank": None if scored is None else scored.rank,
    }


def _kept(number: float | Decimal | None) -> Decimal | None:
    return None if number is None else _round(Decimal(number))


def _round(number: Decimal) -> Decimal:
    return number.quantize(_KEPT)
