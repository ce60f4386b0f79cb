"""How the feeds tell where an enterprise is: by a point, a street, a town, a park's register, or by nothing clear.

Where an enterprise *is* does not change: its cell stands in ``population``. A row with a cell is told in a way that
leads to the cell's park; a row without one (nobody knows where) in a way that leads to none, or to two parks at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from parkindex.sample import facts
from parkindex.sample.days import NEVER, day, first_day
from parkindex.sample.land import Land
from parkindex.sample.population import Ints, Population

BY_POINT, BY_STREET, BY_TOWN, BY_REGISTER, BY_NOTHING, TWO_STREETS, TWO_REGISTERS, ON_BORDER = range(8)
UNCLEAR = frozenset((TWO_STREETS, TWO_REGISTERS, ON_BORDER))
# Shares of rows with a known place.
_STREET, _TOWN, _REGISTER = 0.03, 0.012, 0.015
_MEMBERS, _CLAIMED_TWICE, _STRAY = 0.1, 0.006, 0.15
BORDER_STREET = "两界路"
BORDER_DISTRICT = "浦东新区"
# Parks that both claim the border street.
BORDER_PARKS = (0, 1)
OFFICE = "虹霓路88号"
_LAST_NUMBER = 1999


@dataclass(frozen=True)
class Membership:
    """An enterprise in a park's register: ``valid_from <= d < valid_to``."""

    park: int
    enterprise: int
    name: int
    valid_from: int
    valid_to: int


@dataclass(frozen=True)
class Range:
    """A range of house numbers, or a whole town (``street`` empty), of a park."""

    range_id: str
    park: int
    district: str
    town: str
    street: str
    side: str
    valid_from: int
    valid_to: int

    @property
    def numbers(self) -> tuple[int, int] | None:
        """First and last number; None for a whole town."""
        return (1, _LAST_NUMBER) if self.street else None


@dataclass(frozen=True)
class Evidence:
    """How every registry row is told.

    Attributes:
        told: ``BY_POINT`` … per row of ``Versions``, shape (k,).
        memberships: The parks' registers.
        ranges: The street ranges.
        claimed_twice: Enterprises with a point that a second park has registered too.
        offices: Rows at the address that very many share, shape (k,).
        steady_park: Park of the row's cell as long as the row holds; −1 where it is none or changes, shape (k,).
    """

    told: Ints
    memberships: tuple[Membership, ...]
    ranges: tuple[Range, ...]
    claimed_twice: frozenset[int]
    offices: NDArray[np.bool_]
    steady_park: Ints


def gather(edition: int, land: Land, population: Population, rng: np.random.Generator) -> Evidence:
    """Draw how each row is told, and make the registers and ranges that go with it."""
    versions = population.versions
    end = _ends(population)
    steady = _steady_park(land, versions.cell, versions.effective, end)
    chance = rng.uniform(0, 1, len(end))
    twice = rng.uniform(0, 1, len(end))
    told = np.full(len(end), BY_POINT)
    inside = (versions.cell >= 0) & ~np.isin(versions.cell, land.outside)
    told[inside & (chance < _STREET)] = BY_STREET
    told[(steady >= 0) & (chance >= _STREET) & (chance < _STREET + _TOWN)] = BY_TOWN
    edge = _STREET + _TOWN
    told[(steady >= 0) & (chance >= edge) & (chance < edge + _REGISTER)] = BY_REGISTER
    # Some of those outside every park look as if they could be in two; where they are does not change.
    stray = np.isin(versions.cell, land.outside) & (chance < _STRAY)
    unknown = np.flatnonzero((versions.cell < 0) | stray)
    kinds = np.array([TWO_STREETS, TWO_REGISTERS, ON_BORDER, BY_NOTHING])[np.arange(len(unknown)) % 4]
    split = day(date(edition - 1, 7, 1))
    told[unknown] = np.where((kinds == ON_BORDER) & (versions.effective[unknown] < split), TWO_STREETS, kinds)
    memberships, claimed = _memberships(population, told, steady, end, chance, twice)
    office = (versions.cell >= 0) & (np.isin(versions.cell, land.outside) | (population.home[versions.enterprise] == 2))
    few = np.cumsum(office) <= max(60, len(population) // 100)
    offices = office & few & (told == BY_POINT)
    return Evidence(told, memberships, tuple(_ranges(edition, land)), claimed, offices, steady)


def street_of(cell: int) -> str:
    """Name of the street of a cell; every cell has its own."""
    letters = facts.SYLLABLES
    return f"{letters[cell // len(letters) % len(letters)]}{letters[cell % len(letters)]}路"


def side_of(cell: int) -> str:
    """Which house numbers of its street a cell has."""
    return "单号" if cell % 2 else "双号"


def town_of(park: int) -> str:
    """Name of the town that is a park's whole."""
    return f"虚{facts.SYLLABLES[park]}镇"


def border_point(land: Land) -> tuple[int, int]:
    """The corner that P15-06 and P07-08 share, in 1e-7 degrees: on the border of two parks since their split."""
    west, east = (next(plot.ring for plot in land.plots if plot.plot_id == one) for one in ("P15-06", "P07-08"))
    x, y = min(set(west) & set(east), key=lambda point: point[1])
    return round(x * 1e7), round(y * 1e7)


def _ends(population: Population) -> Ints:
    """First day after each registry row."""
    versions = population.versions
    end = np.full(len(versions.enterprise), NEVER, dtype=np.int64)
    same = versions.enterprise[1:] == versions.enterprise[:-1]
    end[:-1][same] = versions.effective[1:][same]
    return end


def _steady_park(land: Land, cell: Ints, since: Ints, until: Ints) -> Ints:
    """Park of each row's cell when one plot covers the cell as long as the row holds; −1 otherwise."""
    steady = np.full(len(cell), -1, dtype=np.int64)
    for plot in land.plots:
        covered = np.isin(cell, plot.cells) & (since >= plot.valid_from) & (until <= plot.valid_to)
        steady[covered] = plot.park
    return steady


def _memberships(
    population: Population,
    told: Ints,
    steady: Ints,
    end: Ints,
    chance: NDArray[np.float64],
    twice: NDArray[np.float64],
) -> tuple[tuple[Membership, ...], frozenset[int]]:
    versions = population.versions
    found: list[Membership] = []
    claimed = set()

    def enter(row: int, park: int) -> None:
        e = int(versions.enterprise[row])
        found.append(Membership(park, e, int(versions.name[row]), int(versions.effective[row]), int(end[row])))

    listed = (told == BY_REGISTER) | ((told == BY_POINT) & (steady >= 0) & (chance > 1 - _MEMBERS))
    for row in np.flatnonzero(listed).tolist():
        enter(row, int(steady[row]))
    # A second park claims some of them too; their point says where they are.
    for row in np.flatnonzero(listed & (told == BY_POINT) & (twice < _CLAIMED_TWICE / _MEMBERS)).tolist():
        enter(row, (int(steady[row]) + 1) % len(facts.PARKS))
        claimed.add(int(versions.enterprise[row]))
    for row in np.flatnonzero(told == TWO_REGISTERS).tolist():
        enter(row, row % len(facts.PARKS))
        enter(row, (row + 5) % len(facts.PARKS))
    return tuple(sorted(found, key=lambda one: (one.park, one.valid_from, one.enterprise))), frozenset(claimed)


def _ranges(edition: int, land: Land) -> Iterator[Range]:
    for plot in land.plots:
        for cell in plot.cells:
            yield Range(
                f"{plot.plot_id}-{cell}",
                plot.park,
                plot.district,
                "",
                street_of(cell),
                side_of(cell),
                plot.valid_from,
                plot.valid_to,
            )
    start = first_day(edition - 40)
    for number, park in enumerate(facts.PARKS):
        for place, district in enumerate(sorted({site.district for site in park.sites})):
            yield Range(f"{park.code}-T{place}", number, district, town_of(number), "", "全部", start, NEVER)
    for number in BORDER_PARKS:
        code = facts.PARKS[number].code
        yield Range(f"{code}-B", number, BORDER_DISTRICT, "", BORDER_STREET, "全部", start, NEVER)
