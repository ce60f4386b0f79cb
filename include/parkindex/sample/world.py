"""A world: every object of it, made from an edition, a seed and a size, before anything is written."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from parkindex.sample import (
    economy,
    evidence,
    financing,
    honours,
    innovation,
    kinship,
    land,
    legal,
    population,
    reports,
)
from parkindex.sample.sizes import Size


@dataclass(frozen=True)
class World:
    """The objects. The truth is computed from these; the feeds are written from these."""

    edition: int
    seed: int
    size: Size
    land: land.Land
    population: population.Population
    accounts: economy.Accounts
    headcounts: economy.Headcounts
    patents: innovation.Patents
    events: list[legal.Event]
    rounds: financing.Rounds
    recognitions: list[honours.Recognition]
    reports: list[reports.Report]
    evidence: evidence.Evidence
    branches: tuple[tuple[int, int], ...]
    crowded: NDArray[np.bool_]

    @property
    def editions(self) -> tuple[int, ...]:
        """The three evaluation years."""
        return (self.edition - 2, self.edition - 1, self.edition)


def stream(seed: int, purpose: int) -> np.random.Generator:
    """Return the generator of one purpose: what one part draws never shifts what another draws."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, purpose])))


def make(edition: int, seed: int, size: Size) -> World:
    """Make a world. The same arguments give the same world."""
    laid = land.lay_out(edition, stream(seed, 1))
    parks = population.profiles(stream(seed, 2))
    kin = kinship.add(population.populate(edition, size, laid, parks, stream(seed, 3)), stream(seed, 12))
    people = kin.population
    employees = economy.staff(size, people, stream(seed, 4))
    insured = economy.headcounts(edition, size, people, parks, employees, stream(seed, 6))
    invented = innovation.patents(edition, people, parks, employees, insured.enterprise, stream(seed, 7))
    return World(
        edition=edition,
        seed=seed,
        size=size,
        land=laid,
        population=people,
        accounts=economy.accounts(edition, size, people, parks, employees, stream(seed, 5)),
        headcounts=insured,
        patents=invented,
        events=legal.events(edition, people, parks, invented, stream(seed, 11)),
        rounds=financing.rounds(edition, size, people, parks, stream(seed, 8)),
        recognitions=honours.recognitions(edition, size, people, parks, stream(seed, 9)),
        reports=reports.file(edition, people, insured, parks, stream(seed, 10)),
        evidence=evidence.gather(edition, laid, people, stream(seed, 13)),
        branches=kin.branches,
        crowded=kin.crowded,
    )
