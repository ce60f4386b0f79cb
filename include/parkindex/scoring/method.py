"""The method file of ``parkindex score``: read, checked against its schema, as frozen dataclasses.

Names and order of the keys are the order of the steps; a key that is not there means that the step is not done.
"""

from __future__ import annotations

import json
import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from parkindex.errors import BadInputError
from parkindex.scoring.ranks import Ties

_SCHEMA = Path(__file__).with_name("method.schema.json")
_NEXT_STEP = "correct the method file; docs/method/engine.md lists every option"
_GROUPED = ("group_mean", "group_median")
# Which parameters belong to which method. A parameter beside the wrong method would be ignored, so it is refused.
_PARAMETERS: dict[str, set[str]] = {
    "minmax": {"lower", "upper"},
    "scaled": {"lower", "upper"},
    "zscore": {"mean", "sd"},
    "goalposts": {"bounds", "lower", "upper", "clip"},
    "dist2ref": {"unit", "cap"},
    "dist2target": {"cap"},
}
_NEEDED: dict[str, str] = {"goalposts": "bounds", "dist2ref": "unit", "power": "p"}


@dataclass(frozen=True)
class Impute:
    """How missing values are filled: ``none``, ``mean``, ``median``, ``group_mean``, ``group_median``."""

    method: str = "none"
    group: str | None = None


@dataclass(frozen=True)
class Screen:
    """Which units stay: least share of values present, least share of non-zero among those present."""

    min_availability: float = 0.0
    min_nonzero: float = 0.0


@dataclass(frozen=True)
class Treat:
    """Outlier treatment: a column passes when |skew| < ``skew`` or kurtosis < ``kurtosis``."""

    skew: float = 2.0
    kurtosis: float = 3.5
    max_winsorised: int = 5
    then: str = "none"


@dataclass(frozen=True)
class Normalise:
    """How indicators are brought to one scale; which parameters count depends on ``method``."""

    method: str = "none"
    lower: float = 0.0
    upper: float = 100.0
    mean: float = 0.0
    sd: float = 1.0
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    clip: bool = True
    unit: str | None = None
    cap: bool = True


@dataclass(frozen=True)
class Aggregate:
    """How the children of one level's aggregates become one number.

    Attributes:
        method: ``arithmetic``, ``geometric``, ``harmonic``, ``power`` or ``copeland``.
        weights: ``meta`` (the Weight column) or ``equal``.
        min_share: Least share of the weight that must be present.
        p: Exponent of ``power``.
    """

    method: str
    weights: str = "meta"
    min_share: float = 0.0
    p: float = 1.0


@dataclass(frozen=True)
class Rank:
    """Decimals to round aggregates to before ranking (None: not at all), and what ties share."""

    decimals: int | None = None
    ties: Ties = "min"


@dataclass(frozen=True)
class Robustness:
    """The uncertainty analysis.

    Attributes:
        draws: Number of simulations; None with ``weight_sets`` when it was not given.
        seed: Seed of PCG64.
        weights: Every weight is multiplied by a number drawn evenly from [1 − weights, 1 + weights].
        normalise: Normalisations to choose from; empty: the nominal one.
        aggregate: Aggregations (each one rule per level, or one for all) to choose from; empty: the nominal one.
        weight_sets: CSV of weight sets.
    """

    draws: int | None = None
    seed: int = 1
    weights: float = 0.0
    normalise: tuple[Normalise, ...] = ()
    aggregate: tuple[tuple[Aggregate, ...], ...] = ()
    weight_sets: Path | None = None


@dataclass(frozen=True)
class Method:
    """A whole method; the fields are the steps in their order.

    ``aggregate`` is empty (no aggregates), one rule (every level), or one rule per level from level 2 up.
    """

    denominate: bool = False
    impute: Impute = Impute()
    screen: Screen | None = None
    treat: Treat | None = None
    normalise: Normalise = Normalise()
    aggregate: tuple[Aggregate, ...] = ()
    rank: Rank = Rank()
    robustness: Robustness | None = None


def load(path: Path) -> Method:
    """Read a method file.

    Raises:
        BadInputError: It is missing, not YAML, or not a method; the message names the key.
    """
    try:
        document = yaml.load(path.read_text("utf-8-sig"), Loader=_Loader)  # noqa: S506 - a SafeLoader
    except FileNotFoundError:
        raise BadInputError(
            "The method file is not there.", where=str(path), why="score.method.file", next_step="check --method"
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadInputError(
            "The method file cannot be read.", where=str(path), why=str(error), next_step=_NEXT_STEP
        ) from error
    return parse({} if document is None else document, where=str(path), folder=path.parent)


def parse(document: Any, *, where: str = "method", folder: Path = Path()) -> Method:
    """Make a method from a mapping as the file holds it.

    Args:
        document: The mapping.
        where: What to call it in messages.
        folder: Folder that a relative ``weight_sets`` path starts from.

    Raises:
        BadInputError: A key or a method is unknown, a value is out of range, or a parameter belongs to another method.
    """
    if not isinstance(document, dict):
        raise BadInputError("The method is not a mapping.", where=where, why="score.method.shape", next_step=_NEXT_STEP)
    written_out = _written_out(document)
    _check_shape(written_out, where)
    normalise = _normalise(written_out.get("normalise", {"method": "none"}), f"{where}: normalise")
    rules = written_out.get("aggregate", [])
    aggregate = tuple(_rule(rule, f"{where}: aggregate/{place}") for place, rule in enumerate(rules))
    impute = Impute(**written_out.get("impute", {}))
    if (impute.method in _GROUPED) != (impute.group is not None):
        raise _refusal(
            f"`group` is missing beside `{impute.method}`."
            if impute.group is None
            else f"`group` does not belong to `{impute.method}`.",
            f"{where}: impute",
            "score.method.parameter",
        )
    return Method(
        denominate=written_out.get("denominate", False),
        impute=impute,
        screen=_made(Screen, written_out.get("screen")),
        treat=_made(Treat, written_out.get("treat")),
        normalise=normalise,
        aggregate=aggregate,
        rank=Rank(**written_out.get("rank", {})),
        robustness=_robustness(written_out.get("robustness"), normalise, aggregate, where, folder),
    )


class _Loader(yaml.SafeLoader):
    """A safe loader that refuses a key that stands twice, of which YAML would keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        repeated = next((key for key in keys if keys.count(key) > 1), None)
        if repeated is not None:
            raise yaml.constructor.ConstructorError(None, None, f"the key {repeated!r} stands twice", node.start_mark)
        return super().construct_mapping(node, deep)


@cache
def _validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads(_SCHEMA.read_text("utf-8")))


def _refusal(what: str, where: str, rule: str) -> BadInputError:
    return BadInputError(what, where=where, why=rule, next_step=_NEXT_STEP)


def _written_out(document: Mapping[str, Any]) -> dict[str, Any]:
    """Write short forms out: ``minmax`` for ``{method: minmax}``, one rule for a list of one, ``none`` for nothing."""
    result = dict(document)
    for key in ("denominate", "screen", "treat", "rank", "robustness", "aggregate"):
        if key in result and result[key] in ("none", None):
            del result[key]
    for key in ("impute", "normalise"):
        if key in result:
            result[key] = _named(result[key])
    if "aggregate" in result:
        result["aggregate"] = _rules(result["aggregate"])
    robustness = result.get("robustness")
    if isinstance(robustness, dict):
        robustness = dict(robustness)
        for key, write_out in (("normalise", _named), ("aggregate", _rules)):
            if robustness.get(key) is None:
                robustness.pop(key, None)
            elif isinstance(robustness[key], list):
                robustness[key] = [write_out(item) for item in robustness[key]]
            else:
                robustness[key] = [write_out(robustness[key])]
        result["robustness"] = {key: value for key, value in robustness.items() if value is not None}
    return result


def _named(item: Any) -> Any:
    if item is None:
        return {"method": "none"}
    return {"method": item} if isinstance(item, str) else item


def _rules(item: Any) -> Any:
    """Return a list of rules: from a name, a rule, a list of either, or a rule whose ``method`` is a list."""
    if isinstance(item, list):
        return [_named(rule) for rule in item]
    if isinstance(item, dict) and isinstance(item.get("method"), list):
        return [{**item, "method": method} for method in item["method"]]
    return [_named(item)]


def _check_shape(document: dict[str, Any], where: str) -> None:
    infinite = _not_finite(document)
    if infinite is not None:
        raise _refusal("A number is not finite.", f"{where}: {infinite}", "score.method.value")
    errors = sorted(_validator().iter_errors(document), key=lambda error: [str(part) for part in error.absolute_path])
    if not errors:
        return
    error = errors[0]
    path = "/".join(map(str, error.absolute_path)) or "top level"
    if error.validator == "additionalProperties":
        known = sorted(error.schema.get("properties", {}))
        unknown = next(key for key in error.instance if key not in known)
        raise _refusal(
            f"The key `{unknown}` is not known; known here: {', '.join(known)}.",
            f"{where}: {path}",
            "score.method.unknown_key",
        )
    if error.validator == "enum":
        known_values = ", ".join(map(str, error.validator_value))
        rule = "score.method.unknown_method" if path.endswith("method") else "score.method.value"
        raise _refusal(f"`{error.instance}` is not known; known here: {known_values}.", f"{where}: {path}", rule)
    raise _refusal(f"The method is not valid: {error.message}.", f"{where}: {path}", "score.method.value")


def _not_finite(item: Any, path: str = "") -> str | None:
    """Return where a NaN or an infinity stands, which a schema lets pass."""
    if isinstance(item, float) and not math.isfinite(item):
        return path
    pairs = item.items() if isinstance(item, dict) else enumerate(item) if isinstance(item, list) else ()
    found = (_not_finite(value, f"{path}/{key}".lstrip("/")) for key, value in pairs)
    return next((place for place in found if place is not None), None)


def _made(kind: type[Any], keys: dict[str, Any] | None) -> Any:
    return None if keys is None else kind(**keys)


def _normalise(keys: dict[str, Any], where: str) -> Normalise:
    method = keys["method"]
    foreign = sorted(keys.keys() - {"method"} - _PARAMETERS.get(method, set()))
    if foreign:
        raise _refusal(f"`{foreign[0]}` does not belong to `{method}`.", where, "score.method.parameter")
    _require(keys, where)
    bounds = {str(code): (float(low), float(high)) for code, (low, high) in keys.get("bounds", {}).items()}
    for code, (low, high) in bounds.items():
        if not low < high:
            raise _refusal(f"The bounds of {code} are not low < high.", f"{where}/bounds", "score.method.bounds")
    made = Normalise(**{**keys, "bounds": bounds})
    if method in ("minmax", "scaled", "goalposts") and not made.lower < made.upper:
        raise _refusal("`lower` is not below `upper`.", where, "score.method.bounds")
    return made


def _rule(keys: dict[str, Any], where: str) -> Aggregate:
    if "p" in keys and keys["method"] != "power":
        raise _refusal(f"`p` does not belong to `{keys['method']}`.", where, "score.method.parameter")
    _require(keys, where)
    if keys.get("p") == 0:
        raise _refusal("`p` is 0, of which the power mean is the geometric one.", where, "score.method.parameter")
    return Aggregate(**keys)


def _require(keys: dict[str, Any], where: str) -> None:
    needed = _NEEDED.get(keys["method"])
    if needed and needed not in keys:
        raise _refusal(f"`{needed}` is missing beside `{keys['method']}`.", where, "score.method.parameter")


def _robustness(
    keys: dict[str, Any] | None,
    normalise: Normalise,
    aggregate: tuple[Aggregate, ...],
    where: str,
    folder: Path,
) -> Robustness | None:
    """Make the robustness options; a method named alone keeps the nominal one's parameters where they fit."""
    if keys is None:
        return None
    place = f"{where}: robustness"
    if not aggregate:
        raise _refusal("There is nothing to simulate: `aggregate` is not there.", place, "score.method.aggregate")
    normalisations = tuple(
        normalise if item == {"method": normalise.method} else _normalise(item, f"{place}/normalise/{number}")
        for number, item in enumerate(keys.get("normalise", []))
    )
    aggregations = tuple(
        _varied(rules, aggregate, f"{place}/aggregate/{number}")
        for number, rules in enumerate(keys.get("aggregate", []))
    )
    weight_sets = keys.get("weight_sets")
    draws = keys.get("draws")
    return Robustness(
        draws=int(draws) if draws else (None if weight_sets else 1000),
        seed=int(keys.get("seed", 1)),
        weights=float(keys.get("weights", 0.0)),
        normalise=normalisations,
        aggregate=aggregations,
        weight_sets=folder / weight_sets if weight_sets else None,
    )


def _varied(rules: list[dict[str, Any]], nominal: tuple[Aggregate, ...], where: str) -> tuple[Aggregate, ...]:
    """Return the rules of a varied aggregation: one rule changes the nominal ones of all levels."""
    if len(rules) > 1:
        return tuple(_rule(rule, f"{where}/{level}") for level, rule in enumerate(rules))
    (keys,) = rules
    if keys.keys() == {"method"} and all(rule.method == keys["method"] for rule in nominal):
        return nominal
    _rule(keys, where)
    return tuple(replace(rule, **keys) for rule in nominal)
