"""The twelve indicators once more, from the delivered files alone: a second, slow and plain reading of the definitions.

Shares no code with the sample world's own truth, nor with the pipeline: files are read with the standard library (and
calamine for workbooks), points are placed by ray casting, sums are made row by row. Rows that ``noise.json`` names are
left out; everything else must add up to ``truth.json``.
"""

from __future__ import annotations

import csv
import gzip
import json
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
_ENGLISH = {
    **{"名称": "企业名称", "社会信用代码": "统一社会信用代码", "变更日期": "核准日期", "成立日期": "注册日期"},
    **{"经营状态": "登记状态", "注吊销日期": "注销日期"},
}


def key(name: str) -> str:
    """Match key of a name."""
    text = re.sub(r"\s", "", unicodedata.normalize("NFKC", name))
    return re.sub("[〔【]", "(", re.sub("[〕】]", ")", text)).lower()


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


class Oracle:
    """Reads a sample world's folder and computes any indicator of any park and year."""

    def __init__(self, root: Path, sets: dict[str, set[str]]) -> None:
        self.root = root
        self.sets = sets
        noise = json.loads((root / "noise.json").read_text(encoding="utf-8"))
        self.noise = {(row["feed"], row["file"], row["table"], row["source_row"]) for row in noise["rows"]}
        self._registry()
        self._plots()
        self._accounts()
        self._headcounts()
        self._patents()
        self._rounds()
        self._recognitions()
        self._reports()
        self._placed: dict[tuple[str, date, date], str | None] = {}

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
        self.holder = {name: next(iter(codes)) for name, codes in holders.items() if len(codes) == 1}
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

    def _accounts(self) -> None:
        self.accounts: dict[tuple[str, int], Row] = {}
        for row in self._sheet("enterprise_accounts", "年报数据", "accounts"):
            at = (row["统一社会信用代码"], int(row["年度"]))
            if at not in self.accounts or row["填报日期"] >= self.accounts[at]["填报日期"]:
                self.accounts[at] = row

    def _headcounts(self) -> None:
        latest = {(row["统一社会信用代码"], row["统计月份"]): int(row["参保人数"]) for row in self._csv("headcounts")}
        self.months: dict[tuple[str, int], int] = defaultdict(int)
        for (uscc, month), insured in latest.items():
            self.months[uscc, int(month[:4])] += insured

    def _patents(self) -> None:
        known: dict[tuple[str, str], tuple[date, str, str]] = {}
        base = "{http://www.sipo.gov.cn/XMLSchema/base}"
        business = "{http://www.sipo.gov.cn/XMLSchema/business}"
        for path in self._files("patents"):
            with zipfile.ZipFile(path) as archive:
                for number, member in enumerate(archive.infolist(), start=1):
                    if self._is_noise(path, number):
                        continue
                    root = ElementTree.fromstring(archive.read(member))  # noqa: S314 - our own file
                    published = datetime.strptime(root.attrib["datePublication"], "%Y%m%d").date()  # noqa: DTZ007
                    reference = root.find(f".//{business}ApplicationReference[@dataFormat='original']")
                    applicant = root.find(f".//{business}Applicant[@sequence='1']")
                    assert reference is not None
                    assert applicant is not None
                    application = str(reference.findtext(f".//{base}DocNumber"))
                    at = (root.attrib["docNumber"], root.attrib["kind"])
                    known[at] = (published, application, key(str(applicant.findtext(f".//{base}Name"))))
        self.grants: dict[tuple[str, int], set[str]] = defaultdict(set)
        for (_, kind), (published, application, name) in known.items():
            if kind == "B" and name in self.holder:
                self.grants[self.holder[name], published.year].add(application)

    def _rounds(self) -> None:
        self.backed: set[tuple[str, int]] = set()
        company = ["", ""]
        for row in self._sheet("financing_rounds", "融资事件", ""):
            if row["公司名称"]:
                company = [row["公司名称"], row["工商名称"]]
            brand, registered = company
            uscc = self.holder.get(key(registered if registered not in ("", "-") else brand))
            if uscc and row["轮次"] in EQUITY:
                self.backed.add((uscc, int(row["融资时间"][:4])))

    def _recognitions(self) -> None:
        self.honours: list[tuple[str, date | None, date | None]] = []
        for row in self._sheet("recognitions", "名单", ""):
            uscc = row.get("统一社会信用代码") or self.holder.get(key(row["企业名称"]))
            if uscc and row["名单类别"] in {"独角兽", "隐形冠军"}:
                self.honours.append((uscc, _day(row["有效期起"]), _day(row["有效期止"])))

    def _reports(self) -> None:
        by_report: dict[tuple[str, int, date], set[str]] = defaultdict(set)
        for row in self._sheet("park_reports", "主导产业", "declared_industries"):
            at = (row["园区代码"], int(row["年度"]), row["填报日期"])
            by_report[at].add(row["行业小类代码(GB/T 4754-2017)"])
        self.declared = {(park, year): codes for (park, year, _), codes in sorted(by_report.items())}

    # -------------------------------------------------------------------------------------------------- definitions

    def active(self, uscc: str, d: date) -> bool:
        return self.registered[uscc] <= d and (self.ended[uscc] is None or self.ended[uscc] > d)

    def row_at(self, uscc: str, d: date) -> Row | None:
        valid = [row for row in self.rows[uscc] if row["effective"] <= d]
        return valid[-1] if valid else None

    def place(self, row: Row | None, d: date) -> str | None:
        if row is None or not row["经度"]:
            return None
        at = (f"{row['经度']} {row['纬度']}", d, d)
        if at not in self._placed:
            x, y = float(row["经度"]), float(row["纬度"])
            parks = {
                park
                for park, start, end, _, ring in self.plots
                if start <= d and (end is None or d < end) and _inside(x, y, ring)
            }
            self._placed[at] = parks.pop() if len(parks) == 1 else None
        return self._placed[at]

    def park(self, uscc: str, d: date) -> str | None:
        return self.place(self.row_at(uscc, d), d)

    def members(self, park: str, t: int) -> list[str]:
        return [u for u in self.rows if self.active(u, _end(t)) and self.park(u, _end(t)) == park]

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
        """All twelve indicators of a park and year; None where there is no value."""
        own, before = self.members(park, t), self.members(park, t - 1)
        end, leading = _end(t), self.sets["IC"] | self.sets["BIO"] | self.sets["AI"]
        lead = [u for u in own if self.code(u, end) in leading]
        total = sum((self.revenue(u, t) for u in own), Fraction(0))
        employees = Fraction(sum(self.months[u, t] for u in own), 12)
        declared = self.declared.get((park, t))
        of_declared = sum((self.revenue(u, t) for u in own if declared and self.code(u, end) in declared), Fraction(0))
        built = sum(
            (b for p, s, e, b, _ in self.plots if p == park and s <= end and (e is None or end < e)), Fraction(0)
        )
        honoured = {u for u, s, e in self.honours if u in self.rows and s <= end and (e is None or end <= e)}
        grants = set().union(*(self.grants[u, t] for u in own))
        born = [u for u, d in self.registered.items() if d.year == t and self.park(u, d) == park]
        cohort = [u for u, d in self.registered.items() if d.year == t - 3 and self.park(u, d) == park]
        days = (date(t + 1, 1, 1) - date(t, 1, 1)).days

        def ratio(a: Fraction | int, b: Fraction | int, scale: int = 1) -> Fraction | None:
            return Fraction(a) * scale / b if b else None

        return {
            "A1": ratio(of_declared, total, 100) if declared else None,
            "A2": sum((self.revenue(u, t) for u in lead), Fraction(0)) / 10**8,
            "A3": (total - sum((self.revenue(u, t - 1) for u in before), Fraction(0))) / 10**8,
            "A4": ratio(total / 10**8, built / 100),
            "A5": Fraction(len(honoured & set(own))),
            "B1": ratio(sum((self.research(u, t) for u in own), Fraction(0)), total, 100),
            "B2": ratio(len(grants), employees, 10_000),
            "B5": Fraction(sum(self.code(u, self.registered[u]) in self.sets["TECH"] for u in born), days),
            "B6": ratio(sum((u, t) in self.backed for u in own), len(own), 1000),
            "B10": Fraction(sum(self.months[u, t] for u in lead), 12),
            "C3": ratio(len(born) + self.balance(park, t), len(before), 100),
            "C4": ratio(sum(self.active(u, end) for u in cohort), len(cohort), 100),
        }

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
                old = self.place(self.row_at(uscc, d - timedelta(days=1)), d)
                new = self.place(row, d)
                count += (new == park) - (old == park) if old != new else 0
        return count
