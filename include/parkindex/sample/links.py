"""The truth about who is who and who is where: what every printed name means, and which park each enterprise is in.

Stands in ``truth_links.json`` beside the values; matching and placing are judged by it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from parkindex.sample import facts
from parkindex.sample.days import date_of, last_day
from parkindex.sample.evidence import UNCLEAR
from parkindex.sample.tally import active, cell_on
from parkindex.sample.world import World

# What a printed name is: a registered one as it is; in another spelling; one that two enterprises have held; a brand;
# somebody whom the registry does not know; all but the name of an enterprise.
REGISTERED, SPELLING, SHARED, BRAND, STRANGER, NEAR_MISS = (
    *("registered", "spelling", "shared", "brand", "stranger", "near_miss"),
)


@dataclass
class Mentions:
    """What the feeds print for a name, noted as they are written."""

    seen: dict[tuple[str, str], tuple[str | None, str]] = field(default_factory=dict)
    _known: frozenset[str] = frozenset()

    def say(self, feed: str, printed: str, uscc: str | None, kind: str) -> None:
        """Note that a feed prints a name, and whose it is (None: it leads to nobody)."""
        self.seen.setdefault((feed, printed), (uscc, kind))

    def of(self, world: World, feed: str, printed: str, name: int) -> None:
        """Note that a feed prints the name of this number."""
        names = world.population.names
        if names.ambiguous[name]:
            self.say(feed, printed, None, SHARED)
            return
        uscc = world.population.uscc[int(names.enterprise[name])]
        self.say(feed, printed, uscc, SPELLING if is_spelt(printed, names.text[name]) else REGISTERED)

    def known(self, world: World) -> frozenset[str]:
        """Return every name that somebody bears."""
        if not self._known:
            self._known = frozenset(world.population.names.text)
        return self._known

    def rows(self) -> list[dict[str, Any]]:
        """Return what was noted, ordered by feed and name."""
        return [
            {"feed": feed, "name": printed, "uscc": uscc, "kind": kind}
            for (feed, printed), (uscc, kind) in sorted(self.seen.items())
        ]


def is_spelt(printed: str, name: str) -> bool:
    """Whether a name is printed with other words than it has (and not with other brackets and blanks alone)."""
    return len("".join(printed.split())) != len("".join(name.split()))


def places(world: World) -> dict[str, dict[str, str]]:
    """Return for the end of each evaluation year: USCC → park code, or ``ambiguous``; who is in no park is left out."""
    people, versions = world.population, world.population.versions
    found: dict[str, dict[str, str]] = {}
    for year in world.editions:
        d = last_day(year)
        cell = cell_on(world, d)
        park = world.land.park(cell, np.full(len(cell), d))
        row = versions.at(d)
        unclear = np.isin(world.evidence.told[np.maximum(row, 0)], list(UNCLEAR)) & (row >= 0)
        alive = active(world, d)
        found[str(year)] = {
            people.uscc[e]: "ambiguous" if unclear[e] else facts.PARKS[int(park[e])].code
            for e in np.flatnonzero(alive & ((park >= 0) | unclear)).tolist()
        }
    return found


def relations(world: World) -> list[dict[str, str]]:
    """Return every relation between enterprises: branches, from the day on which they are registered."""
    people = world.population
    return [
        {
            "uscc": people.uscc[child],
            "relation": "branch_of",
            "other": people.uscc[parent],
            "valid_from": date_of(people.registered[child]).isoformat(),
        }
        for child, parent in world.branches
    ]


def document(world: World, mentions: Mentions) -> dict[str, Any]:
    """Return what ``truth_links.json`` says."""
    people = world.population
    return {
        "synthetic": True,
        "edition": world.edition,
        "seed": world.seed,
        "names": mentions.rows(),
        "places": places(world),
        "claimed_twice": _codes(people.uscc, world.evidence.claimed_twice),
        "relations": relations(world),
    }


def _codes(uscc: list[str], enterprises: Iterable[int]) -> list[str]:
    return sorted(uscc[e] for e in enterprises)
