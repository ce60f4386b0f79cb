"""What the pages are made from: one release, or one candidate's preview, as plain values.

The publisher fills a :class:`ReleaseRecord` from the frozen rows; nothing here reads a database. Rows are mappings
with the column names of ``ledger/tables.py`` (``release_id`` and ``edition`` may be there or not); numbers in them are
``Decimal`` or ``int``, never ``float``; a missing number is ``None``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

Row = Mapping[str, Any]
Rows = Sequence[Row]

# Records of a value's side that a park page lists; the rest is counted. The publisher takes this many.
EVIDENCE_PER_SIDE = 20

# The bundle's files that stand beside the pages, by the names of a release's bundle.
DOWNLOADS: tuple[str, ...] = (
    "ranking.csv",
    "ranking.data.csv",
    "indicator_scores.csv",
    "ranking.xlsx",
    "ranking.parquet",
    "manifest.json",
    "verify.py",
    "CHANGES.csv",
)


@dataclass(frozen=True)
class Approval:
    """One decision that a release rests on.

    Attributes:
        approver: Name.
        role: evaluator, methodologist or signatory.
        is_demo: A stand-in of the sample, named as such on every page.
        decided_at: When, with zone.
        note: Remark.
    """

    approver: str
    role: str
    is_demo: bool
    decided_at: datetime
    note: str | None = None


@dataclass(frozen=True)
class GateResult:
    """One expectation of the gate, as evaluated."""

    id: str
    stage: str
    severity: str
    success: bool
    observed: str | None
    rows_looked_at: int


@dataclass(frozen=True)
class Gate:
    """The verdict that the release is bound to.

    Attributes:
        verdict: pass or fail.
        expectations_evaluated: How many expectations were evaluated.
        results: Every one of them.
    """

    verdict: str
    expectations_evaluated: int
    results: tuple[GateResult, ...]

    @property
    def warnings(self) -> tuple[GateResult, ...]:
        """Expectations that failed without stopping the release."""
        return tuple(result for result in self.results if not result.success and result.severity == "warning")


@dataclass(frozen=True)
class EvidenceRecord:
    """One row of a provider's file that a value rests on.

    Attributes:
        side: numerator or denominator.
        enterprise_id_uscc: Enterprise; None for a plot.
        subject: Enterprise name, application number or plot.
        amount: What the row adds to its side, before the indicator's scale.
        source_feed: Feed.
        source_file: File as delivered.
        source_row: Row of the file as a person counts it, from 1.
    """

    side: str
    enterprise_id_uscc: str | None
    subject: str | None
    amount: Decimal | int | None
    source_feed: str
    source_file: str
    source_row: int


@dataclass(frozen=True)
class Evidence:
    """The records behind one value: a fixed number of them per side (largest first), and how many there are.

    Attributes:
        records: At most :data:`EVIDENCE_PER_SIDE` of each side, in an order that does not depend on loading.
        numerator_total: Records on the numerator's side.
        denominator_total: Records on the denominator's side.
    """

    records: tuple[EvidenceRecord, ...]
    numerator_total: int
    denominator_total: int

    @property
    def total(self) -> int:
        """All records behind the value."""
        return self.numerator_total + self.denominator_total


@dataclass(frozen=True)
class ReleaseRecord:
    """A release, or a candidate's preview, whole.

    Attributes:
        release_id: For example ``2025.1``; the candidate's id in a preview.
        edition: Evaluation year.
        content_sha256: Hash of the published rows.
        methodology_sha256: Hash of the methodology.
        inputs_sha256: Hash of the batches used.
        code_sha256: Hash of the code.
        as_known: Data cut-off, with zone.
        is_synthetic: The inputs are the sample world's.
        is_preview: Not published; carries no chain hash, no approval is final.
        sequence: Place in the chain; None in a preview.
        annex_sha256: Hash of the data-quality rows; None in a preview.
        previous_sha256: Chain hash of the release before; None in a preview.
        chain_sha256: Head hash: binds this release to all before it; None in a preview.
        published_at: When, with zone; None in a preview.
        reason: First release, or the typed reason of a revision.
        approvals: Decisions, oldest first.
        gate: Verdict; None when a preview was not gated yet.
        methodology: The resolved methodology document (``methodology/schema.json``).
        evidence: Records by (park code, indicator code).
        downloads: Files that stand beside the pages.
        beside: What stands beside the content, by topic (docs/method/doubt.md); numbers exact. Empty when it was not
            made.
        waivers: Failures of the gate that a named person let through: ``expectation_id, failing_key, signed_by, role,
            is_demo, reason, signed_at, expires_at``.
        status_changes: What the release changed for parks against the one before: ``park_code, what, old_value,
            new_value``.
        signoffs: Who froze the methodology before the data cut-off: ``signed_by``, ``signed_on``, ``is_demo``,
            ``reason``, ``version``.

    The other attributes are the released tables.
    """

    release_id: str
    edition: int
    content_sha256: str
    methodology_sha256: str
    inputs_sha256: str
    code_sha256: str
    as_known: datetime
    is_synthetic: bool
    is_preview: bool

    park_ranking: Rows
    area_scores: Rows
    indicator_scores: Rows
    indicators: Rows
    parks: Rows
    zone_targets: Rows
    park_status: Rows
    data_quality: Rows
    revisions: Rows
    methodology: Mapping[str, Any]

    sequence: int | None = None
    annex_sha256: str | None = None
    previous_sha256: str | None = None
    chain_sha256: str | None = None
    published_at: datetime | None = None
    reason: str = ""
    approvals: tuple[Approval, ...] = ()
    gate: Gate | None = None
    evidence: Mapping[tuple[str, str], Evidence] = field(default_factory=dict)
    downloads: tuple[str, ...] = DOWNLOADS
    beside: Mapping[str, Any] = field(default_factory=dict)
    signoffs: Rows = ()
    park_quality: Rows = ()
    feed_contracts: Rows = ()
    waivers: Rows = ()
    status_changes: Rows = ()
