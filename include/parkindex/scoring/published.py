"""The current release of an edition, as the engine takes it: rules, values, ranking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from parkindex.errors import BadInputError
from parkindex.ledger import tables
from parkindex.scoring.edition import Value


@dataclass(frozen=True)
class Published:
    """A release.

    Attributes:
        edition: Edition.
        release_id: Current release.
        candidate_id: Candidate it was.
        methodology_sha256: The methodology it was published by.
        document: That methodology, resolved.
        values: ``(park_code, indicator_code, value)`` of every park × indicator of the release.
        ranking: Rows of the ranking.
        indicators: Rows of the indicator scores.
    """

    edition: int
    release_id: str
    candidate_id: str
    methodology_sha256: str
    document: dict[str, Any]
    values: list[Value]
    ranking: Sequence[Any]
    indicators: Sequence[Any]


def current(connection: Connection, edition: int) -> Published | None:
    """Return the current release of an edition, or None when nothing of it is published."""
    release = connection.execute(
        select(tables.releases)
        .join(tables.current, tables.current.c.release_id == tables.releases.c.release_id)
        .where(tables.current.c.edition == edition)
    ).first()
    if release is None:
        return None
    document: dict[str, Any] = connection.execute(
        select(tables.methodology_editions.c.document).where(
            tables.methodology_editions.c.methodology_sha256 == release.methodology_sha256
        )
    ).scalar_one()
    of_scores, of_ranking = tables.released_indicator_scores, tables.released_park_ranking
    indicators = connection.execute(select(of_scores).where(of_scores.c.release_id == release.release_id)).all()
    ranking = connection.execute(
        select(of_ranking).where(of_ranking.c.release_id == release.release_id).order_by(of_ranking.c.park_code)
    ).all()
    return Published(
        edition,
        release.release_id,
        release.candidate_id,
        release.methodology_sha256,
        document,
        [(row.park_code, row.indicator_code, row.value) for row in indicators],
        ranking,
        indicators,
    )


def require_current(connection: Connection, edition: int, rule: str) -> Published:
    """Return the current release of an edition.

    Raises:
        BadInputError: Nothing of it is published.
    """
    found = current(connection, edition)
    if found is None:
        raise BadInputError(
            f"Nothing of edition {edition} is published.",
            where="publish.current",
            why=rule,
            next_step=f"publish first; to try a methodology: parkindex build {edition}, then parkindex preview",
        )
    return found


def scorable(document: Mapping[str, Any], values: Sequence[Value]) -> tuple[dict[str, Any], list[Value], list[str]]:
    """Fit a methodology and values of another one together, for a comparison.

    Indicators that the methodology computes and the values do not have are left out, and so are values of parks and
    indicators that the methodology does not know.

    Returns:
        The methodology, the values, and the codes of the indicators that were left out.
    """
    fitted = {**document, "indicators": [dict(row) for row in document["indicators"]]}
    parks = {park["park_code"] for park in fitted["parks"]}
    known = {row["code"] for row in fitted["indicators"]}
    kept = [value for value in values if value[0] in parks and value[1] in known]
    there = {(park, code) for park, code, _ in kept}
    left_out = []
    for row in fitted["indicators"]:
        if row["state"] == "computed" and not any((park, row["code"]) in there for park in parks):
            row["state"] = "not_computed"
            left_out.append(str(row["code"]))
    computed = [row["code"] for row in fitted["indicators"] if row["state"] == "computed"]
    kept += [(park, code, None) for park in sorted(parks) for code in computed if (park, code) not in there]
    return fitted, kept, left_out
