"""park_members: the parks' registers of their enterprises, one cumulative list of all parks a year."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np

from parkindex.sample import facts
from parkindex.sample.days import date_of, last_day
from parkindex.sample.files import DUPLICATE, Ghosts, Noise, Planted, miscoded, mixed, positions, sent, write_csv
from parkindex.sample.world import World

FEED = "park_members"
_HEADER = ("园区代码", "企业名称", "统一社会信用代码", "入驻日期", "迁出日期", "登记依据")
_BASES = ("入驻协议", "租赁合同", "购房合同")


def write(world: World, folder: Path, noise: Noise, rng: np.random.Generator) -> dict[str, int]:
    """Write one list a year. Returns rows per file. A later list says what an earlier could not know: an end."""
    people = world.population
    ghosts = Ghosts(district=310105)
    counts = {}
    for year in range(world.edition - 3, world.edition + 1):
        until = last_day(year)
        rows = [
            (
                facts.PARKS[one.park].code,
                people.names.text[one.name],
                people.uscc[one.enterprise],
                date_of(one.valid_from).isoformat(),
                date_of(one.valid_to).isoformat() if one.valid_to <= until else "",
                _BASES[one.enterprise % len(_BASES)],
            )
            for one in world.evidence.memberships
            if one.valid_from <= until
        ]
        path = folder / FEED / f"synthetic-park-members-{year}.csv"
        planted = _planted(rows, ghosts, rng)
        counts[path.name] = write_csv(path, _HEADER, mixed(rows, planted), noise, FEED, encoding="utf-8")
        sent(path, date(year + 1, 1, 16))
    return counts


def _planted(
    rows: Sequence[Sequence[str]], ghosts: Ghosts, rng: np.random.Generator
) -> list[tuple[int, Planted[Sequence[str]]]]:
    planted: list[tuple[int, Planted[Sequence[str]]]] = []
    for number, position in enumerate(positions(len(rows), max(4, len(rows) // 150), rng)):
        row = list(rows[0])
        row[1], row[2] = f"虚列名册{number}号有限公司", ghosts.code()
        if number % 4 == 0:
            planted.append((position, Planted(None, DUPLICATE, "", "the row above once more")))
            continue
        if number % 4 == 1:
            row[2] = miscoded(row[2])
            rule, column, note = "uscc.check_digit", _HEADER[2], "last character of a code changed"
        elif number % 4 == 2:
            row[3], row[4] = "2024-05-01", "2024-04-01"
            rule, column, note = "compare.at_least", _HEADER[4], "left before it came"
        else:
            row[0] = "张江"
            rule, column, note = "value.pattern", _HEADER[0], "no park code"
        planted.append((position, Planted(tuple(row), rule, column, note)))
    return planted
