"""What moved a park: its change against the last edition, split into parts that add up to it exactly.

From the last published ranking to this one in steps, in a fixed order (``docs/method/moved.md``):

1. ``revisions``: the last edition's values as they are known now, by the last edition's rules;
2. ``methodology``: the same values by this edition's rules;
3. ``sample``: both editions' values without what only a new boundary or a change of the statistical sample brought in
   or took out (the step out of the last edition, and the step back into this one);
4. ``own`` and ``others``: from the last edition's values to this edition's, of the park itself and of all others. Of
   the two orders in which these can happen the mean is taken (Shapley 1953), so halves of a rank occur.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parkindex.scoring.edition import Value, framework_of, matrix_of, steps
from parkindex.scoring.published import scorable
from parkindex.scoring.ranks import Floats, half_up

PARTS = ("own", "others", "methodology", "sample", "revisions")


@dataclass(frozen=True)
class Move:
    """One park's change.

    Attributes:
        park_code: Park.
        rank_before: Rank in the last edition, as published (as computed now, when nothing was published).
        rank_after: Rank in this edition.
        rank_change: Places gained; None when one of the ranks is not there.
        rank_parts: Part → places gained by it; None when the park has no rank on some step.
        score_before: Total in the last edition, as published.
        score_after: Total in this edition.
        score_parts: Part → points gained by it.
    """

    park_code: str
    rank_before: int | None
    rank_after: int | None
    rank_change: int | None
    rank_parts: dict[str, float] | None
    score_before: float | None
    score_after: float | None
    score_parts: dict[str, float] | None


@dataclass(frozen=True)
class Past:
    """The last edition.

    Attributes:
        document: Its methodology.
        published: Park → published total and rank; None when nothing of it is published.
        values: Its values as they are known now.
        matched: The same without what boundary and sample brought or took.
    """

    document: Mapping[str, Any]
    published: Mapping[str, tuple[float | None, int | None]] | None
    values: Sequence[Value]
    matched: Sequence[Value]


def split(past: Past, document: Mapping[str, Any], values: Sequence[Value], matched: Sequence[Value]) -> list[Move]:
    """Split every park's change.

    Args:
        past: The last edition.
        document: This edition's methodology.
        values: This edition's values.
        matched: The same without what boundary and sample brought or took.

    Returns:
        One move per park of this edition, in the order of the methodology. The parts of a move add up to its change.

    Raises:
        BadInputError: As for :func:`parkindex.scoring.edition.score`.
    """
    parks = [str(park["park_code"]) for park in document["parks"]]
    by_old_rules = _ranked(past.document, past.values, parks)
    by_new_rules = _ranked(document, past.values, parks)
    without_before = _ranked(document, past.matched, parks)
    without_after = _ranked(document, matched, parks)
    now = _ranked(document, values, parks)
    published = by_old_rules
    if past.published is not None:
        told = [past.published.get(park, (None, None)) for park in parks]
        published = (_numbers(score for score, _ in told), _numbers(rank for _, rank in told))

    decimals = int(framework_of(document).rules["rank_decimals"])
    moves = []
    for row, park in enumerate(parks):
        scores = [step[0][row] for step in (published, by_old_rules, by_new_rules, without_before, without_after, now)]
        places = [step[1][row] for step in (published, by_old_rules, by_new_rules, without_before, without_after, now)]
        own_first = _place(row, without_after[0][row], without_before[0], decimals)
        others_first = _place(row, without_before[0][row], without_after[0], decimals)
        rank_parts = _parts(places, own_first, others_first, sign=-1)
        score_parts = _parts(scores, scores[4], scores[3], sign=1)
        moves.append(
            Move(
                park,
                _whole(places[0]),
                _whole(places[-1]),
                None if np.isnan(places[0] + places[-1]) else int(places[0] - places[-1]),
                rank_parts,
                _optional(scores[0]),
                _optional(scores[-1]),
                score_parts,
            )
        )
    return moves


def _parts(steps_of: Sequence[float], own_first: float, others_first: float, sign: int) -> dict[str, float] | None:
    """Split the way from the first step to the last; None when a step is not there.

    Args:
        steps_of: Rank or score on the six steps.
        own_first: On the way between the fourth and the fifth, when the park itself has moved and the others have not.
        others_first: When the others have and the park has not.
        sign: −1 where less is better.
    """
    published, by_old_rules, by_new_rules, before, after, now = steps_of
    if np.isnan([*steps_of, own_first, others_first]).any():
        return None
    parts = {
        "own": ((own_first - before) + (after - others_first)) / 2,
        "others": ((others_first - before) + (after - own_first)) / 2,
        "methodology": by_new_rules - by_old_rules,
        "sample": (before - by_new_rules) + (now - after),
        "revisions": by_old_rules - published,
    }
    return {name: float(sign * part) + 0.0 for name, part in parts.items()}


def _place(row: int, total: float, others: Floats, decimals: int) -> float:
    """Return the rank of a total among the totals of the other parks."""
    if np.isnan(total):
        return float("nan")
    rounded = half_up(np.delete(others, row), decimals)
    return 1.0 + float(np.count_nonzero(rounded > half_up(np.array([total]), decimals)[0]))


def _ranked(document: Mapping[str, Any], values: Sequence[Value], parks: Sequence[str]) -> tuple[Floats, Floats]:
    """Return totals and ranks by a methodology, in the order of some parks; NaN for a park it does not know.

    Indicators that the values do not have are left out.
    """
    fitted, known_values, _ = scorable(document, values)
    framework = framework_of(fitted)
    found = steps(framework, matrix_of(framework, fitted, known_values))
    place = {park: row for row, park in enumerate(framework.parks)}
    rows: NDArray[np.int64] = np.array([place.get(park, -1) for park in parks], dtype=np.int64)
    known = rows >= 0
    return np.where(known, found.total[rows], np.nan), np.where(known, found.rank[rows], np.nan)


def _numbers(values: Any) -> Floats:
    return np.array([np.nan if value is None else float(value) for value in values])


def _optional(number: float) -> float | None:
    return None if np.isnan(number) else float(number)


def _whole(number: float) -> int | None:
    return None if np.isnan(number) else int(number)
