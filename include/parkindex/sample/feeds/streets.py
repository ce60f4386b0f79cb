"""street_ranges: which house numbers and towns lie in which park, one cumulative list a year."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from parkindex.sample import facts
from parkindex.sample.days import NEVER, date_of, last_day
from parkindex.sample.files import DUPLICATE, Noise, Planted, mixed, sent, write_csv
from parkindex.sample.world import World

FEED = "street_ranges"
_HEADER = (
    *(
        "区间编号",
        "园区代码",
        "行政区",
        "街镇",
        "道路",
        "起始门牌",
        "终止门牌",
        "单双号",
        "生效日期",
        "失效日期",
        "依据",
    ),
)


def write(world: World, folder: Path, noise: Noise) -> dict[str, int]:
    """Write one list a year. Returns rows per file. A later list says what an earlier could not know: an end."""
    counts = {}
    for year in range(world.edition - 3, world.edition + 1):
        until = last_day(year)
        rows = [
            (
                one.range_id,
                facts.PARKS[one.park].code,
                one.district,
                one.town,
                one.street,
                *([str(number) for number in one.numbers] if one.numbers else ["", ""]),
                one.side,
                date_of(one.valid_from).isoformat(),
                "" if one.valid_to >= NEVER or one.valid_to > until + 1 else date_of(one.valid_to).isoformat(),
                "合成",
            )
            for one in world.evidence.ranges
            if one.valid_from <= until
        ]
        path = folder / FEED / f"synthetic-street-ranges-{year}.csv"
        counts[path.name] = write_csv(
            path, _HEADER, mixed(rows, _planted(rows[0], year)), noise, FEED, encoding="utf-8"
        )
        sent(path, date(year + 1, 1, 14))
    return counts


def _planted(row: Sequence[str], year: int) -> list[tuple[int, Planted[Sequence[str]]]]:
    """Two wrong ranges and an exact repetition a year."""
    turned, sided = list(row), list(row)
    turned[0], turned[5], turned[6] = f"X-{year}", "99", "1"
    sided[0], sided[7] = f"Y-{year}", "左侧"
    return [
        (3, Planted(tuple(turned), "compare.at_least", "终止门牌", "ends before it begins")),
        (6, Planted(tuple(sided), "value.enum", "单双号", "a side that no street has")),
        (9, Planted(None, DUPLICATE, "", "the row above once more")),
    ]
