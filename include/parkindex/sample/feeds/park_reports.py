"""park_reports: one workbook per park and year on the zone office's template, three sheets; re-reports beside them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np

from parkindex.sample import facts
from parkindex.sample.days import date_of
from parkindex.sample.feeds.registry import person
from parkindex.sample.files import DUPLICATE, Cell, Noise, Planted, Sheet, mixed, sent, write_workbook
from parkindex.sample.reports import Report
from parkindex.sample.world import World

FEED = "park_reports"
_COVER = ("园区代码", "园区名称", "年度", "填报日期", "填报人", "联系电话")
_DECLARED = ("园区代码", "年度", "填报日期", "产业名称", "类型", "行业小类代码(GB/T 4754-2017)")
_ITEMS = ("园区代码", "年度", "填报日期", "指标代码", "指标名称", "数值", "计量单位", "佐证材料")
# How an empty cell is written, depending on who writes.
_EMPTY: tuple[Cell, ...] = (None, "-", "无")
_Rows = list[tuple[Sequence[Cell], Planted[Sequence[Cell]] | None]]


def write(world: World, folder: Path, noise: Noise, rng: np.random.Generator) -> dict[str, int]:
    """Write every report. Returns rows per file."""
    counts = {}
    made: set[tuple[int, int]] = set()
    for report in world.reports:
        code = facts.PARKS[report.park].code
        again = (report.park, report.year) in made
        made.add((report.park, report.year))
        first = f"synthetic-park-report-{code}-{report.year}.xlsx"
        file = f"synthetic-park-report-{code}-{report.year}-revised.xlsx" if again else first
        if again:
            noise.supersede(FEED, first, f"{code} {report.year}", file, "reported again with other industries")
        path = folder / FEED / file
        when = date_of(report.reported + 3)
        counts[file] = write_workbook(path, _sheets(report, code, rng), noise, FEED, when)
        sent(path, when)
    return counts


def _sheets(report: Report, code: str, rng: np.random.Generator) -> list[Sheet]:
    reported: date = date_of(report.reported)
    head: tuple[Cell, ...] = (code, report.year, reported)
    phone = f"021-0000{report.park:02d}{report.year % 100:02d}"
    cover: _Rows = [((code, facts.PARKS[report.park].name, *head[1:], person(report.park), phone), None)]
    declared = [(*head, name, kind, industry) for name, kind, codes in report.declared for industry in codes]
    items: list[Sequence[Cell]] = [
        (*head, item.code, item.name, _number(item.value, report), item.unit, item.evidence or _EMPTY[report.park % 3])
        for item in report.items
    ]
    wrong_rows: list[tuple[int, Planted[Sequence[Cell]]]] = []
    wrong_items: list[tuple[int, Planted[Sequence[Cell]]]] = []
    fate = int(rng.integers(0, 8))
    place = int(rng.integers(0, len(declared)))
    if fate == 0:
        bad: Sequence[Cell] = (*head, "未来健康", "未来", "65")
        wrong_rows.append((place, Planted(bad, "value.pattern", _DECLARED[5], "two digits are no class")))
    elif fate == 1:
        bad = (*head, "未来健康", "核心", "7340")
        wrong_rows.append((place, Planted(bad, "value.enum", _DECLARED[4], "a type that is not in the list")))
    elif fate == 2:
        wrong_rows.append((place, Planted(None, DUPLICATE, "", "the row above once more")))
    elif fate == 3:
        bad = (*head, "D7", "专业化运营面积占比", "约三成", "%", "无")
        wrong_items.append((2, Planted(bad, "type.number", _ITEMS[5], "a number in words")))
    elif fate == 4:
        bad = (*head, "指标七", "跨园区协作强度", 3.5, "件/千家", "无")
        wrong_items.append((2, Planted(bad, "value.pattern", _ITEMS[3], "no item code")))
    return [
        Sheet("封面", _COVER, cover, "covers"),
        Sheet("主导产业", _DECLARED, mixed(declared, wrong_rows), "declared_industries"),
        Sheet("指标填报", _ITEMS, mixed(items, wrong_items), "items"),
    ]


def _number(value: str, report: Report) -> Cell:
    return float(value) if value else _EMPTY[report.park % 3]
