"""enterprise_accounts: one workbook a year in April, corrections in September."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import numpy as np

from parkindex.sample.days import date_of
from parkindex.sample.economy import NO_FIGURE, NOT_REPORTED
from parkindex.sample.files import (
    DUPLICATE,
    Cell,
    Ghosts,
    Noise,
    Planted,
    Sheet,
    miscoded,
    mixed,
    positions,
    printed,
    sent,
    write_workbook,
)
from parkindex.sample.population import Ints
from parkindex.sample.world import World

FEED = "enterprise_accounts"
_HEADER = (
    *("年度", "统一社会信用代码", "单位详细名称", "填报日期", "营业收入(千元)", "研究开发费用(千元)", "增加值(千元)"),
    *("资产总计(千元)", "从业人员期末人数(人)"),
)
_Row = Sequence[Cell]


def write(world: World, folder: Path, noise: Noise, rng: np.random.Generator) -> dict[str, int]:
    """Write every delivery. Returns rows per file.

    Of a hundred final reports four come as corrections of an earlier report of the year, one stands in the same
    file as the report it corrects, and for one the earlier report arrives after the final one.
    """
    ghosts = Ghosts(district=310112)
    counts = {}
    for year in range(world.edition - 3, world.edition + 1):
        own = np.flatnonzero(world.accounts.year == year)
        chance = rng.uniform(0, 1, len(own))
        corrected, together, overtaken = chance < 0.04, (chance >= 0.04) & (chance < 0.05), chance > 0.99
        first = f"synthetic-accounts-{year}.xlsx"
        second = f"synthetic-accounts-{year}-corrections.xlsx"
        spring = [*_final(world, own[~corrected], rng), *_earlier(world, own[corrected | together], rng)]
        autumn = [*_final(world, own[corrected], rng), *_earlier(world, own[overtaken], rng)]
        for row in own[corrected]:
            uscc = world.population.uscc[world.accounts.enterprise[row]]
            noise.supersede(FEED, first, f"{uscc} {year}", second, "reported again with other figures")
        for file, rows, when in ((first, spring, date(year + 1, 4, 20)), (second, autumn, date(year + 1, 9, 15))):
            if not rows:
                continue
            path = folder / FEED / file
            planted = _planted(rows[0], len(rows), ghosts, rng)
            sheet = Sheet("年报数据", _HEADER, mixed(rows, planted), "accounts")
            counts[file] = write_workbook(path, [sheet], noise, FEED, when)
            sent(path, when)
    return counts


def _final(world: World, rows: Ints, rng: np.random.Generator) -> Iterator[_Row]:
    accounts, people = world.accounts, world.population
    last_name = people.last_name
    for row in rows.tolist():
        e = int(accounts.enterprise[row])
        yield (
            int(accounts.year[row]),
            people.uscc[e],
            printed(people.names.text[last_name[e]], rng, exactly=bool(world.crowded[last_name[e]])),
            date_of(accounts.reported[row]),
            thousands(accounts.revenue[row]),
            None if accounts.research[row] == NOT_REPORTED else thousands(accounts.research[row]),
            None if accounts.value_added[row] == NO_FIGURE else thousands(accounts.value_added[row]),
            None if accounts.assets[row] == NOT_REPORTED else thousands(accounts.assets[row]),
            int(accounts.staff[row]),
        )


def _earlier(world: World, rows: Ints, rng: np.random.Generator) -> Iterator[_Row]:
    """The report that was replaced: 25 days before, other revenue, R&D and value added."""
    for number, row in zip(rows.tolist(), _final(world, rows, rng), strict=True):
        revenue = thousands(int(world.accounts.revenue[number]) * 13 // 10 + 77_000)
        yield (*row[:3], date_of(world.accounts.reported[number] - 25), revenue, 1, 7, *row[7:])


def thousands(yuan: int) -> int | float:
    """Return yuan as thousands: exact in the three decimals the feed has."""
    whole, rest = divmod(int(yuan), 1000)
    return whole if rest == 0 else int(yuan) / 1000


def _planted(sample: _Row, n: int, ghosts: Ghosts, rng: np.random.Generator) -> list[tuple[int, Planted[_Row]]]:
    breaks: tuple[tuple[str, int, Cell, str], ...] = (
        ("value.required", 4, None, "no revenue"),
        ("type.number", 4, "约500万", "revenue in words"),
        ("value.range", 4, -120, "negative revenue"),
        ("type.date", 3, "2024-13-01", "a month that does not exist"),
        ("type.integer", 8, 3.5, "half a person"),
        ("value.range", 0, 1924, "a year of another century"),
        ("number.scale", 4, 1234.5678, "parts of a fen"),
        ("cell.number_as_identifier", 1, 913101150000000000, "a code kept as a number, its end lost"),
    )
    planted: list[tuple[int, Planted[_Row]]] = []
    for number, position in enumerate(positions(n, max(2, n // 200), rng)):
        if number % 3 == 1:
            planted.append((position, Planted(None, DUPLICATE, "", "the row above once more")))
            continue
        row = list(sample)
        code = ghosts.code()
        row[1] = code
        if number % 6 == 0:
            row[1] = miscoded(code)
            planted.append((position, Planted(tuple(row), "uscc.check_digit", _HEADER[1], "wrong check character")))
            continue
        rule, column, value, note = breaks[int(rng.integers(0, len(breaks)))]
        row[column] = value
        planted.append((position, Planted(tuple(row), rule, _HEADER[column], note)))
    return planted
