"""headcounts: one GB18030 file a month, with corrections of the month before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import numpy as np

from parkindex.sample.days import date_of
from parkindex.sample.economy import NOT_REPORTED
from parkindex.sample.files import DUPLICATE, Ghosts, Noise, Planted, mixed, positions, sent, write_csv
from parkindex.sample.population import Ints
from parkindex.sample.world import World

FEED = "headcounts"
_HEADER = (
    *(
        "统计月份",
        "统一社会信用代码",
        "单位名称",
        "参保人数",
        "其中本科及以上",
        "其中硕士及以上",
        "其中博士",
        "其中外籍",
    ),
)
_Row = Sequence[str]


def write(world: World, folder: Path, noise: Noise, rng: np.random.Generator) -> dict[str, int]:
    """Write every month. Returns rows per file. One row in a hundred is wrong and corrected a month later."""
    head = world.headcounts
    ghosts = Ghosts(district=310107)
    counts = {}
    waiting: list[_Row] = []
    previous = ""
    for m, first in enumerate(head.months.tolist()):
        month = date_of(first)
        file = f"synthetic-headcounts-{month:%Y-%m}.csv"
        path = folder / FEED / file
        own = np.flatnonzero(head.insured[:, m] != NOT_REPORTED)
        wrong = rng.uniform(0, 1, len(own)) < (0.01 if m + 1 < len(head.months) else 0)
        insured = head.insured[own, m]
        delivered = np.where(wrong, insured * 2 + 1, insured)
        rows = [*_rows(world, own, m, delivered, f"{month:%Y-%m}"), *waiting]
        for row in waiting:
            noise.supersede(FEED, previous, f"{row[1]} {row[0]}", file, "miscounted, corrected a month later")
        waiting = list(_rows(world, own[wrong], m, insured[wrong], f"{month:%Y-%m}"))
        planted = _planted(rows, ghosts, rng, contradicts=month.month == 1) if rows else []
        counts[file] = write_csv(path, _HEADER, mixed(rows, planted), noise, FEED, encoding="gb18030", line_end="\r\n")
        following = date(month.year + month.month // 12, month.month % 12 + 1, 20)
        sent(path, following)
        previous = file
    return counts


def _rows(world: World, own: Ints, m: int, insured: Ints, month: str) -> Iterator[_Row]:
    head, people = world.headcounts, world.population
    owner = head.enterprise[own]
    name = people.versions.name[people.versions.first[owner]]
    bands = [insured * share[own] // 1000 for share in (head.bachelor, head.master, head.doctor)]
    bands.append(head.foreign[own, m])
    for e, n, *counts in zip(
        owner.tolist(), name.tolist(), insured.tolist(), *(b.tolist() for b in bands), strict=True
    ):
        yield (month, people.uscc[e], people.names.text[n], *("" if c == NOT_REPORTED else str(c) for c in counts))


def _planted(
    rows: list[_Row], ghosts: Ghosts, rng: np.random.Generator, *, contradicts: bool
) -> list[tuple[int, Planted[_Row]]]:
    breaks = (
        ("value.range", 3, "-5", "fewer than nobody"),
        ("type.integer", 3, "十二", "a number in words"),
        ("compare.at_most", 4, "999999", "more graduates than people"),
        ("type.date", 0, "2024-13", "a month that does not exist"),
        ("value.required", 2, "", "no name"),
    )
    # Two rows of one enterprise and month that say different things: neither can be believed.
    code = ghosts.code()
    planted: list[tuple[int, Planted[_Row]]] = [
        (
            0,
            Planted(
                (rows[0][0], code, "虚报人数有限公司", str(count), "0", "0", "0", "0"),
                "key.contradicted",
                _HEADER[1],
                "two counts for one month",
            ),
        )
        for count in ((10, 12) if contradicts else ())
    ]
    for number, position in enumerate(positions(len(rows), max(2, len(rows) // 400), rng)):
        if number % 3 == 1:
            planted.append((position, Planted(None, DUPLICATE, "", "the row above once more")))
            continue
        rule, column, value, note = breaks[int(rng.integers(0, len(breaks)))]
        row = list(rows[0])
        row[1] = ghosts.code()
        row[column] = value
        planted.append((position, Planted(tuple(row), rule, _HEADER[column], note)))
    return planted
