"""The truth: twelve indicators of 22 parks and three editions, from the world's objects alone.

Written from docs/method/indicators.md, definition by definition. Sums are whole numbers (yuan, persons × months,
hundredths of a hectare); every value is one exact fraction, turned into a float at the very end.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from parkindex.sample import facts, innovation
from parkindex.sample.days import first_day, last_day
from parkindex.sample.economy import NOT_REPORTED
from parkindex.sample.population import CODES, OF_2017, Ints
from parkindex.sample.world import World

Value = int | float | None
_YI = 10**8
_PARKS = len(facts.PARKS)


@dataclass(frozen=True)
class _YearEnd:
    """Every enterprise at 31 December: its park (−1 none) if active, its class (index into ``CODES``, 0 none)."""

    park: Ints
    code: Ints


def compute(world: World) -> dict[str, dict[str, dict[str, Value]]]:
    """Return ``{edition: {park_code: {indicator: value or None}}}``."""
    return {str(year): _edition(world, year) for year in world.editions}


def _edition(world: World, t: int) -> dict[str, dict[str, Value]]:
    end, before = _year_end(world, t), _year_end(world, t - 1)
    leading = _member(end.code, facts.LEADING)
    revenue, reports_revenue, research = _accounts(world, t)
    revenue_before, _, _ = _accounts(world, t - 1)
    months = _months(world, t)
    employees = _sum(end.park, months)
    enterprises = _count(end.park)
    sums = _sum(end.park, revenue)
    sums_leading = _sum(end.park, np.where(leading, revenue, 0))
    sums_before = _sum(before.park, revenue_before)
    sums_research = _sum(end.park, np.where(reports_revenue, research, 0))
    talent = _sum(end.park, np.where(leading, months, 0))
    honoured = _count(np.where(_honoured(world, t), end.park, -1))
    grants = _grants(world, t, end)
    backed = _count(np.where(_backed(world, t), end.park, -1))
    born_at = world.land.park(_cell_on(world, world.population.registered), world.population.registered)
    born = _newcomers(world, t, born_at)
    net, stock = _flows(world, t, born_at), _count(before.park)
    cohort, survivors = _cohort(world, t, born_at)
    built_up = _built_up(world, t)
    days = 366 if calendar.isleap(t) else 365

    values: dict[str, dict[str, Value]] = {}
    for p, park in enumerate(facts.PARKS):
        declared = _declared(world, p, t)
        concentrated = (
            int(revenue[(end.park == p) & _member(end.code, declared)].sum()) if declared is not None else None
        )
        values[park.code] = {
            "A1": _ratio(concentrated, sums[p], 100),
            "A2": _ratio(sums_leading[p], _YI),
            "A3": _ratio(sums[p] - sums_before[p], _YI),
            # yuan ÷ 10^8 over hundredths of a hectare ÷ 10^4
            "A4": _ratio(sums[p] * 10_000, built_up[p] * _YI),
            "A5": honoured[p],
            "B1": _ratio(sums_research[p], sums[p], 100),
            # employees are person-months ÷ 12
            "B2": _ratio(grants[p] * 12, employees[p], 10_000),
            "B5": _ratio(born[p], days),
            "B6": _ratio(backed[p], enterprises[p], 1_000),
            "B10": _ratio(talent[p], 12),
            "C3": _ratio(net[p], stock[p], 100),
            "C4": _ratio(survivors[p], cohort[p], 100),
        }
    return values


def _ratio(numerator: int | None, denominator: int, scale: int = 1) -> float | None:
    if numerator is None or denominator == 0:
        return None
    return float(Fraction(numerator * scale, denominator))


def _sum(park: Ints, amounts: Ints) -> list[int]:
    """Whole sums per park; −1 belongs to none."""
    return [int(amounts[park == p].sum()) for p in range(_PARKS)]


def _count(park: Ints) -> list[int]:
    return [int(c) for c in np.bincount(park[park >= 0], minlength=_PARKS)]


def _member(codes: Ints, members: frozenset[str]) -> NDArray[np.bool_]:
    table = np.array([code in members for code in CODES])
    chosen: NDArray[np.bool_] = table[codes]
    return chosen


def _active(world: World, d: int) -> NDArray[np.bool_]:
    return (world.population.registered <= d) & (world.population.ended > d)


def _cell_on(world: World, days: Ints | int) -> Ints:
    """Cell of every enterprise's point at a day; −1 without a point or before its first row."""
    row = world.population.versions.at(days)
    return np.where(row >= 0, world.population.versions.cell[row], -1)


def _code_on(world: World, days: Ints | int) -> Ints:
    """Class of every enterprise at a day; 0 when unclassified (no row, no code, another or no standard)."""
    versions = world.population.versions
    row = versions.at(days)
    return np.where((row >= 0) & (versions.standard[row] == OF_2017), versions.code[row], 0)


def _year_end(world: World, year: int) -> _YearEnd:
    d = last_day(year)
    cell = _cell_on(world, d)
    park = world.land.park(cell, np.full(len(cell), d))
    return _YearEnd(np.where(_active(world, d), park, -1), _code_on(world, d))


def _accounts(world: World, year: int) -> tuple[Ints, NDArray[np.bool_], Ints]:
    """Revenue, whether there is a report, R&D of every enterprise in a year; no report adds nothing."""
    n = len(world.population)
    of_year = world.accounts.year == year
    who = world.accounts.enterprise[of_year]
    revenue, research, reports = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64), np.zeros(n, dtype=bool)
    revenue[who] = world.accounts.revenue[of_year]
    spent = world.accounts.research[of_year]
    research[who] = np.where(spent == NOT_REPORTED, 0, spent)
    reports[who] = True
    return revenue, reports, research


def _months(world: World, t: int) -> Ints:
    """Insured person-months of every enterprise in a year."""
    head = world.headcounts
    of_year = (head.months >= first_day(t)) & (head.months <= last_day(t))
    insured = head.insured[:, of_year]
    total = np.zeros(len(world.population), dtype=np.int64)
    total[head.enterprise] = np.where(insured == NOT_REPORTED, 0, insured).sum(axis=1)
    return total


def _honoured(world: World, t: int) -> NDArray[np.bool_]:
    """Enterprises on a unicorn or hidden champion list valid at 31 December; on both counts once.

    A list without codes leads through the name, and a name two enterprises have held leads to nobody.
    """
    d = last_day(t)
    honoured = np.zeros(len(world.population), dtype=bool)
    for one in world.recognitions:
        linked = one.with_code or not world.population.names.ambiguous[one.name]
        if (
            one.kind in {innovation.UNICORN, innovation.HIDDEN_CHAMPION}
            and linked
            and one.valid_from <= d <= one.valid_to
        ):
            honoured[one.enterprise] = True
    return honoured


def _grants(world: World, t: int, end: _YearEnd) -> list[int]:
    """Distinct applications granted in the year, by the park of the first applicant at 31 December."""
    patents = world.patents
    counted = (
        (patents.kind == innovation.KIND_B)
        & (patents.published >= first_day(t))
        & (patents.published <= last_day(t))
        & (patents.enterprise != innovation.NOBODY)
        # the printed name leads to nobody when two enterprises have held it
        & ~world.population.names.ambiguous[patents.name]
    )
    applications: list[set[str]] = [set() for _ in range(_PARKS)]
    for row in np.flatnonzero(counted).tolist():
        park = int(end.park[patents.enterprise[row]])
        if park >= 0:
            applications[park].add(patents.application[row])
    return [len(found) for found in applications]


def _backed(world: World, t: int) -> NDArray[np.bool_]:
    """Enterprises with an equity round in the year that the export names by a registered name."""
    backed = np.zeros(len(world.population), dtype=bool)
    rounds, people = world.rounds, world.population
    for row in np.flatnonzero((rounds.day >= first_day(t)) & (rounds.day <= last_day(t))).tolist():
        enterprise = int(rounds.enterprise[row])
        # The export prints the enterprise's first name; a brand alone, or a stranger's name, leads to nobody.
        name = people.versions.name[people.versions.first[enterprise]]
        named = rounds.naming[row] in {innovation.BY_REGISTERED_NAME, innovation.BY_NAME_AS_BRAND}
        if named and not people.names.ambiguous[name] and rounds.round_name[row] in facts.EQUITY_ROUNDS:
            backed[enterprise] = True
    return backed


def _newcomers(world: World, t: int, born_at: Ints) -> list[int]:
    registered = world.population.registered
    technology = _member(_code_on(world, registered), facts.TECHNOLOGY)
    of_year = (registered >= first_day(t)) & (registered <= last_day(t))
    return _count(np.where(of_year & technology, born_at, -1))


def _flows(world: World, t: int, born_at: Ints) -> list[int]:
    """Registrations − ends + moves in − moves out of every park in a year."""
    people, versions, land = world.population, world.population.versions, world.land
    low, high = first_day(t), last_day(t)
    born = _count(np.where((people.registered >= low) & (people.registered <= high), born_at, -1))

    day_before = people.ended - 1
    end_park = land.park(_cell_on(world, day_before), day_before)
    ends = _count(np.where((people.ended >= low) & (people.ended <= high), end_park, -1))

    row = np.flatnonzero((versions.effective >= low) & (versions.effective <= high))
    row = row[versions.effective[row] > people.registered[versions.enterprise[row]]]
    row = row[people.ended[versions.enterprise[row]] > versions.effective[row]]
    days = versions.effective[row]
    # Rows are sorted by enterprise and day, one a day, so the row valid the day before is the one above.
    left = land.park(versions.cell[row - 1], days)
    entered = land.park(versions.cell[row], days)
    moved = left != entered
    out = _count(np.where(moved, left, -1))
    into = _count(np.where(moved, entered, -1))
    return [born[p] - ends[p] + into[p] - out[p] for p in range(_PARKS)]


def _cohort(world: World, t: int, born_at: Ints) -> tuple[list[int], list[int]]:
    registered = world.population.registered
    cohort = (registered >= first_day(t - 3)) & (registered <= last_day(t - 3))
    alive = cohort & _active(world, last_day(t))
    return _count(np.where(cohort, born_at, -1)), _count(np.where(alive, born_at, -1))


def _built_up(world: World, t: int) -> list[int]:
    """Built-up area of the plots valid at 31 December, hundredths of a hectare."""
    d = last_day(t)
    total = [0] * _PARKS
    for plot in world.land.plots:
        if plot.valid_from <= d < plot.valid_to:
            total[plot.park] += plot.built_up
    return total


def _declared(world: World, park: int, t: int) -> frozenset[str] | None:
    """Classes the park declares in its latest report on the year; None when it did not report."""
    own = [report for report in world.reports if report.park == park and report.year == t]
    if not own:
        return None
    latest = max(own, key=lambda report: report.reported)
    return frozenset(code for _, _, codes in latest.declared for code in codes)
