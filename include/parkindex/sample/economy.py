"""What enterprises earn, spend and employ: yearly accounts and monthly insured headcounts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from parkindex.sample import facts
from parkindex.sample.days import first_day, last_day
from parkindex.sample.population import Ints, Population, Profile
from parkindex.sample.sizes import Size

NOT_REPORTED = -1
NO_FIGURE = -(2**62)
# Levels of revenue of the industry groups IC, BIO, AI, other technology, everything else.
_GROUP_REVENUE = np.array([1.6, 1.2, 0.8, 0.6, 1.1])
_GROUP_RESEARCH = np.array([1.9, 2.0, 1.6, 1.2, 0.25])
_GROUP_ADDED = np.array([0.28, 0.34, 0.3, 0.26, 0.14])
_GROUP_STAFF = np.array([1.3, 1.2, 1.1, 0.9, 0.8])
_SIGMA = 1.45
_LARGEST = 2 * 10**11


@dataclass(frozen=True)
class Accounts:
    """The last word on every reporting enterprise and year, CNY (whole) and persons.

    ``research`` and ``assets`` are ``NOT_REPORTED`` where the cell is empty, ``value_added`` (which may be negative) is
    ``NO_FIGURE`` there. ``reported`` is the day of the report.
    """

    enterprise: Ints
    year: Ints
    reported: Ints
    revenue: Ints
    research: Ints
    value_added: Ints
    assets: Ints
    staff: Ints


@dataclass(frozen=True)
class Headcounts:
    """Insured persons of the enterprises that have any.

    Attributes:
        enterprise: Enterprises, shape (c,).
        months: First days of the months, shape (m,).
        insured: Persons, shape (c, m); ``NOT_REPORTED`` where there is no row.
        bachelor, master, doctor: Shares in thousandths, shape (c,).
        foreign: Foreign persons among the insured, shape (c, m); ``NOT_REPORTED`` where the cell is empty.
    """

    enterprise: Ints
    months: Ints
    insured: Ints
    bachelor: Ints
    master: Ints
    doctor: Ints
    foreign: Ints


def staff(size: Size, population: Population, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw the usual number of employees of every enterprise: log-normal, larger for the stronger."""
    n = len(population)
    log = 2.3 + 0.45 * population.strength + 0.95 * rng.standard_normal(n)
    sizes: NDArray[np.float64] = np.minimum(np.exp(log) * size.staff_level * _GROUP_STAFF[population.group], 20_000.0)
    return sizes


def accounts(
    edition: int,
    size: Size,
    population: Population,
    parks: list[Profile],
    employees: NDArray[np.float64],
    rng: np.random.Generator,
) -> Accounts:
    """Let the enterprises of the sample report the years edition − 3 to edition."""
    n = len(population)
    level = np.array([*(park.revenue for park in facts.PARKS), 0.7])[population.home]
    growth = np.array([*(p.growth for p in parks), 0.05])[population.home]
    intensity = np.array([*(p.research for p in parks), 0.02])[population.home]
    sampled = rng.uniform(0, 1, n) < np.clip(size.accounts_share * np.exp(0.35 * population.strength), 0, 0.97)
    own_growth = growth + 0.08 * rng.standard_normal(n)
    typical = 16.5 + np.log(level * size.revenue_level * _GROUP_REVENUE[population.group])
    research_level = intensity * _GROUP_RESEARCH[population.group] * np.exp(0.5 * rng.standard_normal(n) - 0.125)
    efficiency = np.array([*(0.7 + 0.9 * p.efficiency for p in parks), 0.8])[population.home]
    added_level = efficiency * _GROUP_ADDED[population.group]
    parts = []
    for year in range(edition - 3, edition + 1):
        alive = (population.registered <= last_day(year)) & (population.ended > first_day(year))
        who = np.flatnonzero(sampled & alive & (rng.uniform(0, 1, n) < 0.97))
        m = len(who)
        lived = np.clip((last_day(year) - population.registered[who]) / 365, 0.05, 1.0)
        log = typical[who] + _SIGMA * population.strength[who] + own_growth[who] * (year - edition)
        revenue = np.minimum(np.exp(log + 0.12 * rng.standard_normal(m)) * lived, _LARGEST)
        revenue = np.where(rng.uniform(0, 1, m) < 0.01, 0.0, revenue)
        # Most accounts are kept in whole thousands, some to the yuan.
        yuan = np.rint(revenue).astype(np.int64)
        yuan = np.where(rng.uniform(0, 1, m) < 0.7, yuan // 1000 * 1000, yuan)
        spent = np.rint(yuan * np.minimum(research_level[who] * np.exp(0.2 * rng.standard_normal(m)), 0.9))
        research = np.where(rng.uniform(0, 1, m) < 0.2, NOT_REPORTED, spent.astype(np.int64))
        added = np.rint(yuan * added_level[who] * rng.uniform(-0.1, 1.7, m)).astype(np.int64)
        added = np.where(rng.uniform(0, 1, m) < 0.06, NO_FIGURE, added)
        assets = np.rint(yuan * rng.uniform(0.7, 3.2, m)).astype(np.int64)
        assets = np.where(rng.uniform(0, 1, m) < 0.05, NOT_REPORTED, assets)
        people = np.maximum(1, np.rint(employees[who] * rng.uniform(0.9, 1.15, m))).astype(np.int64)
        reported = first_day(year + 1) + rng.integers(31, 95, m)
        parts.append((who, np.full(m, year), reported, yuan, research, added, assets, people))
    return Accounts(*(np.concatenate([part[k] for part in parts]) for k in range(8)))


def headcounts(
    edition: int,
    size: Size,
    population: Population,
    parks: list[Profile],
    employees: NDArray[np.float64],
    rng: np.random.Generator,
) -> Headcounts:
    """Count insured persons for the 36 months of the three editions."""
    n = len(population)
    share = np.where(population.home >= 0, size.insured_share, size.insured_share / 4)
    who = np.flatnonzero(rng.uniform(0, 1, n) < share)
    years = range(edition - 2, edition + 1)
    months = np.array(
        [int(np.datetime64(f"{year}-{month:02d}", "D").astype(np.int64)) for year in years for month in range(1, 13)]
    )
    drift = np.exp(0.01 * np.cumsum(rng.standard_normal((len(who), 36)), axis=1))
    insured = np.maximum(1, np.rint(employees[who, None] * drift)).astype(np.int64)
    # Insured from the month after registration, for the last time in the month before the end.
    alive = (months >= population.registered[who, None]) & (months + 31 <= population.ended[who, None])
    missing = rng.uniform(0, 1, insured.shape) < 0.004
    bachelor = rng.integers(250, 900, len(who))
    master = bachelor * rng.integers(100, 450, len(who)) // 1000
    doctor = master * rng.integers(0, 200, len(who)) // 1000
    worldly = np.array([*(0.002 + 0.03 * p.openness for p in parks), 0.004])[population.home[who]]
    expected = insured * (worldly * rng.uniform(0, 2, len(who)))[:, None] + rng.uniform(0, 1, len(who))[:, None]
    foreign = np.minimum(np.floor(expected).astype(np.int64), insured)
    foreign = np.where(rng.uniform(0, 1, insured.shape) < 0.01, NOT_REPORTED, foreign)
    return Headcounts(who, months, np.where(alive & ~missing, insured, NOT_REPORTED), bachelor, master, doctor, foreign)
