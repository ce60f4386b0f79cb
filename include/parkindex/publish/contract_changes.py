"""Today's contracts beside those that a release was made under."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, select

from parkindex import contracts
from parkindex.contracts import Change
from parkindex.errors import AlteredError, BadInputError
from parkindex.ledger import tables
from parkindex.publish import canonical, releases

LAST = "last"


@dataclass(frozen=True)
class ContractChanges:
    """What changed since a release.

    Attributes:
        release_id: The release.
        changes: Feed → its changes, feeds without one left out.
    """

    release_id: str
    changes: dict[str, list[Change]]


def since_release(engine: Engine, release_id: str) -> ContractChanges:
    """Compare today's contracts with those of a release.

    Args:
        engine: The warehouse.
        release_id: A release, or ``last`` for the newest of any edition.

    Raises:
        BadInputError: There is no such release, or it is older than the keeping of contracts.
        AlteredError: A contract that was kept is not what it was.
    """
    kept = tables.released_feed_contracts.c
    with engine.connect() as connection:
        if release_id == LAST:
            newest = select(tables.releases.c.release_id).order_by(tables.releases.c.sequence.desc()).limit(1)
            found: str | None = connection.execute(newest).scalar_one_or_none()
            if found is None:
                raise BadInputError(
                    "Nothing was published yet.",
                    where="publish.releases",
                    why="there is no release to compare with",
                    next_step="parkindex contract diff OLD NEW compares two files",
                )
        else:
            found = releases.find(connection, release_id).release_id
        rows = connection.execute(
            select(kept.feed, kept.contract_sha256, kept.document).where(kept.release_id == found)
        )
        before = {row.feed: (row.contract_sha256, row.document.encode("utf-8")) for row in rows}
    if not before:
        raise BadInputError(
            f"The contracts of {found} were not kept.",
            where="publish.feed_contracts",
            why="it was published before releases kept them",
            next_step="parkindex contract diff OLD NEW compares two files",
        )
    today = contracts.load_all()
    changes: dict[str, list[Change]] = {}
    for feed in sorted(before.keys() | today.keys()):
        if feed not in before:
            changes[feed] = [Change(f"feed {feed} added", False, "nobody relied on it")]
        elif feed not in today:
            changes[feed] = [Change(f"feed {feed} removed", True, "its readers lose it")]
        elif today[feed].sha256 != before[feed][0]:
            sha256, content = before[feed]
            if canonical.sha256(content) != sha256:
                raise AlteredError(
                    f"The contract of {feed} that {found} kept is not what it was.",
                    where="publish.feed_contracts",
                    why=f"its SHA-256 is not {sha256}",
                    next_step="parkindex verify",
                )
            then = contracts.read(content, Path(f"{found}/{feed}.odcs.yaml"))
            changes[feed] = contracts.diff(then, today[feed])
    return ContractChanges(found, {feed: made for feed, made in changes.items() if made})
