"""Classifications and capital strings against independent tables (needs ../shared/data)."""

from __future__ import annotations

import csv
import gzip
import re
import sys
from collections import defaultdict
from collections.abc import Iterable

import pytest

from parkindex.raw import money
from parkindex.settings import DBT_PROJECT_DIR, PROJECT_ROOT

DATA = PROJECT_ROOT.parent / "shared" / "data"
SEEDS = DBT_PROJECT_DIR / "seeds" / "classifications"
pytestmark = [pytest.mark.realdata, pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not here")]


def rows(path: str) -> list[dict[str, str]]:
    with (DATA / path).open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def seed(name: str) -> list[dict[str, str]]:
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def names_of(standard: str) -> dict[str, str]:
    return {
        row["industry_code"]: row["industry_name_zh"]
        for row in seed("industry_class_names")
        if row["industry_standard"] == standard
    }


def plain(name: str) -> str:
    return re.sub(r"[\s、,，()（）]", "", name)


def concordance() -> dict[str, set[str]]:
    """Return what our own reference says of each class of 2011: same names, and splits entered by hand."""
    found: dict[str, set[str]] = defaultdict(set)
    by_name: dict[str, list[str]] = defaultdict(list)
    for code, name in names_of("GB/T 4754-2017").items():
        by_name[name].append(code)
    old: dict[str, list[str]] = defaultdict(list)
    for code, name in names_of("GB/T 4754-2011").items():
        old[name].append(code)
    for name, codes in old.items():
        if len(codes) == 1 and len(by_name[name]) == 1:
            found[codes[0]].add(by_name[name][0])
    for row in seed("industry_class_splits"):
        found[row["from_code"]].add(row["to_code"])
    return found


def test_classes_of_2017_agree_with_a_second_extraction() -> None:
    ours = names_of("GB/T 4754-2017")
    level = [row for row in rows("reference/gbt4754_2017.csv") if len(next(iter(row.values()))) == 4]
    theirs = {next(iter(row.values())): row for row in level}
    assert not set(ours) - set(theirs)
    assert len(set(theirs) - set(ours)) <= 1
    differing = [
        code for code, name in ours.items() if plain(name) not in {plain(cell) for cell in theirs[code].values()}
    ]
    assert len(differing) <= 0.02 * len(ours), differing


def test_codes_that_collide_are_never_read_as_the_other_version() -> None:
    old, new = names_of("GB/T 4754-2011"), names_of("GB/T 4754-2017")
    colliding = {code for code in old.keys() & new.keys() if plain(old[code]) != plain(new[code])}
    assert len(colliding) >= 200
    independent: dict[str, set[str]] = defaultdict(set)
    for row in rows("reference/gbcrosswalk_gb_2011_2017.csv"):
        independent[row["from_code"]].add(row["to_code"])
    ours = concordance()
    # whatever we say of a class of 2011, the independent concordance says it too
    assert not {code: to for code, to in ours.items() if not to <= independent[code]}
    misread = {code for code in colliding if code in ours.get(code, set()) and code not in independent[code]}
    assert not misread
    assert ours["6520"] == {"6531"} and ours["6550"] == {"6520"} and ours["3963"] == {"3973"}
    complete = sum(ours.get(code, set()) == independent[code] for code in old)
    sys.stdout.write(
        f"classes of 2011: {len(old)}, with a successor {len(ours)}, the same successors as independently {complete}\n"
    )
    assert complete / len(old) > 0.75


def test_tags_are_a_part_of_the_official_lists() -> None:
    official: dict[str, set[str]] = defaultdict(set)
    for row in rows("reference/gbt4754_2017_industry_tags.csv"):
        official[row["tag"]].add(row["code"])
    ours: dict[str, set[str]] = defaultdict(set)
    for row in seed("industry_tag_classes"):
        ours[row["taxonomy"]].add(row["industry_code"])
    assert ours["digital_economy"] <= official["digital"]
    assert ours["strategic_emerging"] <= max(official.values(), key=len)
    whole_of = {"digital_economy": official["digital"], "strategic_emerging": max(official.values(), key=len)}
    for taxonomy, whole in whole_of.items():
        sys.stdout.write(f"{taxonomy}: {len(ours[taxonomy])} of {len(whole)} classes\n")


def capital_texts() -> Iterable[str]:
    with gzip.open(DATA / "registration" / "sh_reg_dev.csv.gz", "rt", encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            yield row["注册资金"] or ""


def test_capital_strings_of_every_kind_are_parsed_or_left_out_by_rule() -> None:
    kinds: dict[str, dict[str, int]] = defaultdict(lambda: {"parsed": 0, "not": 0})
    for text in capital_texts():
        kind = re.sub(r"[0-9][0-9,.]*", "#", text)
        kinds[kind]["parsed" if money.parse(text) else "not"] += 1
    parsed = {kind for kind, counts in kinds.items() if counts["parsed"]}
    left = {kind for kind, counts in kinds.items() if counts["not"]}
    # one kind, one fate
    assert not parsed & left
    assert {"#(万元人民币)", "#(万美元)", "#万人民币", "#(万人民币 )", "#(万日元)", "#(万欧元)", "#(万港币)"} <= parsed
    assert {"#(万德国马克)", "#(万法国法郎)", "#(万新加坡元)", "#(万元)"} <= parsed
    # no amount, or one without a currency: never a guess
    assert {"N/A", "#(万)"} <= left
    assert all(kind in {"N/A", "-", "", "#(万)"} or "#" not in kind or "PERSON" in kind for kind in left)
