"""What stands beside a candidate's numbers: the doubt about them, and what moved each park. Kept with the candidate.

All of it is computed from the candidate's tables, the methodology's seed and, for what moved, from what was published
last. It is no part of the content (ADR 0009): it can be made again from the content at any time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any

import numpy as np
from sqlalchemy import Connection, text

from parkindex import methodology
from parkindex.publish import geography, zone
from parkindex.publish.queries import number, statement
from parkindex.scoring import coherence, doubt, leave_out, moved, published
from parkindex.scoring.edition import Value

PARTS = moved.PARTS
TOPICS = (
    "simulation",
    "coherence",
    "without_indicators",
    "without_enterprises",
    "moves",
    "targets",
    "declared",
    "consequences",
    "zone",
)
# Enterprises listed per park: those whose absence moves its rank most.
ENTERPRISES_PER_PARK = 5
_DIGITS = 6

_CREATE = "create table if not exists {index}.beside (topic text primary key, document jsonb not null)"

_VALUES = """
select edition, park_code, indicator_code, value, numerator, denominator
from {index}.indicator_values_evaluated where edition in (:edition, :edition - 1)
"""
_CONTRIBUTED = """
select
    enterprise_id_uscc, park_code, indicator_code, min(subject) as subject,
    sum(case when side = 'numerator' then amount else 0 end) as numerator,
    sum(case when side = 'denominator' then amount else 0 end) as denominator
from {index}.contributions
where enterprise_id_uscc is not null
group by enterprise_id_uscc, park_code, indicator_code
"""
# What only a boundary or the sample brought in or took out: every contribution of enterprises that another boundary put
# into another park; the accounts of enterprises that stayed in a park and reported in one of the two years only; plots
# that were valid at one of the two year ends only.
_NOT_MATCHED = """
with stayed as (
    select park_code, enterprise_id_uscc
    from {index}.year_end_members
    where year in (:edition, :edition - 1)
    group by park_code, enterprise_id_uscc
    having count(distinct year) = 2
),
sampled as (
    select stayed.park_code, stayed.enterprise_id_uscc
    from stayed
    inner join {index}.member_accounts as accounts
        on
            accounts.park_code = stayed.park_code
            and accounts.enterprise_id_uscc = stayed.enterprise_id_uscc
            and accounts.year in (:edition, :edition - 1)
    group by stayed.park_code, stayed.enterprise_id_uscc
    having count(distinct accounts.year) = 1
),
rebounded as (
    select distinct enterprise_id_uscc
    from identity.placements
    where
        identity_run_id = :identity_run_id
        and started_by = 'boundary'
        and extract(year from valid_from) = :edition
),
plots as (
    select park_code, subject
    from {index}.contributions_evaluated
    where source_feed = 'park_plots'
    group by park_code, subject
    having count(distinct edition) = 1
),
contributed as (
    select edition, park_code, indicator_code, side, enterprise_id_uscc, subject, amount, source_feed
    from {index}.contributions_evaluated
    union all
    select
        shared.edition, shared.park_code, rules.indicator_code, 'denominator', shared.enterprise_id_uscc,
        shared.subject, shared.amount, shared.source_feed
    from {index}.shared_denominators as shared
    inner join {index}.indicator_rules as rules on rules.denominator_kind = shared.denominator_kind
)
select
    contributed.edition, contributed.park_code, contributed.indicator_code,
    sum(case when contributed.side = 'numerator' then contributed.amount else 0 end) as numerator,
    sum(case when contributed.side = 'denominator' then contributed.amount else 0 end) as denominator
from contributed
left join sampled
    on
        sampled.park_code = contributed.park_code
        and sampled.enterprise_id_uscc = contributed.enterprise_id_uscc
        and contributed.source_feed = 'enterprise_accounts'
left join rebounded on rebounded.enterprise_id_uscc = contributed.enterprise_id_uscc
left join plots
    on
        plots.park_code = contributed.park_code
        and plots.subject = contributed.subject
        and contributed.source_feed = 'park_plots'
where num_nonnulls(sampled.park_code, rebounded.enterprise_id_uscc, plots.park_code) > 0
group by contributed.edition, contributed.park_code, contributed.indicator_code
"""


def fill(connection: Connection, prefix: str, edition: int, document: Mapping[str, Any], identity_run_id: int) -> None:
    """Compute everything that stands beside a candidate and keep it in its ``park_index.beside``."""
    made = {
        **measure(connection, prefix, edition, document),
        "moves": moves(connection, prefix, edition, document, identity_run_id),
        "targets": _plain(zone.targets(connection, prefix, edition, document)),
        "declared": _plain(zone.declared(connection, prefix, edition, document)),
        "consequences": _plain(zone.consequences(connection, prefix, edition, document)),
        "zone": geography.survey(connection, prefix, edition),
    }
    connection.exec_driver_sql(statement(_CREATE, prefix))
    connection.exec_driver_sql(statement("delete from {index}.beside", prefix))
    connection.execute(
        text(statement("insert into {index}.beside values (:topic, cast(:document as jsonb))", prefix)),
        [{"topic": topic, "document": json.dumps(found, ensure_ascii=False)} for topic, found in made.items()],
    )


def read(connection: Connection, prefix: str) -> dict[str, Any]:
    """Return what stands beside a candidate, by topic, numbers as ``Decimal``; nothing for one built without it."""
    there: str | None = connection.execute(
        text("select to_regclass(:name)"), {"name": f'"{prefix}park_index".beside'}
    ).scalar_one()
    if there is None:
        return {}
    rows = connection.execute(text(statement("select topic, cast(document as text) from {index}.beside", prefix)))
    return {row[0]: json.loads(row[1], parse_float=Decimal) for row in rows}


def measure(
    connection: Connection,
    prefix: str,
    edition: int,
    document: Mapping[str, Any],
    *,
    draws: int | None = None,
    seed: int | None = None,
) -> dict[str, Any]:
    """Measure the doubt about a candidate: every topic but ``moves``, as plain values rounded to six digits.

    Args:
        connection: The warehouse.
        prefix: Prefix of the candidate's schemas.
        edition: Its edition.
        document: Its methodology.
        draws: Simulations; default: the methodology's.
        seed: Seed; default: the methodology's.
    """
    measured = _measured(connection, prefix, edition, document)[edition]
    values: list[Value] = [(one.park_code, one.indicator_code, one.value) for one in measured]
    sizes = {(one.park_code, one.indicator_code): one.denominator for one in measured if one.denominator is not None}
    found = {
        "simulation": asdict(doubt.measure(document, values, draws=draws, seed=seed)),
        "coherence": asdict(coherence.measure(document, values, sizes)),
        "without_indicators": [asdict(one) for one in leave_out.without_indicators(document, values)],
        "without_enterprises": _without_enterprises(connection, prefix, document, measured),
    }
    return {topic: _plain(one) for topic, one in found.items()}


def moves(
    connection: Connection, prefix: str, edition: int, document: Mapping[str, Any], identity_run_id: int
) -> dict[str, Any]:
    """Split what moved every park since the last edition, as plain values.

    The last edition's rules are those it was published by; when nothing of it is published, those of its files.
    """
    last = published.current(connection, edition - 1)
    if last is not None:
        rules, told = last.document, {row.park_code: (number(row.score), row.rank) for row in last.ranking}
    elif edition - 1 in methodology.editions():
        rules, told = methodology.load(edition - 1).document, None
    else:
        rules, told = dict(document), None
    measured = _measured(connection, prefix, edition, document)
    taken_out: dict[int, list[leave_out.Contribution]] = {edition: [], edition - 1: []}
    query = text(statement(_NOT_MATCHED, prefix))
    for row in connection.execute(query, {"edition": edition, "identity_run_id": identity_run_id}):
        taken_out[row.edition].append(
            leave_out.Contribution("", row.park_code, row.indicator_code, float(row.numerator), float(row.denominator))
        )
    before: list[Value] = [(one.park_code, one.indicator_code, one.value) for one in measured[edition - 1]]
    after: list[Value] = [(one.park_code, one.indicator_code, one.value) for one in measured[edition]]
    left_out = published.scorable(rules, before)[2]
    found = moved.split(
        moved.Past(
            rules,
            told,
            before,
            leave_out.values_without(document, measured[edition - 1], taken_out[edition - 1]),
        ),
        document,
        after,
        leave_out.values_without(document, measured[edition], taken_out[edition]),
    )
    return {
        "against": None if last is None else last.release_id,
        "left_out": left_out,
        "parks": _plain([asdict(one) for one in found]),
    }


def _measured(
    connection: Connection, prefix: str, edition: int, document: Mapping[str, Any]
) -> dict[int, list[leave_out.Measured]]:
    """Return values with their parts of the edition and the one before, every park × computed indicator of each."""
    computed = [row["code"] for row in document["indicators"] if row["state"] == "computed"]
    rows = {
        (row.edition, row.park_code, row.indicator_code): row
        for row in connection.execute(text(statement(_VALUES, prefix)), {"edition": edition})
    }
    found: dict[int, list[leave_out.Measured]] = {}
    for year in (edition - 1, edition):
        found[year] = []
        for park in document["parks"]:
            for code in computed:
                row = rows.get((year, park["park_code"], code))
                parts = (None, None, None) if row is None else (row.value, row.numerator, row.denominator)
                found[year].append(leave_out.Measured(park["park_code"], code, *map(number, parts)))
    return found


def _without_enterprises(
    connection: Connection, prefix: str, document: Mapping[str, Any], measured: Sequence[leave_out.Measured]
) -> dict[str, Any]:
    """Say which enterprises decide a rank, and the five that matter most to each park."""
    rows = connection.execute(text(statement(_CONTRIBUTED, prefix))).all()
    names = {row.enterprise_id_uscc: row.subject for row in rows}
    found = leave_out.without_enterprises(
        document,
        measured,
        [
            leave_out.Contribution(
                row.enterprise_id_uscc,
                row.park_code,
                row.indicator_code,
                float(row.numerator),
                float(row.denominator),
            )
            for row in rows
        ],
    )
    listed = []
    for column, park in enumerate(found.parks):
        before, total = found.before[column], found.totals_before[column]
        if np.isnan(total):
            continue
        rank, after = found.ranks[:, column], found.totals[:, column]
        changed = np.flatnonzero(after != total)  # NaN too: the park would have no total
        shift = np.where(np.isnan(rank), np.inf, np.abs(rank - before))[changed]
        change = np.where(np.isnan(after), np.inf, np.abs(after - total))[changed]
        # Enterprises stand in the order of their codes: equal ones keep it.
        first = changed[np.lexsort((changed, -change, -shift))][:ENTERPRISES_PER_PARK]
        listed += [
            {
                "park_code": park,
                "enterprise_id_uscc": found.enterprises[row],
                "subject": names[found.enterprises[row]],
                "rank": int(before),
                "rank_without": None if np.isnan(rank[row]) else int(rank[row]),
                "score_change": None if np.isnan(after[row]) else float(after[row] - total),
            }
            for row in first
        ]
    return {
        "enterprises": len(found.enterprises),
        "deciding": len(found.deciding),
        "not_updated": found.not_updated,
        "listed": listed,
    }


def _plain(value: Any) -> Any:
    """Return plain values for JSON: floats rounded, keys as texts, infinities and NaN nowhere."""
    if isinstance(value, float):
        return round(value, _DIGITS) + 0.0
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value
