"""Money raised: financing rounds of companies, with the texts of amounts that venture databases print."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from parkindex.sample import facts
from parkindex.sample.days import first_day, last_day
from parkindex.sample.population import Ints, Population, Profile
from parkindex.sample.sizes import Size

_GROUP_EQUITY = np.array([1.2, 1.2, 1.3, 1.0, 0.02])

# How a financing company block names the enterprise.
BY_REGISTERED_NAME, BY_BRAND_ONLY, BY_NAME_AS_BRAND, BY_STRANGER = range(4)


@dataclass(frozen=True)
class Amount:
    """An amount as printed, and what it says exactly: whole units of a currency (ISO 4217), or nothing."""

    text: str
    units: int = 0
    currency: str = ""


@dataclass(frozen=True)
class Rounds:
    """Financing rounds of companies. ``naming`` is that of the company, the same in all its rounds."""

    enterprise: Ints
    day: Ints
    round_name: list[str]
    amount: list[Amount]
    naming: Ints


def rounds(edition: int, size: Size, population: Population, parks: list[Profile], rng: np.random.Generator) -> Rounds:
    """Let technology enterprises raise money in the years edition − 3 to edition."""
    n = len(population)
    equity = np.array([*(p.equity for p in parks), 0.004])[population.home]
    rate = size.equity * equity * _GROUP_EQUITY[population.group] * np.exp(0.5 * population.strength - 0.125)
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
    return Rounds(owner, day_of, names, _amounts(which, rng), naming[owner])


def _amounts(which: Ints, rng: np.random.Generator) -> list[Amount]:
    """Invent amounts, exact ones in several currencies and vague ones, as venture databases print them.

    ``which`` is the place of each round's name in the order of the rounds: the later, the more money.
    """
    total = len(which)
    kinds = rng.choice(10, total, p=[0.48, 0.1, 0.07, 0.07, 0.03, 0.15, 0.03, 0.03, 0.02, 0.02]).tolist()
    values = np.exp(6.2 + 0.28 * which + 0.9 * rng.standard_normal(total)).tolist()
    return [_amount(kind, max(100, round(value / 100) * 100)) for kind, value in zip(kinds, values, strict=True)]


def _amount(kind: int, wan: int) -> Amount:
    """Print a sum of ``wan`` ten-thousands of yuan, or about as much in another currency."""
    dollars = max(100, wan // 700 * 100)
    if kind == 0:
        if wan < 10_000:
            return Amount(f"{wan}万人民币", wan * 10_000, "CNY")
        return Amount(f"{wan // 10_000}.{wan % 10_000:04d}".rstrip("0").rstrip(".") + "亿人民币", wan * 10_000, "CNY")
    return (
        Amount("数千万人民币"),
        Amount("未透露"),
        Amount("未透露人民币"),
        Amount("数百万美元"),
        Amount(f"{dollars}万美元", dollars * 10_000, "USD"),
        Amount(f"{dollars}万欧元", dollars * 10_000, "EUR"),
        Amount(f"{dollars * 8}万港元", dollars * 80_000, "HKD"),
        # no rate is known for these
        Amount(f"{dollars}万英镑", dollars * 10_000, "GBP"),
        # an amount without a currency is not exact
        Amount(f"{wan}万"),
    )[kind - 1]
