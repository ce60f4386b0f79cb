"""The views that BI and evaluators read: stable names, typed columns, comments, every release and the current ones.

The views stand over the frozen rows in schema ``publish``, which no build touches. They are replaced in place, never
dropped, so a reader's own views over them stay. (The views over marts follow the marts: ``transform.promote``.)
"""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import sql

from parkindex.publish import canonical


@dataclass(frozen=True)
class View:
    """A view over one frozen table, served whole and as ``<name>_current``.

    Attributes:
        name: Name of the view and of the table.
        comment: What a row is.
        columns: Columns in order, with their comments. Columns may be added at the end, never moved or renamed.
    """

    name: str
    comment: str
    columns: dict[str, str]


_RELEASE = {"edition": "Evaluation year.", "release_id": "Release the row belongs to."}
_PARK = {"park_code": "Code of the park, P01 to P22."}
_OBS_STATUS = "normal, or why there is no or only a qualified value (no_data, not_computed, not_scored, …)."
_EFFECTIVE_WEIGHT = "Effective weight in the total, percent; null where it does not count."

VIEWS: tuple[View, ...] = (
    View(
        "park_ranking",
        "The ranking. One row per release and park.",
        {
            **_RELEASE,
            **_PARK,
            "park_name_zh": "Name in Chinese.",
            "park_name_en": "Name in English.",
            "rank": "Place by the rounded score, 1 is best; equal scores share a place; null when not ranked.",
            "is_tied": "Whether another park has the same place.",
            "score": "Total score, 0 to 100, unrounded.",
            "tier": "Tier of the place.",
            "status": "Status by the edition's rule; not_assessed where no rule was adopted.",
            "rank_low": "Best end of the 90-percent rank interval.",
            "rank_high": "Worst end of the 90-percent rank interval.",
            "tier_share": "Share of the simulations in which the park stays in its tier, 0 to 1.",
            "rank_previous": "Place of the year before, computed by that year's methodology from the same deliveries.",
            "rank_change": "Places gained since the year before; negative when lost.",
            "obs_status": _OBS_STATUS,
        },
    ),
    View(
        "area_scores",
        "Scores of the assessment areas. One row per release, park and area.",
        {
            **_RELEASE,
            **_PARK,
            "area_code": "A to D.",
            "area_name_zh": "Name in Chinese.",
            "area_name_en": "Name in English.",
            "score": "Score of the area, 0 to 100, unrounded.",
            "weight": _EFFECTIVE_WEIGHT,
            "weight_share": "Share of the area's weight that has a score, 0 to 1.",
            "rank": "Place by the area's score.",
            "obs_status": _OBS_STATUS,
        },
    ),
    View(
        "indicator_scores",
        "Values and scores of the indicators. One row per release, park and indicator: a value, or a reason why not.",
        {
            **_RELEASE,
            **_PARK,
            "indicator_code": "For example B2.",
            "value": "Value in the indicator's unit; null when there is none.",
            "unit": "Unit of the value.",
            "numerator": "Numerator before scaling.",
            "denominator": "Denominator before scaling; null for sums and counts.",
            "data_year": "Year the data describe.",
            "obs_status": _OBS_STATUS,
            "reason": "Why there is no value.",
            "bound_low": "Value that scores 0 (100 where less is better).",
            "bound_high": "Value that scores 100 (0 where less is better).",
            "score": "Score, 0 to 100, unrounded.",
            "weight": _EFFECTIVE_WEIGHT,
            "contribution": "Points of the total score.",
            "rank": "Place by the indicator's score.",
            "evidence_count": "Records the value rests on.",
            "conf_status": "F free, C confidential, D hidden so that C stays hidden; null without disclosure control.",
            "commitment": "Keyed hash of what a hidden cell would say; null where nothing is hidden.",
        },
    ),
    View(
        "indicators",
        "The framework as published. One row per release and indicator.",
        {
            **_RELEASE,
            "indicator_code": "For example B2.",
            "area_code": "A to D.",
            "area_name_zh": "Name of the area in Chinese.",
            "area_name_en": "Name of the area in English.",
            "name_zh": "Name in Chinese.",
            "name_en": "Name in English.",
            "unit": "Unit of the value.",
            "direction": "1: more is better, -1: less is better.",
            "formula": "Formula in words.",
            "clause": "Clause of the policy text the topic comes from.",
            "weight": "Percent of the whole framework.",
            "weight_mark": "documented or assumed.",
            "definition_mark": "documented or assumed.",
            "bound_low": "Value that scores 0 (100 where less is better).",
            "bound_high": "Value that scores 100 (0 where less is better).",
            "bound_mark": "documented or assumed.",
            "state": "computed, or not_computed in this version.",
        },
    ),
    View(
        "parks",
        "The parks as published. One row per release and park.",
        {
            **_RELEASE,
            **_PARK,
            "name_zh": "Name in Chinese.",
            "name_en": "Name in English.",
            "districts": "Districts the park lies in.",
            "peer_group": "Group of parks it is compared with.",
            "mark": "documented or assumed.",
            "source": "Where name and park status come from.",
        },
    ),
    View(
        "zone_targets",
        "The policy text's targets for the zone. One row per release and target.",
        {
            **_RELEASE,
            "target_code": "T1 to T7.",
            "value": "Value reached; null when no feed carries what it needs.",
            "goal": "Goal in words.",
            "basis": "How the value is computed.",
            "met": "Whether the goal is reached; null when there is no value.",
            "name_zh": "Name in Chinese.",
            "name_en": "Name in English.",
            "unit": "Unit of the value.",
            "obs_status": _OBS_STATUS,
            "reason": "Why there is no value.",
        },
    ),
    View(
        "park_status",
        "Status under the notice and delisting rule. One row per release and park.",
        {
            **_RELEASE,
            **_PARK,
            "status": "Status by the edition's rule; not_assessed where no rule was adopted.",
            "strikes": "Failed assessments counted by the rule.",
            "rule": "The rule applied.",
            "evidence": "What the status rests on.",
        },
    ),
    View(
        "data_quality",
        "Quality of the deliveries behind a release. One row per release and feed.",
        {
            **_RELEASE,
            "feed": "Feed.",
            "batches": "Deliveries known.",
            "rows_landed": "Records in them.",
            "rows_rejected": "Records set aside.",
            "reject_share": "Share of the records set aside, 0 to 1.",
            "late_days": "Days the newest delivery is older than the contract allows; negative: not due yet.",
            "rows_accepted": "Records accepted.",
            "rows_duplicate": "Exact repetitions inside a file.",
        },
    ),
    View(
        "park_quality",
        "Quality of the deliveries behind a release by park. One row per release, feed and park.",
        {
            **_RELEASE,
            "feed": "Feed.",
            "park_code": "Park that the rows name, P01 to P22; none where they name none.",
            "rows_accepted": "Records accepted.",
            "rows_rejected": "Records set aside.",
            "reject_share": "Share of the records set aside, 0 to 1.",
        },
    ),
    View(
        "feed_contracts",
        "Contracts in force when a release was made. One row per release and feed.",
        {
            **_RELEASE,
            "feed": "Feed.",
            "version": "Version of the contract.",
            "contract_sha256": "Hash of its bytes.",
            "document": "The contract.",
        },
    ),
    View(
        "revisions",
        "What a release changed. One row per release and cell that differs from the edition's release before.",
        {
            **_RELEASE,
            "table_name": "Table of the cell.",
            "row_key": "Key of the row, for example P03/B2.",
            "column_name": "Column.",
            "old_value": "Before, as text.",
            "new_value": "Now, as text.",
            "previous_release_id": "The release before.",
        },
    ),
)

_RELEASES = View(
    "releases",
    "What was published. One row per release.",
    {
        "release_id": "For example 2025.1.",
        "edition": "Evaluation year.",
        "is_current": "Whether it is the current release of its edition.",
        "sequence": "Place in the hash chain, from 1.",
        "content_sha256": "Hash of the published rows.",
        "annex_sha256": "Hash of quality figures, contracts and revisions.",
        "previous_sha256": "Chain hash of the release before; 64 zeros for the first.",
        "chain_sha256": "Hash that binds the release to all before it.",
        "methodology_sha256": "Hash of the methodology.",
        "inputs_sha256": "Hash of the deliveries used.",
        "code_sha256": "Hash of the code.",
        "as_known": "Deliveries received later do not count (UTC).",
        "published_at": "When (UTC).",
        "reason": "First release of the edition, or why it was revised.",
        "approved_by": "Approvers and their roles; demo marks a stand-in of the sample data.",
        "withdrawn_at": "When it was withdrawn (UTC); null while it stands.",
        "withdrawn_reason": "Why it was withdrawn.",
        "grounds_sha256": "Hash of the decisions, verdict and candidate's record the release rests on.",
    },
)

_RELEASES_QUERY = """
create or replace view serve.releases as
select
    releases.release_id, releases.edition,
    (pointer.release_id is not null and withdrawals.release_id is null) as is_current,
    releases.sequence, releases.content_sha256, releases.annex_sha256, releases.previous_sha256,
    releases.chain_sha256, releases.methodology_sha256, releases.inputs_sha256, releases.code_sha256,
    releases.as_known, releases.published_at, releases.reason, releases.approved_by,
    withdrawals.withdrawn_at, withdrawals.reason as withdrawn_reason, releases.grounds_sha256
from publish.releases
left join publish.current as pointer on releases.release_id = pointer.release_id
left join publish.withdrawals on releases.release_id = withdrawals.release_id
"""

_RELEASES_CURRENT_QUERY = f"""
create or replace view serve.releases_current as
select {", ".join(_RELEASES.columns)} from serve.releases where is_current
"""


def statements() -> list[str]:
    """Return DDL that can run again at any time.

    Replacing a view waits for its readers and lets new ones wait, so it is done only when a definition has changed or
    a view is missing: the comment on the schema carries the hash of the definitions.
    """
    ddl: list[str] = [_RELEASES_QUERY, _RELEASES_CURRENT_QUERY]
    ddl += _comments(_RELEASES, _RELEASES.name) + _comments(_RELEASES, f"{_RELEASES.name}_current")
    for view in VIEWS:
        columns = ", ".join(f"rows.{name}" for name in view.columns)
        whole = f"create or replace view serve.{view.name} as select {columns} from publish.{view.name} as rows"
        current = (
            f"create or replace view serve.{view.name}_current as select {columns} from publish.{view.name} as rows "
            "inner join serve.releases on releases.release_id = rows.release_id and releases.is_current"
        )
        ddl += [whole, current, *_comments(view, view.name), *_comments(view, f"{view.name}_current")]
    names = [name for view in (_RELEASES, *VIEWS) for name in (view.name, f"{view.name}_current")]
    version = canonical.sha256("\n".join(ddl).encode())[:16]
    comment = _literal(f"What BI tools and evaluators read: views only, every release. Definitions {version}.")
    ddl.append(f"comment on schema serve is {comment}")
    executes = "\n".join(f"execute {_literal(statement)};" for statement in ddl)
    known = ", ".join(_literal(name) for name in names)
    return [
        f"""
do $serve$ begin
    if obj_description('serve'::regnamespace, 'pg_namespace') is distinct from {comment}
        or (select count(*) from pg_views where schemaname = 'serve' and viewname in ({known})) < {len(names)}
    then
        {executes}
    end if;
end $serve$
"""
    ]


def _comments(view: View, name: str) -> list[str]:
    note = "" if name == view.name else " Only the current release of each edition."
    return [
        f"comment on view serve.{name} is {_literal(view.comment + note)}",
        *(f"comment on column serve.{name}.{column} is {_literal(text)}" for column, text in view.columns.items()),
    ]


def _literal(value: str) -> str:
    return sql.Literal(value).as_string(None)
