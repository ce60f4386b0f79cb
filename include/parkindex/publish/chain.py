"""The hash chain: each release's hash covers its own record and the hash of the release before.

``chain_sha256`` is the SHA-256 of the canonical JSON object of :data:`CHAINED` (values as canonical text), which
includes ``previous_sha256``: 64 zeros for the first release. Who changes one published cell, reason or approver has to
recompute every later hash, and the head that was printed, mailed or kept elsewhere no longer fits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from parkindex.publish import canonical

GENESIS = "0" * 64

# The fields of publish.releases that the chain hash covers: all but itself.
CHAINED = (
    "release_id",
    "edition",
    "sequence",
    "candidate_id",
    "content_sha256",
    "annex_sha256",
    "previous_sha256",
    "methodology_sha256",
    "inputs_sha256",
    "code_sha256",
    "as_known",
    "published_at",
    "reason",
    "approved_by",
    "gate_run_id",
    "grounds_sha256",
    "revision_type",
    "supersedes_release_id",
)


def header(release: Mapping[str, Any]) -> dict[str, str]:
    """Return the record of a release as the texts that are hashed; a null is left out, as in the canonical stream."""
    texts = {name: canonical.text_of(release[name]) for name in CHAINED}
    return {name: text for name, text in texts.items() if text is not None}


def chain_sha256(release: Mapping[str, Any]) -> str:
    """Return the hash that binds a release to all before it."""
    return canonical.sha256(canonical.dumps(header(release)).encode())
