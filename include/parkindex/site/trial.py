"""What the page "what if" computes from: published scores, weights and rules, as text that keeps every decimal."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal

from markupsafe import Markup

from parkindex.site.numbers import exact
from parkindex.site.view import Site, exact_number

DRAWS = 300  # a browser answers within a blink


@dataclass(frozen=True)
class TrialModel:
    """The page's input.

    Attributes:
        json: Parks (n, in the order of the page), areas, indicators (m) and scores (n × m, null where none), as a JSON
            text that may stand inside an HTML script element.
        spread: Share by which a weight varies in a draw.
        draws: Number of draws behind an interval.
    """

    json: Markup
    spread: Decimal
    draws: int


def build(site: Site) -> TrialModel:
    """Return the input of the page for a release."""
    computed = site.computed
    spread = Decimal(site.rule("robustness_weight_spread") or 0)
    document = {
        "edition": site.record.edition,
        "decimals": site.score_decimals,
        "min_share": exact(Decimal(site.rule("area_min_share") or 0)),
        "spread": exact(spread),
        "draws": DRAWS,
        "areas": [area.code for area in site.scored_areas],
        "indicators": [
            {
                "code": row["indicator_code"],
                "area": row["area_code"],
                "weight": exact(exact_number(row["weight"])),
            }
            for row in computed
        ],
        "parks": [{"code": park.code, "rank": park.ranking["rank"]} for park in site.parks],
        "scores": [
            [None if card.score["score"] is None else exact(card.score["score"]) for card in park.cards]
            for park in site.parks
        ],
    }
    text = json.dumps(document, ensure_ascii=True, separators=(",", ":"))
    for char in "<>&":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return TrialModel(Markup(text), spread, DRAWS)  # noqa: S704 - no character that HTML reads is left in it
