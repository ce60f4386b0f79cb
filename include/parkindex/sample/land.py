"""The land: parcels of two cells each and small plots, plots that cover cells for a time, points safely inside a cell.

A cell is the smallest piece of land, so "which park is this point in on that day" is a look-up by cell and day, with
no geometry; and which cells are neighbours is known from how they were laid out. Plots are what the land desk delivers:
one polygon over one or both cells of a parcel, or over the one cell of a small plot.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from parkindex.sample import facts
from parkindex.sample.days import NEVER, day

# Lengths of a degree at Shanghai, metres.
_METRES_LAT = 110_900.0
_METRES_LON = 111_320.0
# Latitude degrees between a small plot and the parcel it lies beside: it touches, a lane of ten metres is between, or
# a road of forty, which is too wide for neighbours (20 m are the assumed limit).
_GAPS = (0.0, 0.00009, 0.00036)
_NEIGHBOURLY = 2

Ring = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Cell:
    """Half of a parcel, or a piece of the city outside every park (``ring`` empty).

    ``west, south, east, north`` (degrees) is a rectangle safely inside, where points are put.
    """

    district: str
    ring: Ring
    west: float
    south: float
    east: float
    north: float


@dataclass(frozen=True)
class Plot:
    """A plot of a park: cells it covers, valid days ``valid_from <= d < valid_to``, hectares in hundredths."""

    plot_id: str
    park: int
    name: str
    district: str
    cells: tuple[int, ...]
    ring: Ring
    area: int
    built_up: int
    valid_from: int
    valid_to: int


@dataclass(frozen=True)
class Land:
    """All cells and plots.

    ``cells_of_park[p]`` are the cells where park p's enterprises settle, of all times; ``neighbours`` the pairs of
    cells that are no more than 20 m apart, the smaller number first.
    """

    cells: tuple[Cell, ...]
    plots: tuple[Plot, ...]
    cells_of_park: tuple[tuple[int, ...], ...]
    outside: tuple[int, ...]
    neighbours: frozenset[tuple[int, int]]

    def park(self, cell: NDArray[np.int64], days: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the park (0-based) of each cell on each day, shape (n,); −1 where no plot is valid."""
        parks = np.full(len(cell), -1, dtype=np.int64)
        covers = np.zeros(len(self.cells) + 1, dtype=bool)
        for plot in self.plots:
            covers[:] = False
            covers[list(plot.cells)] = True
            # cell −1 (no point known) looks at the spare last entry
            parks[covers[cell] & (days >= plot.valid_from) & (days < plot.valid_to)] = plot.park
        return parks


def lay_out(edition: int, rng: np.random.Generator) -> Land:
    """Lay out the parks' parcels and plots for the three editions that end with ``edition``."""
    cells: list[Cell] = []
    plots: list[Plot] = []
    cells_of_park: list[list[int]] = []
    neighbours: set[tuple[int, int]] = set()
    for number, park in enumerate(facts.PARKS):
        own: list[int] = []
        count = 0
        for site in park.sites:
            for k in range(site.parcels):
                count += 1
                first = len(cells)
                whole = _parcel(site, k, cells, rng)
                own += [first, first + 1]
                neighbours.add((first, first + 1))
                start = day(date(edition - int(rng.integers(8, 15)), int(rng.integers(1, 13)), 1))
                plots.append(
                    _plot(f"{park.code}-{count:02d}", number, site.district, (first, first + 1), whole, start, rng)
                )
        cells_of_park.append(own)
    outside = tuple(range(len(cells), len(cells) + len(facts.OUTSIDE)))
    cells += [Cell(district, (), west, south, east, north) for district, west, south, east, north in facts.OUTSIDE]
    for plot, beside in _small(plots, cells, edition, rng):
        plots.append(plot)
        cells_of_park[plot.park] += plot.cells
        neighbours |= {(cell, plot.cells[0]) for cell in beside}
    plots = _change(plots, cells, edition, rng)
    return Land(tuple(cells), tuple(plots), tuple(map(tuple, cells_of_park)), outside, frozenset(neighbours))


def _parcel(site: facts.Site, k: int, cells: list[Cell], rng: np.random.Generator) -> Ring:
    """Add the two cells of a site's k-th parcel and return the ring around both."""
    columns = 3 if site.parcels > 2 else site.parcels
    step = site.half * 2.3
    x = site.longitude + (k % columns - (columns - 1) / 2) * step
    y = site.latitude + (k // columns - 0.5) * step
    half = site.half
    jitter = rng.uniform(0.82, 1.0, (6, 2))
    middle = rng.uniform(-0.06, 0.06, 2)
    shape = ((-1, -1), (0, -1), (1, -1), (1, 1), (0, 1), (-1, 1))
    points: list[tuple[float, float]] = []
    for (sx, sy), (jx, jy) in zip(shape, jitter.tolist(), strict=True):
        dx = sx * jx if sx else middle[0 if sy < 0 else 1]
        points.append((round(x + float(dx) * half, 6), round(y + sy * jy * half, 6)))
    south_west, south, south_east, north_east, north, north_west = points
    for west, east, ring in (
        (-0.72, -0.12, (south_west, south, north, north_west)),
        (0.12, 0.72, (south, south_east, north_east, north)),
    ):
        cells.append(Cell(site.district, ring, x + west * half, y - 0.72 * half, x + east * half, y + 0.72 * half))
    return tuple(points)


def _small(
    parcels: list[Plot], cells: list[Cell], edition: int, rng: np.random.Generator
) -> Iterator[tuple[Plot, tuple[int, ...]]]:
    """Lay small plots out, add their cells, and give each with the cells that are its neighbours.

    Of the southern parcels three in ten have one on their southern edge (touching, over a lane, or over a road); each
    park has up to five that lie for themselves to the south, far from one another. P18-S… lies beside P18-03, which
    ends; P07-S… beside the half of P15-05 that passes to P07; P20 has one of exactly 10 hectares, which is not small.
    """
    counts = dict.fromkeys(range(len(facts.PARKS)), 0)
    of_park: dict[int, list[Plot]] = {}
    for parcel in parcels:
        of_park.setdefault(parcel.park, []).append(parcel)

    def made(park: int, district: str, ring: Ring) -> Plot:
        xs, ys = sorted(x for x, _ in ring), sorted(y for _, y in ring)
        # Between the middle pairs of corners lies a rectangle that is inside for sure; a margin keeps points off edges.
        west, east, south, north = xs[1], xs[2], ys[1], ys[2]
        dx, dy = (east - west) * 0.1, (north - south) * 0.1
        cells.append(Cell(district, ring, west + dx, south + dy, east - dx, north - dy))
        counts[park] += 1
        start = day(date(edition - int(rng.integers(8, 15)), int(rng.integers(1, 13)), 1))
        plot_id = f"{facts.PARKS[park].code}-S{counts[park]}"
        return _plot(plot_id, park, district, (len(cells) - 1,), ring, start, rng)

    def beside(parcel: Plot, park: int, side: int, gap: int) -> tuple[Plot, tuple[int, ...]]:
        """Lay a small plot along the southern (−1) or northern (1) edge of a parcel's western or eastern half."""
        south_west, south, _, north_east, north, _ = parcel.ring
        left, right = (south_west, south) if side < 0 else (north, north_east)
        metres = (right[0] - left[0]) * _METRES_LON * math.cos(math.radians(left[1]))
        depth = float(rng.uniform(25_000, 75_000)) / metres / _METRES_LAT
        near = [(x, round(y + side * _GAPS[gap], 6)) for x, y in (left, right)]
        far = round((min if side < 0 else max)(near[0][1], near[1][1]) + side * depth, 6)
        corners = [(left[0], far), (right[0], far)]
        ring = (*corners, *reversed(near)) if side < 0 else (*near, *reversed(corners))
        # The corner in the middle of the parcel belongs to both halves.
        return made(park, parcel.district, ring), parcel.cells if gap < _NEIGHBOURLY else ()

    for number, park in enumerate(facts.PARKS):
        for parcel in of_park[number]:
            site = next(site for site in park.sites if site.district == parcel.district)
            southern = parcel.ring[0][1] < site.latitude - site.half
            chance, gap = float(rng.uniform(0, 1)), int(rng.integers(0, 3))
            if parcel.plot_id == "P18-03":
                yield beside(parcel, number, -1, 0)
            elif parcel.plot_id == "P15-05":
                yield beside(parcel, 6, 1, 0)
            elif southern and chance < 0.3:
                yield beside(parcel, number, -1, gap)
        site = park.sites[0]
        for k in range(int(rng.integers(0, 6))):
            x = site.longitude + (k - 2) * 0.0042 + float(rng.uniform(0, 0.0006))
            y = site.latitude - 2.15 * site.half - 0.0042
            width, height = float(rng.uniform(0.0016, 0.003)), float(rng.uniform(0.0014, 0.0025))
            west, south = round(x, 6), round(y - height, 6)
            east, north = round(x + width, 6), round(y, 6)
            plot = made(number, site.district, ((west, south), (east, south), (east, north), (west, north)))
            if park.code == "P20" and k == 0:
                plot = replace(plot, area=1000)
            yield plot, ()


def _plot(
    plot_id: str,
    park: int,
    district: str,
    cells: tuple[int, ...],
    ring: Ring,
    valid_from: int,
    rng: np.random.Generator,
    valid_to: int = NEVER,
) -> Plot:
    area = _hectares(ring)
    built_up = round(area * float(rng.uniform(0.45, 0.85)))
    name = f"{facts.PARKS[park].name.split('(', maxsplit=1)[0]}{plot_id[4:]}号地块"
    return Plot(plot_id, park, name, district, cells, ring, area, built_up, valid_from, valid_to)


def _hectares(ring: Ring) -> int:
    """Area of a ring in hundredths of a hectare (plane approximation, enough for invented land)."""
    lat = math.radians(ring[0][1])
    metres = [(x * _METRES_LON * math.cos(lat), y * _METRES_LAT) for x, y in ring]
    twice = sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in zip(metres, (*metres[1:], metres[0]), strict=True))
    return round(abs(twice) / 2 / 100)


def _change(plots: list[Plot], cells: list[Cell], edition: int, rng: np.random.Generator) -> list[Plot]:
    """Let plots begin, end, be split and pass to another park within the editions.

    - P15-05 is split on 1 July of edition − 1: its western half stays, its eastern half passes to P07.
    - P21-04 only begins on 1 April of edition − 1 (before, its enterprises are in no park).
    - P18-03 ends on 31 December of edition − 1, so that it is not valid on that day.
    - P17-05 is split within its park on 15 June of edition.
    - P06-05 begins on 1 January of edition.
    """
    by_id = {plot.plot_id: plot for plot in plots}

    def half(plot_id: str, side: int, new_id: str, park: int, start: int) -> Plot:
        old = by_id[plot_id]
        cell = old.cells[side]
        return _plot(new_id, park, old.district, (cell,), cells[cell].ring, start, rng)

    passed = day(date(edition - 1, 7, 1))
    split = day(date(edition, 6, 15))
    by_id["P21-04"] = replace(by_id["P21-04"], valid_from=day(date(edition - 1, 4, 1)))
    by_id["P18-03"] = replace(by_id["P18-03"], valid_to=day(date(edition - 1, 12, 31)))
    by_id["P06-05"] = replace(by_id["P06-05"], valid_from=day(date(edition, 1, 1)))
    new = [
        half("P15-05", 0, "P15-06", 14, passed),
        half("P15-05", 1, "P07-08", 6, passed),
        half("P17-05", 0, "P17-06", 16, split),
        half("P17-05", 1, "P17-07", 16, split),
    ]
    by_id["P15-05"] = replace(by_id["P15-05"], valid_to=passed)
    by_id["P17-05"] = replace(by_id["P17-05"], valid_to=split)
    return [*by_id.values(), *new]
