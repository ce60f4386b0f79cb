"""The 35 indicators once more, from the delivered files alone: a second, slow and plain reading of the definitions.

Shares no code with the sample world's own truth, nor with the pipeline: files are read with the standard library (and
calamine for workbooks), points are placed by ray casting, sums are made row by row. Rows that ``noise.json`` names are
left out; everything else must add up to ``truth.json``.
"""

from __future__ import annotations

import csv
import gzip
import json
import math
import re
import unicodedata
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from python_calamine import CalamineWorkbook

Row = dict[str, Any]
EQUITY = {
    *("种子轮", "天使轮", "Pre-A轮", "A轮", "A+轮", "B轮", "B+轮", "C轮", "D轮", "E轮", "F轮", "Pre-IPO", "战略投资"),
    "股权融资",
}
EARLY = {"种子轮", "天使轮", "Pre-A轮", "A轮"}
LADDER = {
    "科技型中小企业": 1,
    "高新技术企业": 2,
    "专精特新中小企业": 3,
    "专精特新小巨人": 5,
    "隐形冠军": 8,
    "独角兽": 10,
}
_MONEY = re.compile("([0-9.]+)(万|亿)(人民币|美元|欧元|港元)")
_CURRENCY = {"美元": "USD", "欧元": "EUR", "港元": "HKD"}
_ENGLISH = {
    **{"名称": "企业名称", "社会信用代码": "统一社会信用代码", "变更日期": "核准日期", "成立日期": "注册日期"},
    "住所": "注册地址",
    **{"经营状态": "登记状态", "注吊销日期": "注销日期"},
}


def key(name: str) -> str:
    """Match key of a name."""
    text = re.sub(r"\s", "", unicodedata.normalize("NFKC", name))
    return re.sub("[〔【]", "(", re.sub("[〕】]", ")", text)).lower()


def spelling(name: str) -> str:
    """What the spellings of a name that the sample uses have in common."""
    text = re.sub(r"\([a-z.,]+\)$", "", key(name)).replace("有限责任公司", "有限公司")
    return re.sub("^上海市", "上海", text)


def _day(value: Any) -> date | None:
    if value in (None, "", "-"):
        return None
    if isinstance(value, date):
        return value
    return date.fromisoformat(str(value))


def _end(t: int) -> date:
    return date(t, 12, 31)


def _inside(x: float, y: float, ring: list[list[float]]) -> bool:
    hit = False
    for (x1, y1), (x2, y2) in pairwise(ring):
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            hit = not hit
    return hit


def ratio(a: Fraction | int | None, b: Fraction | int | None, scale: int = 1) -> Fraction | None:
    return Fraction(a) * scale / b if a is not None and b else None


def plus(*parts: Fraction | int | None) -> Fraction | None:
    return None if None in parts else sum((Fraction(part) for part in parts if part is not None), Fraction(0))


def _later(d: date, years: int) -> date:
    return date(d.year + years, d.month, d.day - (d.month == 2 and d.day == 29))


def _metres(ring: list[list[float]], latitude: float) -> list[tuple[float, float]]:
    """A ring in metres, plane, with the metres of a degree of the CGCS2000 ellipsoid at a latitude."""
    a, e2 = 6_378_137.0, 0.00669438002290
    phi = math.radians(latitude)
    w = math.sqrt(1 - e2 * math.sin(phi) ** 2)
    per_lon = math.radians(1) * a * math.cos(phi) / w
    per_lat = math.radians(1) * a * (1 - e2) / w**3
    return [(x * per_lon, y * per_lat) for x, y in ring]


def _to_segment(p: tuple[float, float], a: tuple[float, float], b: tuple[float, float]) -> float:
    dx, dy = b[0] - a[0], b[1] - a[1]
    along = max(0.0, min(1.0, ((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / (dx * dx + dy * dy)))
    return math.hypot(p[0] - a[0] - along * dx, p[1] - a[1] - along * dy)


def _apart(one: list[list[float]], two: list[list[float]]) -> float:
    """Least distance of two plots that do not overlap, metres: some corner of one is nearest to the other."""
    if abs(one[0][0] - two[0][0]) > 0.05 or abs(one[0][1] - two[0][1]) > 0.05:
        return math.inf
    a, b = _metres(one, one[0][1]), _metres(two, one[0][1])
    return min(_to_segment(p, *side) for x, y in ((a, b), (b, a)) for p in x for side in pairwise(y))


class Rules:
    """What the definitions leave to the methodology: class sets, main IPC classes, rates, items."""

    def __init__(self, folder: Path) -> None:
        def rows(name: str) -> list[dict[str, str]]:
            with (folder / name).open(encoding="utf-8", newline="") as stream:
                return list(csv.DictReader(stream))

        self.sets: dict[str, set[str]] = defaultdict(set)
        for row in rows("industry_sets.csv"):
            self.sets[row["set_code"]].add(row["industry_code"])
        self.strategic = {row["ipc_subclass"] for row in rows("ipc_sets.csv") if row["set_code"] == "SEI"}
        self.rates = [
            (row["currency"], _day(row["valid_from"]), _day(row["valid_to"]), Fraction(row["cny_per_unit"]))
            for row in rows("exchange_rates.csv")
        ]
        self.items = rows("self_report_items.csv")

    def rate(self, currency: str, d: date) -> Fraction | None:
        valid = [rate for c, low, high, rate in self.rates if c == currency and low <= d and (not high or d <= high)]
        return valid[0] if valid else None


class Patent:
    """A granted invention: its first grant publication and what became of it."""

    def __init__(self, granted: date, filed: date, main: str, first: str | None) -> None:
        self.granted, self.filed, self.main, self.first = granted, filed, main, first
        self.events: list[tuple[date, str, Row]] = []


class Oracle:
    """Reads a sample world's folder and computes any indicator of any park and year."""

    def __init__(self, root: Path, rules: Rules) -> None:
        self.root = root
        self.rules, self.sets = rules, rules.sets
        noise = json.loads((root / "noise.json").read_text(encoding="utf-8"))
        self.noise = {(row["feed"], row["file"], row["table"], row["source_row"]) for row in noise["rows"]}
        self._placed: dict[tuple[str, date, date], set[str]] = {}
        self._registry()
        self._plots()
        self._ranges()
        self._members()
        self._accounts()
        self._headcounts()
        self._patents()
        self._events()
        self._rounds()
        self._recognitions()
        self._reports()
        self._in: dict[int, dict[str, str]] = {}
        self._held: dict[int, dict[str, str]] = {}

    # ------------------------------------------------------------------------------------------------------ reading

    def _files(self, feed: str) -> list[Path]:
        return sorted((self.root / "feeds" / feed).iterdir(), key=lambda path: (path.stat().st_mtime, path.name))

    def _is_noise(self, path: Path, number: int, table: str = "") -> bool:
        return (path.parent.name, path.name, table, number) in self.noise

    def _csv(self, feed: str) -> Iterator[Row]:
        for path in self._files(feed):
            raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
            gb = feed == "headcounts" or path.name.endswith("_gb18030.csv")
            lines = csv.DictReader(raw.decode("gb18030" if gb else "utf-8").splitlines())
            for number, row in enumerate(lines, start=2):
                if not self._is_noise(path, number):
                    yield {_ENGLISH.get(str(name), str(name)): value for name, value in row.items()}

    def _sheet(self, feed: str, sheet: str, table: str) -> Iterator[Row]:
        for path in self._files(feed):
            rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_name(sheet).to_python(skip_empty_area=False)
            for number, row in enumerate(rows[1:], start=2):
                if not self._is_noise(path, number, table):
                    yield dict(zip(map(str, rows[0]), row, strict=True))

    def _registry(self) -> None:
        known: dict[tuple[str, date], Row] = {}
        for row in self._csv("enterprise_registry"):
            row["effective"] = _day(row.get("核准日期")) or _day(row["注册日期"])
            known[row["统一社会信用代码"], row["effective"]] = row
        self.rows: dict[str, list[Row]] = defaultdict(list)
        holders: dict[str, set[str]] = defaultdict(set)
        for (uscc, _), row in sorted(known.items()):
            self.rows[uscc].append(row)
            holders[key(row["企业名称"])].add(uscc)
        by_spelling: dict[str, set[str]] = defaultdict(set)
        for name, codes in holders.items():
            by_spelling[spelling(name)] |= codes
        self._exact, self._spelt = holders, by_spelling
        self.registered = {uscc: _day(rows[-1]["注册日期"]) for uscc, rows in self.rows.items()}
        self.ended = {uscc: _day(rows[-1]["注销日期"]) for uscc, rows in self.rows.items()}

    def _plots(self) -> None:
        known: dict[tuple[str, str], tuple[Row, list[list[float]]]] = {}
        for path in self._files("park_plots"):
            for number, feature in enumerate(json.loads(path.read_text(encoding="utf-8"))["features"], start=1):
                if not self._is_noise(path, number):
                    row = feature["properties"]
                    known[row["地块编号"], row["生效日期"]] = (row, feature["geometry"]["coordinates"][0])
        self.plots = [
            (row["园区代码"], _day(row["生效日期"]), _day(row["失效日期"]), Fraction(str(row["建成面积公顷"])), ring)
            for row, ring in known.values()
        ]
        self.areas = [(row["地块编号"], Fraction(str(row["面积公顷"]))) for row, _ in known.values()]

    def _accounts(self) -> None:
        self.accounts: dict[tuple[str, int], Row] = {}
        for row in self._sheet("enterprise_accounts", "年报数据", "accounts"):
            at = (row["统一社会信用代码"], int(row["年度"]))
            if at not in self.accounts or row["填报日期"] >= self.accounts[at]["填报日期"]:
                self.accounts[at] = row

    def _headcounts(self) -> None:
        latest = {
            (row["统一社会信用代码"], row["统计月份"]): (int(row["参保人数"]), int(row["其中外籍"] or 0))
            for row in self._csv("headcounts")
        }
        self.months: dict[tuple[str, int], int] = defaultdict(int)
        self.foreign: dict[tuple[str, int], int] = defaultdict(int)
        for (uscc, month), (insured, foreign) in latest.items():
            self.months[uscc, int(month[:4])] += insured
            self.foreign[uscc, int(month[:4])] += foreign

    def _patents(self) -> None:
        known: dict[tuple[str, str], tuple[date, str, date, str, list[str]]] = {}
        base = "{http://www.sipo.gov.cn/XMLSchema/base}"
        business = "{http://www.sipo.gov.cn/XMLSchema/business}"

        def day(text: str | None) -> date:
            return datetime.strptime(str(text), "%Y%m%d").date()  # noqa: DTZ007

        for path in self._files("patents"):
            with zipfile.ZipFile(path) as archive:
                for number, member in enumerate(archive.infolist(), start=1):
                    if self._is_noise(path, number):
                        continue
                    root = ElementTree.fromstring(archive.read(member))  # noqa: S314 - our own file
                    reference = root.find(f".//{business}ApplicationReference[@dataFormat='original']")
                    ipc = root.find(f".//{business}ClassificationIPCR[@sequence='1']")
                    assert reference is not None
                    names = [key(str(one.findtext(f".//{base}Name"))) for one in root.iter(f"{business}Applicant")]
                    main = "" if ipc is None else str(ipc.findtext(f"{base}Text"))
                    filed = day(reference.findtext(f".//{base}Date"))
                    application = str(reference.findtext(f".//{base}DocNumber"))
                    published = day(root.attrib["datePublication"])
                    known[root.attrib["docNumber"], root.attrib["kind"]] = (published, application, filed, main, names)
        self.grants: dict[tuple[str, int], set[str]] = defaultdict(set)
        self.published: dict[tuple[str, int], set[str]] = defaultdict(set)
        self.patents: dict[str, Patent] = {}
        for (_, kind), (published, application, filed, main, names) in sorted(
            known.items(), key=lambda one: (one[1][0], one[0][0])
        ):
            holders = [self.holder(name) for name in names]
            self.published[application, published.year] |= {uscc for uscc in holders if uscc}
            if kind == "B":
                self.patents.setdefault(application, Patent(published, filed, main, holders[0]))
                if holders[0]:
                    self.grants[holders[0], published.year].add(application)

    def _events(self) -> None:
        """Events of both ways of delivery; the same event comes on both."""
        known: dict[str, Row] = {}
        for path in (*self._files("patent_events"), self.root / "api" / "patent_events" / "events.json"):
            for number, row in enumerate(json.loads(path.read_text(encoding="utf-8"))["data"], start=1):
                if not self._is_noise(path, number):
                    known[row["eventId"]] = row
        self.filings: dict[int, set[tuple[str, str]]] = defaultdict(set)
        self.pledged: dict[tuple[str, int], Fraction] = defaultdict(Fraction)
        self.abroad: dict[str, list[date]] = defaultdict(list)
        for event_id, row in sorted(known.items()):
            d, application = date.fromisoformat(row["eventDate"]), row["applicationNo"]
            holder = row["holderUscc"] or self.holder(row["holder"])
            if row["eventType"] == "pct_filing":
                self.abroad[application].append(d)
                if holder:
                    self.filings[d.year].add((holder, application))
            if row["eventType"] == "pledge" and holder and row["amountCny"]:
                self.pledged[holder, d.year] += Fraction(row["amountCny"])
            if application in self.patents:
                self.patents[application].events.append((d, event_id, row))

    def _rounds(self) -> None:
        self.equity: list[tuple[str, date, str, str]] = []
        company = ["", ""]
        seen: set[tuple[str, str, str]] = set()
        for row in self._sheet("financing_rounds", "融资事件", ""):
            if row["公司名称"]:
                company = [row["公司名称"], row["工商名称"]]
            brand, registered = company
            uscc = self.holder(registered if registered not in ("", "-") else brand)
            at = (brand, row["融资时间"], row["轮次"])
            if uscc and row["轮次"] in EQUITY and at not in seen:
                seen.add(at)
                self.equity.append((uscc, date.fromisoformat(row["融资时间"]), row["轮次"], row["融资金额"]))
        self.backed = {(uscc, d.year) for uscc, d, _, _ in self.equity}

    def _recognitions(self) -> None:
        self.honours: list[tuple[str, str, date, date | None]] = []
        for row in self._sheet("recognitions", "名单", ""):
            uscc = row.get("统一社会信用代码") or self.holder(row["企业名称"])
            begins = _day(row["有效期起"])
            if uscc in self.rows and begins:
                self.honours.append((uscc, row["名单类别"], begins, _day(row["有效期止"])))

    def _reports(self) -> None:
        by_report: dict[tuple[str, int, date], set[str]] = defaultdict(set)
        for row in self._sheet("park_reports", "主导产业", "declared_industries"):
            at = (row["园区代码"], int(row["年度"]), row["填报日期"])
            by_report[at].add(row["行业小类代码(GB/T 4754-2017)"])
        self.declared = {(park, year): codes for (park, year, _), codes in sorted(by_report.items())}
        by_sheet: dict[tuple[str, int, date], dict[str, Row]] = defaultdict(dict)
        for row in self._sheet("park_reports", "指标填报", "items"):
            by_sheet[row["园区代码"], int(row["年度"]), row["填报日期"]][row["指标代码"]] = row
        latest = {(park, year): rows for (park, year, _), rows in sorted(by_sheet.items())}
        self.said: dict[tuple[str, int], dict[str, Fraction]] = {}
        for at, rows in latest.items():
            sound: dict[str, Fraction] = {}
            for item in self.rules.items:
                row = rows.get(item["item_code"], {})
                empty = {None, "", "-", "无"}
                if row.get("数值") in empty or row.get("佐证材料") in empty or row["计量单位"] != item["unit"]:
                    continue
                value = Fraction(str(row["数值"]))
                if value >= 0 and not (item["highest"] and value > Fraction(item["highest"])):
                    sound[item["item_code"]] = value
            for item in self.rules.items:
                whole = item["part_of"]
                if whole and item["item_code"] in sound and not sound[item["item_code"]] <= sound.get(whole, -1):
                    del sound[item["item_code"]]
            self.said[at] = sound

    def holder(self, name: str) -> str | None:
        """The one enterprise that has ever held a name, exactly or, if nobody has, in another spelling."""
        codes = self._exact.get(key(name)) or self._spelt.get(spelling(name)) or set()
        return next(iter(codes)) if len(codes) == 1 else None

    def _ranges(self) -> None:
        """Streets and towns as (park, from, to, district, town, street, side), the latest delivery of each."""
        known = {(row["区间编号"], row["生效日期"]): row for row in self._csv("street_ranges")}
        self.ranges = [
            (
                *(row["园区代码"], _day(row["生效日期"]), _day(row["失效日期"]), row["行政区"]),
                *(row["街镇"], row["道路"], row["单双号"]),
            )
            for row in known.values()
        ]

    def _members(self) -> None:
        known = {(row["园区代码"], row["统一社会信用代码"], row["入驻日期"]): row for row in self._csv("park_members")}
        self.registers: dict[str, list[tuple[str, date | None, date | None]]] = defaultdict(list)
        for (park, uscc, since), row in known.items():
            self.registers[uscc].append((park, _day(since), _day(row["迁出日期"])))

    # -------------------------------------------------------------------------------------------------- definitions

    def active(self, uscc: str, d: date) -> bool:
        return self.registered[uscc] <= d and (self.ended[uscc] is None or self.ended[uscc] > d)

    def row_at(self, uscc: str, d: date) -> Row | None:
        valid = [row for row in self.rows[uscc] if row["effective"] <= d]
        return valid[-1] if valid else None

    def place(self, uscc: str, row: Row | None, d: date, registered: date) -> str | None:
        """The park of a row on a day, with the parks' registers of a day: the first rule that finds one park."""
        if row is None:
            return None
        claims = {
            park for park, start, end in self.registers[uscc] if start <= registered and (not end or registered < end)
        }
        if len(claims) == 1:
            return claims.pop()
        found = self._by_point(row, d) if row.get("经度") else self._by_address(row, d)
        if claims and len(found) > 0:
            found &= claims
        return found.pop() if len(found) == 1 else None

    def _by_point(self, row: Row, d: date) -> set[str]:
        at = (f"{row['经度']} {row['纬度']}", d, d)
        if at not in self._placed:
            x, y = float(row["经度"]), float(row["纬度"])
            self._placed[at] = {
                park
                for park, start, end, _, ring in self.plots
                if start <= d and (end is None or d < end) and ([x, y] in ring or _inside(x, y, ring))
            }
        return set(self._placed[at])

    def _by_address(self, row: Row, d: date) -> set[str]:
        written = re.fullmatch(r"上海市(.+?区)(?:(虚.镇)虚构村|(.+?路)([0-9]+)号).*", row["注册地址"])
        zone = re.fullmatch(r"中国（上海）自由贸易试验区(.+?路)([0-9]+)号.*", row["注册地址"])
        if not written and not zone:
            return set()
        district, town, street, number = written.groups() if written else ("浦东新区", None, *zone.groups())
        side = {"全部", "单号" if int(number or 0) % 2 else "双号"}
        return {
            park
            for park, start, end, of_district, of_town, of_street, of_side in self.ranges
            if start <= d
            and (end is None or d < end)
            and of_district == district
            and ((street and of_street == street and of_side in side) or (town and not of_street and of_town == town))
        }

    def park(self, uscc: str, d: date) -> str | None:
        return self.place(uscc, self.row_at(uscc, d), d, d)

    def members(self, park: str, t: int) -> list[str]:
        return [uscc for uscc, own in self.parks(t).items() if own == park]

    def parks(self, t: int) -> dict[str, str]:
        """The park of every enterprise at the end of a year; those in none are left out."""
        if t not in self._in:
            places = {u: self.park(u, _end(t)) for u in self.rows if self.active(u, _end(t))}
            self._in[t] = {uscc: park for uscc, park in places.items() if park}
        return self._in[t]

    def code(self, uscc: str, d: date) -> str | None:
        row = self.row_at(uscc, d)
        return row["行业代码"] if row and row["行业标准版本"] == "GB/T 4754-2017" else None

    def revenue(self, uscc: str, t: int) -> Fraction:
        row = self.accounts.get((uscc, t))
        return Fraction(str(row["营业收入(千元)"])) * 1000 if row else Fraction(0)

    def research(self, uscc: str, t: int) -> Fraction:
        row = self.accounts.get((uscc, t))
        spent = row["研究开发费用(千元)"] if row else ""
        return Fraction(str(spent)) * 1000 if spent != "" else Fraction(0)

    def values(self, park: str, t: int) -> dict[str, Fraction | None]:
        """All thirty-five indicators of a park and year; None where there is no value."""
        own, before = self.members(park, t), self.members(park, t - 1)
        employees = Fraction(sum(self.months[u, t] for u in own), 12)
        return {
            **self._development(park, own, before, t),
            **self._innovation(park, own, employees, t),
            **self._environment(park, own, before, employees, t),
            **self._services(park, own, employees, t),
        }

    def _development(self, park: str, own: list[str], before: list[str], t: int) -> dict[str, Fraction | None]:
        end = _end(t)
        total = sum((self.revenue(u, t) for u in own), Fraction(0))
        declared = self.declared.get((park, t))
        of_declared = sum((self.revenue(u, t) for u in own if declared and self.code(u, end) in declared), Fraction(0))
        built = sum(
            (b for p, s, e, b, _ in self.plots if p == park and s <= end and (e is None or end < e)), Fraction(0)
        )
        valid = [(u, kind) for u, kind, s, e in self.honours if s <= end and (e is None or end <= e)]
        points: dict[str, int] = defaultdict(int)
        for uscc, kind in valid:
            points[uscc] = max(points[uscc], LADDER.get(kind, 0))
        leaders = {(u, kind) for u, kind in valid if kind in {"链主企业", "科技领军企业"}}
        adding = [u for u in own if (u, t) in self.accounts and self.accounts[u, t]["增加值(千元)"] != ""]
        added = sum((Fraction(str(self.accounts[u, t]["增加值(千元)"])) * 1000 for u in adding), Fraction(0))
        small, area = self.scattered(park, t)
        return {
            "A1": ratio(of_declared, total, 100) if declared else None,
            "A2": sum((self.revenue(u, t) for u in self._leading(own, t)), Fraction(0)) / 10**8,
            "A3": (total - sum((self.revenue(u, t - 1) for u in before), Fraction(0))) / 10**8,
            "A4": ratio(total / 10**8, built / 100),
            "A5": Fraction(len({u for u, kind in valid if kind in {"独角兽", "隐形冠军"}} & set(own))),
            "A6": ratio(sum(points[u] for u in own), len(own), 1000),
            "A7": plus(sum(u in own for u, _ in leaders), self._said(park, t, "A7.1")),
            "A8": ratio(added, sum((self.revenue(u, t) for u in adding), Fraction(0)), 100),
            "A9": ratio(small, area, 100),
        }

    def _innovation(self, park: str, own: list[str], employees: Fraction, t: int) -> dict[str, Fraction | None]:
        end, held = _end(t), self.held(t)
        grants = set().union(*(self.grants[u, t] for u in own))
        total = sum((self.revenue(u, t) for u in own), Fraction(0))
        born = [u for u, d in self.registered.items() if d.year == t and self.park(u, d) == park]
        days = (date(t + 1, 1, 1) - date(t, 1, 1)).days
        all_money, right_money = self.money(own, t)
        return {
            "B1": ratio(sum((self.research(u, t) for u in own), Fraction(0)), total, 100),
            "B2": ratio(len(grants), employees, 10_000),
            "B3": ratio(sum(u in own and self.is_high_value(a, end) for a, u in held.items()), employees, 10_000),
            "B4": Fraction(sum(u in own for u, _ in self.filings[t])),
            "B5": Fraction(sum(self.code(u, self.registered[u]) in self.sets["TECH"] for u in born), days),
            "B6": ratio(sum((u, t) in self.backed for u in own), len(own), 1000),
            "B7": ratio(right_money, all_money, 100),
            "B8": plus(
                self._said(park, t, "B8.1", 10), self._said(park, t, "B8.2", 5), self._said(park, t, "B8.3", "0.1")
            ),
            "B9": ratio(self._said(park, t, "B9.1"), employees),
            "B10": Fraction(sum(self.months[u, t] for u in self._leading(own, t)), 12),
        }

    def _environment(
        self, park: str, own: list[str], before: list[str], employees: Fraction, t: int
    ) -> dict[str, Fraction | None]:
        born = [u for u, d in self.registered.items() if d.year == t and self.park(u, d) == park]
        cohort = [u for u, d in self.registered.items() if d.year == t - 3 and self.park(u, d) == park]
        space = ratio(plus(*(self._said(park, t, f"C5.{k}") for k in (1, 2, 3))), self._said(park, t, "C5.4"), 100)
        foreign = Fraction(sum(self.foreign[u, t] for u in own), 12)
        return {
            "C1": ratio(self._said(park, t, "C1.1"), self._said(park, t, "C1.2"), 100),
            "C2": ratio(self._said(park, t, "C2.1"), self._said(park, t, "C2.2"), 100),
            "C3": ratio(len(born) + self.balance(park, t), len(before), 100),
            "C4": ratio(sum(self.active(u, _end(t)) for u in cohort), len(cohort), 100),
            "C5": space if space is None else min(space, Fraction(100)),
            "C6": plus(self._said(park, t, "C6.1"), self._said(park, t, "C6.2")),
            "C7": ratio(self._said(park, t, "C7.1"), self._said(park, t, "C7.2"), 100),
            "C8": ratio(plus(foreign, self._said(park, t, "C8.1")), employees, 1000),
        }

    def _services(self, park: str, own: list[str], employees: Fraction, t: int) -> dict[str, Fraction | None]:
        firms = sum(self.code(u, _end(t)) in self.sets["SERVICE"] for u in own)
        patents = sum(u in own for u in self.held(t).values())
        pledged = sum((self.pledged[u, t] for u in own), Fraction(0)) / 10_000
        trained = plus(self._said(park, t, "D5.1"), self._said(park, t, "D5.2", "0.1"))
        joint = 0
        for (_, year), applicants in self.published.items():
            parks = {self.parks(t).get(u) for u in applicants} - {None}
            joint += year == t and park in parks and len(parks) > 1
        points: Fraction | None = Fraction(0)
        incubatees: Fraction | None = Fraction(0)
        for number, score in (("D3.1", "D3.2"), ("D3.3", "D3.4"), ("D3.5", "D3.6")):
            n, mean = self._said(park, t, number), self._said(park, t, score)
            points = plus(points, None if n is None or (n and mean is None) else n * (mean or 0))
            incubatees = plus(incubatees, n)
        return {
            "D1": ratio(plus(*(self._said(park, t, f"D1.{k}") for k in (1, 2, 3))), len(own), 1000),
            "D2": ratio(firms, len(own), 1000),
            "D3": ratio(points, incubatees),
            "D4": ratio(plus(pledged, self._said(park, t, "D4.1"), self._said(park, t, "D4.2")), patents),
            "D5": ratio(trained, employees, 10_000),
            "D6": ratio(self._said(park, t, "D6.1"), employees, 10_000),
            "D7": ratio(self._said(park, t, "D7.1"), self._said(park, t, "D7.2"), 100),
            "D8": ratio(plus(joint, self._said(park, t, "D8.1"), self._said(park, t, "D8.2")), len(own), 1000),
        }

    def _leading(self, own: list[str], t: int) -> list[str]:
        leading = self.sets["IC"] | self.sets["BIO"] | self.sets["AI"]
        return [u for u in own if self.code(u, _end(t)) in leading]

    def _said(self, park: str, t: int, item: str, factor: int | str = 1) -> Fraction | None:
        value = self.said.get((park, t), {}).get(item)
        return None if value is None else value * Fraction(factor)

    def scattered(self, park: str, t: int) -> tuple[Fraction, Fraction]:
        """Hectares of a park's small plots far from its others, and of all its plots."""
        end = _end(t)
        valid = [
            (area, plot_id, ring)
            for (p, s, e, _, ring), (plot_id, area) in zip(self.plots, self.areas, strict=True)
            if p == park and s <= end and (e is None or end < e)
        ]
        small = [
            area
            for area, plot_id, ring in valid
            if area < 10 and all(_apart(ring, other) > 20 for _, o, other in valid if o != plot_id)
        ]
        return sum(small, Fraction(0)), sum((area for area, _, _ in valid), Fraction(0))

    def held(self, t: int) -> dict[str, str]:
        """Holder of every invention patent in force at the end of a year."""
        if t not in self._held:
            end = _end(t)
            found: dict[str, str] = {}
            for application, patent in self.patents.items():
                past = [(d, i, row) for d, i, row in patent.events if d <= end]
                lapsed = any(row["eventType"] == "lapse" for _, _, row in past)
                if patent.granted > end or lapsed or not _later(patent.filed, 20) > end:
                    continue
                holder = patent.first
                sold = [(d, i, row) for d, i, row in past if row["eventType"] == "transfer" and d >= patent.granted]
                if sold:
                    holder = self.holder(max(sold, key=lambda one: one[:2])[2]["counterparty"])
                if holder:
                    found[application] = holder
            self._held[t] = found
        return self._held[t]

    def is_high_value(self, application: str, end: date) -> bool:
        patent = self.patents[application]
        pledges = [row["amountCny"] for d, _, row in patent.events if row["eventType"] == "pledge" and d <= end]
        return (
            patent.main[:4] in self.rules.strategic
            or any(d <= end for d in self.abroad[application])
            or _later(patent.filed, 10) < end
            or any(amount and Fraction(amount) >= 5_000_000 for amount in pledges)
        )

    def money(self, own: list[str], t: int) -> tuple[Fraction, Fraction]:
        """CNY of the year's exact rounds, and of those of early rounds of small hard-technology enterprises."""
        holders = set(self.held(t).values())
        all_money, right_money = Fraction(0), Fraction(0)
        for uscc, d, name, text in self.equity:
            exact = _MONEY.fullmatch(text)
            if uscc not in own or d.year != t or exact is None:
                continue
            number, unit, currency = exact.groups()
            rate = Fraction(1) if currency == "人民币" else self.rules.rate(_CURRENCY[currency], d)
            if rate is None:
                continue
            cny = Fraction(number) * {"万": 10**4, "亿": 10**8}[unit] * rate
            all_money += cny
            hard = self.code(uscc, _end(t)) in self.sets["HARD"] or uscc in holders
            if name in EARLY and hard and self.is_small(uscc, t):
                right_money += cny
        return all_money, right_money

    def is_small(self, uscc: str, t: int) -> bool:
        row = self.accounts.get((uscc, t), {"营业收入(千元)": "", "资产总计(千元)": ""})
        stated = [Fraction(str(row[name])) for name in ("营业收入(千元)", "资产总计(千元)") if row[name] != ""]
        return self.months[uscc, t] <= 6000 and all(thousand <= 200_000 for thousand in stated)

    def balance(self, park: str, t: int) -> int:
        """Moves in − moves out − ends."""
        count = 0
        for uscc, rows in self.rows.items():
            gone = self.ended[uscc]
            if gone and gone.year == t and self.park(uscc, gone - timedelta(days=1)) == park:
                count -= 1
            for row in rows:
                d = row["effective"]
                if d.year != t or d <= self.registered[uscc] or not self.active(uscc, d):
                    continue
                before = d - timedelta(days=1)
                old = self.place(uscc, self.row_at(uscc, before), d, before)
                new = self.place(uscc, row, d, d)
                count += (new == park) - (old == park) if old != new else 0
        return count
