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
    View(
        "status_changes",
        "What a release changed for parks. One row per release, park and consequence that differs from the one before.",
        {
            **_RELEASE,
            **_PARK,
            "what": "status, proposal (of the rule), tier or pass.",
            "old_value": "Before.",
            "new_value": "Now.",
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
        "revision_type": "R1 better source data, R2 routine, R3 method, C correction; null for a first release.",
        "supersedes_release_id": "Release that it took the place of; null for a first release.",
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
    withdrawals.withdrawn_at, withdrawals.reason as withdrawn_reason, releases.grounds_sha256,
    releases.revision_type, releases.supersedes_release_id
from publish.releases
left join publish.current as pointer on releases.release_id = pointer.release_id
left join publish.withdrawals on releases.release_id = withdrawals.release_id
"""

_RELEASES_CURRENT_QUERY = f"""
create or replace view serve.releases_current as
select {", ".join(_RELEASES.columns)} from serve.releases where is_current
"""


@dataclass(frozen=True)
class Log:
    """A public log about releases: a view of its own query, with no ``_current`` beside it."""

    name: str
    comment: str
    columns: dict[str, str]
    query: str


LOGS: tuple[Log, ...] = (
    Log(
        "corrections",
        "Every release that took the place of another. One row per revision.",
        {
            "release_id": "The newer release.",
            "edition": "Evaluation year.",
            "supersedes_release_id": "The release it took the place of.",
            "revision_type": "R1 better source data, R2 routine, R3 method, C correction of an error.",
            "reason": "Why, with its type.",
            "published_at": "When (UTC).",
            "cells_changed": "Cells that differ.",
            "parks_changed": "Parks with a cell that differs.",
            "status_changes": "Consequences for parks that differ: status, proposal, tier, pass.",
            "did_a_status_change": "Whether any park's status, proposal, tier or passing changed.",
            "number_in_edition": "Which revision of the edition it is, from 1.",
            "number_of_type": "Which revision of its type it is over all editions, from 1.",
        },
        """
        select
            releases.release_id, releases.edition, releases.supersedes_release_id, releases.revision_type,
            releases.reason, releases.published_at,
            (select count(*) from publish.revisions where revisions.release_id = releases.release_id) as cells_changed,
            (
                select count(distinct split_part(row_key, '/', 1)) from publish.revisions
                where revisions.release_id = releases.release_id and revisions.row_key ~ '^P[0-9]'
            ) as parks_changed,
            (
                select count(*) from publish.status_changes where status_changes.release_id = releases.release_id
            ) as status_changes,
            exists (
                select from publish.status_changes where status_changes.release_id = releases.release_id
            ) as did_a_status_change,
            row_number() over (partition by releases.edition order by releases.sequence) as number_in_edition,
            row_number() over (partition by releases.revision_type order by releases.sequence) as number_of_type
        from publish.releases
        where releases.supersedes_release_id is not null
        """,
    ),
    Log(
        "release_calendar",
        "Dates of an edition. One row per edition: the entry that counts.",
        {
            "edition": "Evaluation year.",
            "embargo_until": "Nothing is published before (UTC).",
            "preview_from": "Parks are shown their own figures from then on (UTC).",
            "preview_to": "Until then.",
            "objections_from": "Objections are taken from then on (UTC).",
            "objections_to": "Until then.",
            "set_by": "Who set the dates.",
            "role": "In which role.",
            "reason": "Why.",
            "set_at": "When (UTC).",
        },
        """
        select distinct on (edition)
            edition, embargo_until, preview_from, preview_to, objections_from, objections_to, set_by, role, reason,
            set_at
        from publish.release_calendar
        order by edition, entry_id desc
        """,
    ),
    Log(
        "objections",
        "The public register of objections to what is published. One row per objection.",
        {
            "objection_id": "Number.",
            "edition": "Evaluation year.",
            "release_id": "Release objected to; that of the candidate where it was raised before publication.",
            "park_code": "Park that objects.",
            "indicator_code": "Indicator; null: the assessment as a whole.",
            "claimed_value": "Value the park holds right.",
            "reason": "Why, in the park's words.",
            "evidence_sha256": "Hash of the evidence.",
            "opened_at": "When (UTC).",
            "parks_moved": "Parks whose rank the claimed value would change.",
            "state": "open, upheld or rejected.",
            "decided_by": "Who decided.",
            "role": "In which role.",
            "decision_reason": "Why.",
            "decided_value": "Value found right.",
            "decided_at": "When (UTC).",
            "corrected_by": "Release that corrected it; null while none did.",
        },
        """
        select
            objections.objection_id, objections.edition, releases.release_id, objections.park_code,
            objections.indicator_code, objections.claimed_value, objections.reason, objections.evidence_sha256,
            objections.opened_at,
            (
                select count(*) from jsonb_to_recordset(objections.effect) as effect (rank_before int, rank_after int)
                where effect.rank_before is distinct from effect.rank_after
            ) as parks_moved,
            coalesce(decided.decision, 'open') as state, decided.decided_by, decided.role,
            decided.reason as decision_reason, decided.decided_value, decided.decided_at,
            corrected.release_id as corrected_by
        from publish.objections
        inner join publish.releases on objections.candidate_id = releases.candidate_id
        left join publish.objection_decisions as decided on objections.objection_id = decided.objection_id
        left join publish.objection_corrections as corrected on objections.objection_id = corrected.objection_id
        """,
    ),
    Log(
        "waivers",
        "What named persons let through. One row per release, expectation and failure that its verdict rests on.",
        {
            "release_id": "Release.",
            "expectation_id": "Expectation of the gate that failed.",
            "failing_key": "The failure, as JSON.",
            "signed_by": "Who let it through.",
            "role": "In which role.",
            "is_demo": "A stand-in of the sample data.",
            "reason": "Why.",
            "signed_at": "When (UTC).",
            "expires_at": "From when it let nothing through any more (UTC).",
        },
        """
        select
            releases.release_id, waivers.expectation_id, cast(waivers.failing_key as text) as failing_key,
            waivers.signed_by, waivers.role, approvers.is_demo, waivers.reason, waivers.signed_at, waivers.expires_at
        from publish.releases
        inner join audit.expectation_results as results
            on releases.gate_run_id = results.gate_run_id and results.waiver_ids <> '[]'
        inner join publish.waivers
            on releases.candidate_id = waivers.candidate_id
            and results.waiver_ids @> to_jsonb(waivers.waiver_id)
        left join publish.approvers on waivers.signed_by = approvers.approver
        """,
    ),
)


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
    for log in LOGS:
        ddl.append(f"create or replace view serve.{log.name} as {log.query}")
        ddl += _comments(log, log.name)
    names = [name for view in (_RELEASES, *VIEWS) for name in (view.name, f"{view.name}_current")]
    names += [log.name for log in LOGS]
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


def _comments(view: View | Log, name: str) -> list[str]:
    note = "" if name == view.name else " Only the current release of each edition."
    return [
        f"comment on view serve.{name} is {_literal(view.comment + note)}",
        *(f"comment on column serve.{name}.{column} is {_literal(text)}" for column, text in view.columns.items()),
    ]


def _literal(value: str) -> str:
    return sql.Literal(value).as_string(None)
