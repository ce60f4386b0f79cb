"""What stands beside a real candidate, held against its tables: called where a candidate was built anyway."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from parkindex.publish import doubts
from parkindex.scoring.edition import score

_REBUILT = """
select
    values_now.park_code, values_now.indicator_code,
    values_now.numerator - coalesce(gone.numerator, 0) as numerator,
    values_now.denominator - coalesce(gone.denominator, 0) as denominator,
    case
        when values_now.value is null then null
        when rules.denominator_kind = 'none' then (values_now.numerator - coalesce(gone.numerator, 0)) * rules.scale
        when values_now.denominator - coalesce(gone.denominator, 0) = 0 then null
        else least(
            (values_now.numerator - coalesce(gone.numerator, 0)) * rules.scale
            / (values_now.denominator - coalesce(gone.denominator, 0)),
            rules.highest_value
        )
    end as value
from "{schema}".indicator_values as values_now
inner join "{schema}".indicator_rules as rules on rules.indicator_code = values_now.indicator_code
left join (
    select
        park_code, indicator_code,
        sum(case when side = 'numerator' then amount else 0 end) as numerator,
        sum(case when side = 'denominator' then amount else 0 end) as denominator
    from "{schema}".contributions
    where enterprise_id_uscc = :enterprise
    group by park_code, indicator_code
) as gone
    on gone.park_code = values_now.park_code and gone.indicator_code = values_now.indicator_code
"""
_LOOKED_AT = 12


def check(engine: Engine, prefix: str, edition: int, document: dict[str, Any], identity_run_id: int) -> None:
    """Fill what stands beside a candidate; every part of a change adds up, ranks without an enterprise are rebuilt."""
    with engine.begin() as connection:
        doubts.fill(connection, prefix, edition, document, identity_run_id)
        beside = doubts.read(connection, prefix)
        assert set(beside) == set(doubts.TOPICS)
        assert len(beside["simulation"]["parks"]) == 22
        talent = next(one for one in beside["targets"] if one["target_code"] == "T4")
        assert 0 < talent["value_low"] < talent["value"] == talent["value_high"]
        for one in beside["targets"]:
            ends = (one["value_low"], one["value"], one["value_high"])
            if None not in ends:
                assert ends[0] <= ends[1] <= ends[2], one
                assert one["per_year"] in (one["per_year_low"], one["per_year_high"]) or one["readings"], one
        readings = {one["target_code"]: set(one["readings"]) for one in beside["targets"]}
        assert readings["T1"] == {"list_entries"} and readings["T6"] == {"all_registrations", "recognised"}
        assert readings["T5"] == {"high_quality", "with_cultivated"} and readings["T2"] == set()
        _check_follows(beside)
        assert talent["gained"] == pytest.approx(talent["value"] - talent["value_before"])
        assert beside["coherence"]["largest_gap"] < 1e-9
        split = [one for one in beside["moves"]["parks"] if one["rank_parts"] is not None]
        assert len(split) == 22
        for one in split:
            assert sum(one["rank_parts"].values()) == one["rank_change"]
            points = one["score_after"] - one["score_before"]
            assert float(sum(one["score_parts"].values())) == pytest.approx(float(points), abs=1e-5)
        assert any(one["rank_parts"]["own"] for one in split)
        assert beside["without_enterprises"]["not_updated"] == []
        _check_left_out(connection, prefix, document, beside["without_enterprises"])


def _check_follows(beside: dict[str, Any]) -> None:
    """Every park declares what it declares, and the last of each peer group is proposed for notice by the rule."""
    declared = beside["declared"]
    assert declared["limit"] == 3 and len(declared["parks"]) == 22
    assert all(one["too_many"] == (one["count"] > 3) for one in declared["parks"])
    assert any(one["industries"] for one in declared["parks"])
    found = beside["consequences"]
    assert found["red_lines"] == [] and found["decisions"] == [] and len(found["parks"]) == 22
    failing = [one for one in found["parks"] if one["failing"]]
    assert {one["proposed"] for one in failing} == {"notice"} and len(failing) >= 3
    assert len([one for one in found["parks"] if one["proposed"] == "commended"]) == 3


def _check_left_out(connection: Connection, prefix: str, document: dict[str, Any], found: dict[str, Any]) -> None:
    """The rank without an enterprise is that of values made again without its records, by SQL."""
    query = text(_REBUILT.format(schema=f"{prefix}park_index"))
    assert found["deciding"] > 0
    for one in found["listed"][:: max(1, len(found["listed"]) // _LOOKED_AT)]:
        rows = connection.execute(query, {"enterprise": one["enterprise_id_uscc"]}).all()
        again = score(document, [(row.park_code, row.indicator_code, row.value) for row in rows])
        rank = {park.park_code: park.rank for park in again.parks}
        assert rank[one["park_code"]] == one["rank_without"], one
