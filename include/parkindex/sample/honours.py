"""What enterprises are honoured for: the published lists of recognised enterprises."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from parkindex.sample import facts
from parkindex.sample.days import NEVER, first_day, last_day
from parkindex.sample.population import Ints, Population, Profile
from parkindex.sample.sizes import Size

UNICORN, HIDDEN_CHAMPION = "独角兽", "隐形冠军"


@dataclass(frozen=True)
class Recognition:
    """One enterprise on one list."""

    kind: str
    year: int
    enterprise: int
    name: int
    with_code: bool
    valid_from: int
    valid_to: int


def recognitions(
    edition: int, size: Size, population: Population, parks: list[Profile], rng: np.random.Generator
) -> list[Recognition]:
    """Recognise enterprises on the lists of the years edition − 3 to edition."""
    found: list[Recognition] = []
    technology = np.flatnonzero(population.group < 4)
    level = np.array([*(0.3 + 1.5 * p.efficiency for p in parks), 0.5])[population.home]
    merit = level * np.exp(0.4 * population.strength)
    for year in range(edition - 3, edition + 1):
        alive = technology[
            (population.registered[technology] < first_day(year)) & (population.ended[technology] > last_day(year))
        ]
        for kind, lasting, with_code, share in facts.RECOGNITIONS:
            chance = share * (1 if size.even or lasting > 1 else 0.5) * merit[alive]
            who = np.sort(alive[rng.uniform(0, 1, len(alive)) < chance])
            start, end = first_day(year), last_day(year + lasting - 1)
            found += _listed(population, kind, year, who, with_code, start, end)
    found += _honours(edition, size, population, parks, technology, rng)
    return found


def _honours(
    edition: int,
    size: Size,
    population: Population,
    parks: list[Profile],
    technology: Ints,
    rng: np.random.Generator,
) -> list[Recognition]:
    """Unicorns (listed every 31 December for a year), hidden champions (for three years, no codes), and leaders.

    The strongest technology enterprises of each park, so that some are on both lists.
    """
    found: list[Recognition] = []
    champions: dict[int, list[int]] = {}
    for number, profile in enumerate([*parks, None]):
        expected = profile.honours * size.honours if profile else 1.0
        level = profile.efficiency if profile else 0.2
        own = technology[population.home[technology] == (number if profile else -1)]
        own = own[np.argsort(-population.strength[own], kind="stable")]
        until = population.registered[own] < first_day(edition - 1)
        own = own[until][: max(3, int(expected * 3))]
        unicorns = own[rng.uniform(0, 1, len(own)) < min(0.9, expected * 0.5 / max(len(own), 1))]
        for year in range(edition - 3, edition + 1):
            joined = unicorns[rng.uniform(0, 1, len(unicorns)) < 0.75 + 0.08 * (year - edition + 3)]
            alive = joined[
                (population.registered[joined] < first_day(year)) & (population.ended[joined] > first_day(year))
            ]
            found += _listed(population, UNICORN, year, alive, True, last_day(year), last_day(year + 1) - 1)
        for kind, lasting, with_code, a_year in facts.LEADERS:
            for year in range(edition - 3, edition + 1):
                chosen = own[rng.uniform(0, 1, len(own)) < min(0.5, a_year * level * size.honours / max(len(own), 1))]
                who = chosen[
                    (population.registered[chosen] < first_day(year)) & (population.ended[chosen] > first_day(year))
                ]
                start, end = first_day(year), last_day(year + lasting - 1)
                found += _listed(population, kind, year, np.sort(who), with_code, start, end)
        for enterprise in own[rng.uniform(0, 1, len(own)) < min(0.9, expected * 0.4 / max(len(own), 1))].tolist():
            champions.setdefault(edition - 3 + int(rng.integers(0, 4)), []).append(enterprise)
    for year, members in sorted(champions.items()):
        start = first_day(year) + 273
        end = first_day(year + 3) + 272
        who = np.array(sorted(set(members)), dtype=np.int64)
        who = who[(population.registered[who] < start) & (population.ended[who] > start)]
        found += _listed(population, HIDDEN_CHAMPION, year, who, False, start, end)
    return found


def _listed(
    population: Population, kind: str, year: int, who: Ints, with_code: bool, start: int, end: int
) -> list[Recognition]:
    versions = population.versions
    row = versions.at(min(start, NEVER - 1))
    return [
        Recognition(kind, year, e, int(versions.name[r]), with_code, start, end)
        for e, r in zip(who.tolist(), row[who].tolist(), strict=True)
    ]
