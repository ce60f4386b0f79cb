"""Who holds which invention patents, which of them are of high value, who files, pledges and publishes: for the truth.

Written from docs/method/indicators.md. A name that two enterprises have held leads to nobody.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

import numpy as np

from parkindex.sample import facts, innovation, legal
from parkindex.sample.days import date_of, first_day, last_day
from parkindex.sample.innovation import KIND_B, NOBODY
from parkindex.sample.tally import PARKS, YearEnd
from parkindex.sample.world import World

_TERM_YEARS = 20
_KEPT_YEARS = 10
_PLEDGE_FEN = 5_000_000 * 100


@dataclass(frozen=True)
class Register:
    """Granted inventions and what became of them, by application number.

    Attributes:
        granted: Row of the first grant publication.
        transfers: Day and the enterprise that the new holder's name leads to, in order of time.
        lapsed, filed_abroad: Days.
        pledges: Day and amount in fen.
    """

    granted: dict[str, int]
    transfers: dict[str, list[tuple[int, int]]]
    lapsed: dict[str, list[int]]
    filed_abroad: dict[str, list[int]]
    pledges: dict[str, list[tuple[int, int]]]


def register(world: World) -> Register:
    """Read the world's publications and events once."""
    patents, names = world.patents, world.population.names
    granted: dict[str, int] = {}
    rows = np.flatnonzero(patents.kind == KIND_B).tolist()
    for row in sorted(rows, key=lambda row: (patents.published[row], patents.number[row])):
        granted.setdefault(patents.application[row], row)
    found = Register(granted, defaultdict(list), defaultdict(list), defaultdict(list), defaultdict(list))
    last_name = world.population.last_name
    # The sort is stable: of events of one day the one with the greater number stays behind.
    for event in sorted(world.events, key=lambda event: event.what.day):
        application, what = patents.application[event.patent], event.what
        if what.kind == legal.TRANSFER:
            leads = what.other != NOBODY and not names.ambiguous[last_name[what.other]]
            found.transfers[application].append((what.day, what.other if leads else NOBODY))
        elif what.kind == legal.LAPSE:
            found.lapsed[application].append(what.day)
        elif what.kind == legal.PCT_FILING:
            found.filed_abroad[application].append(what.day)
        elif what.kind == legal.PLEDGE and what.amount != legal.NO_AMOUNT:
            found.pledges[application].append((what.day, what.amount))
    return found


def held(world: World, known: Register, t: int) -> dict[str, int]:
    """Return the holder of every invention patent that is valid at 31 December; those of nobody are left out."""
    d = last_day(t)
    holders: dict[str, int] = {}
    for application, row in known.granted.items():
        granted = int(world.patents.published[row])
        if granted > d or any(day <= d for day in known.lapsed[application]):
            continue
        if not _years_after(int(world.patents.filed[row]), _TERM_YEARS) > date_of(d):
            continue
        holder = _first_applicant(world, row)
        for day, buyer in known.transfers[application]:
            if granted <= day <= d:
                holder = buyer
        if holder != NOBODY:
            holders[application] = holder
    return holders


def of_high_value(world: World, known: Register, application: str, t: int) -> bool:
    """Whether a valid patent meets one of the four criteria at 31 December."""
    d = last_day(t)
    row = known.granted[application]
    return (
        innovation.classes(world.patents, row)[0][:4] in facts.STRATEGIC
        or any(day <= d for day in known.filed_abroad[application])
        or _years_after(int(world.patents.filed[row]), _KEPT_YEARS) < date_of(d)
        or any(day <= d and amount >= _PLEDGE_FEN for day, amount in known.pledges[application])
    )


def per_park(holders: list[int], end: YearEnd) -> list[int]:
    """Count by the park of each holder."""
    counts = [0] * PARKS
    for holder in holders:
        if end.park[holder] >= 0:
            counts[end.park[holder]] += 1
    return counts


def filings(world: World, t: int) -> list[int] | None:
    """Return the enterprise of each distinct pair of enterprise and application filed abroad in a year.

    None when nobody at all filed one.
    """
    of_year = [
        event
        for event in world.events
        if event.what.kind == legal.PCT_FILING and first_day(t) <= event.what.day <= last_day(t)
    ]
    pairs = {(_holder(world, event), world.patents.application[event.patent]) for event in of_year}
    return [enterprise for enterprise, _ in sorted(pairs) if enterprise != NOBODY] if of_year else None


def pledged(world: World, t: int, end: YearEnd) -> list[Fraction]:
    """Amounts of a year's pledges per park, CNY."""
    fen = [0] * PARKS
    for event in world.events:
        what = event.what
        if what.kind != legal.PLEDGE or what.amount == legal.NO_AMOUNT or not first_day(t) <= what.day <= last_day(t):
            continue
        holder = _holder(world, event)
        if holder != NOBODY and end.park[holder] >= 0:
            fen[end.park[holder]] += what.amount
    return [Fraction(one, 100) for one in fen]


def published_together(world: World, t: int, end: YearEnd) -> list[int] | None:
    """Count per park the applications published in a year with applicants of this and another park.

    None when nothing at all was published.
    """
    patents, names = world.patents, world.population.names
    first_name = world.population.first_name
    of_year = np.flatnonzero((patents.published >= first_day(t)) & (patents.published <= last_day(t))).tolist()
    parks_of: dict[str, set[int]] = defaultdict(set)
    for row in of_year:
        other = int(patents.other[row])
        applicants = {_first_applicant(world, row)}
        if other != NOBODY and not names.ambiguous[first_name[other]]:
            applicants.add(other)
        parks_of[patents.application[row]] |= {int(end.park[e]) for e in applicants if e != NOBODY} - {-1}
    counts = [0] * PARKS
    for parks in parks_of.values():
        for park in parks if len(parks) > 1 else ():
            counts[park] += 1
    return counts if of_year else None


def _first_applicant(world: World, row: int) -> int:
    enterprise, name = int(world.patents.enterprise[row]), int(world.patents.name[row])
    return NOBODY if enterprise == NOBODY or world.population.names.ambiguous[name] else enterprise


def _holder(world: World, event: legal.Event) -> int:
    """The enterprise an event's holder leads to: the code where there is one, else the name."""
    if event.holder == NOBODY or event.code == legal.OWN_CODE:
        return event.holder
    return NOBODY if event.code == legal.STRANGE_CODE or world.population.names.ambiguous[event.name] else event.holder


def _years_after(day: int, years: int) -> date:
    """The day so many years later; 29 February becomes 28 February."""
    filed = date_of(day)
    try:
        return filed.replace(year=filed.year + years)
    except ValueError:
        return filed.replace(year=filed.year + years, day=28)
