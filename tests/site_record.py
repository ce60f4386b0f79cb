"""A made-up release for the tests of the pages: 22 parks, ties, missing values, an unranked park, hostile names.

Every figure comes from whole-number arithmetic on the position of park and indicator; nothing is taken from a feed.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from hashlib import sha256
from typing import Any

from parkindex import methodology
from parkindex.site import Approval, Evidence, EvidenceRecord, Gate, GateResult, ReleaseRecord

EDITION = 2025
HOSTILE_ZH = "<script>alert('园')</script>"
HOSTILE_EN = '{{ 7 * 7 }} {% raw %} & "O\'Neill" Park'
HOSTILE_NOTE = "</style><img src=x onerror=alert(1)> {{ config }}"
HOSTILE_PARK = "P12"
UNRANKED_PARK = "P22"
TWINS = ("P05", "P06")
MISSING = {("P21", "A1"): "no revenue in 2025", ("P21", "B1"): "no revenue in 2025", ("P09", "A4"): HOSTILE_NOTE}

_AS_KNOWN = datetime(2026, 3, 31, 10, 0, tzinfo=UTC)
_GRAIN = Decimal("0.000000000001")


def make(not_computed: str = "D", **changes: Any) -> ReleaseRecord:
    """Return the record; ``changes`` replace its attributes. Areas named in ``not_computed`` stand there uncounted."""
    document = methodology.load(EDITION).document
    for one in document["indicators"]:
        one["state"] = "not_computed" if one["area"] in not_computed else "computed"
    indicators = [_indicator(one, document) for one in document["indicators"]]
    parks = [_park(one) for one in document["parks"]]
    scores = [
        _score(park["park_code"], place, indicator, number)
        for place, park in enumerate(parks)
        for number, indicator in enumerate(indicators)
        if indicator["state"] == "computed"
    ]
    areas = _areas(parks, indicators, scores)
    ranking = _ranking(parks, areas, document["tiers"]["rows"])
    _weigh(scores, areas)
    values: dict[str, Any] = {
        "release_id": "2025.2",
        "edition": EDITION,
        "sequence": 3,
        **{
            f"{what}_sha256": sha256(what.encode()).hexdigest()
            for what in ("content", "annex", "chain", "previous", "methodology", "inputs", "code")
        },
        "as_known": _AS_KNOWN,
        "published_at": _AS_KNOWN + timedelta(hours=2),
        "reason": "R1: late accounts of two parks",
        "approvals": (
            Approval("演示评价人", "evaluator", True, _AS_KNOWN + timedelta(hours=1), "looked at the preview"),
            Approval("演示签发人", "signatory", True, _AS_KNOWN + timedelta(hours=1, minutes=5), HOSTILE_NOTE),
        ),
        "gate": _gate(),
        "is_synthetic": True,
        "is_preview": False,
        "park_ranking": ranking,
        "area_scores": areas,
        "indicator_scores": scores,
        "indicators": indicators,
        "parks": parks,
        "zone_targets": _targets(document),
        "park_status": [
            {
                "park_code": park["park_code"],
                "status": "not_assessed",
                "strikes": None,
                "rule": "none",
                "evidence": "no status rule is adopted",
            }
            for park in parks
        ],
        "data_quality": _quality(),
        "park_quality": [
            {
                "feed": "park_reports",
                "park_code": park,
                "rows_accepted": 40,
                "rows_rejected": rejected,
                "reject_share": Decimal(rejected) / 50,
            }
            for park, rejected in (("P01", 0), ("P02", 10), ("none", 1))
        ],
        "revisions": [
            {
                "table_name": "indicator_scores",
                "row_key": "P03/A2",
                "column_name": "value",
                "old_value": "12.500000000000",
                "new_value": "13.250000000000",
                "previous_release_id": "2025.1",
            }
        ],
        "methodology": document,
        "evidence": _evidence(scores),
        "beside": {"zone": zone()},
    }
    return ReleaseRecord(**{**values, **changes})


def zone() -> dict[str, Any]:
    """Return what stands beside the release about the zone: one square per park but the last, and three moves."""
    corners = [(place % 6 * 1500, place // 6 * 1800) for place in range(21)]
    return {
        "map": {
            "metres": 10,
            "width": 8000,
            "height": 6000,
            "parks": [
                {
                    "park_code": f"P{place + 1:02d}",
                    "path": f"M{x} {y}L{x + 300} {y}L{x + 300} {y + 200}L{x} {y + 200}Z",
                    "x": x + 150,
                    "y": y + 100,
                    "plots": place % 4 + 1,
                    "area_km2": Decimal("1.25") + place,
                }
                for place, (x, y) in enumerate(corners)
            ],
        },
        "moves": [
            {"from_park_code": "P01", "to_park_code": HOSTILE_PARK, "enterprises": 1234},
            {"from_park_code": None, "to_park_code": "P02", "enterprises": 7},
            {"from_park_code": "P03", "to_park_code": None, "enterprises": 5},
        ],
        "targets": [
            {"edition": 2024, "target_code": "T1", "value": "21.000000000000"},
            {"edition": 2024, "target_code": "T2", "value": None},
        ],
    }


def preview(**changes: Any) -> ReleaseRecord:
    """Return the record as a candidate's preview."""
    nothing = dict.fromkeys(("sequence", "annex_sha256", "previous_sha256", "chain_sha256", "published_at", "gate"))
    return make(
        **{**nothing, "release_id": "2025-c3", "is_preview": True, "reason": "", "approvals": (), "downloads": ()},
        **changes,
    )


def _park(one: dict[str, Any]) -> dict[str, Any]:
    row = {key: one[key] for key in ("park_code", "name_zh", "name_en", "districts", "peer_group", "mark", "source")}
    if row["park_code"] == HOSTILE_PARK:
        row |= {"name_zh": HOSTILE_ZH, "name_en": HOSTILE_EN}
    return row


def _indicator(one: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    area = next(area for area in document["areas"] if area["code"] == one["area"])
    bounds = one.get("bounds") or {}
    return {
        "indicator_code": one["code"],
        "area_code": one["area"],
        "area_name_zh": area["name_zh"],
        "area_name_en": area["name_en"],
        **{key: one[key] for key in ("name_zh", "name_en", "unit", "direction", "formula", "clause", "state")},
        "weight": Decimal(str(one["weight"]["value"])),
        "weight_mark": one["weight"]["mark"],
        "definition_mark": one["definition"]["mark"],
        "bound_low": None if not bounds else Decimal(str(bounds["low"])),
        "bound_high": None if not bounds else Decimal(str(bounds["high"])),
        "bound_mark": bounds.get("mark", "assumed"),
    }


def _score(park: str, place: int, indicator: dict[str, Any], number: int) -> dict[str, Any]:
    code, low, high = indicator["indicator_code"], indicator["bound_low"], indicator["bound_high"]
    place = 4 if park == TWINS[1] else place
    row = {
        "park_code": park,
        "indicator_code": code,
        "unit": indicator["unit"],
        "data_year": EDITION - (code == "C4" and place == 2),
        "evidence_count": 40,
        "bound_low": low,
        "bound_high": high,
        "obs_status": "normal",
        "reason": None,
    }
    reason = "nothing delivered for this park" if park == UNRANKED_PARK else MISSING.get((park, code))
    if reason:
        none = dict.fromkeys(("value", "numerator", "denominator", "score", "rank"))
        return {**row, **none, "obs_status": "no_data", "reason": reason, "evidence_count": 0}
    position = Decimal((place * 37 + number * 53) % 101 - 4 - place) / 90
    value = low + position * (high - low)
    value = value.quantize(Decimal(1) if code in {"A5", "B10"} else _GRAIN, rounding=ROUND_HALF_UP)
    value = max(value, Decimal(0)) if code in {"A5", "B10"} else value
    score = min(max((value - low) / (high - low), Decimal(0)), Decimal(1)) * 100
    return {
        **row,
        "value": value,
        "numerator": (value * 1234567).quantize(Decimal("0.01")),
        "denominator": Decimal(1234567),
        "score": score.quantize(_GRAIN),
        "rank": place + 1,
    }


def _areas(parks: list[Any], indicators: list[Any], scores: list[Any]) -> list[dict[str, Any]]:
    nominal = {one["indicator_code"]: one["weight"] for one in indicators}
    area_weights: dict[str, Decimal] = {}
    for one in indicators:
        if one["state"] == "computed":
            area_weights[one["area_code"]] = area_weights.get(one["area_code"], Decimal(0)) + one["weight"]
    rows = []
    for park in parks:
        for area in ("A", "B", "C", "D"):
            named = next(one for one in indicators if one["area_code"] == area)
            mine = [s for s in scores if s["park_code"] == park["park_code"] and s["indicator_code"][0] == area]
            there = [s for s in mine if s["score"] is not None]
            full = sum((nominal[s["indicator_code"]] for s in mine), Decimal(0))
            left = sum((nominal[s["indicator_code"]] for s in there), Decimal(0))
            score = None
            if there:
                score = (sum(s["score"] * nominal[s["indicator_code"]] for s in there) / left).quantize(_GRAIN)
            for s in there:
                s["_share"] = nominal[s["indicator_code"]] / left
            rows.append(
                {
                    "park_code": park["park_code"],
                    "area_code": area,
                    "area_name_zh": named["area_name_zh"],
                    "area_name_en": named["area_name_en"],
                    "score": score,
                    "weight": None
                    if score is None
                    else (area_weights[area] / sum(area_weights.values()) * 100).quantize(_GRAIN),
                    "weight_share": (left / full if full else Decimal(0)).quantize(_GRAIN),
                    "rank": None if score is None else 1,
                    "obs_status": "normal" if there else ("no_data" if mine else "not_computed"),
                }
            )
    return rows


def _weigh(scores: list[Any], areas: list[Any]) -> None:
    weights = {(row["park_code"], row["area_code"]): row["weight"] for row in areas}
    for s in scores:
        share = s.pop("_share", None)
        weight = None if share is None else (weights[s["park_code"], s["indicator_code"][0]] * share).quantize(_GRAIN)
        s["weight"] = weight
        s["contribution"] = None if weight is None else (s["score"] * weight / 100).quantize(_GRAIN)


def _ranking(parks: list[Any], areas: list[Any], tiers: list[Any]) -> list[dict[str, Any]]:
    totals: dict[str, Decimal | None] = {}
    for park in parks:
        mine = [row for row in areas if row["park_code"] == park["park_code"] and row["score"] is not None]
        total = sum((row["score"] * row["weight"] / 100 for row in mine), Decimal(0))
        totals[park["park_code"]] = total.quantize(_GRAIN) if mine else None
    rounded = {
        code: total.quantize(Decimal("0.01"), ROUND_HALF_UP) for code, total in totals.items() if total is not None
    }
    rows = []
    for place, park in enumerate(parks):
        code = park["park_code"]
        score = totals[code]
        rank = None if score is None else 1 + sum(other > rounded[code] for other in rounded.values())
        previous = None if rank is None or place % 7 == 3 else (rank + place * 5 - 1) % 21 + 1 if place % 4 else rank
        rows.append(
            {
                "park_code": code,
                "park_name_zh": park["name_zh"],
                "park_name_en": park["name_en"],
                "rank": rank,
                "is_tied": rank is not None and sum(other == rounded[code] for other in rounded.values()) > 1,
                "score": score,
                "tier": next((t["tier"] for t in tiers if rank and t["rank_from"] <= rank <= t["rank_to"]), None),
                "status": "not_assessed",
                "rank_low": None if rank is None else max(1, rank - 1 - place % 3),
                "rank_high": None if rank is None else min(21, rank + 1 + place % 4),
                "tier_share": None if rank is None else Decimal("0.900000") - Decimal(place) / 50,
                "rank_previous": previous,
                "rank_change": None if rank is None or previous is None else previous - rank,
                "obs_status": "not_ranked" if rank is None else "normal",
            }
        )
    return rows


def _targets(document: dict[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for place, one in enumerate(document["zone_targets"]["rows"]):
        known = place not in {1, 4}
        rows.append(
            {
                "target_code": one["code"],
                "name_zh": one["name_zh"],
                "name_en": one["name_en"],
                "value": Decimal(one["low"]) * (place + 2) / 4 if known else None,
                "goal": f"{one['operator']} {one['low']}",
                "unit": one["unit"],
                "basis": one["basis"],
                "met": place > 1 if known else None,
                "obs_status": "normal" if known else "no_data",
                "reason": None if known else "no feed carries it",
            }
        )
    return rows


def _quality() -> list[dict[str, Any]]:
    return [
        {
            "feed": feed,
            "batches": 3,
            "rows_landed": 20123,
            "rows_accepted": 20000,
            "rows_rejected": 100,
            "rows_duplicate": 23,
            "reject_share": Decimal("0.004969437956"),
            "late_days": late,
        }
        for feed, late in (("enterprise_accounts", 4), ("enterprise_registry", -20), ("patents", None))
    ]


def _gate() -> Gate:
    results = tuple(
        GateResult(f"{stage}.{name}", stage, severity, success, observed, 22 * (number + 1))
        for stage in ("marts", "park_index", "edition")
        for number, (name, severity, success, observed) in enumerate(
            (
                ("every_park_has_a_row", "error", True, "22 of 22"),
                ("weights_sum_to_one_hundred", "error", True, None),
                ("no_rank_moves_more_than_ten", "warning", stage != "edition", "P07 moved 12 places"),
            )
        )
    )
    return Gate("pass", len(results), results)


def _evidence(scores: list[Any]) -> dict[tuple[str, str], Evidence]:
    return {
        (s["park_code"], s["indicator_code"]): Evidence(
            records=tuple(
                EvidenceRecord(
                    side=side,
                    enterprise_id_uscc=f"91310115MA1K3{number:03d}XX",
                    subject=HOSTILE_ZH if number == 1 else f"上海示例第{number}科技有限公司",
                    amount=Decimal("123456789.5000") / number,
                    source_feed="enterprise_accounts",
                    source_file=f"统计年报_{EDITION}_{s['park_code']}.xlsx",
                    source_row=number + 2,
                )
                for side in ("numerator", "denominator")
                for number in (1, 2, 4, 5)
            ),
            numerator_total=12,
            denominator_total=28,
        )
        for s in scores
        if s["value"] is not None
    }
