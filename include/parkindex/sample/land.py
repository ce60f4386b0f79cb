"""The land: parcels of two cells each, plots that cover cells for a time, points that lie safely inside a cell.

A cell is the smallest piece of land, so "which park is this point in on that day" is a look-up by cell and day, with
no geometry. Plots are what the land desk delivers: one polygon over one or both cells of a parcel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from parkindex.sample import facts
from parkindex.sample.days import NEVER, day

# Lengths of a degree at Shanghai, metres.
_METRES_LAT = 110_900.0
_METRES_LON = 111_320.0

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
    """All cells and plots. ``cells_of_park[p]`` are the cells where park p's enterprises settle, of all times."""

    cells: tuple[Cell, ...]
    plots: tuple[Plot, ...]
    cells_of_park: tuple[tuple[int, ...], ...]
    outside: tuple[int, ...]

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
    cells_of_park: list[tuple[int, ...]] = []
    for number, park in enumerate(facts.PARKS):
        own: list[int] = []
        count = 0
        for site in park.sites:
            for k in range(site.parcels):
                count += 1
                first = len(cells)
                whole = _parcel(site, k, cells, rng)
                own += [first, first + 1]
                start = day(date(edition - int(rng.integers(8, 15)), int(rng.integers(1, 13)), 1))
                plots.append(
                    _plot(f"{park.code}-{count:02d}", number, site.district, (first, first + 1), whole, start, rng)
                )
        cells_of_park.append(tuple(own))
    outside = tuple(range(len(cells), len(cells) + len(facts.OUTSIDE)))
    cells += [Cell(district, (), west, south, east, north) for district, west, south, east, north in facts.OUTSIDE]
    plots = _change(plots, cells, edition, rng)
    return Land(tuple(cells), tuple(plots), tuple(cells_of_park), outside)


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
