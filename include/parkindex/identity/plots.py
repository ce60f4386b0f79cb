"""Distances between the plots of one park: what is adjacent is a rule of the methodology, how far apart is a fact."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from parkindex.identity.places import Integers

# Pairs farther apart are not listed; methodology.inputs lets no rule ask for more.
FARTHEST_METRES = 1000.0


def distances(
    geometry: NDArray[np.object_], park: Integers, plot: Integers
) -> tuple[Integers, Integers, NDArray[np.float64]]:
    """Measure how far near plots of one park are apart.

    Metres are plane: a degree has the length that it has on the ellipsoid at the latitude of the pair (the series of
    the meridian and parallel arcs, NIMA TR8350.2; the ellipsoids of WGS 84 and CGCS2000 differ by less than a tenth
    of a millimetre here). Over a kilometre that is exact to well under a millimetre.

    Args:
        geometry: Polygons, degrees, shape (n,).
        park: Number of the park, shape (n,).
        plot: Number of the plot's identity, shape (n,); two deliveries of one plot are no pair.

    Returns:
        First and second place of every ordered pair, and its distance in metres, rounded to millimetres; shape (k,),
        sorted by first, then second place.
    """
    if not len(geometry):
        none = np.empty(0, dtype=np.int64)
        return none, none, none.astype(float)
    tree = shapely.STRtree(geometry)
    # Degrees are shortest eastwards and in the north: what is near in metres is near in degrees of 60° north.
    reach = FARTHEST_METRES / _metres_of_a_degree(60.0)[0]
    one, other = tree.query(geometry, predicate="dwithin", distance=reach)
    asked = (park[one] == park[other]) & (plot[one] != plot[other])
    one, other = one[asked].astype(np.int64), other[asked].astype(np.int64)
    pairs = zip(one.tolist(), other.tolist(), strict=True)
    metres = np.array([_metres(geometry[a], geometry[b]) for a, b in pairs], dtype=np.float64)
    near = metres <= FARTHEST_METRES
    one, other, metres = one[near], other[near], metres[near]
    order = np.lexsort((other, one))
    return one[order], other[order], np.round(metres[order], 3)


def _metres(one: Any, other: Any) -> float:
    """Distance between two polygons in degrees, metres; the same in both directions."""
    bounds = shapely.bounds([one, other])
    latitude = (float(bounds[:, 1].min()) + float(bounds[:, 3].max())) / 2
    scale = np.array(_metres_of_a_degree(latitude))
    flat = shapely.transform(np.array([one, other], dtype=object), lambda points: points * scale)
    return float(shapely.distance(flat[0], flat[1]))


def _metres_of_a_degree(latitude: float) -> tuple[float, float]:
    """Length of a degree of longitude and of latitude at a latitude, metres."""
    phi = math.radians(latitude)
    return (
        111_412.84 * math.cos(phi) - 93.5 * math.cos(3 * phi) + 0.118 * math.cos(5 * phi),
        111_132.954 - 559.822 * math.cos(2 * phi) + 1.175 * math.cos(4 * phi),
    )
