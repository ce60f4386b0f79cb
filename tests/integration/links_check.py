"""Who is who and who is where, held against the truth of a sample world: called where a world was resolved anyway."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import Engine, text

from parkindex.text import keys

# Mentions of enterprises by a registered name, in whatever spelling; brands and near misses are not names of anybody.
_NAMED = {"registered", "spelling"}
_PLACED = """
select enterprise_id_uscc, coalesce(park_code, case when method = 'ambiguous' then 'ambiguous' end) as park
from identity.placements
where
    identity_run_id = :run and valid_from <= :day and (valid_to is null or valid_to > :day)
    and (park_code is not null or method = 'ambiguous')
"""
_ACTIVE = """
select distinct on (enterprise_id_uscc) enterprise_id_uscc, registered_date, ended_date
from {prefix}staging.stg_enterprise_registry__enterprises
order by enterprise_id_uscc, effective_date desc
"""


def check(engine: Engine, prefix: str, run: int, world: Path) -> dict[str, Any]:
    """Compare a run with ``truth_links.json``; return what was counted."""
    truth = json.loads((world / "truth_links.json").read_text("utf-8"))
    return {**_names(engine, run, truth), **_places(engine, prefix, run, truth), **_relations(engine, run, truth)}


def _names(engine: Engine, run: int, truth: dict[str, Any]) -> dict[str, Any]:
    printed = keys("name", pl.Series([row["name"] for row in truth["names"]])).to_list()
    expected: dict[str, tuple[str | None, str]] = {}
    for key, row in zip(printed, truth["names"], strict=True):
        assert expected.setdefault(key, (row["uscc"], row["kind"]))[0] == row["uscc"], key
    with engine.connect() as connection:
        links = {
            row.name_key: row
            for row in connection.execute(
                text(
                    "select name_key, enterprise_id_uscc, method, score, evidence from identity.enterprise_links"
                    " where identity_run_id = :run"
                ),
                {"run": run},
            )
        }
        queue = {
            row.subject: row
            for row in connection.execute(
                text(
                    "select subject, reason, candidates from identity.review_queue"
                    " where identity_run_id = :run and subject_kind = 'name'"
                ),
                {"run": run},
            )
        }
    # Precision 1: no link that the truth does not have.
    wrong = {key: (row.enterprise_id_uscc, expected[key]) for key, row in links.items() if key in expected}
    wrong = {key: pair for key, pair in wrong.items() if pair[0] != pair[1][0]}
    assert wrong == {}
    assert links.keys() <= expected.keys()
    # Recall: names of enterprises that were linked; whatever was not is on the list for a person.
    named = {key for key, (uscc, kind) in expected.items() if uscc and kind in _NAMED}
    seen = {key for key in named if key in links or key in queue}
    recall = len(named & links.keys()) / len(named)
    assert recall >= 0.97, recall
    assert len(seen) == len(named)
    strangers = {key for key, (uscc, _) in expected.items() if not uscc} & (links.keys() | queue.keys())
    assert strangers <= queue.keys()
    assert {row.method for row in links.values()} == {"exact_name", "normalised_name"}
    assert all(row.evidence and 0.9 < row.score <= 1 for row in links.values())
    # A near miss is on the list together with the enterprise whose name it nearly is.
    near = [queue[key] for key, (_, kind) in expected.items() if kind == "near_miss" and key in queue]
    assert near
    assert all(row.candidates for row in near)
    shared = [queue[key] for key, (_, kind) in expected.items() if kind == "shared" and key in queue]
    assert all(row.reason == "ambiguous_name" and len(row.candidates) == 2 for row in shared)
    return {"recall": recall, "linked": len(links), "queued": len(queue)}


def _places(engine: Engine, prefix: str, run: int, truth: dict[str, Any]) -> dict[str, Any]:
    counts: Counter[str] = Counter()
    with engine.connect() as connection:
        active = {row[0]: row for row in connection.exec_driver_sql(_ACTIVE.format(prefix=prefix))}
        for year, expected in truth["places"].items():
            day = f"{year}-12-31"
            found = {
                row.enterprise_id_uscc: row.park
                for row in connection.execute(text(_PLACED), {"run": run, "day": day})
                if str(active[row.enterprise_id_uscc][1]) <= day
                and (active[row.enterprise_id_uscc][2] is None or str(active[row.enterprise_id_uscc][2]) > day)
            }
            different = {
                uscc: (found.get(uscc), expected.get(uscc))
                for uscc in found.keys() | expected.keys()
                if found.get(uscc) != expected.get(uscc)
            }
            assert different == {}, year
            counts["ambiguous"] += sum(park == "ambiguous" for park in found.values())
        methods = connection.execute(
            text("select distinct method from identity.placements where identity_run_id = :run"), {"run": run}
        ).scalars()
        assert set(methods) == {
            *("registered_member", "point_in_plot", "street_range", "whole_town", "none", "ambiguous"),
        }
        findings = set(
            connection.execute(
                text("select distinct finding from identity.address_findings where identity_run_id = :run"),
                {"run": run},
            ).scalars()
        )
        assert findings >= {"former_district", "free_trade_zone", "no_district"}
    assert counts["ambiguous"] > 0
    return dict(counts)


def _relations(engine: Engine, run: int, truth: dict[str, Any]) -> dict[str, Any]:
    with engine.connect() as connection:
        found = [
            {"uscc": row[0], "relation": row[1], "other": row[2], "valid_from": str(row[3])}
            for row in connection.execute(
                text(
                    "select enterprise_id_uscc, relation, other_enterprise_id_uscc, valid_from from identity.relations"
                    " where identity_run_id = :run"
                ),
                {"run": run},
            )
        ]
    key = "uscc"
    assert sorted(found, key=lambda one: one[key]) == sorted(truth["relations"], key=lambda one: one[key])
    return {"relations": len(found)}
