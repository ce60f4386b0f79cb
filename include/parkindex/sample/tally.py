"""Counting by parks: what every part of the truth needs."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from parkindex.sample import facts
from parkindex.sample.days import last_day
from parkindex.sample.population import CODES, OF_2017, Ints
from parkindex.sample.world import World

Value = int | float | None
PARKS = len(facts.PARKS)


@dataclass(frozen=True)
class YearEnd:
    """Every enterprise at 31 December: its park (−1 none) if active, its class (index into ``CODES``, 0 none)."""

    park: Ints
    code: Ints


def ratio(numerator: int | Fraction | None, denominator: int | Fraction | None, scale: int = 1) -> float | None:
    """Divide exactly and turn into a float last; None without a numerator or a denominator."""
    if numerator is None or not denominator:
        return None
    return float(Fraction(numerator) * scale / denominator)


def plus(*parts: int | Fraction | None) -> Fraction | None:
    """Add; None when a part is missing."""
    known = [Fraction(part) for part in parts if part is not None]
    return sum(known, Fraction(0)) if len(known) == len(parts) else None


def total(park: Ints, amounts: Ints) -> list[int]:
    """Whole sums per park; −1 belongs to none."""
    return [int(amounts[park == p].sum()) for p in range(PARKS)]


def count(park: Ints) -> list[int]:
    """How many entries each park has; −1 belongs to none."""
    return [int(c) for c in np.bincount(park[park >= 0], minlength=PARKS)]


def member(codes: Ints, members: frozenset[str]) -> NDArray[np.bool_]:
    """Whether each class (index into ``CODES``) is in a set."""
    table = np.array([code in members for code in CODES])
    chosen: NDArray[np.bool_] = table[codes]
    return chosen


def active(world: World, d: int) -> NDArray[np.bool_]:
    """Whether each enterprise is registered and not ended on a day."""
    return (world.population.registered <= d) & (world.population.ended > d)


def cell_on(world: World, days: Ints | int) -> Ints:
    """Cell of every enterprise's point at a day; −1 without a point or before its first row."""
    row = world.population.versions.at(days)
    return np.where(row >= 0, world.population.versions.cell[row], -1)


def code_on(world: World, days: Ints | int) -> Ints:
    """Class of every enterprise at a day; 0 when unclassified (no row, no code, another or no standard)."""
    versions = world.population.versions
    row = versions.at(days)
    return np.where((row >= 0) & (versions.standard[row] == OF_2017), versions.code[row], 0)


def year_end(world: World, year: int) -> YearEnd:
    """Place and classify every enterprise at 31 December."""
    d = last_day(year)
    cell = cell_on(world, d)
    park = world.land.park(cell, np.full(len(cell), d))
    return YearEnd(np.where(active(world, d), park, -1), code_on(world, d))
