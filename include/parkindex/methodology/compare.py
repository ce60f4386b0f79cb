"""What differs between two methodologies, rule by rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["weight", "bounds", "direction", "state", "rule", "tiers", "target", "consequences", "register", "text"]

# Keys that name the entries of the document's lists; a list without them is compared as a whole.
_NAMES = {
    "areas": ("code",),
    "indicators": ("code",),
    "rules": ("code",),
    "parks": ("park_code",),
    "industry_sets": ("set_code", "industry_code", "industry_standard"),
    "zone_targets/rows": ("code",),
    "tiers/rows": ("tier",),
    "parameters": ("code",),
    "recognition_kinds/rows": ("kind",),
    "self_report_items": ("item_code",),
    "ipc_sets": ("set_code", "ipc_subclass"),
    "exchange_rates": ("currency", "valid_from"),
}
# Which edition a document is for is not a rule of it.
_NOT_COMPARED = {"edition", "based_on"}
_KINDS: dict[str, Kind] = {
    "weight": "weight",
    "bounds": "bounds",
    "direction": "direction",
    "state": "state",
}
_OF_TOP: dict[str, Kind] = {
    "rules": "rule",
    "tiers": "tiers",
    "zone_targets": "target",
    "consequences": "consequences",
    "parks": "register",
    "industry_sets": "register",
    "equity_rounds": "register",
    "parameters": "rule",
    "early_rounds": "rule",
    "recognition_kinds": "rule",
    "self_report_items": "register",
    "ipc_sets": "register",
    "exchange_rates": "register",
}


@dataclass(frozen=True)
class Difference:
    """One place in which two methodologies differ.

    Attributes:
        place: Path of the place, for example ``indicators/B2/bounds/high``.
        kind: What sort of rule it is; ``text`` changes no number.
        before: Content there in the first; None when it is not there.
        after: Content there in the second.
    """

    place: str
    kind: Kind
    before: Any
    after: Any


def differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[Difference]:
    """Compare two resolved documents; sorted by where the rules stand in the first."""
    return [
        Difference("/".join(place), _kind(place), before, after)
        for place, before, after in _walk((), dict(first), dict(second))
        if place[0] not in _NOT_COMPARED
    ]


def _walk(place: tuple[str, ...], before: Any, after: Any) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    if _same(before, after):
        return
    named = _NAMES.get("/".join(place))
    if named and isinstance(before, list) and isinstance(after, list):
        before, after = (
            {"+".join(str(entry[key]) for key in named): entry for entry in one} for one in (before, after)
        )
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys((*before, *after)):
            yield from _walk((*place, str(key)), before.get(key), after.get(key))
        return
    yield place, before, after


def _same(before: Any, after: Any) -> bool:
    return bool(before == after)


def _kind(place: tuple[str, ...]) -> Kind:
    if place[0] == "indicators":
        return _KINDS.get(place[2], "text") if len(place) > 2 else "register"
    if place[-1] in ("meaning", "mark", "basis", "source", "note", "name_zh", "name_en"):
        return "text"
    return _OF_TOP.get(place[0], "text")
