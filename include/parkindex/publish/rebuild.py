"""Make a release again from its inputs, and say whether it is the same."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Engine

from parkindex.ledger import attempts
from parkindex.publish import candidates, contents, releases
from parkindex.publish.contents import Change
from parkindex.settings import Settings


@dataclass(frozen=True)
class Rebuilt:
    """A release made again.

    Attributes:
        release_id: The release.
        candidate_id: Ledger id of the build it was compared with; its tables are dropped again.
        content_sha256: Hash of what was built now.
        is_equal: Whether it is the published hash.
        causes: Which of inputs, methodology and code are not those of the release.
        changes: Cells that differ; ``old_value`` is the published one.
    """

    release_id: str
    candidate_id: str
    content_sha256: str
    is_equal: bool
    causes: list[str]
    changes: list[Change]

    def as_dict(self) -> dict[str, Any]:
        """Return the result as ``--json`` prints it."""
        return asdict(self)


def rebuild(engine: Engine, settings: Settings, release_id: str, by: str) -> Rebuilt:
    """Build a release's edition again, as known then, with today's code and methodology.

    Args:
        engine: The warehouse, as its owner.
        settings: The installation.
        release_id: Release.
        by: Who.

    Raises:
        BadInputError: There is no such release, or its inputs are no longer in the warehouse.
    """
    with engine.connect() as connection:
        release = releases.find(connection, release_id)
        published = contents.of_release(connection, release.release_id)
    candidate = candidates.build(engine, settings, release.edition, release.as_known, built_by=by)
    try:
        with engine.connect() as connection:
            found = contents.changes(published, contents.of_candidate(connection, candidate.schema_prefix))
    finally:
        candidates.drop(engine, candidate)
    causes = [
        what
        for what in ("inputs", "methodology", "code")
        if getattr(candidate, f"{what}_sha256") != getattr(release, f"{what}_sha256")
    ]
    is_equal = candidate.content_sha256 == release.content_sha256
    with engine.begin() as connection:
        attempts.done(connection, "rebuild", f"{release.release_id}: {'equal' if is_equal else 'differs'}", by)
    return Rebuilt(release.release_id, candidate.candidate_id, candidate.content_sha256, is_equal, causes, found)
