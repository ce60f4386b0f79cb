"""Which rank could one reject decide? A bound from the rows of the same feed that were accepted.

A row that was set aside may have been right. What it would have added is not known, so it is bounded: no row adds more
to a side of an indicator than the largest accepted row of its feed does anywhere in the zone, and none takes away more
than the park's largest accepted row of the feed, which it may have replaced. A row of the registry may have brought a
whole enterprise into any park, so it is bounded by the largest enterprise over all feeds. Where a park has no value at
all and the feed carries the indicator, the value may lie anywhere between the bounds of its score. Each reject is
looked at alone, the other parks as they are. What this does not see: what a row would have changed in the placing of
others.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sqlalchemy import Connection, select, text

from parkindex.gate.subjects import CandidateSubject
from parkindex.gate.verdict import Key
from parkindex.ledger import tables
from parkindex.scoring.edition import EditionFramework, framework_of, matrix_of, steps
from parkindex.scoring.leave_out import Contribution, Measured, values_without
from parkindex.scoring.ranks import Floats, half_up
from parkindex.text import keys

# A row of this feed brings in an enterprise, and with it what other feeds say of it.
_WHOLE_ENTERPRISE = "enterprise_registry"

# Open as known: not settled, or settled by a replay that is not known yet. What a person closed is settled.
_OPEN = """
select rejects.reject_id, rejects.feed, rejects.source_file, rejects.source_row, rejects.column_name, rejects.rule,
    rejects.original_row
from raw.rejects as rejects
inner join raw.batches as batches on batches.batch_id = rejects.batch_id
where batches.status = 'loaded' and batches.received_at <= :as_known
    and (
        rejects.resolved_by is null
        or exists (
            select from raw.reject_events as events
            inner join raw.batches as later on later.batch_id = events.batch_id
            where events.reject_id = rejects.reject_id and events.event = any(:settling)
                and later.received_at > :as_known
        )
    )
order by rejects.reject_id
"""
_BY_ROW = """
with by_row as (
    select source_feed as bound_by, park_code, indicator_code, side, sum(amount) as amount
    from {schema}.contributions
    group by source_feed, source_batch_id, source_file, source_row, park_code, indicator_code, side
    union all
    select '{whole}' as bound_by, park_code, indicator_code, side, sum(amount) as amount
    from {schema}.contributions
    where enterprise_id_uscc is not null
    group by enterprise_id_uscc, park_code, indicator_code, side
)
select bound_by, park_code, indicator_code, side, max(amount) as largest
from by_row
group by bound_by, park_code, indicator_code, side
"""
_MEASURED = """
select park_code, indicator_code, value, numerator, denominator from {schema}.indicator_scores
"""


@dataclass(frozen=True)
class Reach:
    """The best and the worst rank that one more row of a feed could give each park; ``(n,)`` each, NaN: not ranked."""

    best: Floats
    worst: Floats


def deciding(
    connection: Connection, subject: CandidateSubject, schema: str, document: Mapping[str, Any]
) -> tuple[tuple[Key, ...], int]:
    """Find the open rejects that could have changed a rank.

    Args:
        connection: Warehouse.
        subject: Candidate.
        schema: Its schema of the index.
        document: Its methodology.

    Returns:
        One key per such reject (where it stands, and for each park that it may be about the ranks it could reach), and
        how many open rejects were looked at.
    """
    known = {"as_known": subject.as_known, "settling": list(tables.SETTLING)}
    rejects = connection.execute(text(_OPEN), known).all()
    if not rejects:
        return (), 0
    framework = framework_of(document)
    measured = _measured(connection, schema, framework)
    matrix = matrix_of(framework, document, [(one.park_code, one.indicator_code, one.value) for one in measured])
    found = steps(framework, matrix)
    reach = _reaches(connection, schema, framework, document, measured, found.total)
    told = {
        feed: {
            park: f"{park} {_place(found.rank[row])} to {_place(one.best[row])}..{_place(one.worst[row])}"
            for row, park in enumerate(framework.parks)
            if not np.array_equal([one.best[row], one.worst[row]], [found.rank[row]] * 2, equal_nan=True)
        }
        for feed, one in reach.items()
    }
    abouts = _abouts(connection, subject, document, [_cells(row.original_row) for row in rejects])
    made: list[Key] = []
    for row, named in zip(rejects, abouts, strict=True):
        about = None if row.feed == _WHOLE_ENTERPRISE else named
        could = told.get(row.feed, {})
        ranks = [could[park] for park in (about if about is not None else framework.parks) if park in could]
        if ranks:
            made.append(
                {
                    "reject_id": str(row.reject_id),
                    "feed": row.feed,
                    "file": row.source_file,
                    "row": str(row.source_row),
                    "column": row.column_name or None,
                    "rule": row.rule,
                    "about": "any park" if about is None else ", ".join(about),
                    "ranks": "; ".join(ranks),
                }
            )
    return tuple(made), len(rejects)


def _measured(connection: Connection, schema: str, framework: EditionFramework) -> list[Measured]:
    rows = {(row.park_code, row.indicator_code): row for row in connection.execute(text(_quoted(_MEASURED, schema)))}
    found = []
    for park, code in product(framework.parks, framework.indicators):
        row = rows.get((park, code))
        parts = (None, None, None) if row is None else (row.value, row.numerator, row.denominator)
        found.append(Measured(park, code, *(None if one is None else float(one) for one in parts)))
    return found


def _reaches(
    connection: Connection,
    schema: str,
    framework: EditionFramework,
    document: Mapping[str, Any],
    measured: Sequence[Measured],
    totals: Floats,
) -> dict[str, Reach]:
    """Return what one more row could do, by feed."""
    largest: dict[str, dict[tuple[str, str, str], float]] = {}
    for row in connection.execute(text(_quoted(_BY_ROW, schema))):
        if row.largest is not None and row.indicator_code in framework.indicators:
            largest.setdefault(row.bound_by, {})[row.park_code, row.indicator_code, row.side] = float(row.largest)
    base = np.array([np.nan if one.value is None else one.value for one in measured], dtype=np.float64)
    base = base.reshape(len(framework.parks), len(framework.indicators))
    return {
        feed: _reach(framework, document, measured, base, totals, amounts) for feed, amounts in sorted(largest.items())
    }


def _reach(
    framework: EditionFramework,
    document: Mapping[str, Any],
    measured: Sequence[Measured],
    base: Floats,
    totals: Floats,
    amounts: Mapping[tuple[str, str, str], float],
) -> Reach:
    """Return the ranks that one more row, or one row less, of a feed could give each park, the others as they are."""
    anywhere: dict[tuple[str, str], float] = {}
    for (_, code, side), amount in amounts.items():
        anywhere[code, side] = max(amount, anywhere.get((code, side), 0.0))
    carried = {code for code, _ in anywhere}
    shape = base.shape
    high, low = base.copy(), base.copy()
    # One row more on a side, one row less, or none: the extremes of a ratio lie at these corners.
    for more_above, more_below in product((-1, 0, 1), repeat=2):
        added = [
            Contribution(
                "",
                park,
                code,
                -_moved(more_above, park, code, "numerator", amounts, anywhere),
                -_moved(more_below, park, code, "denominator", amounts, anywhere),
            )
            for park, code in product(framework.parks, sorted(carried))
        ]
        values = values_without(document, measured, added)
        corner = np.array([np.nan if value is None else float(value) for _, _, value in values]).reshape(shape)
        high, low = np.fmax(high, corner), np.fmin(low, corner)
    missing = np.isnan(base) & np.array([code in carried for code in framework.indicators])
    high, low = np.where(missing, framework.high, high), np.where(missing, framework.low, low)
    ascending = framework.directions > 0
    best = steps(framework, np.where(ascending, high, low)).total
    worst = steps(framework, np.where(ascending, low, high)).total
    decimals = int(framework.rules["rank_decimals"])
    return Reach(_ranks_alone(best, totals, decimals), _ranks_alone(worst, totals, decimals))


def _moved(
    more: int,
    park: str,
    code: str,
    side: str,
    amounts: Mapping[tuple[str, str, str], float],
    anywhere: Mapping[tuple[str, str], float],
) -> float:
    if more > 0:
        return anywhere.get((code, side), 0.0)
    return more * max(amounts.get((park, code, side), 0.0), 0.0)


def _ranks_alone(changed: Floats, totals: Floats, decimals: int) -> Floats:
    """Return the rank each park has with a changed total while all others keep theirs; NaN where it has none."""
    now, then = half_up(totals, decimals), half_up(changed, decimals)
    better: NDArray[np.bool_] = now[None, :] > then[:, None]
    np.fill_diagonal(better, val=False)
    return np.where(np.isnan(then), np.nan, 1.0 + better.sum(axis=1))


def _place(rank: float) -> str:
    return "unranked" if np.isnan(rank) else str(int(rank))


def _cells(original_row: Any) -> list[str]:
    row = json.loads(original_row) if isinstance(original_row, str) else original_row
    return [str(value) for value in row.values() if value not in (None, "")]


def _abouts(
    connection: Connection, subject: CandidateSubject, document: Mapping[str, Any], rows: Sequence[Sequence[str]]
) -> list[list[str] | None]:
    """Return the parks that each row may be about, by what its cells name; None where it names nothing we know.

    A cell names a park by its code or name, or an enterprise by its code or name; an enterprise is where it ever was.
    """
    parks = {name: [park["park_code"]] for park in document["parks"] for name in (park["park_code"], park["name_zh"])}
    run_id: int = connection.execute(
        select(tables.candidates.c.identity_run_id).where(tables.candidates.c.candidate_id == subject.candidate_id)
    ).scalar_one()
    placed, links = tables.placements.c, tables.enterprise_links.c
    homes: dict[str, list[str]] = {}
    for row in connection.execute(
        select(placed.enterprise_id_uscc, placed.park_code)
        .where(placed.identity_run_id == run_id)
        .order_by(placed.enterprise_id_uscc, placed.valid_from)
    ):
        known = homes.setdefault(row.enterprise_id_uscc, [])
        if row.park_code is not None and row.park_code not in known:
            known.append(row.park_code)
    named = {
        row.name_key: homes.get(row.enterprise_id_uscc, [])
        for row in connection.execute(
            select(links.name_key, links.enterprise_id_uscc).where(links.identity_run_id == run_id)
        )
    }
    texts = pl.Series([cell for row in rows for cell in row], dtype=pl.String)
    codes, names = iter(keys("identifier", texts).to_list()), iter(keys("name", texts).to_list())
    found: list[list[str] | None] = []
    for cells in rows:
        about: list[str] | None = None
        for cell, code, name in ((cell, next(codes), next(names)) for cell in cells):
            for known_as in (parks.get(cell), homes.get(code), named.get(name)):
                if known_as is not None:
                    about = sorted({*(about or []), *known_as})
        found.append(about)
    return found


def _quoted(statement: str, schema: str) -> str:
    return statement.format(schema=f'"{schema}"', whole=_WHOLE_ENTERPRISE)
