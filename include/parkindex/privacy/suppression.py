"""Which cells of a release disclose what one enterprise gave in confidence, and what else must go with them.

After the Handbook on Statistical Disclosure Control (Hundepool et al., chapter 4), as the CBS applies it to tables of
magnitudes. Ranks, total and area scores stay public, since they decide about parks (ADR on disclosure control); so what
can be computed back from them counts as known to everybody:

* a sum that too few enterprises, or one of them, make up is confidential (minimum count, dominance, p % rule);
* so is the smaller of two published sums of one park that differ by such a group (differencing inside a release);
* and what changed between two releases by the figures of too few enterprises (differencing across releases);
* an area's public score gives a single hidden score away, and a zone's public sum a single hidden value: then further
  cells are hidden, until the best bounds that an outsider can compute are wide enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from itertools import permutations

from parkindex.privacy.policy import Disclosure

Place = tuple[str, str]  # park code, indicator code
CONFIDENTIAL, SECONDARY = "C", "D"
_HUNDRED = Fraction(100)
_ROUNDS = 50


@dataclass(frozen=True)
class Cell:
    """One park × indicator of a candidate.

    Attributes:
        park_code: Park.
        indicator_code: Indicator.
        area_code: Area.
        value: Value; None where there is none.
        score: Score, 0 to 100; None where there is none.
        weight: Effective weight in the total, percent; None where it does not count.
        low: Value that scores 0 (100 where less is better).
        high: Value that scores 100.
        direction: 1 or -1.
        sides: ``numerator`` and ``denominator`` → enterprise → amount, of confidential feeds only.
        in_public_sum: Whether the zone's sum over the parks is public.
    """

    park_code: str
    indicator_code: str
    area_code: str
    value: Decimal | None
    score: Decimal | None
    weight: Decimal | None
    low: Decimal | None
    high: Decimal | None
    direction: int
    sides: Mapping[str, Mapping[str, Decimal]] = field(default_factory=dict)
    in_public_sum: bool = False

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self.park_code, self.indicator_code

    @property
    def is_clipped(self) -> bool:
        """Whether its score says only that the value is at or beyond a bound."""
        return self.score is not None and self.score in (0, 100)


@dataclass(frozen=True)
class Withheld:
    """A cell that is hidden.

    Attributes:
        conf_status: ``C`` confidential itself, ``D`` hidden so that another stays hidden.
        rule: Which rule hides it.
    """

    conf_status: str
    rule: str


@dataclass(frozen=True)
class Bounds:
    """What an outsider can compute of a hidden value from everything that is published; None is no bound."""

    low: Fraction | None
    high: Fraction | None


@dataclass(frozen=True)
class Decision:
    """What is hidden, and whether that is enough.

    Attributes:
        withheld: Place → why.
        unprotected: Confidential cells whose bounds are still too narrow although everything that helps is hidden.
    """

    withheld: dict[Place, Withheld]
    unprotected: tuple[Place, ...]


def decide(
    cells: Sequence[Cell],
    policy: Disclosure,
    before: Mapping[Place, Cell] | None = None,
    withheld_before: Mapping[Place, str] | None = None,
) -> Decision:
    """Decide which cells of a release are hidden.

    Args:
        cells: Every cell of the candidate.
        policy: The rules.
        before: Cells of the edition's current release; None for a first release.
        withheld_before: Place → ``C`` or ``D`` of what that release hides.
    """
    withheld: dict[Place, Withheld] = {}
    for cell in sorted(cells, key=lambda one: one.place):
        rule = _primary(cell, policy) or _across(cell, policy, before or {}, withheld_before or {})
        if rule is not None:
            withheld[cell.place] = Withheld(CONFIDENTIAL, rule)
    for place in _inside(cells, policy, withheld):
        withheld[place] = Withheld(CONFIDENTIAL, "margin")
    for place, status in (withheld_before or {}).items():
        now, then = next((one for one in cells if one.place == place), None), (before or {}).get(place)
        if now and then and place not in withheld and now.value == then.value:
            withheld[place] = Withheld(status, "earlier_release")
    return _complement(cells, policy, withheld)


# -------------------------------------------------------------------------------------------------------- primary rules


def unsafe(amounts: Iterable[Decimal], policy: Disclosure) -> str | None:
    """Return the rule by which a sum of amounts discloses one of them; None when it does not.

    A sum of zeros and ones is a count of enterprises and discloses no figure of one.
    """
    sizes = sorted((abs(amount) for amount in amounts if amount), reverse=True)
    if not sizes or all(size == 1 for size in sizes):
        return None
    if len(sizes) < policy.minimum_count:
        return "minimum_count"
    total = sum(sizes)
    if sum(sizes[: policy.dominance_n]) * 100 > total * policy.dominance_percent:
        return "dominance"
    if (total - sizes[0] - sizes[1]) * 100 < sizes[0] * policy.p_percent:
        return "p_percent"
    return None


def _primary(cell: Cell, policy: Disclosure) -> str | None:
    if cell.value is None:
        return None
    for side in sorted(cell.sides):
        rule = unsafe(cell.sides[side].values(), policy)
        if rule is not None:
            return rule
    return None


def _across(
    cell: Cell, policy: Disclosure, before: Mapping[Place, Cell], withheld_before: Mapping[Place, str]
) -> str | None:
    """Say whether too few enterprises make the difference to the release before."""
    earlier = before.get(cell.place)
    if earlier is None or cell.value is None or earlier.value is None:
        return None
    for side in sorted(cell.sides.keys() | earlier.sides.keys()):
        now, then = cell.sides.get(side, {}), earlier.sides.get(side, {})
        changed = sum(now.get(one, 0) != then.get(one, 0) for one in now.keys() | then.keys())
        hidden = cell.place in withheld_before
        if (changed or hidden) and changed < policy.differencing_count and any(now.values()):
            return "differencing"
    return None


def _inside(cells: Sequence[Cell], policy: Disclosure, withheld: Mapping[Place, Withheld]) -> list[Place]:
    """Return cells whose sum, taken from a larger public sum of the same park, leaves a group that discloses."""
    of_park: dict[str, list[tuple[Cell, Mapping[str, Decimal]]]] = {}
    for cell in cells:
        if cell.value is not None and cell.place not in withheld:
            for side in sorted(cell.sides):
                amounts = {one: amount for one, amount in cell.sides[side].items() if amount}
                if amounts:
                    of_park.setdefault(cell.park_code, []).append((cell, amounts))
    found = set()
    for sums in of_park.values():
        for (_, larger), (cell, smaller) in permutations(sums, 2):
            if len(smaller) < len(larger) and smaller.items() <= larger.items():
                rest = [amount for one, amount in larger.items() if one not in smaller]
                if unsafe(rest, policy):
                    found.add(cell.place)
    return sorted(found)


# ---------------------------------------------------------------------------------------------------------- complements


def _complement(cells: Sequence[Cell], policy: Disclosure, primary: Mapping[Place, Withheld]) -> Decision:
    """Hide further cells until every confidential one is bounded widely enough, or nothing is left to hide."""
    withheld = dict(primary)
    while True:
        known = bounds(cells, withheld)
        open_ones = [
            cell
            for cell in sorted(cells, key=lambda one: one.place)
            if cell.place in withheld
            and cell.value is not None
            and not _is_covered(cell, known[cell.place], withheld[cell.place], policy)
        ]
        for cell in open_ones:
            more = _next_to_hide(cells, cell, withheld, policy)
            if more is not None:
                withheld[more.place] = Withheld(SECONDARY, f"complement of {cell.indicator_code} in {cell.park_code}")
                break
        else:
            left = [one.place for one in open_ones if withheld[one.place].conf_status == CONFIDENTIAL]
            return Decision(withheld, tuple(left))


def _next_to_hide(
    cells: Sequence[Cell], cell: Cell, withheld: Mapping[Place, Withheld], policy: Disclosure
) -> Cell | None:
    """Choose a cell that shares a public sum with a hidden one, and widens its bounds.

    One that protects at once is preferred, then one that outsiders cannot count from public registers themselves, then
    the one with the least weight. None when no cell helps.
    """
    beside = [
        one
        for one in cells
        if one.place not in withheld
        and one.value is not None
        and (
            (one.park_code == cell.park_code and one.area_code == cell.area_code and one.score is not None)
            or (one.indicator_code == cell.indicator_code and cell.in_public_sum)
        )
    ]
    now = _width(bounds(cells, withheld)[cell.place])
    ranked = []
    for one in beside:
        known = bounds(cells, {**withheld, one.place: Withheld(SECONDARY, "")})[cell.place]
        width = _width(known)
        if now is not None and (width is None or width > now):
            is_protected = _is_protected(cell, known, policy)
            public = not any(any(side.values()) for side in one.sides.values())
            ranked.append((not is_protected, public, one.weight or Decimal(0), one.place, one))
    if ranked:
        return min(ranked, key=lambda found: found[:4])[4]
    # Two equations may each give the cell away alone; then what is hidden for one of them helps only with the other.
    alone = [one for one in beside if _is_alone(cells, cell, one, withheld)]
    return min(alone, key=lambda one: (one.weight or Decimal(0), one.place), default=None)


def _is_alone(cells: Sequence[Cell], cell: Cell, beside: Cell, withheld: Mapping[Place, Withheld]) -> bool:
    """Whether nothing is hidden beside a cell in the equation that it shares with another one."""

    def together(one: Cell) -> bool:
        if beside.park_code == cell.park_code:
            return one.park_code == cell.park_code and one.area_code == cell.area_code
        return one.indicator_code == cell.indicator_code

    return not any(together(one) for one in cells if one.place in withheld and one.place != cell.place)


def _width(known: Bounds) -> Fraction | None:
    return None if known.low is None or known.high is None else known.high - known.low


def _is_covered(cell: Cell, known: Bounds, why: Withheld, policy: Disclosure) -> bool:
    """Whether a hidden cell does its work: a secondary one must not be computed exactly itself."""
    return _is_protected(cell, known, policy) if why.conf_status == CONFIDENTIAL else _width(known) != 0


def _is_protected(cell: Cell, known: Bounds, policy: Disclosure) -> bool:
    """Whether the bounds leave the value uncertain by the protection level on both sides together."""
    width = _width(known)
    needed = 2 * abs(Fraction(cell.value or 0)) * policy.protection_percent / 100
    return width is None or (width >= needed and width > 0)


# --------------------------------------------------------------------------------------------------------------- bounds


def bounds(cells: Sequence[Cell], withheld: Mapping[Place, object]) -> dict[Place, Bounds]:
    """Return what an outsider can compute of every hidden value.

    Known to the outsider: every free cell, bounds, weights and directions; every area score (a weighted mean of its
    scores) and every public sum over the parks; that scores lie in 0 to 100. Each equation bounds each of its unknowns
    by the extremes of the others, again and again, until nothing changes: exact arithmetic, and never narrower than
    what is true.
    """
    hidden = {cell.place: cell for cell in cells if cell.place in withheld and cell.value is not None}
    scores = {
        place: (Fraction(0), _HUNDRED)
        for place, cell in hidden.items()
        if cell.score is not None and cell.weight is not None
    }
    values: dict[Place, Bounds] = {place: Bounds(None, None) for place in hidden}
    area_equations = _area_equations(hidden, scores)
    sum_equations = _sum_equations(hidden)
    for _ in range(_ROUNDS):
        before = (dict(scores), dict(values))
        for terms, total in area_equations:
            for place, weight in terms:
                others = [(w, scores[p]) for p, w in terms if p != place]
                low = (total - sum(w * span[1] for w, span in others)) / weight
                high = (total - sum(w * span[0] for w, span in others)) / weight
                scores[place] = (max(scores[place][0], low), min(scores[place][1], high))
        for place, span in scores.items():
            values[place] = _meet(values[place], _value_of(hidden[place], *span))
        for places, total in sum_equations:
            for place in places:
                spans = [values[one] for one in places if one != place]
                lows, highs = [span.low for span in spans], [span.high for span in spans]
                least = None if None in highs else total - sum(one for one in highs if one is not None)
                most = None if None in lows else total - sum(one for one in lows if one is not None)
                values[place] = _meet(values[place], Bounds(least, most))
                if place in scores:
                    scores[place] = _meet_scores(scores[place], _score_of(hidden[place], values[place]))
        if before == (scores, values):
            break
    return values


def _area_equations(
    hidden: Mapping[Place, Cell], scores: Mapping[Place, object]
) -> list[tuple[list[tuple[Place, Fraction]], Fraction]]:
    """Return per park and area the hidden terms of its score and what they add up to."""
    made: dict[tuple[str, str], list[Cell]] = {}
    for place in scores:
        made.setdefault((hidden[place].park_code, hidden[place].area_code), []).append(hidden[place])
    equations = []
    for found in made.values():
        terms = [(cell.place, Fraction(cell.weight or 0)) for cell in found if cell.weight]
        total = sum((Fraction(cell.weight or 0) * Fraction(cell.score or 0) for cell in found), Fraction(0))
        if terms:
            equations.append((terms, total))
    return equations


def _sum_equations(hidden: Mapping[Place, Cell]) -> list[tuple[list[Place], Fraction]]:
    """Return per indicator with a public sum over the parks the hidden terms and what they add up to."""
    made: dict[str, list[Cell]] = {}
    for cell in hidden.values():
        if cell.in_public_sum:
            made.setdefault(cell.indicator_code, []).append(cell)
    return [
        ([cell.place for cell in found], sum((Fraction(cell.value or 0) for cell in found), Fraction(0)))
        for found in made.values()
    ]


def _value_of(cell: Cell, low: Fraction, high: Fraction) -> Bounds:
    """Return what bounds of a score say about the value; a score of 0 or 100 says nothing about how far beyond."""
    if cell.low is None or cell.high is None:
        return Bounds(None, None)
    base, span = Fraction(cell.low), Fraction(cell.high) - Fraction(cell.low)
    at_low, at_high = base + span * low / 100, base + span * high / 100
    least = None if low <= 0 else at_low
    greatest = None if high >= _HUNDRED else at_high
    if cell.direction > 0:
        return Bounds(least, greatest)
    mirrored_low, mirrored_high = base + span * (100 - high) / 100, base + span * (100 - low) / 100
    return Bounds(None if high >= _HUNDRED else mirrored_low, None if low <= 0 else mirrored_high)


def _score_of(cell: Cell, known: Bounds) -> tuple[Fraction, Fraction]:
    """Return what bounds of a value say about the score."""
    if cell.low is None or cell.high is None or cell.low == cell.high:
        return Fraction(0), _HUNDRED
    base, span = Fraction(cell.low), Fraction(cell.high) - Fraction(cell.low)

    def scored(value: Fraction) -> Fraction:
        share = min(max((value - base) / span * 100, Fraction(0)), _HUNDRED)
        return share if cell.direction > 0 else 100 - share

    ends = [None if end is None else scored(end) for end in (known.low, known.high)]
    first, last = (ends[0], ends[1]) if cell.direction > 0 else (ends[1], ends[0])
    return (Fraction(0) if first is None else first), (_HUNDRED if last is None else last)


def _meet(one: Bounds, other: Bounds) -> Bounds:
    lows = [low for low in (one.low, other.low) if low is not None]
    highs = [high for high in (one.high, other.high) if high is not None]
    return Bounds(max(lows, default=None), min(highs, default=None))


def _meet_scores(one: tuple[Fraction, Fraction], other: tuple[Fraction, Fraction]) -> tuple[Fraction, Fraction]:
    return max(one[0], other[0]), min(one[1], other[1])
