"""A registry file for benchmarks: 25 columns, two rows in a hundred bad, one in two thousand repeated.

Names, numbers and dates are drawn from a seed; nobody in it exists. The same seed and size give the same bytes.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import yaml

FEED = "bench_registry"
TABLE = "bench_registry_v1"
BAD_SHARE = 0.02
REPEATED_SHARE = 0.0005
_CHUNK = 100_000
_SEED = 20_251

_ALPHABET = np.array(list("0123456789ABCDEFGHJKLMNPQRTUWXY"))
_WEIGHTS = np.array([pow(3, place, 31) for place in range(17)], dtype=np.int64)
_DISTRICTS = ("浦东新区", "徐汇区", "闵行区", "嘉定区", "松江区", "奉贤区", "青浦区", "杨浦区", "宝山区", "临港新片区")
_STATUS = ("存续", "在业", "注销", "吊销")
_TYPES = (
    "有限责任公司(自然人投资或控股)",
    "股份有限公司(上市、国有控股)",
    "个人独资企业",
    "有限责任公司(外国法人独资)",
)
_STANDARDS = ("GB/T 4754-2017", "GB/T 4754-2011")
_GRADES = ("A", "B", "C", "D", "M")
_STEMS = tuple("华新智联芯光创博睿科天海恒达云图微纳浦江明远启航生物医药精密数据")
_TRADES = ("信息科技", "生物医药", "集成电路", "智能装备", "新材料", "软件开发", "检测技术", "新能源")
_SCOPES = (
    "技术开发、技术转让、技术咨询、技术服务;计算机软硬件及辅助设备零售;货物进出口",
    "药品研发;医疗器械(三类)生产;第二类医疗器械销售。(依法须经批准的项目,经相关部门批准后方可开展经营活动)",
    "集成电路芯片设计及服务, EDA tools, IP licensing",
    '工业机器人制造;"张江" 品牌管理',
    "新材料技术研发;合成材料销售;专用化学产品销售(不含危险化学品)",
)

# Column, logical type, Postgres type, further keys of the contract.
_COLUMNS: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    (
        "enterprise_name",
        "string",
        "text",
        {"required": True, "options": {"minLength": 2, "maxLength": 200}, "matchKey": "name"},
    ),
    ("uscc", "string", "text", {"required": True, "key": 1, "check": "uscc", "matchKey": "identifier"}),
    ("effective_date", "date", "date", {"required": True, "key": 2}),
    (
        "registered_date",
        "date",
        "date",
        {"required": True, "options": {"minimum": "1900-01-01", "maximum": "2099-12-31"}},
    ),
    ("enterprise_type", "string", "text", {}),
    ("legal_representative", "string", "text", {"personal": True}),
    ("registered_capital", "number", "numeric(18,4)", {"options": {"minimum": 0}}),
    ("business_scope", "string", "text", {}),
    ("province", "string", "text", {}),
    ("district", "string", "text", {"enum": _DISTRICTS}),
    ("address", "string", "text", {"matchKey": "address"}),
    ("industry_code", "string", "text", {"options": {"pattern": "^[0-9]{4}$"}}),
    ("industry_standard", "string", "text", {"enum": _STANDARDS}),
    ("status", "string", "text", {"enum": _STATUS}),
    ("ended_date", "date", "date", {"atLeast": "registered_date"}),
    ("longitude", "number", "numeric(11,7)", {"options": {"minimum": 73, "maximum": 136}}),
    ("latitude", "number", "numeric(10,7)", {"options": {"minimum": 3, "maximum": 54}}),
    ("employees", "integer", "integer", {"options": {"minimum": 0, "maximum": 1_000_000}}),
    ("rd_staff", "integer", "integer", {"options": {"minimum": 0}, "atMost": "employees"}),
    ("revenue", "number", "numeric(18,2)", {}),
    ("rd_expense", "number", "numeric(18,2)", {"options": {"minimum": 0}}),
    ("export_value", "number", "numeric(18,2)", {"options": {"minimum": 0}}),
    ("patents_held", "integer", "integer", {"options": {"minimum": 0, "maximum": 100_000}}),
    ("postal_code", "string", "text", {"options": {"pattern": "^[0-9]{6}$"}}),
    ("credit_grade", "string", "text", {"enum": _GRADES}),
)
COLUMNS = tuple((name, kind) for name, _, kind, _ in _COLUMNS)


@dataclass(frozen=True)
class Files:
    """What was generated.

    Attributes:
        whole: The delivery: good rows, bad rows, repetitions.
        good: Only the rows that the contract accepts, the same bytes.
        rows: Records in ``whole``.
        good_rows: Records in ``good``.
        size_bytes: Bytes of ``whole``.
    """

    whole: Path
    good: Path
    rows: int
    good_rows: int
    size_bytes: int


def contract_document() -> dict[str, Any]:
    """Return the contract of the file, as an ODCS document."""
    return {
        "kind": "DataContract",
        "apiVersion": "v3.2.0",
        "id": FEED,
        "name": "Benchmark registry",
        "version": "1.0.0",
        "status": "active",
        "domain": "benchmark",
        "description": {
            "purpose": "A registry of enterprises that do not exist.",
            "usage": "Benchmarks.",
            "limitations": "None.",
        },
        "team": {"name": "benchmarks"},
        "servers": [
            {"server": "gb18030", "type": "local", "path": "*_gb18030.csv", "format": "csv", "encoding": "GB18030"},
            {"server": "utf8", "type": "local", "path": "*.csv", "format": "csv", "encoding": "UTF-8"},
            {"server": "workbook", "type": "local", "path": "*.xlsx", "format": "xlsx"},
            {"server": "document", "type": "local", "path": "*.json", "format": "json"},
        ],
        "schema": [
            {
                "name": "enterprises",
                "physicalName": TABLE,
                "logicalType": "object",
                "description": "Enterprises.",
                "dataGranularityDescription": "One row per enterprise and date.",
                "properties": [_property(*column) for column in _COLUMNS],
            }
        ],
        "slaProperties": [
            {"property": "frequency", "value": 6, "unit": "m"},
            {"property": "latency", "value": 200, "unit": "d"},
        ],
        "customProperties": [
            {"property": "onUnknownColumn", "value": "freeze"},
            {"property": "nullTokens", "value": ["", "N/A", "-"]},
            {"property": "encodingSentinels", "value": ["企业名称_enterprise_name"]},
        ],
    }


def required() -> list[str]:
    """Return the columns that must have a value."""
    return [name for name, _, _, further in _COLUMNS if further.get("required")]


def rules() -> dict[str, dict[str, Any]]:
    """Return bounds, patterns, code lists and checks by column, for a peer that validates."""
    made = {}
    for name, _, _, further in _COLUMNS:
        rule = {**further.get("options", {}), **{key: further[key] for key in ("enum", "check") if key in further}}
        if rule:
            made[name] = rule
    return made


def header_of(name: str) -> str:
    """Return the header under which a column is delivered."""
    return f"企业名称_{name}" if name == "enterprise_name" else name


def _property(name: str, logical: str, physical: str, further: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"name": name, "logicalType": logical, "physicalType": physical}
    made["required"] = further.get("required", False)
    if "key" in further:
        made |= {"primaryKey": True, "primaryKeyPosition": further["key"]}
    if "options" in further:
        made["logicalTypeOptions"] = further["options"]
    if "enum" in further:
        made["enum"] = [{"value": value, "label": value} for value in further["enum"]]
    if further.get("personal"):
        made["classification"] = "personal"
    made["synonyms"] = [{"synonym": header_of(name), "locale": "zh-CN", "source": "provider-header"}]
    custom = [
        {"property": key, "value": further[key]} for key in ("check", "matchKey", "atMost", "atLeast") if key in further
    ]
    if custom:
        made["customProperties"] = custom
    return made


def write_contract(folder: Path) -> Path:
    """Write the contract; return its path."""
    path = folder / f"{FEED}.odcs.yaml"
    path.write_text(yaml.safe_dump(contract_document(), allow_unicode=True, sort_keys=False), "utf-8")
    return path


def generate(folder: Path, rows: int) -> Files:
    """Write the delivery and its good rows as UTF-8 CSV, unless they are there already."""
    folder.mkdir(parents=True, exist_ok=True)
    whole, good, said = (
        folder / f"{name}_{rows}{end}" for name, end in (("registry", ".csv"), ("good", ".csv"), ("said", ".json"))
    )
    if said.exists():
        counts = json.loads(said.read_text("utf-8"))
        return Files(whole, good, counts["rows"], counts["good_rows"], whole.stat().st_size)
    header = (",".join(header_of(name) for name, _ in COLUMNS) + "\n").encode()
    good_rows = 0
    with whole.open("wb") as every, good.open("wb") as accepted:
        every.write(header)
        accepted.write((",".join(name for name, _ in COLUMNS) + "\n").encode())
        for number, begin in enumerate(range(0, rows, _CHUNK)):
            frame, bad, repeated = _chunk(begin, min(_CHUNK, rows - begin), np.random.default_rng([_SEED, number]))
            every.write(_csv(frame))
            # What COPY takes as it stands: a null token is nothing to it but a wrong number.
            kept = frame.filter(pl.Series(~(bad | repeated))).with_columns(pl.col("rd_expense").replace("N/A", None))
            accepted.write(_csv(kept))
            good_rows += kept.height
    said.write_text(json.dumps({"rows": rows, "good_rows": good_rows}), "utf-8")
    return Files(whole, good, rows, good_rows, whole.stat().st_size)


def as_gb18030(source: Path) -> Path:
    """Write a UTF-8 file again in GB18030; return its path."""
    target = source.with_name(f"{source.stem}_gb18030.csv")
    if not target.exists():
        with (
            source.open(encoding="utf-8", newline="") as read,
            target.open("w", encoding="gb18030", newline="") as write,
        ):
            while piece := read.read(1 << 24):
                write.write(piece)
    return target


def _csv(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_csv(buffer, include_header=False)
    # A mark stands where a ragged row has its cell too many.
    return buffer.getvalue().replace(b"\x01", b",")


def _chunk(
    begin: int, count: int, draw: np.random.Generator
) -> tuple[pl.DataFrame, npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return rows as texts, which of them are bad, and which repeat the row before."""
    pick = lambda values: pl.Series(values)[draw.integers(0, len(values), count)]  # noqa: E731 - four words, used nine times
    founded = pl.Series(draw.integers(0, 12_000, count).astype(np.int32)).cast(pl.Date) + pl.duration(days=7_000)
    numbers = {
        "capital": draw.integers(1, 10**9, count) / 10_000,
        "lon": 121 + draw.random(count),
        "lat": 30.7 + draw.random(count),
        "employees": draw.integers(1, 5_000, count),
        "share": draw.random(count),
        "revenue": draw.integers(-(10**8), 10**11, count) / 100,
    }
    frame = pl.DataFrame(
        {"number": np.arange(begin, begin + count), "founded": pl.select(founded).to_series(), **numbers}
    )
    names = [pick(_STEMS) for _ in range(4)]
    frame = frame.select(
        pl.concat_str(pl.lit("上海"), *names, pick(_TRADES), pl.lit("("), pick(_DISTRICTS), pl.lit(")有限公司")).alias(
            "enterprise_name"
        ),
        _codes(begin, count, draw).alias("uscc"),
        (pl.col("founded") + pl.duration(days=pl.col("number") % 900)).cast(pl.String).alias("effective_date"),
        pl.col("founded").cast(pl.String).alias("registered_date"),
        pick(_TYPES).alias("enterprise_type"),
        pl.concat_str(pick(_STEMS), pick(_STEMS), pick(_STEMS)).alias("legal_representative"),
        _decimal("capital", 4).alias("registered_capital"),
        pick(_SCOPES).alias("business_scope"),
        pl.lit("上海市").alias("province"),
        pick(_DISTRICTS).alias("district"),
        pl.concat_str(
            pl.lit("上海市"),
            pick(_DISTRICTS),
            pick(_STEMS),
            pick(_STEMS),
            pl.lit("路"),
            pl.col("employees"),
            pl.lit("号"),
            pl.col("number") % 40,
            pl.lit("-"),
            pl.col("number") % 7,
            pl.lit("室"),
        ).alias("address"),
        pl.Series(draw.integers(1_000, 9_999, count)).cast(pl.String).alias("industry_code"),
        pick(_STANDARDS).alias("industry_standard"),
        pick(_STATUS).alias("status"),
        pl.when(pl.col("number") % 5 == 0)
        .then((pl.col("founded") + pl.duration(days=4_000)).cast(pl.String))
        .alias("ended_date"),
        _decimal("lon", 7).alias("longitude"),
        _decimal("lat", 7).alias("latitude"),
        pl.col("employees").cast(pl.String),
        (pl.col("employees") * pl.col("share")).cast(pl.Int64).cast(pl.String).alias("rd_staff"),
        _decimal("revenue", 2),
        pl.when(pl.col("number") % 3 > 0)
        .then((pl.col("revenue").abs() * 0.07 * pl.col("share")).cast(pl.Int64).cast(pl.String))
        .otherwise(pl.lit("N/A"))
        .alias("rd_expense"),
        (pl.col("revenue").abs() * 0.1).cast(pl.Int64).cast(pl.String).alias("export_value"),
        pl.Series(draw.integers(0, 300, count)).cast(pl.String).alias("patents_held"),
        pl.Series(draw.integers(200_000, 202_999, count)).cast(pl.String).alias("postal_code"),
        pick(_GRADES).alias("credit_grade"),
    )
    frame, bad = _spoilt(frame, draw)
    repeated = np.zeros(count, dtype=bool)
    places = draw.choice(np.arange(1, count), int(count * REPEATED_SHARE), replace=False)
    repeated[places[~bad[places] & ~bad[places - 1]]] = True
    sources = np.where(repeated, np.arange(count) - 1, np.arange(count))
    # The row before may itself repeat the one before it.
    sources = sources[sources]
    return frame[sources], bad, repeated


def _decimal(name: str, places: int) -> pl.Expr:
    return pl.col(name).round(places).cast(pl.Decimal(20, places)).cast(pl.String)


def _codes(begin: int, count: int, draw: np.random.Generator) -> pl.Series:
    """Return valid, distinct credit codes: the serial number stands in the last eight characters before the check."""
    digits = draw.integers(0, 31, (count, 17))
    digits[:, 0] = 9
    digits[:, 1] = 1
    digits[:, 2:8] = (3, 1, 0, 1, 1, 5)
    serial = np.arange(begin, begin + count)
    for place in range(16, 8, -1):
        digits[:, place] = serial % 31
        serial //= 31
    check = (31 - (digits @ _WEIGHTS) % 31) % 31
    letters = _ALPHABET[np.column_stack([digits, check])]
    return pl.Series(np.ascontiguousarray(letters).view("<U18").ravel())


def _spoilt(frame: pl.DataFrame, draw: np.random.Generator) -> tuple[pl.DataFrame, npt.NDArray[np.bool_]]:
    """Spoil rows in eight ways; return the frame and which were spoilt."""
    kinds = np.full(frame.height, -1)
    chosen = draw.random(frame.height) < BAD_SHARE
    kinds[chosen] = draw.integers(0, 8, int(chosen.sum()))
    kind = pl.Series("kind", kinds)
    ways = {
        0: (
            "uscc",
            pl.col("uscc").str.head(17)
            + pl.when(pl.col("uscc").str.ends_with("0")).then(pl.lit("1")).otherwise(pl.lit("0")),
        ),
        1: ("district", pl.lit("某区")),
        2: ("employees", pl.lit("-3")),
        3: ("registered_date", pl.lit("2021-02-30")),
        4: ("enterprise_name", pl.lit("")),
        5: ("longitude", pl.lit("31.2")),
        6: ("revenue", pl.lit("不详")),
        7: ("credit_grade", pl.lit("A\x01多")),
    }
    frame = frame.with_columns(kind)
    for number, (name, spoilt) in ways.items():
        frame = frame.with_columns(pl.when(pl.col("kind") == number).then(spoilt).otherwise(pl.col(name)).alias(name))
    return frame.drop("kind"), kinds >= 0
