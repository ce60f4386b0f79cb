"""Explain a published number: from rank to score to value to formula to the rows of the providers' files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Engine, text

from parkindex.errors import BadInputError
from parkindex.publish import candidates, contents, releases
from parkindex.publish.canonical import Row
from parkindex.publish.releases import Release

_RECORDS = """
select
    side, enterprise_id_uscc, subject, amount, source_feed, source_file, source_row, source_batch_id,
    count(*) over (partition by side) as of_side
from "{schema}".contributions
where park_code = :park and indicator_code = :indicator
order by
    side collate "C" desc, abs(amount) desc nulls last, source_feed collate "C", source_file collate "C", source_row,
    enterprise_id_uscc collate "C", subject collate "C", amount
"""


@dataclass(frozen=True)
class Explanation:
    """Why a park has its rank, or an indicator its value.

    Attributes:
        release: The release explained.
        ranking: The park's row of the ranking.
        areas: Its rows of the area scores, in the order of codes.
        indicators: Its rows of the indicator scores with name, formula and framework weight, the largest contribution
            first; one row when an indicator was asked for.
        records: Rows of the providers' files behind the indicator; empty without one.
        records_total: How many there are, by side.
        note: Why there are no records, when they cannot be shown.
    """

    release: Release
    ranking: Row
    areas: list[Row]
    indicators: list[Row]
    records: list[Row]
    records_total: Mapping[str, int]
    note: str | None

    def as_dict(self) -> dict[str, Any]:
        """Return the explanation as ``--json`` prints it."""
        return {
            "release_id": self.release.release_id,
            "edition": self.release.edition,
            "content_sha256": self.release.content_sha256,
            "ranking": dict(self.ranking),
            "areas": [dict(row) for row in self.areas],
            "indicators": [dict(row) for row in self.indicators],
            "records": [dict(row) for row in self.records],
            "records_total": dict(self.records_total),
            "note": self.note,
        }

    def as_text(self, language: str) -> str:
        """Return the explanation for people, in ``zh`` or ``en``."""
        say = _CHINESE if language == "zh" else _ENGLISH
        park, row = self.ranking[f"park_name_{language}"], self.ranking
        lines = [
            say["head"].format(
                release=self.release.release_id,
                park=f"{row['park_code']} {park}",
                rank=_shown(row["rank"]),
                score=_shown(row["score"]),
                low=_shown(row["rank_low"]),
                high=_shown(row["rank_high"]),
            )
        ]
        if row["rank"] is not None:
            lines.append(say["sum"].format(parts=" + ".join(self._parts()), score=_shown(row["score"])))
        # Of many indicators those that this version does not compute are only named.
        named = [one for one in self.indicators if len(self.indicators) > 1 and one["obs_status"] == "not_computed"]
        for one in self.indicators:
            if one not in named:
                lines += ["", *self._indicator(one, say, language)]
        if named:
            lines += ["", f"{say['not_computed']}: {', '.join(one['indicator_code'] for one in named)}"]
        if self.records:
            lines += ["", say["records"].format(shown=len(self.records), total=sum(self.records_total.values()))]
            lines += [f"  {self._record(one)}" for one in self.records]
        if self.note:
            lines += ["", self.note]
        return "\n".join(lines)

    def _parts(self) -> list[str]:
        return [
            f"{one['area_code']} {_shown(one['score'])} × {_shown(one['weight'])} %"
            for one in self.areas
            if one["weight"] is not None
        ]

    def _indicator(self, one: Row, say: Mapping[str, str], language: str) -> list[str]:
        head = f"{one['indicator_code']} {one[f'name_{language}']}"
        if one["value"] is None:
            return [head, f"  {one['obs_status']}: {one['reason'] or '–'}", f"  {say['formula']}: {one['formula']}"]
        return [
            head,
            f"  {say['formula']}: {one['formula']}",
            f"  {say['value']}: {_shown(one['value'])} {one['unit']}"
            f" = {_shown(one['numerator'])} / {_shown(one['denominator'])} ({one['data_year']})",
            f"  {say['score']}: {_shown(one['score'])} ({say['bounds']} {_shown(one['bound_low'])}"
            f" … {_shown(one['bound_high'])}), {say['weight']} {_shown(one['weight'])} %,"
            f" {say['points']} {_shown(one['contribution'])}",
        ]

    @staticmethod
    def _record(one: Row) -> str:
        who = one["subject"] or one["enterprise_id_uscc"] or "–"
        return (
            f"{one['side']:11} {_shown(one['amount']):>18}  {who}  "
            f"[{one['source_feed']}: {one['source_file']}, row {one['source_row']}]"
        )


_ENGLISH = {
    "head": "Release {release}, {park}: rank {rank} (90 % interval {low} to {high}), score {score}",
    "sum": "score {score} = {parts}",
    "formula": "formula",
    "value": "value",
    "score": "score",
    "bounds": "bounds",
    "weight": "effective weight",
    "points": "points",
    "not_computed": "not computed yet, counts nowhere",
    "records": "{shown} of {total} records behind it:",
}
_CHINESE = {
    "head": "发布 {release},{park}:第 {rank} 名(90 % 区间 {low} 至 {high}),得分 {score}",
    "sum": "得分 {score} = {parts}",
    "formula": "公式",
    "value": "数值",
    "score": "得分",
    "bounds": "上下限",
    "weight": "有效权重",
    "points": "贡献分",
    "not_computed": "尚未计算,不计入",
    "records": "依据记录 {total} 条,显示 {shown} 条:",
}


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, Decimal):
        shown = f"{value:.4f}".rstrip("0").rstrip(".")
        return "0" if shown == "-0" else shown
    return str(value)


def explain(engine: Engine, edition: int, park: str, indicator: str | None = None, limit: int = 20) -> Explanation:
    """Explain the current release of an edition.

    Args:
        engine: The warehouse.
        edition: Evaluation year.
        park: Code (any case) or name, Chinese or English.
        indicator: Code; None explains the rank.
        limit: Records shown.

    Raises:
        BadInputError: The edition has no release, or park or indicator are not in it.
    """
    with engine.connect() as connection:
        release = releases.find(connection, str(edition))
        rows = contents.of_release(connection, release.release_id)
        ranking = _park(rows["park_ranking"], park)
        code = ranking["park_code"]
        framework = {row["indicator_code"]: row for row in rows["indicators"]}
        found = [
            {**row, **{name: framework[row["indicator_code"]][name] for name in _FROM_FRAMEWORK}}
            for row in rows["indicator_scores"]
            if row["park_code"] == code
        ]
        records: list[Row] = []
        totals: dict[str, int] = {}
        note = None
        if indicator is not None:
            found = [_indicator(found, indicator)]
            records, totals, note = _records(connection, release, code, found[0]["indicator_code"], limit)
    return Explanation(
        release,
        ranking,
        [row for row in rows["area_scores"] if row["park_code"] == code],
        sorted(found, key=lambda row: (-(row["contribution"] or 0), row["indicator_code"])),
        records,
        totals,
        note,
    )


_FROM_FRAMEWORK = ("name_zh", "name_en", "formula", "clause", "area_code")


def _park(rows: list[Row], park: str) -> Row:
    for row in rows:
        if park.upper() == row["park_code"] or park in {row["park_name_zh"], row["park_name_en"]}:
            return row
    raise BadInputError(
        f"There is no park {park!r} in this release.",
        where="publish.park_ranking",
        why=f"known: {', '.join(row['park_code'] for row in rows)}",
        next_step="give the code or the exact name",
    )


def _indicator(rows: list[dict[str, Any]], indicator: str) -> dict[str, Any]:
    for row in rows:
        if row["indicator_code"] == indicator.upper():
            return row
    raise BadInputError(
        f"There is no indicator {indicator!r} in this release.",
        where="publish.indicator_scores",
        why=f"known: {', '.join(row['indicator_code'] for row in rows)}",
        next_step="give the code of an indicator",
    )


def _records(
    connection: Connection, release: Release, park: str, indicator: str, limit: int
) -> tuple[list[Row], dict[str, int], str | None]:
    candidate = candidates.find(connection, release.candidate_id)
    if not candidates.has_schemas(connection, candidate):
        return [], {}, f"The tables of candidate {candidate.candidate_id}, which lead to the records, were dropped."
    query = text(_RECORDS.format(schema=f"{candidate.schema_prefix}park_index"))
    found = [dict(row) for row in connection.execute(query, {"park": park, "indicator": indicator}).mappings()]
    totals = {row["side"]: row["of_side"] for row in found}
    return [{name: value for name, value in row.items() if name != "of_side"} for row in found[:limit]], totals, None
