"""The parks' yearly reports: declared industries and self-reported items, with some reports made twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from parkindex.sample import facts
from parkindex.sample.days import day


@dataclass(frozen=True)
class Report:
    """One workbook of one park.

    Attributes:
        park: 0-based park.
        year: Year reported on.
        reported: Day of the report; the later one of a park and year replaces the earlier.
        declared: Industry, type and the classes that belong to it.
        items: Item code, name, value (decimal text), unit, evidence.
    """

    park: int
    year: int
    reported: int
    declared: tuple[tuple[str, str, tuple[str, ...]], ...]
    items: tuple[tuple[str, str, str, str, str], ...]


def file(edition: int, rng: np.random.Generator) -> list[Report]:
    """Write the reports of the three editions. P22 did not report for edition − 2: it has no declared industries then.

    Every eighth report was made twice; the first version declared one industry too many or too few.
    """
    reports: list[Report] = []
    for year in range(edition - 2, edition + 1):
        for number, park in enumerate(facts.PARKS):
            if park.code == "P22" and year == edition - 2:
                continue
            declared = tuple((name, kind, facts.DECLARED_CODES[name]) for name, kind in park.declared)
            reported = day(date(year + 1, 2, 1)) + int(rng.integers(0, 50))
            final = Report(number, year, reported, declared, _items(rng))
            if int(rng.integers(0, 8)) == 0:
                wrong = (
                    declared[:-1]
                    if len(declared) > 1
                    else (*declared, ("未来能源", "未来", facts.DECLARED_CODES["未来能源"]))
                )
                reports.append(Report(number, year, reported, wrong, _items(rng)))
                final = Report(number, year, reported + int(rng.integers(20, 60)), declared, final.items)
            reports.append(final)
    return reports


def _items(rng: np.random.Generator) -> tuple[tuple[str, str, str, str, str], ...]:
    items = []
    for code, name, unit, low, high in facts.REPORT_ITEMS:
        value = int(rng.integers(low * 10, high * 10 + 1)) / 10 if unit == "%" else int(rng.integers(low, high + 1))
        items.append((code, name, f"{value}", unit, f"合成材料-{code}"))
    return tuple(items)
