"""Every number on a page is written here, once, so that both languages and all pages show the same digits.

A number is put into ``<data value="…">``: what is shown is rounded half up to a fixed number of decimals, what stands
in ``value`` is the released number in full.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal

from markupsafe import Markup

from parkindex.errors import BadInputError

SHANGHAI = timezone(timedelta(hours=8))  # no daylight saving since 1991; needs no time-zone database

AREA_DECIMALS = 1
INDICATOR_DECIMALS = 1
POINT_DECIMALS = 2
VALUE_DECIMALS = 2
_COUNT_UNITS = frozenset({"个", "家", "人", "件"})
_UNIT_DECIMALS = {"家/日": 4}  # one enterprise a year is 0.0027 a day

Number = Decimal | int


def exact(value: Number) -> str:
    """Write a number in full: plain digits, no exponent, no trailing zeros."""
    number = Decimal(value)
    if not number.is_finite():
        raise BadInputError("A released number is not finite.", where=str(value), next_step="verify the release")
    text = format(number, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in {"-0", ""} else text


def shown(value: Number, decimals: int, *, signed: bool = False) -> str:
    """Write a number for reading: rounded half up, thousands apart, a true minus sign."""
    rounded = Decimal(value).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    digits = format(abs(rounded), ",f")
    if rounded < 0:
        return f"−{digits}"
    return f"+{digits}" if signed and rounded > 0 else digits


def shown_whole(value: Number) -> str:
    """Write a number in full for reading: every decimal it has, thousands apart."""
    text = exact(value)
    return shown(value, len(text.partition(".")[2]))


def number(value: Number, decimals: int) -> Markup:
    """Return a number as an element that carries it in full."""
    return Markup('<data class="n" value="{}">{}</data>').format(exact(value), shown(value, decimals))


def whole(value: Number) -> Markup:
    """Return a number as an element, written in full."""
    return Markup('<data class="n" value="{}">{}</data>').format(exact(value), shown_whole(value))


def share(value: Number) -> Markup:
    """Return a share of one as whole percent."""
    return Markup('<data class="n" value="{}">{}%</data>').format(exact(value), shown(Decimal(value) * 100, 0))


def value_decimals(value: Number, unit: str) -> int:
    """Decimals with which a value of a unit is shown: none for a count that is one."""
    if unit in _COUNT_UNITS:
        return 0 if Decimal(value) == Decimal(value).to_integral_value() else 1
    return _UNIT_DECIMALS.get(unit, VALUE_DECIMALS)


def value_of(value: Number, unit: str) -> Markup:
    """Return an indicator's value with the decimals of its unit."""
    return number(value, value_decimals(value, unit))


def median(values: list[Number]) -> Decimal | None:
    """Return the median, or None of nothing."""
    ordered = sorted(Decimal(value) for value in values)
    if not ordered:
        return None
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def instant(value: datetime) -> Markup:
    """Return an instant in Shanghai's time, as an element that carries it with its zone.

    Raises:
        BadInputError: The instant has no zone.
    """
    if value.tzinfo is None:
        raise BadInputError("An instant of the release has no zone.", where=value.isoformat())
    local = value.astimezone(SHANGHAI)
    return Markup('<time datetime="{}">{}</time>').format(
        local.isoformat(timespec="seconds"), local.strftime("%Y-%m-%d %H:%M")
    )
