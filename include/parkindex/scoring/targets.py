"""How far a zone is from its targets: both ends where a definition is open, the distance, and what it takes a year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Progress:
    """One target.

    Attributes:
        target_code: Target.
        value: Value on the declared basis; None when there is none.
        value_low: The least that the open definition allows; None when nothing of it is open, or no feed tells.
        value_high: The most.
        value_before: Value on the declared basis in the edition before.
        met: Whether the goal is reached by the value; None without one.
        met_by_all: Whether it is reached (or missed) at both ends alike; None without both ends.
        distance: What is missing to the goal, in its unit; 0 when it is reached.
        years_left: Years to the year the goal is set for; 0 when it is due or past.
        per_year: What has to be added a year until then; the whole distance when it is due.
        per_year_low: The same from the least that the open definition allows; None without it.
        per_year_high: The same from the most.
        gained: What was added since the edition before.
    """

    target_code: str
    value: float | None
    value_low: float | None
    value_high: float | None
    value_before: float | None
    met: bool | None
    met_by_all: bool | None
    distance: float | None
    years_left: int
    per_year: float | None
    per_year_low: float | None
    per_year_high: float | None
    gained: float | None


def progress(
    rules: Mapping[str, Any],
    edition: int,
    values: Mapping[str, float | None],
    before: Mapping[str, float | None],
    ends: Mapping[str, tuple[float, float]],
) -> list[Progress]:
    """Say how far each target is.

    Args:
        rules: ``zone_targets`` of the methodology.
        edition: Edition.
        values: Target → value on the declared basis.
        before: The same of the edition before, where it was measured alike.
        ends: Target → least and most that its open definition allows.
    """
    left = max(int(rules["due"]) - edition, 0)
    found = []
    for row in rules["rows"]:
        code = row["code"]
        value, old, (low, high) = values.get(code), before.get(code), ends.get(code, (None, None))
        missing = None if value is None else _distance(row, value)
        both = None if low is None or high is None else {_met(row, low), _met(row, high)}
        found.append(
            Progress(
                code,
                value,
                low,
                high,
                old,
                None if value is None else _met(row, value),
                None if both is None else len(both) == 1,
                missing,
                left,
                _a_year(missing, left),
                None if low is None else _a_year(_distance(row, low), left),
                None if high is None else _a_year(_distance(row, high), left),
                None if value is None or old is None else value - old,
            )
        )
    return found


def _a_year(distance: float | None, years: int) -> float | None:
    return None if distance is None else distance / max(years, 1)


def _distance(row: Mapping[str, Any], value: float) -> float:
    """Return the way to the goal; a goal that has to be exceeded is reached by more than it."""
    if row["operator"] == "<=":
        return float(max(value - row["low"], 0.0))
    if row["operator"] == "range" and value > row["high"]:
        return float(value - row["high"])
    return float(max(row["low"] - value, 0.0))


def _met(row: Mapping[str, Any], value: float) -> bool:
    if row["operator"] == ">":
        return bool(value > row["low"])
    return _distance(row, value) == 0
