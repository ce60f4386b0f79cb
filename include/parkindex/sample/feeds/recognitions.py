"""recognitions: one workbook per list and year; some lists carry no codes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np

from parkindex.sample.days import date_of
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
from parkindex.sample.honours import Recognition
from parkindex.sample.links import Mentions
from parkindex.sample.world import World

FEED = "recognitions"
_SLUGS = {
    "科技型中小企业": "technology-sme",
    "高新技术企业": "high-tech",
    "专精特新中小企业": "specialised-sme",
    "专精特新小巨人": "little-giant",
    "隐形冠军": "hidden-champion",
    "独角兽": "unicorn",
    "链主企业": "chain-leader",
    "科技领军企业": "technology-leader",
}
_Row = Sequence[Cell]


def write(world: World, folder: Path, noise: Noise, mentions: Mentions, rng: np.random.Generator) -> dict[str, int]:
    """Write every list. Returns rows per file."""
    lists: dict[tuple[int, str], list[Recognition]] = defaultdict(list)
    for one in world.recognitions:
        lists[one.year, one.kind].append(one)
    ghosts = Ghosts(district=310104)
    counts = {}
    for (year, kind), members in sorted(lists.items()):
        file = f"synthetic-{_SLUGS[kind]}-{year}.xlsx"
        path = folder / FEED / file
        with_code = members[0].with_code
        header = ["名单类别", "文号", "企业名称", *(["统一社会信用代码"] if with_code else []), "有效期起", "有效期止"]
        number = f"合成〔{year}〕{list(_SLUGS).index(kind) + 1}号"
        rows = [_row(world, one, number, mentions, rng) for one in members]
        planted = _planted(rows, ghosts, header, rng) if len(rows) > 3 else []
        when = date(year + 1, 1, 12)
        counts[file] = write_workbook(path, [Sheet("名单", header, mixed(rows, planted))], noise, FEED, when)
        sent(path, when)
    return counts


def _row(world: World, one: Recognition, number: str, mentions: Mentions, rng: np.random.Generator) -> _Row:
    people = world.population
    code = (people.uscc[one.enterprise],) if one.with_code else ()
    name = printed(people.names.text[one.name], rng, exactly=bool(world.crowded[one.name]))
    if not one.with_code:
        mentions.of(world, FEED, name, one.name)
    return (one.kind, number, name, *code, date_of(one.valid_from), date_of(one.valid_to))


def _planted(
    rows: list[_Row], ghosts: Ghosts, header: list[str], rng: np.random.Generator
) -> list[tuple[int, Planted[_Row]]]:
    with_code = len(header) == 6
    planted: list[tuple[int, Planted[_Row]]] = []
    for k, position in enumerate(positions(len(rows), max(1, len(rows) // 60), rng)):
        row = list(rows[0])
        row[2] = f"虚列名单{k}号有限公司"
        if with_code:
            row[3] = ghosts.code()
        choice = int(rng.integers(0, 5))
        if choice == 0:
            planted.append((position, Planted(None, DUPLICATE, "", "the row above once more")))
            continue
        if choice == 1:
            row[0] = "瞪羚企业"
            rule, column, note = "value.enum", header[0], "a list that is not in the contract"
        elif choice == 2:
            row[-1] = date(2001, 1, 1)
            rule, column, note = "compare.at_least", header[-1], "ends before it begins"
        elif choice == 3 and with_code:
            row[3] = miscoded(ghosts.code())
            rule, column, note = "uscc.check_digit", header[3], "wrong check character"
        else:
            row[2] = None
            row[-2] = date(2001, 1 + k % 12, 1 + k // 12 % 28)
            rule, column, note = "value.required", header[2], "no name"
        planted.append((position, Planted(tuple(row), rule, column, note)))
    return planted
