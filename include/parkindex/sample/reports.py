"""The parks' yearly reports: declared industries and self-reported items, with some reports made twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

import numpy as np

from parkindex.sample import facts
from parkindex.sample.days import day, last_day
from parkindex.sample.economy import NOT_REPORTED, Headcounts
from parkindex.sample.population import Population, Profile

# How often a spoiled item is missing, empty, without evidence, in another unit, negative, too large, above its scale.
_WAYS = (0.24, 0.18, 0.24, 0.14, 0.1, 0.05, 0.05)


@dataclass(frozen=True)
class Filled:
    """One row of the sheet of items. ``value`` is a decimal text, empty in an empty cell; so is ``evidence``."""

    code: str
    name: str
    value: str
    unit: str
    evidence: str


@dataclass(frozen=True)
class Report:
    """One workbook of one park.

    Attributes:
        park: 0-based park.
        year: Year reported on.
        reported: Day of the report; the later one of a park and year replaces the earlier.
        declared: Industry, type and the classes that belong to it.
        items: What the park says of itself.
    """

    park: int
    year: int
    reported: int
    declared: tuple[tuple[str, str, tuple[str, ...]], ...]
    items: tuple[Filled, ...]


@dataclass(frozen=True)
class _Scale:
    """What a park's values grow with in a year: its enterprises, its insured persons."""

    enterprises: int
    employees: int


def file(
    edition: int, population: Population, headcounts: Headcounts, parks: list[Profile], rng: np.random.Generator
) -> list[Report]:
    """Write the reports of the three editions. P22 did not report for edition − 2: it has no declared industries then.

    Every eighth report was made twice; the first version declared one industry too many or too few, and other items.
    P14 promises no space for edition − 2. About two reports in five have one item that cannot be used.
    """
    reports: list[Report] = []
    habits = rng.uniform(0, 1, (len(parks), len(facts.REPORT_ITEMS)))
    openness = np.array([(p.openness + p.efficiency) / 2 for p in parks])
    levels = 0.35 * openness[:, None] + 0.65 * habits
    for year in range(edition - 2, edition + 1):
        scales = _scales(year, population, headcounts)
        for number, park in enumerate(facts.PARKS):
            if park.code == "P22" and year == edition - 2:
                continue
            declared = tuple((name, kind, facts.DECLARED_CODES[name]) for name, kind in park.declared)
            reported = day(date(year + 1, 2, 1)) + int(rng.integers(0, 50))
            promises = not (park.code == "P14" and year == edition - 2)
            items = _items(levels[number], scales[number], rng, promises=promises)
            final = Report(number, year, reported, declared, _spoiled(items, rng))
            if int(rng.integers(0, 8)) == 0:
                wrong = (
                    declared[:-1]
                    if len(declared) > 1
                    else (*declared, ("未来能源", "未来", facts.DECLARED_CODES["未来能源"]))
                )
                before = _items(levels[number], scales[number], rng, promises=True)
                reports.append(Report(number, year, reported, wrong, before))
                final = Report(number, year, reported + int(rng.integers(20, 60)), declared, final.items)
            reports.append(final)
    return reports


def _scales(year: int, population: Population, headcounts: Headcounts) -> list[_Scale]:
    """Count roughly, by first addresses: parks do not know better either."""
    alive = (population.registered <= last_day(year)) & (population.ended > last_day(year))
    of_year = (headcounts.months > last_day(year - 1)) & (headcounts.months <= last_day(year))
    insured = headcounts.insured[:, of_year]
    persons = np.where(insured == NOT_REPORTED, 0, insured).sum(axis=1) // 12
    home = population.home[headcounts.enterprise]
    return [
        _Scale(int((alive & (population.home == park)).sum()), int(persons[home == park].sum()))
        for park in range(len(facts.PARKS))
    ]


def _items(
    levels: np.ndarray[tuple[int], np.dtype[np.float64]],
    scale: _Scale,
    rng: np.random.Generator,
    *,
    promises: bool,
) -> tuple[Filled, ...]:
    """Invent every item of a report, all of them usable."""
    known: dict[str, Fraction] = {}
    filled: list[Filled] = []
    for item, level in zip(facts.REPORT_ITEMS, levels.tolist(), strict=True):
        factor = {"": 1.0, "enterprise": float(scale.enterprises), "employee": float(scale.employees)}.get(item.per)
        base = float(known[item.per]) if factor is None else factor
        share = min(1.0, max(0.0, level + 0.06 * float(rng.standard_normal())))
        exact = (item.low + (item.high - item.low) * share) * base
        # Small counts are whole numbers on either side of what is expected.
        units = max(0, int(exact * 10**item.decimals + float(rng.uniform(0, 1))))
        value = Fraction(units, 10**item.decimals)
        if item.part_of:
            value = min(value, known[item.part_of])
        if item.code == "C5.4":
            value = max(value, Fraction(1)) if promises else Fraction(0)
        known[item.code] = value
        unscored = item.code in facts.SCORED_BY and known[facts.SCORED_BY[item.code]] == 0
        text = "" if unscored else _decimal(value, item.decimals)
        filled.append(Filled(item.code, item.name, text, item.unit, "" if unscored else f"合成材料-{item.code}"))
    # Something that nobody asked for: it is kept and counts nowhere.
    filled.append(Filled("C6.9", "其他亮点", str(int(rng.integers(1, 30))), "个", "合成材料-C6.9"))
    return tuple(filled)


def _decimal(value: Fraction, decimals: int) -> str:
    whole, rest = divmod(int(value * 10**decimals), 10**decimals)
    return f"{whole}.{rest:0{decimals}d}" if decimals else str(whole)


def _spoiled(items: tuple[Filled, ...], rng: np.random.Generator) -> tuple[Filled, ...]:
    """Make one item of about two reports in five unusable, in one of seven ways."""
    chance, place, way = (
        float(rng.uniform(0, 1)),
        int(rng.integers(0, len(facts.REPORT_ITEMS))),
        int(rng.choice(7, p=_WAYS)),
    )
    if chance > 0.4:
        return items
    by_code = {item.code: place for place, item in enumerate(facts.REPORT_ITEMS)}
    if way == 5:
        place = by_code["C1.1"]
    elif way == 6:
        place = by_code[("D3.2", "D3.4", "D3.6")[place % 3]]
    code, name, value, unit, evidence = (getattr(items[place], field) for field in Filled.__dataclass_fields__)
    spoiled = (
        (),
        (Filled(code, name, "", unit, evidence),),
        (Filled(code, name, value, unit, ""),),
        (Filled(code, name, value, "亿元" if unit == "万元" else "千" + unit, evidence),),
        (Filled(code, name, "-1", unit, evidence),),
        # more than the list has, more points than there are
        (Filled(code, name, "240", unit, evidence),),
        (Filled(code, name, "104.5", unit, evidence),),
    )[way]
    return (*items[:place], *spoiled, *items[place + 1 :])
