"""What if: a published edition's ranks under other weights, bounds, rules or values. Nothing is written anywhere."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import jsonschema
import yaml
from sqlalchemy import Engine

from parkindex.errors import BadInputError, UsageError
from parkindex.methodology.edition import not_finite
from parkindex.scoring.doubt import rank_intervals
from parkindex.scoring.edition import Value, score
from parkindex.scoring.published import require_current
from parkindex.settings import METHODOLOGY_DIR

KEYS = (
    "weight.INDICATOR, weight.AREA, bounds.INDICATOR.low, bounds.INDICATOR.high, direction.INDICATOR, state.INDICATOR, "
    "rule.RULE, INDICATOR[PARK]"
)
_OWN_VALUE = re.compile(r"(?P<indicator>[A-Z][0-9]{1,2})\[(?P<park>[^\[\]]+)\]")


@dataclass(frozen=True)
class Outcome:
    """One park before (as published) and after (as it would be)."""

    park_code: str
    park_name_zh: str
    park_name_en: str
    rank_before: int | None
    rank_after: int | None
    rank_change: int | None
    score_before: str | None
    score_after: float | None
    tier_before: int | None
    tier_after: int | None
    rank_low_after: int | None
    rank_high_after: int | None


@dataclass(frozen=True)
class WhatIf:
    """The answer.

    Attributes:
        edition: Edition.
        release_id: Current release, whose published values were used.
        methodology_sha256: The methodology it was published by.
        changes: What was changed, key to value, and ``framework`` when a file took its place.
        parks: Every park, by rank after, then before.
    """

    edition: int
    release_id: str
    methodology_sha256: str
    changes: dict[str, str]
    parks: list[Outcome]

    def as_dict(self) -> dict[str, Any]:
        """Return the answer as plain data; ``published`` says that it is not."""
        return {"published": False, **asdict(self)}


def ask(engine: Engine, edition: int, changes: Mapping[str, str], framework: Path | None = None) -> WhatIf:
    """Score the values of an edition's current release by a changed methodology.

    Args:
        engine: Warehouse.
        edition: Edition.
        changes: Key to value, keys as in :data:`KEYS`.
        framework: File that takes the place of the methodology's framework; ``changes`` are made on it.

    Raises:
        BadInputError: Nothing of the edition is published, or the changed methodology is not valid.
        UsageError: A key is not known, or a value does not fit it.
    """
    with engine.connect() as connection:
        release = require_current(connection, edition, "whatif.release")
    document, published = release.document, release.ranking
    own = {key: value for key, value in changes.items() if _OWN_VALUE.fullmatch(key)}
    changed = change(document, {key: value for key, value in changes.items() if key not in own}, framework)
    unpublished = {row["code"] for row in changed["indicators"] if row["state"] == "computed"} - {
        row["code"] for row in document["indicators"] if row["state"] == "computed"
    }
    if unpublished:
        raise BadInputError(
            f"{min(unpublished)} has no published values.",
            where=f"release {release.release_id}",
            why="whatif.values",
            next_step="leave it not_computed: what is not published cannot be tried on",
        )
    listed = with_values(changed, release.values, own)
    after = {park.park_code: park for park in score(changed, listed).parks}
    intervals = {interval.park_code: interval for interval in rank_intervals(changed, listed)}
    parks = []
    for row in published:
        park, interval = after[row.park_code], intervals.get(row.park_code)
        known = row.rank is not None and park.rank is not None
        parks.append(
            Outcome(
                park_code=row.park_code,
                park_name_zh=row.park_name_zh,
                park_name_en=row.park_name_en,
                rank_before=row.rank,
                rank_after=park.rank,
                rank_change=row.rank - park.rank if known else None,
                score_before=None if row.score is None else str(row.score),
                score_after=park.score,
                tier_before=row.tier,
                tier_after=park.tier,
                rank_low_after=interval.rank_low if interval else None,
                rank_high_after=interval.rank_high if interval else None,
            )
        )
    parks.sort(key=lambda park: (_last(park.rank_after), _last(park.rank_before), park.park_code))
    named = {"framework": str(framework)} if framework else {}
    return WhatIf(edition, release.release_id, release.methodology_sha256, {**named, **changes}, parks)


def with_values(document: Mapping[str, Any], values: Sequence[Value], own: Mapping[str, str]) -> list[Value]:
    """Return values with some put in their place.

    Args:
        document: Methodology of the values.
        values: As published.
        own: ``INDICATOR[PARK]`` → number; the park by its code or Chinese name, ``none`` takes the value away.

    Raises:
        UsageError: Park or indicator is not known or not computed, or the value is not a number.
    """
    parks = {name: park["park_code"] for park in document["parks"] for name in (park["park_code"], park["name_zh"])}
    computed = {row["code"] for row in document["indicators"] if row["state"] == "computed"}
    put: dict[tuple[str, str], float | None] = {}
    for key, value in own.items():
        named = _OWN_VALUE.fullmatch(key)
        if named is None or named["park"] not in parks or named["indicator"] not in computed:
            raise UsageError(
                f"`{key}` is not a value of the edition.",
                where=f"--set {key}={value}",
                why="INDICATOR[PARK]: a computed indicator and a park of the edition",
                next_step="parkindex explain EDITION PARK lists both codes",
            )
        put[parks[named["park"]], named["indicator"]] = None if value == "none" else _number(key, value)
    return [(park, code, put.get((park, code), value)) for park, code, value in values]


def change(document: Mapping[str, Any], changes: Mapping[str, str], framework: Path | None = None) -> dict[str, Any]:
    """Return a methodology with changes made to it; the one given stays as it is.

    ``weight.AREA`` scales the weights of the area's indicators so that they add up to the number.

    Raises:
        BadInputError: The framework file is not usable, or the result is not a valid methodology.
        UsageError: A key is not known, or a value does not fit it.
    """
    result = copy.deepcopy(dict(document))
    if framework is not None:
        result.update(_framework(framework))
    for key, value in changes.items():
        _set(result, key, value)
    validator = jsonschema.Draft202012Validator(json.loads((METHODOLOGY_DIR / "schema.json").read_text("utf-8")))
    error = next(iter(validator.iter_errors(result)), None)
    if error is not None:
        raise _invalid(f"The changed methodology breaks its schema: {error.message}", error.absolute_path)
    if (infinite := not_finite(result)) is not None:
        raise _invalid("A number of the changed methodology is not finite.", infinite)
    areas = {area["code"] for area in result["areas"]}
    for place, indicator in enumerate(result["indicators"]):
        bounds = indicator.get("bounds")
        if bounds and not bounds["low"] < bounds["high"]:
            raise _invalid(f"The bounds of {indicator['code']} are not low < high.", ("indicators", place, "bounds"))
        if indicator["area"] not in areas:
            raise _invalid(f"Indicator {indicator['code']} names an unknown area.", ("indicators", place, "area"))
    return result


def _invalid(what: str, path: Sequence[Any]) -> BadInputError:
    return BadInputError(
        what,
        where="/".join(map(str, path)) or "methodology",
        why="whatif.methodology",
        next_step="change the value given with --set or the file given with --framework",
    )


def _framework(path: Path) -> dict[str, Any]:
    try:
        loaded = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadInputError(
            "The framework file cannot be read.",
            where=str(path),
            why=str(error),
            next_step="give a file like methodology/2025/framework.yaml",
        ) from error
    if not isinstance(loaded, dict) or loaded.keys() != {"areas", "indicators"}:
        raise BadInputError(
            "The framework file does not hold `areas` and `indicators`.",
            where=str(path),
            why="whatif.framework",
            next_step="give a file like methodology/2025/framework.yaml",
        )
    return loaded


def _set(document: dict[str, Any], key: str, value: str) -> None:
    """Make one change in place."""
    indicators = {row["code"]: row for row in document["indicators"]}
    areas = {row["code"] for row in document["areas"]}
    rules = {row["code"]: row for row in document["rules"] if "value" in row}
    match key.split("."):
        case ["weight", code] if code in indicators:
            indicators[code]["weight"] = {"value": _weight(key, value), "mark": "assumed"}
        case ["weight", code] if code in areas:
            inside = [row for row in document["indicators"] if row["area"] == code]
            total = sum(row["weight"]["value"] for row in inside)
            if not total:
                raise _usage(key, value, f"the indicators of {code} have no weight to scale")
            factor = _weight(key, value) / total
            for row in inside:
                row["weight"] = {"value": row["weight"]["value"] * factor, "mark": "assumed"}
        case ["bounds", code, ("low" | "high") as end] if code in indicators and "bounds" in indicators[code]:
            indicators[code]["bounds"] = {**indicators[code]["bounds"], end: _number(key, value), "mark": "assumed"}
        case ["direction", code] if code in indicators:
            indicators[code]["direction"] = _number(key, value)
        case ["state", code] if code in indicators:
            indicators[code]["state"] = value
        case ["rule", code] if code in rules:
            rules[code]["value"] = _rule(key, code, value)
        case _:
            raise UsageError(
                f"`{key}` is not known.",
                where=f"--set {key}={value}",
                why=f"keys: {KEYS}; rules: {', '.join(sorted(rules))}",
                next_step="see `parkindex methodology show` for codes",
            )


def _usage(key: str, value: str, why: str) -> UsageError:
    return UsageError(
        f"`{value}` does not fit {key}.", where=f"--set {key}={value}", why=why, next_step="give another value"
    )


def _number(key: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        raise _usage(key, value, "not a number") from None
    if not abs(number) < float("inf"):
        raise _usage(key, value, "not finite")
    return number


def _weight(key: str, value: str) -> float:
    weight = _number(key, value)
    if weight < 0:
        raise _usage(key, value, "a weight is not negative")
    return weight


def _rule(key: str, code: str, value: str) -> float:
    number = _number(key, value)
    if code in ("area_min_share", "robustness_weight_spread") and not 0 <= number <= 1:
        raise _usage(key, value, "a share lies between 0 and 1")
    if code in ("rank_decimals", "robustness_draws", "robustness_seed"):
        least = 1 if code == "robustness_draws" else 0
        most = {"rank_decimals": 12, "robustness_draws": 1_000_000}.get(code, 2**63)
        if number != int(number) or not least <= number <= most:
            raise _usage(key, value, f"a whole number from {least} to {most}")
    return number


def _last(rank: int | None) -> float:
    return float("inf") if rank is None else rank
