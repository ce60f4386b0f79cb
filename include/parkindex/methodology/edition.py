"""Load, resolve and validate the methodology of an edition.

A folder ``methodology/<edition>/`` holds ``edition.yaml`` and the files it names. An edition may be ``based_on``
another one: what it does not say itself is taken from there, and ``changed_indicators`` and ``changed_rules`` say what
is different in the lists it takes over. The hash is taken over the resolved document, so two editions that differ only
in their comments have different hashes only where their content differs.
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from parkindex.errors import BadInputError
from parkindex.methodology import inputs
from parkindex.methodology.lines import Lines, Place
from parkindex.settings import METHODOLOGY_DIR

_RULES = {
    "area_min_share",
    "rank_decimals",
    "status_rule",
    "robustness_draws",
    "robustness_seed",
    "robustness_weight_spread",
    "near_tie_points",
    "approval_days",
    "waiver_days",
}
# Least and greatest value of rules that are numbers, and whether they have to be whole.
_RANGES = {
    "area_min_share": (0, 1, False),
    "rank_decimals": (0, 12, True),
    "robustness_draws": (1, 1_000_000, True),
    "robustness_seed": (0, 2**32 - 1, True),
    "robustness_weight_spread": (0, 1, False),
}
# Keys of an edition's file that name another file: one with several lists, or a table.
_LISTS = {
    "framework": ("areas", "indicators"),
    "parameters": ("parameters", "early_rounds", "recognition_kinds"),
}
_TABLES = ("parks", "industry_sets", "self_report_items", "ipc_sets", "exchange_rates")
_FILES = (*_LISTS, *_TABLES)
# Lists of an edition's file that change single entries of the lists it takes over, and the lists they change.
_CHANGES = {"changed_indicators": "indicators", "changed_rules": "rules"}
_NEXT_STEP = "correct the file, then run `parkindex methodology check`"


@dataclass(frozen=True)
class Methodology:
    """The methodology of one edition, resolved.

    Attributes:
        edition: Evaluation year.
        document: The resolved document, as ``methodology/schema.json`` describes it.
        sha256: Hash of the document in canonical JSON.
    """

    edition: int
    document: dict[str, Any]
    sha256: str

    @property
    def park_codes(self) -> list[str]:
        """Codes of the parks, in the order of the page."""
        return [park["park_code"] for park in self.document["parks"]]


def editions(folder: Path = METHODOLOGY_DIR) -> list[int]:
    """Return the editions that have a methodology, ascending."""
    return sorted(int(path.parent.name) for path in folder.glob("[0-9][0-9][0-9][0-9]/edition.yaml"))


def load(edition: int, folder: Path = METHODOLOGY_DIR) -> Methodology:
    """Load and validate the methodology of an edition.

    Raises:
        BadInputError: There is none, or a file of it breaks a rule; the message names file and rule.
    """
    known = editions(folder)
    if edition not in known:
        raise BadInputError(
            f"There is no methodology for edition {edition}.",
            where=str(folder / str(edition) / "edition.yaml"),
            why=f"known editions: {', '.join(map(str, known)) or 'none'}",
            next_step=f"add {folder.name}/{edition}/edition.yaml (`based_on` an earlier one is enough)",
        )
    lines = Lines(folder)
    document = _resolve(edition, folder, lines, seen=())
    _validate_shape(document, lines)
    _validate_sense(document, lines)
    canonical = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return Methodology(edition, document, hashlib.sha256(canonical.encode()).hexdigest())


def _resolve(edition: int, folder: Path, lines: Lines, seen: tuple[int, ...]) -> dict[str, Any]:
    """Return the document of an edition: its own keys over those of the edition it is based on."""
    path = folder / str(edition) / "edition.yaml"
    if edition in seen:
        raise BadInputError(
            f"Edition {edition} is based on itself.",
            where=str(path),
            why="methodology.based_on",
            next_step="point `based_on` at an edition that holds the rules",
        )
    own = _read_yaml(path)
    base = own.get("based_on")
    if base is not None and base not in editions(folder):
        raise BadInputError(
            f"Edition {edition} is based on {base}, which does not exist.",
            where=lines.first(path, ("based_on",)),
            why="methodology.based_on",
            next_step=_NEXT_STEP,
        )
    document = {} if base is None else _resolve(int(base), folder, lines, (*seen, edition))
    for key in own:
        if key not in (*_FILES, *_CHANGES):
            lines.stands(key, path, (key,))
    for key in _FILES:
        if key in own:
            own.update(_read_named(path, own, key, lines))
    own.pop("framework", None)
    changes = {key: own.pop(key) for key in _CHANGES if key in own}
    document |= own
    for key, changed in changes.items():
        document[_CHANGES[key]] = _changed(document, key, changed, path, lines)
    return document


def _changed(document: dict[str, Any], key: str, changed: Any, path: Path, lines: Lines) -> list[dict[str, Any]]:
    """Return a list of the document with single entries changed, found by their codes."""
    listed = _CHANGES[key]
    entries = [dict(entry) for entry in document.get(listed) or []]
    places = {entry["code"]: place for place, entry in enumerate(entries)}
    for number, change in enumerate(changed if isinstance(changed, list) else [changed]):
        code = change.get("code") if isinstance(change, dict) else None
        if code not in places:
            raise BadInputError(
                f"{key} names {code!r}, which is not among the {listed}.",
                where=lines.first(path, (key, number)),
                why=f"methodology.{key}",
                next_step=_NEXT_STEP,
            )
        entries[places[code]].update(change)
        for name in change:
            lines.stands_inside((listed, places[code], name), path, (key, number, name))
    return entries


def _read_named(path: Path, own: dict[str, Any], key: str, lines: Lines) -> dict[str, Any]:
    """Read a file that an ``edition.yaml`` names: one with several lists, or a table."""
    target = path.parent / str(own[key])
    if key in _LISTS:
        read = _read_yaml(target)
        for name in _LISTS[key]:
            lines.stands(name, target, (name,))
        return {name: read.get(name) for name in _LISTS[key]}
    lines.stands(key, target, ())
    return {key: _read_csv(target)}


@cache
def _schema_text() -> str:
    return (METHODOLOGY_DIR / "schema.json").read_text("utf-8")


class _Loader(yaml.SafeLoader):
    """A safe loader that refuses a key that stands twice, of which YAML would keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for place, key in enumerate(keys):
            if key in keys[:place]:
                mark = node.value[place][0].start_mark
                raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} stands twice", mark)
        return super().construct_mapping(node, deep)


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        loaded = yaml.load(path.read_text("utf-8"), Loader=_Loader)  # noqa: S506 - a SafeLoader
    except FileNotFoundError:
        raise BadInputError(
            "A file of the methodology is missing.", where=str(path), why="methodology.file", next_step=_NEXT_STEP
        ) from None
    except yaml.MarkedYAMLError as error:
        line = "" if error.problem_mark is None else f", line {error.problem_mark.line + 1}"
        raise BadInputError(
            "A file of the methodology cannot be read.",
            where=f"{path}{line}",
            why=f"methodology.yaml: {error.problem}",
            next_step=_NEXT_STEP,
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from error
    if not isinstance(loaded, dict):
        raise BadInputError(
            "A file of the methodology is not a mapping.",
            where=str(path),
            why="methodology.shape",
            next_step=_NEXT_STEP,
        )
    return loaded


def _unreadable(path: Path, error: Exception) -> BadInputError:
    return BadInputError(
        "A file of the methodology cannot be read.",
        where=str(path),
        why=f"methodology.file: {error}",
        next_step=_NEXT_STEP,
    )


def _read_csv(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, strict=True)
            rows = []
            for row in reader:
                if None in row or None in row.values():
                    raise BadInputError(
                        f"A row has not the {len(reader.fieldnames or [])} cells of the header.",
                        where=f"{path}, line {reader.line_num}",
                        why="methodology.ragged",
                        next_step=_NEXT_STEP,
                    )
                rows.append(row)
            return rows
    except (UnicodeDecodeError, csv.Error) as error:
        raise _unreadable(path, error) from error
    except FileNotFoundError:
        raise BadInputError(
            "A file of the methodology is missing.", where=str(path), why="methodology.file", next_step=_NEXT_STEP
        ) from None


def _validate_shape(document: dict[str, Any], lines: Lines) -> None:
    validator = jsonschema.Draft202012Validator(json.loads(_schema_text()))
    errors = sorted(validator.iter_errors(document), key=lambda error: [str(part) for part in error.absolute_path])
    if (infinite := not_finite(document)) is not None:
        raise BadInputError(
            "A number of the methodology is not finite.",
            where=f"{lines.where(infinite)}: {'/'.join(map(str, infinite))}",
            why="methodology.finite",
            next_step=_NEXT_STEP,
        )
    if errors:
        first = errors[0]
        place = tuple(first.absolute_path)
        if first.validator == "additionalProperties":
            # Where the key stands, not what it stands in.
            unknown = min(first.instance.keys() - first.schema.get("properties", {}).keys())
            place = (*place, unknown)
        raise BadInputError(
            f"The methodology breaks its schema: {first.message}",
            where=f"{lines.where(place)}: {'/'.join(map(str, place)) or 'top level'}",
            why=f"methodology.schema ({len(errors)} such)",
            next_step=_NEXT_STEP,
        )


def not_finite(item: Any, place: Place = ()) -> Place | None:
    """Return where a NaN or an infinity stands, which a schema lets pass."""
    if isinstance(item, float):
        return None if math.isfinite(item) else place
    pairs = item.items() if isinstance(item, dict) else enumerate(item) if isinstance(item, list) else ()
    found = (not_finite(value, (*place, key)) for key, value in pairs)
    return next((one for one in found if one is not None), None)


def _validate_rules(document: dict[str, Any], refuse: Callable[..., None]) -> None:
    """Check that every rule is there and in its range, and that red-line events name parks."""
    rules = {rule["code"]: place for place, rule in enumerate(document["rules"])}
    missing = _RULES - rules.keys()
    if missing:
        refuse(f"The rule {sorted(missing)[0]} is missing.", "methodology.rules", "rules")
    for code, (lowest, highest, whole) in _RANGES.items():
        value = document["rules"][rules[code]].get("value")
        if value is None or not lowest <= value <= highest or (whole and value != int(value)):
            expected_number = "a whole number" if whole else "a number"
            refuse(
                f"{code} is not {expected_number} from {lowest} to {highest}.",
                "methodology.rules",
                "rules",
                rules[code],
            )
    for place, event in enumerate((document.get("consequences") or {}).get("red_lines", [])):
        if event["park_code"] not in {park["park_code"] for park in document["parks"]}:
            refuse(
                f"A red-line event names the unknown park {event['park_code']}.",
                "methodology.park_known",
                "consequences",
                "red_lines",
                place,
            )


def _validate_sense(document: dict[str, Any], lines: Lines) -> None:
    """Check what a schema cannot say: unique codes, weights, bounds, tiers that cover every rank once."""

    def refuse(what: str, rule: str, *place: str | int) -> None:
        raise BadInputError(what, where=lines.where(place), why=rule, next_step=_NEXT_STEP)

    areas = [area["code"] for area in document["areas"]]
    codes = [indicator["code"] for indicator in document["indicators"]]
    parks = [park["park_code"] for park in document["parks"]]
    for kind, listed, values in (
        ("area", "areas", areas),
        ("indicator", "indicators", codes),
        ("park", "parks", parks),
    ):
        repeated = sorted({value for value in values if values.count(value) > 1})
        if repeated:
            second = len(values) - 1 - values[::-1].index(repeated[0])
            refuse(f"The {kind} {repeated[0]} stands twice.", f"methodology.{kind}_unique", listed, second, "code")
    for place, indicator in enumerate(document["indicators"]):
        if indicator["area"] not in areas:
            refuse(
                f"Indicator {indicator['code']} names an unknown area.",
                "methodology.area_known",
                "indicators",
                place,
                "area",
            )
        bounds = indicator.get("bounds")
        if bounds and not bounds["low"] < bounds["high"]:
            refuse(
                f"The bounds of {indicator['code']} are not low < high.",
                "methodology.bounds",
                "indicators",
                place,
                "bounds",
            )
    total = sum(indicator["weight"]["value"] for indicator in document["indicators"])
    if abs(total - 100) > 1e-9:
        refuse(f"The weights add up to {total:g}, not 100.", "methodology.weights", "indicators")
    _validate_rules(document, refuse)
    expected = 1
    rows = document["tiers"]["rows"]
    for place in sorted(range(len(rows)), key=lambda place: int(rows[place]["rank_from"])):
        row = rows[place]
        if row["rank_from"] != expected or row["rank_to"] < row["rank_from"]:
            refuse("The tiers do not cover every rank exactly once.", "methodology.tiers", "tiers", "rows", place)
        expected = row["rank_to"] + 1
    if expected != len(parks) + 1:
        refuse(
            f"The tiers end at rank {expected - 1}, but there are {len(parks)} parks.",
            "methodology.tiers",
            "tiers",
            "rows",
        )
    for breach in inputs.breaches(document):
        refuse(breach.what, breach.rule, *breach.place)
