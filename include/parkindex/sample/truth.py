"""The truth: thirty-five indicators of 22 parks and three editions, from the world's objects alone.

Written from docs/method/indicators.md, definition by definition. Sums are whole numbers (yuan, fen, persons × months,
hundredths of a hectare); every value is one exact fraction, turned into a float at the very end.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from parkindex.sample import facts, financing, holdings, honours, innovation, self_reports
from parkindex.sample.days import date_of, first_day, last_day
from parkindex.sample.economy import NO_FIGURE, NOT_REPORTED
from parkindex.sample.population import Ints
from parkindex.sample.tally import (
    PARKS,
    Value,
    YearEnd,
    active,
    cell_on,
    code_on,
    count,
    member,
    plus,
    ratio,
    total,
    year_end,
)
from parkindex.sample.world import World

_YI = 10**8
_WAN = 10**4
# Hundredths of a hectare: a plot below this is small (assumed limit).
_SMALL_PLOT = 1000
# An enterprise with more is not small (assumed limits): persons × months, CNY.
_SMALL_PERSON_MONTHS = 500 * 12
_SMALL_MONEY = 2 * _YI
_LISTED_AS_TOP = frozenset((honours.UNICORN, honours.HIDDEN_CHAMPION))
_LISTED_AS_LEADERS = frozenset(kind for kind, *_ in facts.LEADERS)


@dataclass(frozen=True)
class _Books:
    """The accounts of every enterprise in a year; without a report 0. ``adds`` says who states value added."""

    reports: NDArray[np.bool_]
    revenue: Ints
    research: Ints
    adds: NDArray[np.bool_]
    added: Ints
    assets: Ints


def compute(world: World) -> dict[str, dict[str, dict[str, Value]]]:
    """Return ``{edition: {park_code: {indicator: value or None}}}``."""
    register = holdings.register(world)
    return {str(year): _edition(world, register, year) for year in world.editions}


def _edition(world: World, register: holdings.Register, t: int) -> dict[str, dict[str, Value]]:
    end, before = year_end(world, t), year_end(world, t - 1)
    months, foreign_months = _months(world, t)
    base = _Base(end, before, _books(world, t), months, count(end.park), total(end.park, months))
    parts = (
        _development(world, base, t),
        _innovation(world, register, base, t),
        _environment(world, base, foreign_months, t),
        _services(world, register, base, t),
    )
    order = [
        f"{area}{number}" for area, last in (("A", 9), ("B", 10), ("C", 8), ("D", 8)) for number in range(1, last + 1)
    ]
    return {
        park.code: {code: next(part[code][p] for part in parts if code in part) for code in order}
        for p, park in enumerate(facts.PARKS)
    }


@dataclass(frozen=True)
class _Base:
    """What several areas need: enterprises and person-months per park among it."""

    end: YearEnd
    before: YearEnd
    books: _Books
    months: Ints
    enterprises: list[int]
    person_months: list[int]


_Columns = dict[str, list[Value]]


def _development(world: World, base: _Base, t: int) -> _Columns:
    end, books = base.end, base.books
    leading = member(end.code, facts.LEADING)
    revenue = total(end.park, books.revenue)
    revenue_before = total(base.before.park, _books(world, t - 1).revenue)
    revenue_leading = total(end.park, np.where(leading, books.revenue, 0))
    added = total(end.park, np.where(books.adds, books.added, 0))
    revenue_adding = total(end.park, np.where(books.adds, books.revenue, 0))
    built_up, area, scattered = _plots(world, t)
    points = total(end.park, _points(world, t))
    has_ladder = any(one.kind in facts.LADDER and one.valid_from <= last_day(t) for one in world.recognitions)
    leaders = _leaders(world, t, end)
    columns: _Columns = {code: [] for code in ("A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8", "A9")}
    top = count(np.where(_listed(world, t, _LISTED_AS_TOP), end.park, -1))
    for p in range(PARKS):
        declared = _declared(world, p, t)
        concentrated = (
            int(books.revenue[(end.park == p) & member(end.code, declared)].sum()) if declared is not None else None
        )
        led = plus(leaders[p] if leaders else None, self_reports.usable(world, p, t).get("A7.1"))
        columns["A1"].append(ratio(concentrated, revenue[p], 100))
        columns["A2"].append(ratio(revenue_leading[p], _YI))
        columns["A3"].append(ratio(revenue[p] - revenue_before[p], _YI))
        # yuan ÷ 10^8 over hundredths of a hectare ÷ 10^4
        columns["A4"].append(ratio(revenue[p] * 10_000, built_up[p] * _YI))
        columns["A5"].append(top[p])
        columns["A6"].append(ratio(points[p] if has_ladder else None, base.enterprises[p], 1_000))
        columns["A7"].append(ratio(led, 1))
        columns["A8"].append(ratio(added[p], revenue_adding[p], 100))
        columns["A9"].append(ratio(scattered[p], area[p], 100))
    return columns


def _innovation(world: World, register: holdings.Register, base: _Base, t: int) -> _Columns:
    end, books = base.end, base.books
    research = total(end.park, np.where(books.reports, books.research, 0))
    revenue = total(end.park, books.revenue)
    grants = _grants(world, t, end)
    held = holdings.held(world, register, t)
    valued = [holder for a, holder in held.items() if holdings.of_high_value(world, register, a, t)]
    high_value = holdings.per_park(valued, end)
    filings = holdings.filings(world, t)
    filed = holdings.per_park(filings, end) if filings is not None else None
    born = _newcomers(world, t, _born_at(world))
    backed = count(np.where(_backed(world, t), end.park, -1))
    money, right_money = _round_money(world, base, set(held.values()), t)
    talent = total(end.park, np.where(member(end.code, facts.LEADING), base.months, 0))
    days = 366 if calendar.isleap(t) else 365
    columns: _Columns = {code: [] for code in ("B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B9", "B10")}
    for p in range(PARKS):
        said = self_reports.usable(world, p, t)
        points = plus(
            _times(said.get("B8.1"), 10), _times(said.get("B8.2"), 5), _times(said.get("B8.3"), Fraction(1, 10))
        )
        employees = Fraction(base.person_months[p], 12)
        columns["B1"].append(ratio(research[p], revenue[p], 100))
        columns["B2"].append(ratio(grants[p], employees, 10_000))
        columns["B3"].append(ratio(high_value[p], employees, 10_000))
        columns["B4"].append(filed[p] if filed is not None else None)
        columns["B5"].append(ratio(born[p], days))
        columns["B6"].append(ratio(backed[p], base.enterprises[p], 1_000))
        columns["B7"].append(ratio(right_money[p], money[p], 100))
        columns["B8"].append(ratio(points, 1))
        columns["B9"].append(ratio(said.get("B9.1"), employees))
        columns["B10"].append(ratio(talent[p], 12))
    return columns


def _environment(world: World, base: _Base, foreign_months: Ints, t: int) -> _Columns:
    born_at = _born_at(world)
    net, stock = _flows(world, t, born_at), count(base.before.park)
    cohort, survivors = _cohort(world, t, born_at)
    foreign = total(base.end.park, foreign_months)
    columns: _Columns = {code: [] for code in ("C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8")}
    for p in range(PARKS):
        said = self_reports.usable(world, p, t)
        delivered = ratio(plus(said.get("C5.1"), said.get("C5.2"), said.get("C5.3")), said.get("C5.4"), 100)
        international = plus(Fraction(foreign[p], 12), said.get("C8.1"))
        columns["C1"].append(ratio(said.get("C1.1"), said.get("C1.2"), 100))
        columns["C2"].append(ratio(said.get("C2.1"), said.get("C2.2"), 100))
        columns["C3"].append(ratio(net[p], stock[p], 100))
        columns["C4"].append(ratio(survivors[p], cohort[p], 100))
        columns["C5"].append(None if delivered is None else min(delivered, 100.0))
        columns["C6"].append(ratio(plus(said.get("C6.1"), said.get("C6.2")), 1))
        columns["C7"].append(ratio(said.get("C7.1"), said.get("C7.2"), 100))
        columns["C8"].append(ratio(international, Fraction(base.person_months[p], 12), 1_000))
    return columns


def _services(world: World, register: holdings.Register, base: _Base, t: int) -> _Columns:
    end = base.end
    firms = count(np.where(member(end.code, facts.SERVICE), end.park, -1))
    patents = holdings.per_park(list(holdings.held(world, register, t).values()), end)
    pledged = holdings.pledged(world, t, end)
    published = holdings.published_together(world, t, end)
    columns: _Columns = {code: [] for code in ("D1", "D2", "D3", "D4", "D5", "D6", "D7", "D8")}
    for p in range(PARKS):
        said = self_reports.usable(world, p, t)
        employees, enterprises = Fraction(base.person_months[p], 12), base.enterprises[p]
        platforms = plus(said.get("D1.1"), said.get("D1.2"), said.get("D1.3"))
        finance = plus(pledged[p] / _WAN, said.get("D4.1"), said.get("D4.2"))
        training = plus(said.get("D5.1"), _times(said.get("D5.2"), Fraction(1, 10)))
        together = plus(published[p] if published else None, said.get("D8.1"), said.get("D8.2"))
        columns["D1"].append(ratio(platforms, enterprises, 1_000))
        columns["D2"].append(ratio(firms[p], enterprises, 1_000))
        columns["D3"].append(ratio(*self_reports.mean_score(said)))
        columns["D4"].append(ratio(finance, patents[p]))
        columns["D5"].append(ratio(training, employees, 10_000))
        columns["D6"].append(ratio(said.get("D6.1"), employees, 10_000))
        columns["D7"].append(ratio(said.get("D7.1"), said.get("D7.2"), 100))
        columns["D8"].append(ratio(together, enterprises, 1_000))
    return columns


def _times(value: Fraction | None, factor: int | Fraction) -> Fraction | None:
    return None if value is None else value * factor


def _born_at(world: World) -> Ints:
    registered = world.population.registered
    return world.land.park(cell_on(world, registered), registered)


def _books(world: World, year: int) -> _Books:
    n = len(world.population)
    accounts = world.accounts
    of_year = accounts.year == year
    who = accounts.enterprise[of_year]

    def column(values: Ints, missing: int) -> Ints:
        filled = np.zeros(n, dtype=np.int64)
        own = values[of_year]
        filled[who] = np.where(own == missing, 0, own)
        return filled

    reports, adds = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    reports[who] = True
    adds[who] = accounts.value_added[of_year] != NO_FIGURE
    return _Books(
        reports=reports,
        revenue=column(accounts.revenue, NOT_REPORTED),
        research=column(accounts.research, NOT_REPORTED),
        adds=adds,
        added=column(accounts.value_added, NO_FIGURE),
        assets=column(accounts.assets, NOT_REPORTED),
    )


def _months(world: World, t: int) -> tuple[Ints, Ints]:
    """Insured and foreign person-months of every enterprise in a year."""
    head = world.headcounts
    of_year = (head.months >= first_day(t)) & (head.months <= last_day(t))
    there = head.insured[:, of_year] != NOT_REPORTED
    sums = []
    for counts in (head.insured, head.foreign):
        own = counts[:, of_year]
        filled = np.zeros(len(world.population), dtype=np.int64)
        filled[head.enterprise] = np.where(there & (own != NOT_REPORTED), own, 0).sum(axis=1)
        sums.append(filled)
    return sums[0], sums[1]


def _leads(world: World, one: honours.Recognition) -> bool:
    """Whether a row of a list leads to its enterprise: a list without codes leads through the name."""
    return one.with_code or not bool(world.population.names.ambiguous[one.name])


def _listed(world: World, t: int, kinds: frozenset[str]) -> NDArray[np.bool_]:
    """Enterprises on a list of these kinds valid at 31 December; on several counts once."""
    d = last_day(t)
    listed = np.zeros(len(world.population), dtype=bool)
    for one in world.recognitions:
        if one.kind in kinds and _leads(world, one) and one.valid_from <= d <= one.valid_to:
            listed[one.enterprise] = True
    return listed


def _points(world: World, t: int) -> Ints:
    """Points of the highest step of the ladder that each enterprise stands on at 31 December."""
    d = last_day(t)
    points = np.zeros(len(world.population), dtype=np.int64)
    for one in world.recognitions:
        if one.kind in facts.LADDER and _leads(world, one) and one.valid_from <= d <= one.valid_to:
            points[one.enterprise] = max(int(points[one.enterprise]), facts.LADDER[one.kind])
    return points


def _leaders(world: World, t: int, end: YearEnd) -> list[int] | None:
    """Chain and technology leaders per park, both kinds of one enterprise counted; None before the first list."""
    kinds = sorted(_LISTED_AS_LEADERS)
    if not any(one.kind in kinds and one.valid_from <= last_day(t) for one in world.recognitions):
        return None
    by_kind = [count(np.where(_listed(world, t, frozenset((kind,))), end.park, -1)) for kind in kinds]
    return [sum(numbers) for numbers in zip(*by_kind, strict=True)]


def _round_money(world: World, base: _Base, holders: set[int], t: int) -> tuple[list[Fraction], list[Fraction]]:
    """CNY of the counted rounds of a year per park, and of those that are early, small and of hard technology."""
    rounds, codes = world.rounds, base.end.code
    hard = member(codes, facts.HARD)
    books = base.books
    small = (base.months <= _SMALL_PERSON_MONTHS) & (books.revenue <= _SMALL_MONEY) & (books.assets <= _SMALL_MONEY)
    money, right = [Fraction(0)] * PARKS, [Fraction(0)] * PARKS
    for row in _counted_rounds(world, t):
        enterprise, amount = int(rounds.enterprise[row]), rounds.amount[row]
        park = int(base.end.park[enterprise])
        year = date_of(rounds.day[row]).year
        rate = "1" if amount.currency == "CNY" else facts.EXCHANGE_RATES.get((amount.currency, year))
        if park < 0 or rate is None:
            continue
        cny = amount.units * Fraction(rate)
        money[park] += cny
        early = rounds.round_name[row] in facts.EARLY_ROUNDS
        if early and small[enterprise] and (hard[enterprise] or enterprise in holders):
            right[park] += cny
    return money, right


def _grants(world: World, t: int, end: YearEnd) -> list[int]:
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
    applications: list[set[str]] = [set() for _ in range(PARKS)]
    for row in np.flatnonzero(counted).tolist():
        park = int(end.park[patents.enterprise[row]])
        if park >= 0:
            applications[park].add(patents.application[row])
    return [len(found) for found in applications]


def _counted_rounds(world: World, t: int) -> list[int]:
    """Equity rounds of a year whose company the export names by a registered name."""
    rounds, people = world.rounds, world.population
    rows = []
    for row in np.flatnonzero((rounds.day >= first_day(t)) & (rounds.day <= last_day(t))).tolist():
        # The export prints the enterprise's first name; a brand alone, or a stranger's name, leads to nobody.
        name = people.first_name[rounds.enterprise[row]]
        named = rounds.naming[row] in {financing.BY_REGISTERED_NAME, financing.BY_NAME_AS_BRAND}
        if named and not people.names.ambiguous[name] and rounds.round_name[row] in facts.EQUITY_ROUNDS:
            rows.append(row)
    return rows


def _backed(world: World, t: int) -> NDArray[np.bool_]:
    backed = np.zeros(len(world.population), dtype=bool)
    backed[world.rounds.enterprise[_counted_rounds(world, t)]] = True
    return backed


def _newcomers(world: World, t: int, born_at: Ints) -> list[int]:
    registered = world.population.registered
    technology = member(code_on(world, registered), facts.TECHNOLOGY)
    of_year = (registered >= first_day(t)) & (registered <= last_day(t))
    return count(np.where(of_year & technology, born_at, -1))


def _flows(world: World, t: int, born_at: Ints) -> list[int]:
    """Registrations − ends + moves in − moves out of every park in a year."""
    people, versions, land = world.population, world.population.versions, world.land
    low, high = first_day(t), last_day(t)
    born = count(np.where((people.registered >= low) & (people.registered <= high), born_at, -1))

    day_before = people.ended - 1
    end_park = land.park(cell_on(world, day_before), day_before)
    ends = count(np.where((people.ended >= low) & (people.ended <= high), end_park, -1))

    row = np.flatnonzero((versions.effective >= low) & (versions.effective <= high))
    row = row[versions.effective[row] > people.registered[versions.enterprise[row]]]
    row = row[people.ended[versions.enterprise[row]] > versions.effective[row]]
    days = versions.effective[row]
    # Rows are sorted by enterprise and day, one a day, so the row valid the day before is the one above.
    left = land.park(versions.cell[row - 1], days)
    entered = land.park(versions.cell[row], days)
    moved = left != entered
    out = count(np.where(moved, left, -1))
    into = count(np.where(moved, entered, -1))
    return [born[p] - ends[p] + into[p] - out[p] for p in range(PARKS)]


def _cohort(world: World, t: int, born_at: Ints) -> tuple[list[int], list[int]]:
    registered = world.population.registered
    cohort = (registered >= first_day(t - 3)) & (registered <= last_day(t - 3))
    alive = cohort & active(world, last_day(t))
    return count(np.where(cohort, born_at, -1)), count(np.where(alive, born_at, -1))


def _plots(world: World, t: int) -> tuple[list[int], list[int], list[int]]:
    """Hundredths of a hectare per park at 31 December: built up, in all, and in small scattered plots."""
    d = last_day(t)
    built_up, area, scattered = [0] * PARKS, [0] * PARKS, [0] * PARKS
    valid = [plot for plot in world.land.plots if plot.valid_from <= d < plot.valid_to]
    for plot in valid:
        built_up[plot.park] += plot.built_up
        area[plot.park] += plot.area
        alone = not any(
            (min(a, b), max(a, b)) in world.land.neighbours
            for other in valid
            if other.park == plot.park and other is not plot
            for a in plot.cells
            for b in other.cells
        )
        if plot.area < _SMALL_PLOT and alone:
            scattered[plot.park] += plot.area
    return built_up, area, scattered


def _declared(world: World, park: int, t: int) -> frozenset[str] | None:
    """Classes the park declares in its latest report on the year; None when it did not report."""
    own = [report for report in world.reports if report.park == park and report.year == t]
    if not own:
        return None
    latest = max(own, key=lambda report: report.reported)
    return frozenset(code for _, _, codes in latest.declared for code in codes)
