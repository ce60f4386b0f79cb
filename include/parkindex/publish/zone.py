"""What follows from a candidate beside its numbers: targets of the zone, industries that parks declare, proposals.

Read from the candidate's tables and, for proposals, from what is published of earlier editions and what people decided.
Nothing here is decided, and none of it is part of the content (ADR 0009).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, text

from parkindex.publish import proposals
from parkindex.publish.queries import number, statement
from parkindex.scoring.consequences import Proposal
from parkindex.scoring.targets import progress

# Targets that are sums of an indicator over the parks (dbt_project/models/park_index/zone_targets.sql).
_SUMMED = {"T1": "A5", "T4": "B10", "T6": "B5"}
_LEADING = ("IC", "BIO", "AI")
_RECOGNISED = ("科技型中小企业", "高新技术企业")
_MAIN = "主导"
# The other readings of targets that the policy text leaves open; the declared one is the target's own value. A reading
# that a feed does not tell is null.
_READINGS = """
select 'T1' as target_code, 'list_entries' as reading, count(*)::numeric as value
from (
    select distinct enterprise_id_uscc, recognition_kind
    from {index}.valid_recognitions
    where edition = :edition and counted_in = 'A5'
) as entries
union all
select
    'T3', 'leading_revenue',
    case when count(numerator) = count(*) then count(*) filter (where numerator >= 1000000000000) end
from {index}.indicator_values
where indicator_code = 'A2'
union all
select 'T4', 'core_codes', coalesce(sum(contributed.amount), 0)
from {index}.contributions as contributed
inner join {index}.year_end_members as members
    on
        members.park_code = contributed.park_code
        and members.enterprise_id_uscc = contributed.enterprise_id_uscc
        and members.year = :edition
where
    contributed.indicator_code = 'B10'
    and contributed.side = 'numerator'
    and members.industry_code_gbt4754_2017 = any(:core)
union all
select 'T5', 'high_quality', case when count(gap) = 0 then sum(amount / :factor_high) end
from {index}.self_reported_items
where edition = :edition and item_code = 'B8.1'
union all
select
    'T5', 'with_cultivated',
    case
        when count(gap) = 0
            then sum(amount / case item_code when 'B8.1' then :factor_high else :factor_cultivated end)
    end
from {index}.self_reported_items
where edition = :edition and item_code in ('B8.1', 'B8.2')
union all
select 'T6', 'all_registrations', count(*)::numeric / :days
from {marts}.enterprises
where registered_park_code is not null and extract(year from registered_date) = :edition
union all
select 'T6', 'recognised', count(*)::numeric / :days
from {marts}.enterprises as enterprises
where
    registered_park_code is not null
    and extract(year from registered_date) = :edition
    and exists (
        select from {index}.valid_recognitions as recognised
        where
            recognised.edition = :edition
            and recognised.enterprise_id_uscc = enterprises.enterprise_id_uscc
            and recognised.recognition_kind = any(:recognised)
    )
union all
select 'T7', 'main_type', max(industries_count)
from (
    select park_code, count(distinct industry_name) as industries_count
    from {marts}.park_declared_industries
    where year = :edition and declared_type = :main
    group by park_code
) as declared
"""
_DECLARED = """
select park_code, industry_name, declared_type, count(distinct industry_code) as classes
from {marts}.park_declared_industries
where year = :edition
group by park_code, industry_name, declared_type
order by park_code collate "C", industry_name collate "C", declared_type collate "C"
"""


def targets(connection: Connection, prefix: str, edition: int, document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Say how far the zone is from each target; nothing where the methodology sets no year.

    Returns:
        :class:`parkindex.scoring.targets.Progress` of each target as plain values, with ``readings``: what the target
        is by every other reading of a definition that the policy text leaves open.
    """
    rules = document["zone_targets"]
    if "due" not in rules:
        return []
    values = {
        row.target_code: number(row.value)
        for row in connection.execute(text(statement("select target_code, value from {index}.zone_targets", prefix)))
    }
    factors = {row["item_code"]: float(row["factor"]) for row in document["self_report_items"]}
    parameters = {
        "factor_high": factors.get("B8.1", 1.0),
        "factor_cultivated": factors.get("B8.2", 1.0),
        "edition": edition,
        "days": 366 if edition % 4 == 0 and (edition % 100 != 0 or edition % 400 == 0) else 365,
        "core": sorted(
            {
                row["industry_code"]
                for row in document["industry_sets"]
                if row["set_code"] in _LEADING and row["membership"] == "core"
            }
        ),
        "recognised": list(_RECOGNISED),
        "main": _MAIN,
    }
    readings: dict[str, dict[str, float]] = {}
    for row in connection.execute(text(statement(_READINGS, prefix)), parameters):
        # A target that was left without a value for want of data has no other reading; T5 is told by reports only.
        if row.value is not None and (row.target_code == "T5" or values.get(row.target_code) is not None):
            readings.setdefault(row.target_code, {})[row.reading] = float(row.value)
    ends = {}
    for code, found in readings.items():
        value = values.get(code)
        known = [*found.values(), *([] if value is None else [value])]
        ends[code] = (min(known), max(known))
    before = _before(connection, prefix, edition)
    return [
        {**asdict(one), "readings": readings.get(one.target_code, {})}
        for one in progress(rules, edition, values, before, ends)
    ]


def _before(connection: Connection, prefix: str, edition: int) -> dict[str, float | None]:
    """Return the targets that are sums over the parks, in the edition before; None where a park has no value."""
    query = statement(
        "select indicator_code, case when count(value) = count(*) then sum(value) end as value "
        "from {index}.indicator_values_evaluated where edition = :edition group by indicator_code",
        prefix,
    )
    known = {row.indicator_code: number(row.value) for row in connection.execute(text(query), {"edition": edition - 1})}
    return {target: known.get(code) for target, code in _SUMMED.items()}


def declared(connection: Connection, prefix: str, edition: int, document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the leading industries that each park declares, and whether they are more than the policy text allows.

    Returns:
        ``limit`` (of target T7; None without one) and ``parks``: park code, ``industries`` (name, type, number of
        GB/T 4754 classes), ``count`` of distinct industries, ``too_many``.
    """
    limit = next((int(row["low"]) for row in document["zone_targets"]["rows"] if row["code"] == "T7"), None)
    found: dict[str, list[dict[str, Any]]] = {park["park_code"]: [] for park in document["parks"]}
    for row in connection.execute(text(statement(_DECLARED, prefix)), {"edition": edition}):
        if row.park_code in found:
            found[row.park_code].append({"name": row.industry_name, "type": row.declared_type, "classes": row.classes})
    parks = []
    for park_code, industries in found.items():
        count = len({one["name"] for one in industries})
        too_many = limit is not None and count > limit
        parks.append({"park_code": park_code, "industries": industries, "count": count, "too_many": too_many})
    return {"limit": limit, "parks": parks}


def consequences(connection: Connection, prefix: str, edition: int, document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the methodology's rule proposes on the candidate's ranking, and what people decided so far.

    Returns:
        ``rule`` in words, ``parks`` (:class:`parkindex.scoring.consequences.Proposal` as plain values), ``red_lines``
        of the edition and ``decisions`` until this edition; nothing for a methodology without ``consequences``.
    """
    rules = document.get("consequences")
    if rules is None:
        return {}
    ranking = connection.execute(
        text(statement("select park_code, rank, score, rank_low, rank_high from {index}.park_ranking", prefix))
    ).all()
    now = proposals.assessed(edition, prefix.rstrip("_"), document, sorted(ranking, key=lambda row: row.park_code))
    found: list[Proposal] = proposals.on(connection, edition, rules, now)
    return {
        "rule": found[0].rule if found else None,
        "parks": [asdict(one) for one in found],
        "red_lines": [event for event in rules["red_lines"] if event["edition"] == edition],
        "decisions": proposals.decided_until(connection, edition),
    }
