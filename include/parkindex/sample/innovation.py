"""What enterprises invent, raise and are honoured for: patents and their events, financing rounds, recognitions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from parkindex.sample import facts, identifiers
from parkindex.sample.days import NEVER, first_day, last_day
from parkindex.sample.population import Ints, Population, Profile
from parkindex.sample.sizes import Size

NOBODY = -1
KIND_A, KIND_B, KIND_U, KIND_S = range(4)
KINDS = ("A", "B", "U", "S")
_GROUP_PATENTS = np.array([1.8, 1.6, 1.5, 1.0, 0.25])
_GROUP_EQUITY = np.array([1.2, 1.2, 1.3, 1.0, 0.02])

# How a financing company block names the enterprise.
BY_REGISTERED_NAME, BY_BRAND_ONLY, BY_NAME_AS_BRAND, BY_STRANGER = range(4)

UNICORN, HIDDEN_CHAMPION = "独角兽", "隐形冠军"


@dataclass(frozen=True)
class Patents:
    """Publications, in order of their day.

    Attributes:
        application: Application numbers (one may be published several times).
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


@dataclass(frozen=True)
class Rounds:
    """Financing rounds of companies. ``naming`` is that of the company, the same in all its rounds."""

    enterprise: Ints
    day: Ints
    round_name: list[str]
    amount: list[str]
    naming: Ints


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


def patents(
    edition: int,
    population: Population,
    parks: list[Profile],
    employees: NDArray[np.float64],
    insured: Ints,
    rng: np.random.Generator,
) -> Patents:
    """Publish applications and grants of the years edition − 3 to edition.

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
    for kind, share in ((KIND_B, 1.0), (KIND_A, 0.35), (KIND_U, 0.3), (KIND_S, 0.06)):
        for year in range(edition - 3, edition + 1):
            counts = rng.poisson(rate * share * (0.2 if year == edition - 3 else 1.0))
            alive = (population.registered <= first_day(year)) & (population.ended > last_day(year))
            who = np.repeat(np.arange(n), np.where(alive, np.minimum(counts, 400), 0))
            owners.append(who)
            kinds.append(np.full(len(who), kind))
            days.append(rng.integers(first_day(year), last_day(year) + 1, len(who)))
    owner, kind_of, day_of = np.concatenate(owners), np.concatenate(kinds), np.concatenate(days)
    # Universities, persons, strangers: first applicants that lead to no enterprise of the registry.
    foreign = max(8, len(owner) // 12)
    owner = np.concatenate([owner, np.full(foreign, NOBODY)])
    kind_of = np.concatenate([kind_of, rng.choice([KIND_A, KIND_B], foreign)])
    day_of = np.concatenate([day_of, rng.integers(first_day(edition - 3), last_day(edition) + 1, foreign)])
    # Some grants stand on 31 December and 1 January.
    edges = rng.choice(len(day_of), max(4, len(day_of) // 300), replace=False)
    edge_days = np.array([edge(y) for y in range(edition - 2, edition + 1) for edge in (first_day, last_day)])
    day_of[edges] = rng.choice(edge_days, len(edges))
    order = np.argsort(day_of, kind="stable")
    owner, kind_of, day_of = owner[order], kind_of[order], day_of[order]
    total = len(owner)

    age = np.where(kind_of == KIND_B, rng.integers(400, 1500, total), rng.integers(60, 500, total))
    filed = day_of - age
    years = filed.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    types = np.array([1, 1, 2, 3])[kind_of]
    application = identifiers.application_numbers(years, types, 1_000_000 + np.arange(total) * 7 % 8_999_999)
    base = np.array([115_000_000, 110_000_000, 215_000_000, 307_000_000])[kind_of]
    number = [str(x) for x in (base + np.arange(total)).tolist()]
    # A grant of the same application printed under a second number within the year: counted once.
    granted = np.flatnonzero(
        (kind_of[:-1] == KIND_B) & (owner[:-1] >= 0) & (kind_of[1:] == KIND_B) & (owner[1:] == owner[:-1])
    )
    for twin in granted[:3].tolist():
        application[twin + 1] = application[twin]
        filed[twin + 1] = filed[twin]

    name = _name_on(population, owner, day_of, rng)
    other = np.where(rng.uniform(0, 1, total) < 0.08, rng.integers(0, n, total), NOBODY)
    other = np.where(other == owner, NOBODY, other)
    subject = np.where(owner >= 0, population.group[owner], rng.integers(0, 4, total))
    return Patents(application, number, kind_of, day_of, filed, owner, name, other, subject)


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


def rounds(edition: int, population: Population, parks: list[Profile], rng: np.random.Generator) -> Rounds:
    """Let technology enterprises raise money in the years edition − 3 to edition."""
    n = len(population)
    equity = np.array([*(p.equity for p in parks), 0.004])[population.home]
    rate = equity * _GROUP_EQUITY[population.group] * np.exp(0.5 * population.strength - 0.125)
    naming = rng.choice(4, n, p=[0.84, 0.07, 0.06, 0.03])
    owners, days = [], []
    for year in range(edition - 3, edition + 1):
        counts = np.minimum(rng.poisson(rate * 1.25), 3)
        alive = (population.registered <= first_day(year)) & (population.ended > last_day(year))
        who = np.repeat(np.arange(n), np.where(alive, counts, 0))
        owners.append(who)
        days.append(rng.integers(first_day(year), last_day(year) + 1, len(who)))
    owner, day_of = np.concatenate(owners), np.concatenate(days)
    # One round a company and day: the export's key.
    _, kept = np.unique(owner * 100_000 + day_of, return_index=True)
    owner, day_of = owner[kept], day_of[kept]
    total = len(owner)
    which = np.minimum(rng.geometric(0.2, total) - 1, len(facts.EQUITY_ROUNDS) - 1)
    fate = rng.uniform(0, 1, total)
    other = rng.integers(0, len(facts.OTHER_ROUNDS), total)
    names = [
        "-" if f < 0.1 else facts.OTHER_ROUNDS[o] if f < 0.2 else facts.EQUITY_ROUNDS[w]
        for f, o, w in zip(fate.tolist(), other.tolist(), which.tolist(), strict=True)
    ]
    return Rounds(owner, day_of, names, _amounts(total, rng), naming[owner])


def _amounts(total: int, rng: np.random.Generator) -> list[str]:
    """Texts of amounts, exact and vague, as venture databases print them."""
    texts = []
    kinds = rng.choice(6, total, p=[0.34, 0.22, 0.12, 0.16, 0.1, 0.06]).tolist()
    values = np.exp(rng.normal(7.2, 1.2, total)).tolist()
    for kind, value in zip(kinds, values, strict=True):
        rounded = max(100, round(value / 100) * 100)
        texts.append(
            (
                f"{rounded}万人民币" if rounded < 10_000 else f"{rounded / 10_000:g}亿人民币",
                "数千万人民币",
                "未透露",
                "未透露人民币",
                f"{max(100, rounded // 700 * 100)}万美元",
                "数百万美元",
            )[kind]
        )
    return texts


def recognitions(
    edition: int, size: Size, population: Population, parks: list[Profile], rng: np.random.Generator
) -> list[Recognition]:
    """Recognise enterprises on the lists of the years edition − 3 to edition."""
    found: list[Recognition] = []
    technology = np.flatnonzero(population.group < 4)
    for year in range(edition - 3, edition + 1):
        alive = technology[
            (population.registered[technology] < first_day(year)) & (population.ended[technology] > last_day(year))
        ]
        for kind, lasting, with_code, share in facts.RECOGNITIONS:
            who = np.sort(alive[rng.uniform(0, 1, len(alive)) < share * (1 if size.even or lasting > 1 else 0.5)])
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
    """Unicorns (a list every year, cut-off 31 December, valid one year) and hidden champions (three years, no codes).

    The strongest technology enterprises of each park, so that some are on both lists.
    """
    found: list[Recognition] = []
    champions: dict[int, list[int]] = {}
    for number, profile in enumerate([*parks, None]):
        expected = profile.honours * size.honours if profile else 1.0
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
