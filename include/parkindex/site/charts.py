"""The drawings of the pages, as inline SVG.

Each is decoration for readers who see it: the same facts stand in text beside it, so assistive technology skips it.
Coordinates are computed in ``Decimal`` and written with one decimal: the same record gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from markupsafe import Markup

_EDGE = 6


def rank_interval(rank: int | None, low: int, high: int, places: int, tier_ends: Sequence[int], width: int) -> Markup:
    """Draw where a park's rank lies: a bar from low to high, a dot at the rank, a hairline between tiers.

    Args:
        rank: Published rank; None draws no dot.
        low: Best rank of the interval.
        high: Worst rank of the interval.
        places: Number of ranks, the width of the scale.
        tier_ends: Last rank of each tier.
        width: Width in pixels.
    """
    step = Decimal(width - 2 * _EDGE) / max(places - 1, 1)

    def at(place: Decimal | int) -> str:
        return _round(_EDGE + (Decimal(place) - 1) * step)

    lines = Markup().join(
        Markup('<path class="tier-line" d="M{0} 1V19"/>').format(at(end + Decimal("0.5")))
        for end in tier_ends
        if end < places
    )
    dot = Markup() if rank is None else Markup('<circle class="dot" cx="{}" cy="10" r="4.5"/>').format(at(rank))
    return Markup(
        '<svg class="interval" width="{width}" height="20" viewBox="0 0 {width} 20" aria-hidden="true">'
        '<path class="scale" d="M{first} 10H{last}"/>{lines}'
        '<path class="range" d="M{low} 10H{high}"/><path class="cap" d="M{low} 5V15M{high} 5V15"/>{dot}</svg>'
    ).format(width=width, first=at(1), last=at(places), lines=lines, low=at(low), high=at(high), dot=dot)


def bar(value: Decimal | int | None, most: Decimal | int, width: int) -> Markup:
    """Draw how much of the most that can be had was had.

    Args:
        value: What was had; None draws the empty frame.
        most: The length of the frame.
        width: Width of the frame in pixels.
    """
    full = Decimal(width)
    part = (
        Decimal(0) if value is None or most <= 0 else min(max(Decimal(value) / Decimal(most), Decimal(0)), Decimal(1))
    )
    return Markup(
        '<svg class="bar" width="{w}" height="10" viewBox="0 0 {w} 10" aria-hidden="true">'
        '<rect class="frame" x="0.5" y="0.5" width="{inner}" height="9"/>'
        '<rect class="fill" width="{part}" height="10"/></svg>'
    ).format(w=width, inner=width - 1, part=_round(full * part))


def position(
    value: Decimal | int, low: Decimal | int, high: Decimal | int, middle: Decimal | int | None, width: int
) -> Markup:
    """Draw a value between its bounds, with the zone's median as a tick; what lies outside is drawn at the bound.

    Args:
        value: The park's value.
        low: Value of score 0.
        high: Value of score 100.
        middle: Median of the zone; None draws no tick.
        width: Width in pixels.
    """
    reach = Decimal(width - 2 * _EDGE)
    extent = Decimal(high) - Decimal(low)

    def at(place: Decimal | int) -> str:
        part = Decimal(0) if extent == 0 else (Decimal(place) - Decimal(low)) / extent
        return _round(_EDGE + reach * min(max(part, Decimal(0)), Decimal(1)))

    tick = Markup() if middle is None else Markup('<path class="median" d="M{0} 2V18"/>').format(at(middle))
    return Markup(
        '<svg class="interval" width="{width}" height="20" viewBox="0 0 {width} 20" aria-hidden="true">'
        '<path class="scale" d="M{edge} 10H{end}"/><path class="cap" d="M{edge} 6V14M{end} 6V14"/>{tick}'
        '<circle class="dot" cx="{here}" cy="10" r="4.5"/></svg>'
    ).format(width=width, edge=_EDGE, end=width - _EDGE, tick=tick, here=at(value))


def _round(value: Decimal) -> str:
    return str(value.quantize(Decimal("0.1"), rounding=ROUND_HALF_UP))
