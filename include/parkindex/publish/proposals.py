"""What the rule of a methodology proposes on a ranking, with what was published and decided before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from parkindex.ledger import tables
from parkindex.scoring import published
from parkindex.scoring.consequences import Assessed, Decided, Proposal, assess, propose
from parkindex.scoring.published import Published


def on(connection: Connection, edition: int, rules: Mapping[str, Any], now: Sequence[Assessed]) -> list[Proposal]:
    """Apply a rule to an edition's ranking, with what is published of the editions before and what people decided."""
    history = list(now)
    query = select(tables.current.c.edition).where(tables.current.c.edition < edition)
    years: list[int] = [row.edition for row in connection.execute(query)]
    for year in years:
        earlier = published.current(connection, year)
        history += [] if earlier is None else of_release(earlier)
    decided: dict[str, list[Decided]] = {}
    made = tables.status_decisions.c
    for row in connection.execute(select(made.park_code, made.edition, made.status).order_by(made.decision_id)):
        decided.setdefault(row.park_code, []).append(Decided(row.edition, row.status))
    return propose(rules, edition, history, decided)


def of_release(release: Published) -> list[Assessed]:
    """Arrange a release's ranking as the rule takes it."""
    return assessed(release.edition, release.release_id, release.document, release.ranking)


def assessed(edition: int, release_id: str, document: Mapping[str, Any], ranking: Sequence[Any]) -> list[Assessed]:
    """Arrange a ranking's rows (``park_code, rank, rank_low, rank_high, score``) as the rule takes them."""
    return assess(document, edition, release_id, ranking)


def decided_until(connection: Connection, edition: int) -> list[dict[str, Any]]:
    """Return what people decided in an edition and before, oldest first, as a page prints it."""
    made = tables.status_decisions.c
    columns = (made.edition, made.park_code, made.status, made.proposed, made.decided_by, made.role, made.reason)
    query = select(*columns).where(made.edition <= edition).order_by(made.decision_id)
    return [dict(row) for row in connection.execute(query).mappings()]
