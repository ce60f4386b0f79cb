"""Datums: everything is compared in CGCS2000; boundaries in GCJ-02 are converted first, with a stated error.

GCJ-02 is CGCS2000 with an offset of some hundred metres that varies from place to place. The formula is not published
by its office; the one used everywhere (for example by the projects eviltransform and coordtransform, documented there)
is taken here. It is inverted by iteration, which is exact to a millimetre for the formula; what maps that were made
elsewhere add is covered by ``ERROR_METRES`` (assumed). CGCS2000 and WGS 84 differ by less than a decimetre and are
taken as one.
"""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Geod

CGCS2000, GCJ_02 = "CGCS2000", "GCJ-02"
# Of a converted boundary: points nearer to it are neither inside nor outside for sure.
ERROR_METRES = 5.0
# The ellipsoid that the formula computes with (Krasovsky 1940) and the square of its eccentricity.
_A, _EE = 6_378_245.0, 0.006_693_421_622_965_943
_ROUNDS = 8
_GEOD = Geod(ellps="GRS80")

Floats = NDArray[np.float64]


def to_gcj02(points: Floats) -> Floats:
    """Return points of CGCS2000 as GCJ-02; shape (n, 2), longitude and latitude in degrees, in China."""
    x, y = points[:, 0] - 105.0, points[:, 1] - 35.0
    waves = 20 * np.sin(6 * x * np.pi) + 20 * np.sin(2 * x * np.pi)
    root = np.sqrt(np.abs(x))
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + 2 / 3 * waves
    east += 2 / 3 * (20 * np.sin(x * np.pi) + 40 * np.sin(x / 3 * np.pi))
    east += 2 / 3 * (150 * np.sin(x / 12 * np.pi) + 300 * np.sin(x / 30 * np.pi))
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + 2 / 3 * waves
    north += 2 / 3 * (20 * np.sin(y * np.pi) + 40 * np.sin(y / 3 * np.pi))
    north += 2 / 3 * (160 * np.sin(y / 12 * np.pi) + 320 * np.sin(y * np.pi / 30))
    latitude = np.radians(points[:, 1])
    magic = 1 - _EE * np.sin(latitude) ** 2
    metres_north = _A * (1 - _EE) / magic**1.5 * np.pi / 180
    metres_east = _A / np.sqrt(magic) * np.cos(latitude) * np.pi / 180
    return np.column_stack([points[:, 0] + east / metres_east, points[:, 1] + north / metres_north])


def from_gcj02(points: Floats) -> Floats:
    """Return points of GCJ-02 as CGCS2000; shape (n, 2), longitude and latitude in degrees, in China."""
    found = points.astype(np.float64)
    for _ in range(_ROUNDS):
        found = found + (points - to_gcj02(found))
    return found


def as_cgcs2000(geometry: NDArray[np.object_], datum: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return geometries in CGCS2000, each from its own datum; shape (n,).

    Raises:
        ValueError: A datum is neither of the two.
    """
    strange = sorted(set(datum.tolist()) - {CGCS2000, GCJ_02})
    if strange:
        raise ValueError(f"unknown datum: {', '.join(map(str, strange))}")
    converted = geometry.copy()
    foreign = datum == GCJ_02
    if foreign.any():
        converted[foreign] = shapely.transform(geometry[foreign], from_gcj02)
    return converted


def metres_between(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Length of the geodesic between two points of CGCS2000 (its ellipsoid is that of GRS 80 to a tenth of a mm)."""
    return float(_GEOD.inv(one[0], one[1], other[0], other[1])[2])


def degrees_of(metres: float, latitude: float) -> float:
    """Return the greatest number of degrees that a distance spans at a latitude, in any direction."""
    east, _, _ = _GEOD.fwd(0.0, latitude, 90.0, metres)
    return float(east)
