"""What enterprises invent: publications of patent applications and grants."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from parkindex.sample import facts, identifiers
from parkindex.sample.days import first_day, last_day
from parkindex.sample.population import Ints, Population, Profile

NOBODY = -1
KIND_A, KIND_B, KIND_U, KIND_S = range(4)
KINDS = ("A", "B", "U", "S")
_GROUP_PATENTS = np.array([1.8, 1.6, 1.5, 1.0, 0.25])


@dataclass(frozen=True)
class Patents:
    """Publications, in order of their day.

    Attributes:
        application: Application numbers (one may be published several times, as an application and when granted).
        number: Publication numbers, distinct within a kind.
        kind: Index into ``KINDS``.
        published, filed: Days.
        enterprise: First applicant, or ``NOBODY`` when it is not an enterprise of the world.
        name: Number of the name it is printed with (−1 with ``NOBODY``).
        other: Second applicant's enterprise, or ``NOBODY``.
        subject: Index of the industry group, for titles and classes.
    """

    application: list[str]
    number: list[str]
    kind: Ints
    published: Ints
    filed: Ints
    enterprise: Ints
    name: Ints
    other: Ints
    subject: Ints


def patents(
    edition: int,
    population: Population,
    parks: list[Profile],
    employees: NDArray[np.float64],
    insured: Ints,
    rng: np.random.Generator,
) -> Patents:
    """Publish applications and grants of the years edition − 3 to edition, and the older grants that may still stand.

    Args:
        edition: Last edition.
        population: Enterprises.
        parks: The parks' profiles.
        employees: Usual number of employees of every enterprise.
        insured: Enterprises with insured persons; the others invent little.
        rng: Source of chance.
    """
    n = len(population)
    grants = np.array([*(p.grants for p in parks), 25.0])[population.home]
    rate = grants / 1e4 * employees * _GROUP_PATENTS[population.group] * 0.1
    rate[insured] *= 10
    owners, kinds, days = [], [], []
    for kind, share in ((KIND_B, 1.0), (KIND_A, 0.8), (KIND_U, 0.3), (KIND_S, 0.06)):
        for year in range(edition - 3, edition + 1):
            counts = rng.poisson(rate * share * (0.2 if year == edition - 3 else 1.0))
            alive = (population.registered <= first_day(year)) & (population.ended > last_day(year))
            who = np.repeat(np.arange(n), np.where(alive, np.minimum(counts, 400), 0))
            owners.append(who)
            kinds.append(np.full(len(who), kind))
            days.append(rng.integers(first_day(year), last_day(year) + 1, len(who)))
    for back in range(13, 3, -1):
        year = edition - back
        counts = rng.poisson(rate * (0.5 - 0.03 * back))
        alive = (population.registered <= first_day(year)) & (population.ended > last_day(year))
        who = np.repeat(np.arange(n), np.where(alive, np.minimum(counts, 200), 0))
        owners.append(who)
        kinds.append(np.full(len(who), KIND_B))
        days.append(rng.integers(first_day(year), last_day(year) + 1, len(who)))
    owner, kind_of, day_of = np.concatenate(owners), np.concatenate(kinds), np.concatenate(days)
    # Universities, persons, strangers: first applicants that lead to no enterprise of the registry.
    foreign = max(8, len(owner) // 15)
    owner = np.concatenate([owner, np.full(foreign, NOBODY)])
    kind_of = np.concatenate([kind_of, rng.choice([KIND_A, KIND_B], foreign)])
    day_of = np.concatenate([day_of, rng.integers(first_day(edition - 3), last_day(edition) + 1, foreign)])
    # Some grants stand on 31 December and 1 January.
    recent = np.flatnonzero(day_of >= first_day(edition - 3))
    edges = rng.choice(recent, max(4, len(recent) // 300), replace=False)
    edge_days = np.array([edge(y) for y in range(edition - 2, edition + 1) for edge in (first_day, last_day)])
    day_of[edges] = rng.choice(edge_days, len(edges))
    order = np.argsort(day_of, kind="stable")
    owner, kind_of, day_of = owner[order], kind_of[order], day_of[order]
    total = len(owner)

    filed = _filed(edition, owner, kind_of, day_of, rng)
    years = filed.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    types = np.array([1, 1, 2, 3])[kind_of]
    application = identifiers.application_numbers(years, types, 1_000_000 + np.arange(total) * 7 % 8_999_999)
    base = np.array([115_000_000, 110_000_000, 215_000_000, 307_000_000])[kind_of]
    number = [str(x) for x in (base + np.arange(total)).tolist()]
    # A grant of the same application printed under a second number within the year: counted once.
    granted = np.flatnonzero(
        (kind_of[:-1] == KIND_B)
        & (owner[:-1] >= 0)
        & (kind_of[1:] == KIND_B)
        & (owner[1:] == owner[:-1])
        & (day_of[:-1] >= first_day(edition - 2))
    )
    for twin in granted[:3].tolist():
        application[twin + 1] = application[twin]
        filed[twin + 1] = filed[twin]

    _publish_before_the_grant(application, filed, owner, kind_of, day_of)
    name = _name_on(population, owner, day_of, rng)
    # Some parks' enterprises invent together with others far more than others do.
    together = np.array([*(0.01 + 0.06 * p.openness for p in parks), 0.05])[
        np.where(owner >= 0, population.home[owner], -1)
    ]
    other = np.where(rng.uniform(0, 1, total) < together, rng.integers(0, n, total), NOBODY)
    other = np.where(other == owner, NOBODY, other)
    subject = np.where(owner >= 0, population.group[owner], rng.integers(0, 4, total))
    return Patents(application, number, kind_of, day_of, filed, owner, name, other, subject)


def _publish_before_the_grant(application: list[str], filed: Ints, owner: Ints, kind: Ints, published: Ints) -> None:
    """Let some enterprises' first published application be the one that they are granted last."""
    firsts: dict[int, int] = {}
    for row in np.flatnonzero((kind == KIND_A) & (owner >= 0)).tolist():
        firsts.setdefault(int(owner[row]), row)
    lasts = {int(owner[row]): row for row in np.flatnonzero((kind == KIND_B) & (owner >= 0)).tolist()}
    for enterprise, row in firsts.items():
        grant = lasts.get(enterprise)
        if grant is not None and filed[grant] + 60 < published[row] < published[grant]:
            application[row] = application[grant]
            filed[row] = filed[grant]


def _filed(edition: int, owner: Ints, kind: Ints, published: Ints, rng: np.random.Generator) -> Ints:
    """Draw the day of each application.

    Some of the older grants were long in coming, so that their ten and twenty years end about now, a few on the day.
    """
    total = len(owner)
    age = np.where(kind == KIND_B, rng.integers(400, 1500, total), rng.integers(60, 500, total))
    filed: Ints = published - age
    old = np.flatnonzero((kind == KIND_B) & (owner >= 0) & (published < first_day(edition - 3)))
    decades = np.array([last_day(edition - years - back) for years in (10, 20) for back in range(3)])
    slow = rng.choice(old, len(old) // 12, replace=False)
    ends = rng.choice(decades, len(slow)) - rng.choice([0, 1, -1, 200, -200], len(slow))
    filed[slow] = np.minimum(ends, published[slow] - 400)
    return filed


def _name_on(population: Population, owner: Ints, days: Ints, rng: np.random.Generator) -> Ints:
    """Return the name number an enterprise is printed with: that of the day, or now and then its first."""
    names = np.full(len(owner), NOBODY)
    versions = population.versions
    order = np.flatnonzero(owner >= 0)
    first = versions.first[owner[order]]
    last = np.append(versions.first[1:], len(versions.enterprise))[owner[order]]
    row = first.copy()
    for step in range(1, int((last - first).max(initial=1))):
        following = first + step
        valid = following < last
        reached = valid & (versions.effective[np.minimum(following, len(versions.enterprise) - 1)] <= days[order])
        row = np.where(reached, following, row)
    row = np.where(rng.uniform(0, 1, len(order)) < 0.1, first, row)
    names[order] = versions.name[row]
    return names


def classes(patents: Patents, row: int) -> tuple[str, ...]:
    """Return the classes a publication is printed with: of the IPC, for designs of the Locarno classification."""
    if patents.kind[row] == KIND_S:
        return ("14-02",)
    known = facts.IPC[int(patents.subject[row])]
    first = row // 2 % len(known)
    return (known[first],) if row % 2 else (known[first], known[first - 1])
