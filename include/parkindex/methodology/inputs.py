"""What a schema cannot say of the numbers and lists that single indicators need: each breach, its rule and place."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

# Pairs of plots farther apart are not measured (identity.plots), so no rule may ask for them.
FARTHEST_NEIGHBOUR_METRES = 1000


class Breach(NamedTuple):
    """A rule that a methodology breaks: what is wrong, the rule, and where it stands in the resolved document."""

    what: str
    rule: str
    place: tuple[str | int, ...]


def breaches(document: dict[str, Any]) -> Iterator[Breach]:
    """Find what is wrong with the inputs of single indicators, in the order of the document.

    Args:
        document: A resolved methodology that follows ``methodology/schema.json``.
    """
    indicators = {indicator["code"] for indicator in document["indicators"]}
    yield from _parameters(document, indicators)
    yield from _rounds(document)
    yield from _recognition_kinds(document)
    yield from _items(document, indicators)
    yield from _rates(document)


def _repeated(values: list[Any]) -> Iterator[int]:
    """Positions of values that stand earlier already."""
    return (place for place, value in enumerate(values) if value in values[:place])


def _parameters(document: dict[str, Any], indicators: set[str]) -> Iterator[Breach]:
    parameters = document["parameters"]
    for place in _repeated([one["code"] for one in parameters]):
        yield Breach(
            f"The parameter {parameters[place]['code']} stands twice.",
            "methodology.parameter_unique",
            ("parameters", place),
        )
    known = {one["code"]: place for place, one in enumerate(parameters)}
    for code in sorted(_PARAMETERS - known.keys()):
        yield Breach(f"The parameter {code} is missing.", "methodology.parameters", ("parameters",))
    for place, one in enumerate(parameters):
        unknown = sorted(set(one["used_by"]) - indicators)
        if unknown:
            yield Breach(
                f"The parameter {one['code']} names the unknown indicator {unknown[0]}.",
                "methodology.indicator_known",
                ("parameters", place, "used_by"),
            )
        if one["code"] == "plot_adjacency_metres" and one["value"] > FARTHEST_NEIGHBOUR_METRES:
            yield Breach(
                f"plot_adjacency_metres is above {FARTHEST_NEIGHBOUR_METRES}, the farthest distance that is measured.",
                "methodology.parameters",
                ("parameters", place, "value"),
            )
        if one["code"] in _WHOLE and one["value"] != int(one["value"]):
            yield Breach(
                f"{one['code']} is not a whole number.", "methodology.parameters", ("parameters", place, "value")
            )


_PARAMETERS = {
    "plot_small_hectares",
    "plot_adjacency_metres",
    "patent_term_years",
    "high_value_kept_years",
    "high_value_pledge_cny",
    "small_max_employees",
    "small_max_revenue_cny",
    "small_max_assets_cny",
    "self_report_needs_evidence",
}
_WHOLE = {"patent_term_years", "high_value_kept_years", "self_report_needs_evidence"}


def _rounds(document: dict[str, Any]) -> Iterator[Breach]:
    strangers = sorted(set(document["early_rounds"]["rounds"]) - set(document["equity_rounds"]["rounds"]))
    if strangers:
        yield Breach(
            f"The early round {strangers[0]} is not among the equity rounds.",
            "methodology.early_rounds",
            ("early_rounds", "rounds"),
        )


def _recognition_kinds(document: dict[str, Any]) -> Iterator[Breach]:
    rows = document["recognition_kinds"]["rows"]
    for place in _repeated([row["kind"] for row in rows]):
        yield Breach(
            f"The recognition kind {rows[place]['kind']} stands twice.",
            "methodology.recognition_kind_unique",
            ("recognition_kinds", "rows", place),
        )


def _items(document: dict[str, Any], indicators: set[str]) -> Iterator[Breach]:
    items = document["self_report_items"]
    of_code = {item["item_code"]: item for item in items}
    for place in _repeated([item["item_code"] for item in items]):
        yield Breach(
            f"The item {items[place]['item_code']} stands twice.",
            "methodology.item_unique",
            ("self_report_items", place),
        )
    for place, item in enumerate(items):
        here = ("self_report_items", place)
        if item["indicator_code"] not in indicators:
            yield Breach(
                f"The item {item['item_code']} is for the unknown indicator {item['indicator_code']}.",
                "methodology.indicator_known",
                here,
            )
        for column in ("times_item", "part_of"):
            other = of_code.get(item[column]) if item[column] else item
            if other is None or other["indicator_code"] != item["indicator_code"]:
                yield Breach(
                    f"{column} of {item['item_code']} names {item[column]}, which is no item of the same indicator.",
                    "methodology.item_known",
                    here,
                )
            elif item[column] and (other is item or other["times_item"] or other["part_of"]):
                yield Breach(
                    f"{column} of {item['item_code']} names {item[column]}, which rests on another item itself.",
                    "methodology.item_known",
                    here,
                )


def _rates(document: dict[str, Any]) -> Iterator[Breach]:
    spans = []
    for place, rate in enumerate(document["exchange_rates"]):
        try:
            span = date.fromisoformat(rate["valid_from"]), date.fromisoformat(rate["valid_to"])
        except ValueError:
            yield Breach(
                f"A rate of {rate['currency']} has a day that does not exist.",
                "methodology.exchange_rates",
                ("exchange_rates", place),
            )
            continue
        if span[1] < span[0] or Decimal(rate["cny_per_unit"]) == 0:
            yield Breach(
                f"A rate of {rate['currency']} ends before it begins, or is 0.",
                "methodology.exchange_rates",
                ("exchange_rates", place),
            )
        spans.append((rate["currency"], *span, place))
    last: dict[str, date] = {}
    for currency, first, final, place in sorted(spans):
        if currency in last and first <= last[currency]:
            yield Breach(
                f"Two rates of {currency} hold on {first}.", "methodology.exchange_rates", ("exchange_rates", place)
            )
        last[currency] = final
