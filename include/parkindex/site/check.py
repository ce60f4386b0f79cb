"""Refuse a record that does not hold together: a page must never show less, or other, than what was released."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from itertools import product

from parkindex.errors import BadInputError
from parkindex.site.record import ReleaseRecord, Rows

# A park code names a file and an anchor.
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_TABLES = (
    "park_ranking",
    "area_scores",
    "indicator_scores",
    "indicators",
    "parks",
    "zone_targets",
    "park_status",
    "data_quality",
    "park_quality",
    "revisions",
)


def require_whole(record: ReleaseRecord) -> None:
    """Check keys, completeness and number types of a record.

    Raises:
        BadInputError: A row is missing, is there twice, or belongs to a park or indicator the record does not list; a
            number is a float; a code cannot name a file; a change of rank is not the difference of the two ranks.
    """
    for name in _TABLES:
        _require_exact_numbers(name, getattr(record, name))
    parks = {row["park_code"] for row in record.parks}
    areas = {row["area_code"] for row in record.indicators}
    indicators = {row["indicator_code"] for row in record.indicators}
    computed = {row["indicator_code"] for row in record.indicators if row["state"] == "computed"}
    if not record.park_ranking:
        raise _broken(record, "park_ranking", "it has no row")
    for code in (*parks, *indicators):
        if not _CODE.fullmatch(code):
            raise _broken(record, "parks, indicators", f"the code {code!r} cannot name a file")
    _require_keys(record, "parks", ("park_code",), {(park,) for park in parks})
    _require_keys(record, "indicators", ("indicator_code",), {(indicator,) for indicator in indicators})
    _require_keys(record, "park_ranking", ("park_code",), {(park,) for park in parks})
    _require_keys(record, "park_status", ("park_code",), {(park,) for park in parks})
    _require_keys(record, "area_scores", ("park_code", "area_code"), set(product(parks, areas)), may_lack=True)
    every = ("park_code", "indicator_code")
    scored = {tuple(row[key] for key in every) for row in record.indicator_scores}
    lacking = set(product(parks, computed)) - scored
    if lacking:
        raise _broken(record, "indicator_scores", f"no row for {_some(lacking)}")
    _require_keys(record, "indicator_scores", every, set(product(parks, indicators)), may_lack=True)
    if strange := set(record.evidence) - set(product(parks, indicators)):
        raise _broken(record, "evidence", f"records of {_some(strange)}, which is not in the release")
    for row in record.park_ranking:
        rank, previous, change = row["rank"], row["rank_previous"], row["rank_change"]
        if change is not None and (rank is None or previous is None or abs(change) != abs(rank - previous)):
            raise _broken(
                record, "park_ranking", f"{row['park_code']}: {change} is not the change {previous} to {rank}"
            )


def _require_keys(
    record: ReleaseRecord, table: str, key: tuple[str, ...], expected: set[tuple[str, ...]], *, may_lack: bool = False
) -> None:
    found = [tuple(row[column] for column in key) for row in getattr(record, table)]
    if len(set(found)) != len(found):
        raise _broken(record, table, f"two rows of {_some(one for one in found if found.count(one) > 1)}")
    if unknown := set(found) - expected:
        raise _broken(record, table, f"a row of {_some(unknown)}, which is not in the release")
    if not may_lack and (lacking := expected - set(found)):
        raise _broken(record, table, f"no row for {_some(lacking)}")


def _require_exact_numbers(table: str, rows: Rows) -> None:
    for row in rows:
        for column, value in row.items():
            if isinstance(value, float) or (isinstance(value, Decimal) and not value.is_finite()):
                raise BadInputError(
                    f"A released number is not an exact one: {value!r}.",
                    where=f"{table}.{column}",
                    why="numbers of a release are numeric in the database and Decimal in Python",
                    next_step="pass the value as it was read from publish",
                )


def _broken(record: ReleaseRecord, where: str, why: str) -> BadInputError:
    return BadInputError(
        f"The record of {record.release_id} does not hold together; no page was written.",
        where=where,
        why=why,
        next_step="run `parkindex verify`, then build and publish again",
    )


def _some(keys: Iterable[tuple[str, ...]]) -> str:
    return ", ".join(sorted({" ".join(key) for key in keys})[:5])
