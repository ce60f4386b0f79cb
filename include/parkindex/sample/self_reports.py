"""What the parks' own reports say that can be used: for the truth. Written from docs/method/indicators.md."""

from __future__ import annotations

from fractions import Fraction

from parkindex.sample import facts
from parkindex.sample.reports import Filled
from parkindex.sample.world import World

_HIGHEST_SCORE = 100
_ASKED = {item.code: item for item in facts.REPORT_ITEMS}


def usable(world: World, park: int, t: int) -> dict[str, Fraction]:
    """Return the usable items of a park's latest report on a year."""
    own = [report for report in world.reports if report.park == park and report.year == t]
    if not own:
        return {}
    latest = max(own, key=lambda report: report.reported)
    alone = {item.code: Fraction(item.value) for item in latest.items if _is_sound(item)}

    def holds(code: str) -> bool:
        whole = _ASKED[code].part_of
        return not whole or (whole in alone and alone[code] <= alone[whole])

    return {code: value for code, value in alone.items() if holds(code)}


def _is_sound(item: Filled) -> bool:
    """Whether a row can be used as far as it alone decides: a value, its unit, evidence, no score above 100."""
    if item.code not in _ASKED or not item.value or not item.evidence or item.unit != _ASKED[item.code].unit:
        return False
    return Fraction(item.value) >= 0 and not (item.code in facts.SCORED_BY and Fraction(item.value) > _HIGHEST_SCORE)


def mean_score(known: dict[str, Fraction]) -> tuple[Fraction | None, Fraction | None]:
    """Return points × incubatees over the types of incubators, and incubatees; a score of nobody is not needed."""
    points, incubatees = Fraction(0), Fraction(0)
    for score, number in facts.SCORED_BY.items():
        if number not in known or (known[number] and score not in known):
            return None, None
        points += known[number] * known.get(score, 0)
        incubatees += known[number]
    return points, incubatees
