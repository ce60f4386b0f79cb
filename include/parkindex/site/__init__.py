"""The static pages of a release: a ranking, a page per park, the method, the audit. From plain data, for ``file://``."""

from parkindex.site.record import (
    DOWNLOADS,
    EVIDENCE_PER_SIDE,
    Approval,
    Evidence,
    EvidenceRecord,
    Gate,
    GateResult,
    ReleaseRecord,
)
from parkindex.site.render import render

__all__ = [
    "DOWNLOADS",
    "EVIDENCE_PER_SIDE",
    "Approval",
    "Evidence",
    "EvidenceRecord",
    "Gate",
    "GateResult",
    "ReleaseRecord",
    "render",
]
