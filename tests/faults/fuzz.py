"""Deliveries of every format, damaged at random: nothing may crash without a named error, and no row may get lost.

As a command: ``python tests/faults/fuzz.py 10000 --seed 1``. A case that fails is printed with its number; the same
seed and number make it again.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
import tempfile
import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
for _path in (FOLDER, FOLDER.parent):
    if str(_path) not in sys.path:
        sys.path.insert(0, str(_path))

import delivered  # noqa: E402
from contract_files import plain, server  # noqa: E402
from parkindex import contracts  # noqa: E402
from parkindex.contracts import Contract  # noqa: E402
from parkindex.landing import readers  # noqa: E402
from parkindex.landing.checks import CHECKS  # noqa: E402
from parkindex.landing.refusal import FileRefusedError  # noqa: E402
from parkindex.raw.rules import judge  # noqa: E402
from parkindex.raw.uniqueness import Seen, fingerprints  # noqa: E402

COLUMNS = {
    "code": {"header": "代码", "required": True, "customProperties": [{"property": "matchKey", "value": "identifier"}]},
    "name": {"header": "名称", "customProperties": [{"property": "matchKey", "value": "name"}]},
    "opened": {"header": "日期", "logicalType": "date", "physicalType": "date"},
    "area": {"header": "面积", "logicalType": "number", "physicalType": "numeric(8,2)"},
    "seats": {"header": "座位", "logicalType": "integer", "physicalType": "integer"},
    "capital": {"header": "资本", "customProperties": [{"property": "parse", "value": "money_text"}]},
}
HEADER = ["代码", "名称", "日期", "面积", "座位", "资本"]
ROWS = [[f"A{number}", '茶,"馆\n', "2024-01-02", "12.50", "10", "5万元"] for number in range(12)]
ITEMS = [dict(zip(HEADER, row, strict=True)) for row in ROWS]
ENCODINGS = ("utf-8", "utf-8-sig", "gb18030", "big5", "utf-16", "latin-1")


@dataclass(frozen=True)
class Seed:
    """A good delivery and the contract that reads it."""

    name: str
    content: bytes
    contract: Contract


def seeds(folder: Path) -> list[Seed]:
    """Return one good delivery for every reader and container."""
    forms = {"csv": {}, "tsv": {"delimiter": "\t"}, "json": {"items": "data.list"}, "jsonl": {}, "xlsx": {}, "xls": {}}
    servers = [server("gb", "*_gb.csv", "csv", "GB18030"), server("wide", "*_w.csv", "csv", "UTF-16")]
    servers += [
        server("mac", "*_cr.csv", "csv", lineEnds="CR"),
        server("end", "*_end.csv", "csv", trailer="^共(?P<rows>[0-9]+)条$"),
    ]
    servers += [server("odd", "*_odd.csv", "csv", "GB18030", misreadAs="latin-1")]
    for form, properties in forms.items():
        kind = "csv" if form == "tsv" else form
        servers += [
            server(form, f"*.{form}", kind, **properties),
            server(f"{form}gz", f"*.{form}.gz", kind, **properties),
        ]
        servers += [server(f"{form}{one}", f"*_{form}.{one}", kind, **properties) for one in ("zip", "tar", "tar.gz")]
    made = plain(folder, "shops", COLUMNS, servers, key=["code"], encodingSentinels=["代码"])
    text = delivered.delimited([HEADER, *ROWS])
    inner = {
        "csv": text.encode(),
        "tsv": delivered.delimited([HEADER, *ROWS], "\t").encode(),
        "json": json.dumps({"data": {"list": ITEMS}}, ensure_ascii=False).encode(),
        "jsonl": delivered.json_lines(ITEMS).encode(),
        "xlsx": delivered.workbook(folder / "seed.xlsx", {"s": [HEADER, *ROWS]}).read_bytes(),
        "xls": delivered.old_workbook([HEADER, *ROWS]),
    }
    found = {f"a.{form}": content for form, content in inner.items()}
    found |= {
        "a_gb.csv": text.encode("gb18030"),
        "a_w.csv": text.encode("utf-16"),
        "a_cr.csv": text.replace("\n", "\r").encode(),
        "a_end.csv": f"{text}共{len(ROWS)}条\n".encode(),
        "a_odd.csv": text.encode("gb18030").decode("latin-1").encode(),
    }
    for form, content in inner.items():
        members = {f"1.{form}": content, f"2.{form}": content}
        found[f"a.{form}.gz"] = gzip.compress(content, mtime=0)
        found[f"a_{form}.zip"] = delivered.zipped(members)
        found[f"a_{form}.tar"] = delivered.tarred(members)
        found[f"a_{form}.tar.gz"] = delivered.tarred(members, compressed=True)
    made_seeds = [Seed(name, content, made) for name, content in found.items()]
    patents, plots = contracts.load("patents"), contracts.load("park_plots")
    publications = {
        f"{number}.xml": delivered.PUBLICATION.format(number=10**8 + number).encode() for number in range(4)
    }
    made_seeds.append(Seed("a.xml", publications["0.xml"], patents))
    made_seeds.append(Seed("a.zip", delivered.zipped(publications), patents))
    made_seeds.append(Seed("a.geojson", json.dumps(PLOTS, ensure_ascii=False).encode(), plots))
    return made_seeds


PLOTS = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {
                "地块编号": f"P1-{number}",
                "园区代码": "P01",
                "行政区": "浦东",
                "面积公顷": 12.5,
                "建成面积公顷": 3,
                "生效日期": "2020-01-01",
                "坐标基准": "CGCS2000",
            },
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[121.5, 31.2], [121.6, 31.2], [121.6, 31.3], [121.5, 31.2]]],
            },
        }
        for number in range(3)
    ],
}


def damaged(content: bytes, chance: random.Random) -> bytes:
    """Return content with one to four damages."""
    made = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        if not made:
            break
        at = chance.randrange(len(made))
        kind = chance.randrange(8)
        if kind <= 1:
            made[at] ^= 1 << chance.randrange(8)
        elif kind == 2:
            made[at] = chance.choice(b'\x00\xff",\n\r\t{}[]<&PK')
        elif kind == 3:
            del made[at:]
        elif kind == 4:
            del made[at : at + chance.randint(1, 40)]
        elif kind == 5:
            made[at:at] = made[at : at + chance.randint(1, 200)]
        elif kind == 6:
            made[at:at] = bytes(chance.randrange(256) for _ in range(chance.randint(1, 8)))
        else:
            try:
                made = bytearray(bytes(made).decode(chance.choice(ENCODINGS)).encode(chance.choice(ENCODINGS)))
            except UnicodeError:
                made[at] ^= 0xFF
    return bytes(made)


def outcome(seed: Seed, content: bytes, folder: Path) -> str:
    """Read and judge a delivery.

    Returns:
        ``loaded``, or the rule by which the file was refused.

    Raises:
        AssertionError: A row got lost, or a rule has no name.
    """
    path = folder / "delivery"
    path.write_bytes(content)
    try:
        landed = placed = 0
        seen = Seen()
        for block in readers.read(seed.contract, path, seed.name).blocks:
            landed += block.cells.height + len(block.set_aside)
            assert block.cells.height == len(block.rows)
            assert all(fault.index < block.cells.height and fault.rule in CHECKS for fault in block.faults)
            assert all(one.rule in CHECKS and one.original for one in block.set_aside)
            placed += len(block.set_aside)
            if block.cells.height == 0:
                continue
            again = seen.repeated(fingerprints(block).halves)
            judged = judge(seed.contract, block)
            assert {rule.id for rule in judged.rules} <= CHECKS.keys()
            assert judged.values.height == block.cells.height == len(judged.broken)
            placed += int(again.sum()) + int((judged.broken & ~again).sum()) + int((~judged.broken & ~again).sum())
        assert landed == placed
    except FileRefusedError as error:
        assert error.rule in CHECKS
        assert error.reason.startswith(f"{error.rule}: ")
        assert error.next_step
        return error.rule
    return "loaded"


def run(cases: int, seed: int, folder: Path) -> Counter[str]:
    """Run cases; return how many ended how.

    Raises:
        AssertionError: A case crashed or lost a row; the message names it.
    """
    made = seeds(folder)
    ends: Counter[str] = Counter()
    for one in made:
        assert outcome(one, one.content, folder) == "loaded", one.name
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number in range(cases):
            chance = random.Random(f"{seed}/{number}")  # noqa: S311 - damage is no secret
            one = made[number % len(made)]
            content = damaged(one.content, chance)
            try:
                ends[outcome(one, content, folder)] += 1
            except Exception as error:
                raise AssertionError(f"case {number} of seed {seed} ({one.name}): {error!r}") from error
    return ends


def main() -> int:
    """Run many cases and print how they ended."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("cases", type=int, nargs="?", default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        ends = run(options.cases, options.seed, Path(name))
    for rule, count in ends.most_common():
        print(f"{count:>7} {rule}")  # noqa: T201
    print(  # noqa: T201
        f"{options.cases} deliveries: {ends['loaded']} loaded, {options.cases - ends['loaded']} refused by"
        f" {len(ends) - 1} rules; none crashed, no row was lost"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
