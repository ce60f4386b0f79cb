"""Street ranges and memberships as claims of parks to registry rows."""

from __future__ import annotations

import numpy as np
import polars as pl

from parkindex.identity.places import MEMBER, STREET, TOWN, Claims

ODD, EVEN = "单号", "双号"


def street_claims(addresses: pl.DataFrame, ranges: pl.DataFrame) -> Claims:
    """Return the claims of street ranges and whole towns to rows.

    A range meets an address with its street when the number is within it and on its side, and the districts agree or
    the address names none. An address without a number meets only ranges without numbers. A town meets an address
    with that town in that district.

    Args:
        addresses: Of ``addresses.taken_apart``, with ``row`` (number of the registry row).
        ranges: Columns ``reference, park, district, town, street_key, first_number, last_number, side, first_day,
            end_day``; ``street_key`` null for a whole town.
    """
    number = pl.col("number")
    within = (
        pl.when(pl.col("first_number").is_null() & pl.col("last_number").is_null())
        .then(statement=True)
        .otherwise(
            number.is_not_null()
            & (number >= pl.col("first_number").fill_null(0))
            & (number <= pl.col("last_number").fill_null(10**9))
        )
    )
    on_side = (
        pl.when(pl.col("side") == ODD)
        .then(number % 2 == 1)
        .when(pl.col("side") == EVEN)
        .then(number % 2 == 0)
        .otherwise(statement=True)
        .fill_null(value=False)
    )
    same_district = pl.col("district").is_null() | (pl.col("district") == pl.col("district_range"))
    same_town = pl.col("town_range").is_null() | pl.col("town").is_null() | (pl.col("town") == pl.col("town_range"))
    by_street = (
        addresses.filter(pl.col("street").is_not_null())
        .join(
            ranges.filter(pl.col("street_key").is_not_null()), left_on="street", right_on="street_key", suffix="_range"
        )
        .filter(within & on_side & same_district & same_town)
        .with_columns(rank=pl.lit(STREET, dtype=pl.Int64))
    )
    by_town = (
        addresses.filter(pl.col("town").is_not_null() & pl.col("district").is_not_null())
        .join(ranges.filter(pl.col("street_key").is_null()), on=["district", "town"], suffix="_range")
        .with_columns(rank=pl.lit(TOWN, dtype=pl.Int64))
    )
    return _claims(pl.concat([part.select(_COLUMNS) for part in (by_street, by_town)]))


def member_claims(rows: pl.DataFrame, members: pl.DataFrame) -> Claims:
    """Return the claims of registered memberships: to every row of the enterprise.

    Args:
        rows: Columns ``row`` and ``enterprise`` (its number).
        members: Columns ``reference, park, enterprise, first_day, end_day``.
    """
    met = rows.join(members, on="enterprise").with_columns(rank=pl.lit(MEMBER, dtype=pl.Int64))
    return _claims(met.select(_COLUMNS))


_COLUMNS = ("row", "park", "first_day", "end_day", "rank", "reference")


def _claims(frame: pl.DataFrame) -> Claims:
    ordered = frame.sort("row", "rank", "park", "reference")
    return Claims(*(ordered[name].cast(pl.Int64).to_numpy().astype(np.int64) for name in _COLUMNS))
