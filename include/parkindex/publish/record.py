"""Fill the record that the pages are made from: a release from its frozen rows, a preview from its candidate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select, text

from parkindex.ledger import tables
from parkindex.publish import annex, approvals, candidates, contents, disclosure, doubts, waivers
from parkindex.publish.candidates import Candidate
from parkindex.publish.releases import Release
from parkindex.settings import BUSINESS_TIME_ZONE, Settings
from parkindex.site import EVIDENCE_PER_SIDE, Approval, Evidence, EvidenceRecord, Gate, GateResult, ReleaseRecord

# The contributions behind each value, largest first; ties by where they stand in the files, never by loading.
_EVIDENCE = """
with ranked as (
    select
        park_code, indicator_code, side, enterprise_id_uscc, subject, amount, source_feed, source_file, source_row,
        row_number() over (
            partition by park_code, indicator_code, side
            order by
                abs(amount) desc nulls last, source_feed collate "C", source_file collate "C", source_row,
                enterprise_id_uscc collate "C", subject collate "C", amount
        ) as place,
        count(*) over (partition by park_code, indicator_code, side) as total
    from "{schema}".contributions
)

select * from ranked where place <= {limit}
order by park_code collate "C", indicator_code collate "C", side collate "C" desc, place
"""


def of_release(connection: Connection, settings: Settings, release: Release) -> ReleaseRecord:
    """Return the record of a release. Nothing in it depends on what was published after it."""
    candidate = candidates.find(connection, release.candidate_id)
    hidden = disclosure.of_candidate(connection, candidate.schema_prefix)
    names = disclosure.Pseudonyms(settings, candidate.edition)
    rows: dict[str, Any] = {**contents.of_release(connection, release.release_id, tables.RELEASED_TABLES)}
    return ReleaseRecord(
        release_id=release.release_id,
        edition=release.edition,
        content_sha256=release.content_sha256,
        methodology_sha256=release.methodology_sha256,
        inputs_sha256=release.inputs_sha256,
        code_sha256=release.code_sha256,
        as_known=release.as_known,
        is_synthetic=is_synthetic(settings),
        is_preview=False,
        **rows,
        methodology=methodology_document(connection, release.methodology_sha256),
        sequence=release.sequence,
        annex_sha256=release.annex_sha256,
        previous_sha256=release.previous_sha256,
        chain_sha256=release.chain_sha256,
        published_at=release.published_at,
        reason=release.reason,
        approvals=_approvals(connection, candidate),
        gate=_gate(connection, release.gate_run_id),
        waivers=waivers.of_verdict(connection, release.gate_run_id),
        evidence=disclosure.public_evidence(evidence(connection, candidate), hidden, names),
        beside=disclosure.public_beside(doubts.read(connection, candidate.schema_prefix), hidden),
        signoffs=signoffs(connection, candidate),
    )


def of_candidate(connection: Connection, settings: Settings, candidate: Candidate) -> ReleaseRecord:
    """Return the record of a candidate's preview."""
    content = contents.of_candidate(connection, candidate.schema_prefix)
    hidden = disclosure.of_candidate(connection, candidate.schema_prefix)
    names = disclosure.Pseudonyms(settings, candidate.edition)
    rows: dict[str, Any] = {**content, **annex.of_candidate(connection, candidate)}
    previous = approvals.current_release(connection, candidate.edition)
    latest = approvals.latest_verdict(connection, candidate.candidate_id)
    return ReleaseRecord(
        release_id=candidate.candidate_id,
        edition=candidate.edition,
        content_sha256=candidate.content_sha256,
        methodology_sha256=candidate.methodology_sha256,
        inputs_sha256=candidate.inputs_sha256,
        code_sha256=candidate.code_sha256,
        as_known=candidate.as_known,
        is_synthetic=is_synthetic(settings),
        is_preview=True,
        **rows,
        revisions=annex.revisions(connection, candidate.edition, content, previous),
        status_changes=annex.status_changes(connection, candidate, content, previous),
        methodology=methodology_document(connection, candidate.methodology_sha256),
        approvals=_approvals(connection, candidate),
        gate=None if latest is None else _gate(connection, latest.gate_run_id),
        waivers=waivers.of_candidate(connection, candidate.candidate_id),
        evidence=disclosure.public_evidence(evidence(connection, candidate), hidden, names),
        beside=disclosure.public_beside(doubts.read(connection, candidate.schema_prefix), hidden),
        signoffs=signoffs(connection, candidate),
        downloads=(),
    )


def is_synthetic(settings: Settings) -> bool:
    """Whether the inputs of this installation are the sample world's."""
    return (settings.home / "sample" / "SYNTHETIC.txt").exists()


def methodology_document(connection: Connection, sha256: str) -> Mapping[str, Any]:
    """Return a stored methodology, whole."""
    editions = tables.methodology_editions.c
    document: Mapping[str, Any] = connection.execute(
        select(editions.document).where(editions.methodology_sha256 == sha256)
    ).scalar_one()
    return document


def signoffs(connection: Connection, candidate: Candidate) -> list[dict[str, Any]]:
    """Return who froze the candidate's rules before its data cut-off (Shanghai dates), the earliest first."""
    signed = tables.methodology_signoffs
    day = candidate.as_known.astimezone(ZoneInfo(BUSINESS_TIME_ZONE)).date()
    rows = connection.execute(
        select(signed).where(signed.c.methodology_sha256 == candidate.methodology_sha256, signed.c.signed_on < day)
    ).mappings()
    return sorted((dict(row) for row in rows), key=lambda row: (row["signed_on"], row["signed_by"]))


def _approvals(connection: Connection, candidate: Candidate) -> tuple[Approval, ...]:
    return tuple(
        Approval(made.approver, made.role, bool(made.is_demo), made.decided_at, made.note)
        for made in approvals.of_candidate(connection, candidate.candidate_id)
        if made.decision == "approve"
    )


def _gate(connection: Connection, gate_run_id: int) -> Gate:
    runs, results = tables.gate_runs.c, tables.expectation_results.c
    run = connection.execute(
        select(runs.verdict, runs.expectations_evaluated).where(runs.gate_run_id == gate_run_id)
    ).one()
    rows = connection.execute(
        select(
            results.expectation_id,
            results.stage,
            results.severity,
            results.success,
            results.observed,
            results.rows_looked_at,
        ).where(results.gate_run_id == gate_run_id)
    )
    # Sorted here: the order of Postgres is that of the server's locale.
    found = [
        GateResult(row.expectation_id, row.stage, row.severity, row.success, row.observed, row.rows_looked_at)
        for row in rows
    ]
    return Gate(run.verdict, run.expectations_evaluated, tuple(sorted(found, key=lambda result: result.id)))


def evidence(connection: Connection, candidate: Candidate) -> dict[tuple[str, str], Evidence]:
    """Return the records behind each value, a fixed number per side; nothing when the candidate's tables are gone."""
    if not candidates.has_schemas(connection, candidate):
        return {}
    query = _EVIDENCE.format(schema=f"{candidate.schema_prefix}park_index", limit=EVIDENCE_PER_SIDE)
    records: dict[tuple[str, str], list[EvidenceRecord]] = {}
    totals: dict[tuple[str, str, str], int] = {}
    for row in connection.execute(text(query)):
        totals[row.park_code, row.indicator_code, row.side] = row.total
        records.setdefault((row.park_code, row.indicator_code), []).append(
            EvidenceRecord(
                row.side,
                row.enterprise_id_uscc,
                row.subject,
                row.amount,
                row.source_feed,
                row.source_file,
                row.source_row,
            )
        )
    return {
        key: Evidence(tuple(found), totals.get((*key, "numerator"), 0), totals.get((*key, "denominator"), 0))
        for key, found in records.items()
    }
