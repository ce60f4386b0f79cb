"""What another set of rules would do to every park: two methodologies on the same published values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from parkindex.scoring.edition import ParkScore, score
from parkindex.scoring.published import Published, scorable


@dataclass(frozen=True)
class Effect:
    """One park under two methodologies; ``rank_change`` is positive where the second ranks it better."""

    park_code: str
    rank_before: int | None
    rank_after: int | None
    rank_change: int | None
    score_before: float | None
    score_after: float | None
    tier_before: int | None
    tier_after: int | None


@dataclass(frozen=True)
class Effects:
    """Effect on every park.

    Attributes:
        release_id: Release whose values were scored.
        left_out: Indicators that one of the two computes and the release has no values of; they count in neither.
        parks: Every park of either methodology, by rank after, then before.
    """

    release_id: str
    left_out: list[str]
    parks: list[Effect]


def compare(first: Mapping[str, Any], second: Mapping[str, Any], published: Published) -> Effects:
    """Score a release's values by two methodologies.

    Raises:
        BadInputError: One of them cannot score anything of the release.
    """
    scored: list[dict[str, ParkScore]] = []
    left_out: set[str] = set()
    for document in (first, second):
        fitted, values, lacking = scorable(document, published.values)
        scored.append({park.park_code: park for park in score(fitted, values).parks})
        left_out |= set(lacking)
    before, after = scored
    nobody = ParkScore("", None, None, False, None)
    effects = []
    for code in before.keys() | after.keys():
        one, other = before.get(code, nobody), after.get(code, nobody)
        known = one.rank is not None and other.rank is not None
        effects.append(
            Effect(
                code,
                one.rank,
                other.rank,
                (one.rank or 0) - (other.rank or 0) if known else None,
                one.score,
                other.score,
                one.tier,
                other.tier,
            )
        )
    effects.sort(key=lambda park: (park.rank_after or 10**6, park.rank_before or 10**6, park.park_code))
    return Effects(published.release_id, sorted(left_out), effects)
