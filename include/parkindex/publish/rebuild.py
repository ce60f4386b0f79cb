"""Make a release again from its inputs, and say whether it is the same, or exactly which input is not.

The release's methodology is the one that was kept with it; deliveries are those known at its known time. Code and lock
are those installed: which of their files are not those of the release is told by path.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, select

from parkindex.errors import AlteredError, BadInputError
from parkindex.landing import store
from parkindex.ledger import attempts, tables
from parkindex.methodology import Methodology
from parkindex.publish import candidates, code, contents, record, releases
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
        causes: Which of inputs, methodology, code, lock and landing are not those of the release.
        differing: Paths of the files of code and lock, and of received files, that are not, by cause: what differs
            (``changed``, ``missing``, ``added``) and the path.
        changes: Cells that differ; ``old_value`` is the published one.
    """

    release_id: str
    candidate_id: str
    content_sha256: str
    is_equal: bool
    causes: list[str]
    differing: dict[str, list[str]]
    changes: list[Change]

    def as_dict(self) -> dict[str, Any]:
        """Return the result as ``--json`` prints it."""
        return asdict(self)


def rebuild(engine: Engine, settings: Settings, release_id: str, by: str) -> Rebuilt:
    """Build a release's edition again, as known then and by its methodology, with the code that is installed.

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
        document = dict(record.methodology_document(connection, release.methodology_sha256))
        differing = _files_that_differ(connection, release.candidate_id)
        differing |= _received_that_differ(connection, settings, release.as_known)
    rules = Methodology(release.edition, document, release.methodology_sha256)
    candidate = candidates.build(engine, settings, release.edition, release.as_known, built_by=by, rules=rules)
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
    causes += [what for what in differing if what not in causes]
    is_equal = candidate.content_sha256 == release.content_sha256
    with engine.begin() as connection:
        attempts.done(connection, "rebuild", f"{release.release_id}: {'equal' if is_equal else 'differs'}", by)
    return Rebuilt(
        release.release_id, candidate.candidate_id, candidate.content_sha256, is_equal, causes, differing, found
    )


def _files_that_differ(connection: Connection, candidate_id: str) -> dict[str, list[str]]:
    """Compare the files that made a candidate with those that are installed."""
    kept = tables.candidate_files.c
    rows = connection.execute(select(kept.kind, kept.path, kept.sha256).where(kept.candidate_id == candidate_id)).all()
    found = {}
    for kind, now in (("code", code.files()), ("lock", code.locks())):
        then = {row.path: row.sha256 for row in rows if row.kind == kind}
        if not then:  # built before files were kept: the hash of all of them is what can be compared
            continue
        told = [f"changed {path}" for path in sorted(then.keys() & now.keys()) if then[path] != now[path]]
        told += [f"missing {path}" for path in sorted(then.keys() - now.keys())]
        told += [f"added {path}" for path in sorted(now.keys() - then.keys())]
        if told:
            found[kind] = told
    return found


def _received_that_differ(connection: Connection, settings: Settings, as_known: datetime) -> dict[str, list[str]]:
    """Read the received files of the deliveries that counted, and name those that are gone or not as received."""
    batches = tables.batches.c
    rows = connection.execute(
        select(batches.landing_path, batches.sha256)
        .where(batches.status == "loaded", batches.received_at <= as_known, batches.landing_path.is_not(None))
        .distinct()
        .order_by(batches.landing_path)
    )
    told = []
    for row in rows:
        try:
            path = store.local(settings.landing, row.landing_path, settings.landing_store)
        except (BadInputError, AlteredError) as error:
            told.append(f"{'missing' if isinstance(error, BadInputError) else 'changed'} {row.landing_path}")
            continue
        if store.sha256_of(path) != row.sha256:
            told.append(f"changed {row.landing_path}")
    return {"landing": told} if told else {}
