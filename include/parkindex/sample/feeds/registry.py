"""enterprise_registry: a public list, a full base and half-yearly changes, in UTF-8 and GB18030."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from parkindex.sample import evidence, facts, identifiers
from parkindex.sample.days import day, iso
from parkindex.sample.files import DUPLICATE, Ghosts, Noise, Planted, miscoded, mixed, positions, sent, write_csv
from parkindex.sample.population import CODES, STANDARDS, Ints
from parkindex.sample.world import World

FEED = "enterprise_registry"
_PUBLIC = (
    "企业名称",
    "统一社会信用代码",
    "注册日期",
    "企业类型",
    "法人代表",
    "注册资金",
    "经营范围",
    "所在省份",
    "地区",
    "注册地址",
)
_HEADER = (
    *(
        "企业名称",
        "统一社会信用代码",
        "原注册号",
        "核准日期",
        "注册日期",
        "企业类型",
        "法人代表",
        "注册资金",
        "经营范围",
        "所在省份",
    ),
    *("地区", "注册地址", "行业代码", "行业标准版本", "登记状态", "注销日期", "经度", "纬度"),
)
_HEADER_GB = (
    *(
        "名称",
        "社会信用代码",
        "原注册号",
        "变更日期",
        "成立日期",
        "企业类型",
        "法定代表人",
        "注册资本",
        "经营范围",
        "所在省份",
    ),
    *("行政区", "住所", "行业代码", "行业标准版本", "经营状态", "注吊销日期", "经度", "纬度"),
)
_SCOPES = (
    "集成电路芯片设计及服务；电子元器件制造",
    "药品生产；技术服务、技术开发、技术咨询",
    "人工智能应用软件开发；信息系统集成服务",
    "技术推广服务，互联网信息服务",
    "货物进出口；企业管理咨询；“国内贸易代理”",
)
_BLOCK = 50_000


@dataclass(frozen=True)
class _Delivery:
    file: str
    when: date
    rows: Ints
    wrong: Ints
    header: Sequence[str]
    encoding: str


def write(world: World, folder: Path, noise: Noise, rng: np.random.Generator) -> dict[str, int]:
    """Write every delivery. Returns rows per file."""
    ghosts = Ghosts(district=310110)
    counts = {}
    for delivery in _deliveries(world, noise, rng):
        path = folder / FEED / delivery.file
        n = len(delivery.rows)
        planted = _planted(world, delivery, ghosts, rng)
        rows = mixed(_rows(world, delivery), planted)
        gb = delivery.encoding == "gb18030"
        counts[delivery.file] = write_csv(
            path, delivery.header, rows, noise, FEED, encoding=delivery.encoding, line_end="\r\n" if gb else "\n"
        )
        sent(path, delivery.when)
        if n == 0:
            raise AssertionError(f"{delivery.file} has no rows")
    return counts


def _deliveries(world: World, noise: Noise, rng: np.random.Generator) -> Iterator[_Delivery]:
    """Plan the deliveries: some rows come half a year late, some wrong and corrected half a year later."""
    versions = world.population.versions
    e = world.edition
    births = versions.first
    known = births[(versions.effective[births] < day(date(e - 4, 6, 30))) & (rng.uniform(0, 1, len(births)) < 0.15)]
    none = np.zeros(0, dtype=np.int64)
    yield _Delivery(f"synthetic-registry-public-{e - 4}.csv", date(e - 4, 7, 10), known, none, _PUBLIC, "utf-8")

    bounds = [(e - 3, 1), *((year, half) for year in range(e - 3, e + 1) for half in (1, 2))][1:]
    dates = [day(date(y, 7, 1) if h == 1 else date(y + 1, 1, 1)) for y, h in bounds]
    due = np.searchsorted(np.array(dates[:-1]), versions.effective, side="right")
    chance = rng.uniform(0, 1, len(due))
    last = len(bounds) - 1
    late = (chance < 0.012) & (due > 0) & (due < last)
    wrong = (chance > 0.985) & (due < last)
    arrives = due + late
    previous = ""
    for number, (year, half) in enumerate(bounds):
        gb = half == 2
        kind = "base" if number == 0 else "changes"
        ending = "_gb18030.csv" if gb else (".csv.gz" if number == 0 else ".csv")
        file = f"synthetic-registry-{kind}-{year}H{half}{ending}"
        corrected = np.flatnonzero(wrong & (due == number - 1))
        rows = np.union1d(np.flatnonzero(arrives == number), corrected)
        rows = rows[np.lexsort((rows, versions.effective[rows]))]
        false = np.flatnonzero(wrong & (due == number))
        for row in corrected.tolist():
            uscc, when = world.population.uscc[versions.enterprise[row]], int(versions.effective[row])
            key = f"{uscc} {iso(np.array([when]))[0]}"
            noise.supersede(FEED, previous, key, file, "wrong place or class, corrected half a year later")
        previous = file
        when_sent = date(year, 7, 20) if half == 1 else date(year + 1, 1, 20)
        header = _HEADER_GB if gb else _HEADER
        yield _Delivery(file, when_sent, rows, false, header, "gb18030" if gb else "utf-8")


def _rows(world: World, delivery: _Delivery) -> Iterator[Sequence[str]]:
    for start in range(0, len(delivery.rows), _BLOCK):
        yield from _block(world, delivery.rows[start : start + _BLOCK], delivery)


def _block(world: World, rows: Ints, delivery: _Delivery) -> Iterator[Sequence[str]]:
    people, versions = world.population, world.population.versions
    owner = versions.enterprise[rows]
    falsified = np.isin(rows, delivery.wrong)
    cell = versions.cell[rows]
    longitude, latitude, code = versions.longitude[rows], versions.latitude[rows], versions.code[rows]
    # A wrong row: the point of the neighbour's address, the class of another.
    longitude = np.where(falsified, longitude + 31_000_000 // 100, longitude)
    code = np.where(falsified, (code + 7) % len(CODES), code)
    is_public = delivery.header is _PUBLIC
    columns = zip(
        versions.name[rows].tolist(),
        owner.tolist(),
        iso(versions.effective[rows]),
        iso(people.registered[owner]),
        cell.tolist(),
        longitude.tolist(),
        latitude.tolist(),
        code.tolist(),
        versions.standard[rows].tolist(),
        versions.is_end[rows].tolist(),
        iso(people.ended[owner]),
        people.group[owner].tolist(),
        world.evidence.told[rows].tolist(),
        world.evidence.offices[rows].tolist(),
        world.evidence.steady_park[rows].tolist(),
        strict=True,
    )
    corner = evidence.border_point(world.land)
    old_numbers = identifiers.former_numbers(np.array([int(code[2:8]) for code in people.uscc]), people.registered)
    names, uscc, cells = people.names.text, people.uscc, world.land.cells
    for name, e, effective, registered, c, lon, lat, industry, standard, is_end, ended, group, *how in columns:
        told, office, park = how
        district = cells[c].district if c >= 0 else "N/A"
        if told in {evidence.BY_POINT, evidence.BY_NOTHING}:
            shown, written = district, address(district, lon, lat, office=office, day=effective)
        else:
            shown, written = _told(told, c, district, park, e)
        base = (
            names[name],
            uscc[e],
            registered,
            facts.ENTERPRISE_TYPES[e % 5],
            person(e),
            capital(e),
            _SCOPES[group],
            "上海",
            shown,
            written,
        )
        if is_public:
            yield base
            continue
        status = ("吊销" if e % 9 == 0 else "注销") if is_end else ("在业" if e % 2 else "存续")
        if told == evidence.ON_BORDER:
            point = (degrees(corner[0]), degrees(corner[1]))
        else:
            point = (degrees(lon), degrees(lat)) if told == evidence.BY_POINT else ("", "")
        yield (
            *base[:2],
            old_numbers[e],
            effective,
            *base[2:],
            CODES[industry],
            STANDARDS[standard],
            status,
            ended if is_end else "",
            *point,
        )


def person(e: int) -> str:
    """Invent a legal representative."""
    given = facts.GIVEN
    return facts.SURNAMES[e * 7 % len(facts.SURNAMES)] + given[e // 3 % len(given)] + given[e // 37 % len(given)]


def capital(e: int) -> str:
    """Invent a registered capital, in one of the forms registries print."""
    amount = (50, 100, 200, 500, 1000, 3000, 10000)[e * 5 % 7]
    forms = (f"{amount:,}(万元人民币)", f"{amount}万人民币", f"{amount}万元人民币", f"{amount:,}(万美元)", "N/A")
    return forms[(0, 0, 0, 1, 0, 2, 0, 3, 0, 4)[e % 10]]


def _told(told: int, cell: int, district: str, park: int, e: int) -> tuple[str, str]:
    """Return district and address of a row that has no point (or one that decides nothing)."""
    if told == evidence.BY_STREET:
        number = e * 2 % 1000 + (1 if evidence.side_of(cell) == "单号" else 2)
        street = evidence.street_of(cell)
        if district == "浦东新区" and e % 2:
            return "自贸区", f"中国（上海）自由贸易试验区{street}{number}号{e % 9 + 1}层"
        return district, f"上海市{district}{street}{number}号{e % 9 + 1}层"
    if told == evidence.BY_TOWN:
        return district, f"上海市{district}{evidence.town_of(park)}虚构村{e % 400 + 1}号"
    if told == evidence.TWO_STREETS:
        street, place = evidence.BORDER_STREET, evidence.BORDER_DISTRICT
        return place, f"上海市{place}{street}{e % 1000 + 1}号"
    return "N/A", f"上海市虚构大厦{e % 900 + 1}室"


def address(district: str, lon: int, lat: int, *, office: bool = False, day: str = "") -> str:
    """Return the address of a point: the same point always has the same.

    Before 闸北区 became part of 静安区 half of the addresses there name it; ``office`` is one that very many share.
    """
    if office:
        return f"上海市浦东新区{evidence.OFFICE}{lat % 400 + 1}室"
    if district == "静安区" and "" < day < "2015-11-04" and lat % 2:
        district = "闸北区"
    street = facts.STREETS[lon // 1000 % len(facts.STREETS)]
    place = "" if district == "N/A" else district
    number, floor, room = lat // 100 % 2900 + 1, lon % 24 + 1, lat % 30 + 1
    dash = "－" if lat % 17 == 0 else "-"
    return f"上海市{place}{street}路{number}号{floor}{dash}{room:02d}室"


def degrees(value: int) -> str:
    """Print 1e-7 degrees as decimal degrees, exactly."""
    return f"{value // 10**7}.{value % 10**7:07d}"


def _planted(
    world: World, delivery: _Delivery, ghosts: Ghosts, rng: np.random.Generator
) -> list[tuple[int, Planted[Sequence[str]]]]:
    n = len(delivery.rows)
    count = max(3, n // 150)
    sample = next(_block(world, delivery.rows[:1], delivery))
    header = delivery.header
    is_public = header is _PUBLIC
    at = {name: index for index, name in enumerate(_PUBLIC if is_public else _HEADER)}
    code = sample[1]
    breaks: list[tuple[str, str, str, str]] = [
        ("uscc.check_digit", "统一社会信用代码", "", "last character of a code changed"),
        ("value.required", "企业名称", "", "no name"),
        ("text.damaged", "企业名称", "虚\ufffd登记有限公司", "a character lost in an earlier conversion"),
        ("type.date", "注册日期", "2021-02-30", "a day that does not exist"),
        ("uscc.old_registration_number", "统一社会信用代码", "310115000123457", "an old 15-digit number"),
        ("uscc.shape", "统一社会信用代码", code[:12], "a code cut off"),
    ]
    if not is_public:
        breaks += [
            ("value.range", "经度", "210.1234567", "no longitude in China"),
            ("value.enum", "登记状态", "迁出", "a status that is not in the list"),
            ("value.pattern", "行业代码", "65A0", "no four-digit class"),
            ("row.ragged", "", ",", "an unquoted comma split a cell"),
        ]
    planted: list[tuple[int, Planted[Sequence[str]]]] = []
    for number, position in enumerate(positions(n, count, rng)):
        if number % 3 == 2:
            planted.append((position, Planted(None, DUPLICATE, "", "the row above once more")))
            continue
        rule, column, value, note = breaks[int(rng.integers(0, len(breaks)))]
        row = list(sample)
        # Each its own name: two equal rows would be duplicates first.
        row[0] = f"虚登记{number}号有限公司"
        row[1] = ghosts.code()
        if rule == "row.ragged":
            row.insert(7, "住房租赁")
        elif rule == "uscc.check_digit":
            row[1] = miscoded(row[1])
        else:
            row[at[column]] = value
        planted.append((position, Planted(tuple(row), rule, column, note)))
    return planted
