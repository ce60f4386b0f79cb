"""financing_rounds: a venture database's yearly export, cumulative, with continuation rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np

from parkindex.sample import facts
from parkindex.sample.days import date_of, last_day
from parkindex.sample.files import (
    DUPLICATE,
    Cell,
    Noise,
    Planted,
    Sheet,
    mixed,
    positions,
    printed,
    sent,
    write_workbook,
)
from parkindex.sample.financing import BY_BRAND_ONLY, BY_NAME_AS_BRAND, BY_REGISTERED_NAME
from parkindex.sample.links import BRAND, STRANGER, Mentions
from parkindex.sample.world import World

FEED = "financing_rounds"
_HEADER = (
    *(
        "公司名称",
        "工商名称",
        "公司网址",
        "成立时间",
        "地点",
        "运营状态",
        "行业",
        "子行业",
        "融资时间",
        "轮次",
        "融资金额",
    ),
    *("投资方", "融资总额", "估值", "团队", "公司简介", "详细地址", "公开电话", "公开邮箱", "笔记"),
)
_INDUSTRIES = ("硬件", "医疗健康", "人工智能", "企业服务", "电子商务")
_Row = Sequence[Cell]


def write(world: World, folder: Path, noise: Noise, mentions: Mentions, rng: np.random.Generator) -> dict[str, int]:
    """Write one export a year with every round so far. Returns rows per file."""
    counts = {}
    numbers = world.population.first_name.tolist()
    names = [
        printed(world.population.names.text[number], rng, exactly=bool(world.crowded[number])) for number in numbers
    ]
    for year in range(world.edition - 2, world.edition + 1):
        file = f"synthetic-financing-{year}.xlsx"
        path = folder / FEED / file
        rows = _rows(world, names, last_day(year), mentions)
        when = date(year + 1, 1, 18)
        planted = _planted(rows, rng)
        counts[file] = write_workbook(path, [Sheet("融资事件", _HEADER, mixed(rows, planted))], noise, FEED, when)
        sent(path, when)
    return counts


def _rows(world: World, names: list[str], until: int, mentions: Mentions) -> list[_Row]:
    """Rows of all companies: newest round first; a company's own columns stand on its first row only."""
    rounds, people = world.rounds, world.population
    rows: list[_Row] = []
    known = np.flatnonzero(rounds.day <= until)
    order = known[np.lexsort((-rounds.day[known], rounds.enterprise[known]))]
    previous = -1
    for row in order.tolist():
        e = int(rounds.enterprise[row])
        happened: tuple[Cell, ...] = (
            date_of(rounds.day[row]).isoformat(),
            rounds.round_name[row],
            rounds.amount[row].text,
            f"{facts.INVESTORS[row % 5]},{facts.INVESTORS[(row + 2) % 5]}" if row % 3 else "-",
        )
        if e == previous:
            rows.append((*[None] * 8, *happened, *[None] * 8))
            continue
        previous = e
        naming = int(rounds.naming[row])
        brand = people.names.brand[int(people.versions.name[people.versions.first[e]])]
        stranger = f"虚{brand}控股有限公司"
        registered: Cell = names[e] if naming == BY_REGISTERED_NAME else stranger
        if naming in {BY_BRAND_ONLY, BY_NAME_AS_BRAND}:
            registered = "-"
        shown = names[e] if naming == BY_NAME_AS_BRAND else brand
        if naming in {BY_REGISTERED_NAME, BY_NAME_AS_BRAND}:
            mentions.of(world, FEED, names[e], int(people.first_name[e]))
        elif naming == BY_BRAND_ONLY:
            mentions.say(FEED, brand, None, BRAND)
        else:
            mentions.say(FEED, stranger, None, STRANGER)
        founded = date_of(people.registered[e])
        company: tuple[Cell, ...] = (
            shown,
            registered,
            f"http://www.example-{e}.test",
            f"{founded:%Y-%m}",
            "上海",
            "运营中",
            _INDUSTRIES[int(people.group[e])],
            "-",
        )
        rows.append((*company, *happened, "-", "未透露", None, f"{brand}是一家虚构的公司。", None, None, None, "-"))
    return rows


def _planted(rows: list[_Row], rng: np.random.Generator) -> list[tuple[int, Planted[_Row]]]:
    lost: _Row = (*[None] * 8, "2023-05-05", "A轮", "1000万人民币", "-", *[None] * 8)
    planted: list[tuple[int, Planted[_Row]]] = [
        (-1, Planted(lost, "value.required", "公司名称", "a continuation row before any company"))
    ]
    for number, position in enumerate(positions(len(rows), max(2, len(rows) // 150), rng)):
        if number % 2:
            undated: _Row = (*[None] * 8, "2023-02-30", "A轮", f"{1000 + number}万人民币", "-", *[None] * 8)
            planted.append((position, Planted(undated, "type.date", "融资时间", "a day that does not exist")))
        else:
            planted.append((position, Planted(None, DUPLICATE, "", "the row above once more")))
    return planted
