"""Registered addresses taken apart: district, town, street, number; and what is remarkable about them.

All functions work on match keys of addresses (``parkindex.text``: NFKC, no blanks, lower case, one kind of dash). What
an address does not say stays unsaid: no district is guessed from a street.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import polars as pl

_DISTRICTS_FILE = Path(__file__).with_name("districts.csv")
# The free-trade zone is no district. Its areas of 2013 and 2015 all lie in 浦东新区 (documented: 国发〔2013〕38号,
# 国发〔2015〕21号); the 临港新片区 of 2019 (国发〔2019〕15号) reaches beyond it, so it says no district.
_FREE_TRADE_ZONE = r"自由贸易试验区|自贸区|自贸试验区"
_NEW_AREA = r"临港新片区"
FREE_TRADE_DISTRICT = "浦东新区"
# So many enterprises at one house number make it an office that nobody sits in (assumed limit; seen in real registers:
# 77 addresses of a city with 20 or more enterprises).
SHARED_BY = 20

FORMER_DISTRICT, IN_FREE_TRADE_ZONE, VIRTUAL_OFFICE, NO_DISTRICT = (
    "former_district",
    "free_trade_zone",
    "virtual_office",
    "no_district",
)


@dataclass(frozen=True)
class District:
    """A district or county, of today or former.

    Attributes:
        name: Full name.
        valid_to: First day on which it was no more; None for one of today.
        successor: District of today in which it lies now; itself for one of today.
    """

    name: str
    valid_to: date | None
    successor: str


@cache
def districts() -> dict[str, District]:
    """Return districts by full name (documented: districts.csv names the source of every end)."""
    with _DISTRICTS_FILE.open(encoding="utf-8", newline="") as stream:
        return {
            row["name"]: District(
                row["name"],
                date.fromisoformat(row["valid_to"]) if row["valid_to"] else None,
                row["successor"] or row["name"],
            )
            for row in csv.DictReader(stream)
        }


def taken_apart(addresses: pl.DataFrame) -> pl.DataFrame:
    """Add what addresses say.

    Args:
        addresses: Columns ``address_key`` and ``stated_district`` (the registry's own column, may be null).

    Returns:
        The frame with: ``in_free_trade_zone``; ``district_as_written`` (full name, null when none); ``district`` (of
        today, successors of former ones; 浦东新区 for the free-trade zone without the new area); ``town``; ``street``;
        ``number`` (house or lane number); ``door`` (street and number as one text, null without both).
    """
    full = "|".join(sorted(districts(), key=lambda name: (-len(name), name)))
    key = pl.col("address_key").fill_null("")
    # 中国(上海)自由贸易试验区, 上海市 and 上海 in front say the city and no more.
    begins = key.str.replace(r"^(?:中国)?\(?上海\)?市?", "")
    zone = pl.concat_str(key, pl.lit(" "), pl.col("stated_district").fill_null("")).str.contains(_FREE_TRADE_ZONE)
    without_zone = begins.str.replace(rf"^(?:{_FREE_TRADE_ZONE})(?:{_NEW_AREA})?", "").str.replace(r"^上海市?", "")
    written = without_zone.str.extract(rf"^({full})")
    successors = {name: district.successor for name, district in districts().items()}
    # The registry's own column writes 闸北 for 闸北区: the full name is the one that the short one begins.
    by_short = {name.removesuffix("区").removesuffix("县"): name for name in reversed(districts())} | {
        name: name for name in districts()
    }
    by_short.pop("上海", None)
    stated = pl.col("stated_district").replace_strict(by_short, default=None, return_dtype=pl.String)
    as_written = pl.coalesce(written, stated)
    rest = without_zone.str.replace(rf"^(?:{full})", "")
    town = rest.str.extract(r"^(?:浦东)?([一-鿿]{1,6}?(?:镇|街道|乡))")
    after_town = rest.str.replace(r"^[一-鿿]{1,8}?(?:镇|街道|乡)", "")
    street = after_town.str.extract(r"^([一-鿿0-9a-z]{1,12}?(?:公路|大道|路|街|弄|巷))")
    number = after_town.str.extract(r"^[一-鿿0-9a-z]{1,12}?(?:公路|大道|路|街|弄|巷)([0-9]{1,6})").cast(
        pl.Int64, strict=False
    )
    return (
        addresses.with_columns(
            in_free_trade_zone=zone,
            is_new_area=key.str.contains(_NEW_AREA),
            district_as_written=as_written,
            town=town,
            street=street,
            number=number,
        )
        .with_columns(
            district=pl.coalesce(
                pl.col("district_as_written").replace_strict(successors, default=None, return_dtype=pl.String),
                pl.when(pl.col("in_free_trade_zone") & ~pl.col("is_new_area")).then(pl.lit(FREE_TRADE_DISTRICT)),
            ),
            door=pl.when(pl.col("number").is_not_null()).then(pl.format("{}{}号", "street", "number")),
        )
        .drop("is_new_area")
    )


def findings(rows: pl.DataFrame) -> pl.DataFrame:
    """Return what is remarkable about addresses.

    Args:
        rows: Of :func:`taken_apart`, with ``enterprise_id_uscc``, ``valid_from`` and ``is_open`` (the enterprise's last
            row, and the enterprise has not ended): only those make an address a shared one.

    Returns:
        Columns ``enterprise_id_uscc, valid_from, finding, evidence``, ordered by them.
    """
    shared = (
        rows.filter(pl.col("is_open") & pl.col("door").is_not_null())
        .group_by("district", "door")
        .agg(pl.col("enterprise_id_uscc").n_unique().alias("shared_by"))
        .filter(pl.col("shared_by") >= SHARED_BY)
    )
    ends = {name: str(one.valid_to) for name, one in districts().items() if one.valid_to}
    former = pl.col("district_as_written").replace_strict(ends, default=None, return_dtype=pl.String)
    parts = [
        rows.filter(former.is_not_null()).with_columns(
            finding=pl.lit(FORMER_DISTRICT),
            evidence=pl.format("{} ended on {} and lies in {}", "district_as_written", former, "district"),
        ),
        rows.filter(pl.col("in_free_trade_zone")).with_columns(
            finding=pl.lit(IN_FREE_TRADE_ZONE),
            evidence=pl.format(
                "the address names the free-trade zone, which is no district; district taken: {}",
                pl.col("district").fill_null("none"),
            ),
        ),
        rows.join(shared, on=["district", "door"], nulls_equal=True)
        .filter(pl.col("is_open"))
        .with_columns(
            finding=pl.lit(VIRTUAL_OFFICE),
            evidence=pl.format("{} enterprises are registered at {}", "shared_by", "door"),
        ),
        rows.filter(pl.col("district").is_null()).with_columns(
            finding=pl.lit(NO_DISTRICT), evidence=pl.lit("neither the address nor the registry says a district")
        ),
    ]
    columns = ["enterprise_id_uscc", "valid_from", "finding", "evidence"]
    return pl.concat([part.select(columns) for part in parts]).sort(columns)
