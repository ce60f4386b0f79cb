"""From released rows to what the templates walk through: joined, ordered, nothing rounded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from parkindex.site.numbers import Number, median
from parkindex.site.record import Evidence, GateResult, ReleaseRecord, Row, Rows


@dataclass(frozen=True)
class Area:
    """An area of the framework. ``computed``: at least one indicator of it has values in this version."""

    code: str
    name_zh: str
    name_en: str
    computed: bool
    indicators: tuple[Row, ...]


@dataclass(frozen=True)
class Card:
    """One computed indicator of one park: framework row, scored row, zone median of the value, records."""

    indicator: Row
    score: Row
    median: Decimal | None
    evidence: Evidence | None


@dataclass(frozen=True)
class Park:
    """One park. ``missing`` are the computed indicators without a value; ``tier`` the methodology's row."""

    park: Row
    ranking: Row
    status: Row
    tier: Row | None
    areas: dict[str, Row]
    cards: tuple[Card, ...]

    @property
    def code(self) -> str:
        """The park's code."""
        return str(self.park["park_code"])

    @property
    def missing(self) -> tuple[Card, ...]:
        """Computed indicators for which this park has no value."""
        return tuple(card for card in self.cards if card.score["value"] is None)

    @property
    def direction(self) -> str:
        """Where the rank went since last year: up, down, same, or unknown."""
        rank, previous = self.ranking["rank"], self.ranking["rank_previous"]
        if rank is None or previous is None:
            return "unknown"
        return "same" if rank == previous else "up" if rank < previous else "down"


@dataclass(frozen=True)
class Waived:
    """What one person let through of one expectation for one reason; ``labels`` are the failures in words."""

    expectation_id: str
    signed_by: str
    role: str
    is_demo: bool
    reason: str
    signed_at: datetime
    expires_at: datetime
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Site:
    """A release as the templates see it."""

    record: ReleaseRecord
    areas: tuple[Area, ...]
    parks: tuple[Park, ...]
    tiers: Rows
    rules: dict[str, Row]

    @property
    def computed(self) -> tuple[Row, ...]:
        """Indicators that count in this version."""
        return tuple(row for area in self.areas for row in area.indicators if row["state"] == "computed")

    @property
    def not_computed(self) -> tuple[Row, ...]:
        """Indicators that stand in the register and do not count."""
        return tuple(row for area in self.areas for row in area.indicators if row["state"] != "computed")

    @property
    def scored_areas(self) -> tuple[Area, ...]:
        """Areas with a computed indicator."""
        return tuple(area for area in self.areas if area.computed)

    @property
    def ranked(self) -> tuple[Park, ...]:
        """Parks with a rank."""
        return tuple(park for park in self.parks if park.ranking["rank"] is not None)

    @property
    def tied(self) -> int:
        """Parks that share their rank."""
        return sum(bool(park.ranking["is_tied"]) for park in self.parks)

    @property
    def tier_ends(self) -> tuple[int, ...]:
        """Last rank of each tier."""
        return tuple(row["rank_to"] for row in self.tiers)

    @property
    def peer_groups(self) -> tuple[str, ...]:
        """Peer groups in the order of the parks' codes."""
        ordered = sorted(self.parks, key=lambda park: park.code)
        return tuple(dict.fromkeys(str(park.park["peer_group"]) for park in ordered))

    @property
    def status_rules(self) -> tuple[tuple[str, str, str], ...]:
        """Each distinct (status, rule, evidence) of the parks, so that one that holds for all is said once."""
        return tuple(sorted({(str(s["status"]), str(s["rule"]), str(s["evidence"])) for s in self.record.park_status}))

    @property
    def weight_computed(self) -> Decimal:
        """Nominal weight of the computed indicators."""
        return sum((Decimal(row["weight"]) for row in self.computed), Decimal(0))

    @property
    def weight_all(self) -> Decimal:
        """Nominal weight of the whole register."""
        return sum((Decimal(row["weight"]) for area in self.areas for row in area.indicators), Decimal(0))

    @property
    def waivers(self) -> tuple[Waived, ...]:
        """What was let through by signature, in the order of signing, failures signed together put together."""
        names = ("expectation_id", "signed_by", "role", "is_demo", "reason", "signed_at", "expires_at")
        signed: dict[tuple[Any, ...], list[str]] = {}
        for row in self.record.waivers:
            words = ", ".join(f"{name} {value}" for name, value in row["failing_key"].items() if value is not None)
            signed.setdefault(tuple(row[name] for name in names), []).append(words)
        return tuple(
            Waived(**dict(zip(names, facts, strict=True)), labels=tuple(labels)) for facts, labels in signed.items()
        )

    @property
    def gate_by_stage(self) -> tuple[tuple[str, tuple[GateResult, ...]], ...]:
        """The gate's results by stage, in the order of the stages; within one, failures first."""
        if self.record.gate is None:
            return ()
        stages = list(dict.fromkeys(result.stage for result in self.record.gate.results))
        ordered = sorted(self.record.gate.results, key=lambda one: (stages.index(one.stage), one.success, one.id))
        return tuple((stage, tuple(results)) for stage, results in groupby(ordered, key=lambda one: one.stage))

    def rule(self, code: str) -> Number | str | None:
        """Return a rule's value, a number as ``Decimal``; None when the methodology has no such rule."""
        row = self.rules.get(code)
        if row is None:
            return None
        return exact_number(row["value"]) if row.get("value") is not None else str(row.get("text"))

    @property
    def score_decimals(self) -> int:
        """Decimals of the total score: those the ranking is made from."""
        return int(self.rule("rank_decimals") or 0)


def exact_number(value: Any) -> Decimal:
    """Return a number of the methodology document (YAML, so maybe a float) as it is written there."""
    return Decimal(str(value))


def build(record: ReleaseRecord) -> Site:
    """Join a record's tables by park and indicator.

    Args:
        record: A record that :func:`parkindex.site.check.require_whole` let pass.
    """
    indicators = sorted(record.indicators, key=lambda row: _indicator_order(row["indicator_code"]))
    areas = tuple(_area(code, [row for row in indicators if row["area_code"] == code]) for code in _areas(indicators))
    tiers = tuple(record.methodology["tiers"]["rows"])
    scores = {(row["park_code"], row["indicator_code"]): row for row in record.indicator_scores}
    medians = {
        row["indicator_code"]: median(
            [
                score["value"]
                for score in record.indicator_scores
                if score["indicator_code"] == row["indicator_code"] and score["value"] is not None
            ]
        )
        for row in indicators
    }
    rankings = {row["park_code"]: row for row in record.park_ranking}
    statuses = {row["park_code"]: row for row in record.park_status}
    parks = []
    for park in record.parks:
        code = park["park_code"]
        cards = tuple(
            Card(row, scores[code, row["indicator_code"]], medians[row["indicator_code"]], record.evidence.get(key))
            for row in indicators
            if row["state"] == "computed"
            for key in [(code, row["indicator_code"])]
        )
        parks.append(
            Park(
                park=park,
                ranking=rankings[code],
                status=statuses[code],
                tier=next((tier for tier in tiers if tier["tier"] == rankings[code]["tier"]), None),
                areas={row["area_code"]: row for row in record.area_scores if row["park_code"] == code},
                cards=cards,
            )
        )
    parks.sort(key=lambda park: (park.ranking["rank"] is None, park.ranking["rank"] or 0, park.code))
    return Site(
        record=record,
        areas=areas,
        parks=tuple(parks),
        tiers=tiers,
        rules={rule["code"]: rule for rule in record.methodology["rules"]},
    )


def _areas(indicators: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(str(row["area_code"]) for row in indicators))


def _area(code: str, indicators: list[Row]) -> Area:
    first = indicators[0]
    return Area(
        code=code,
        name_zh=first["area_name_zh"],
        name_en=first["area_name_en"],
        computed=any(row["state"] == "computed" for row in indicators),
        indicators=tuple(indicators),
    )


def _indicator_order(code: str) -> tuple[str, int, str]:
    letters = code.rstrip("0123456789")
    digits = code[len(letters) :]
    return letters, int(digits or 0), code
