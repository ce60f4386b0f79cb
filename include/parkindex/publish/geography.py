"""The zone as a whole beside a candidate: outlines of the parks for a map, moves between them, targets over the years.

Counts and outlines only: no enterprise is named.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import pyproj
import shapely
from sqlalchemy import Connection, select, text

from parkindex.ledger import tables
from parkindex.publish.queries import statement

# CGCS2000 to CGCS2000 / Gauss-Kruger, central meridian 120° E: metres, scale error below 0.02 % in Shanghai.
_GEOGRAPHIC, _PROJECTED = "EPSG:4490", "EPSG:4549"
# A unit of the drawing; finer detail than this is not drawn.
METRES = 10
_DETAIL_METRES = 15

_PLOTS = """
select park_code, geometry_geojson, area_km2
from {marts}.park_plots
where valid_from <= make_date(:edition, 12, 31) and (valid_to is null or valid_to > make_date(:edition, 12, 31))
order by park_code collate "C", plot_id collate "C", valid_from
"""
_MOVES = """
select from_park_code, to_park_code, count(*) as enterprises
from {marts}.park_moves
where extract(year from moved_date) = :edition
group by from_park_code, to_park_code
order by count(*) desc, from_park_code collate "C" nulls last, to_park_code collate "C" nulls last
"""


def survey(connection: Connection, prefix: str, edition: int) -> dict[str, Any]:
    """Return the topic ``zone`` of what stands beside a candidate.

    Returns:
        ``map``: ``width``, ``height`` (units of ``metres`` metres), ``parks``: per park ``park_code``, ``path`` (its
        outline as an SVG path in these units, y downwards), ``x``, ``y`` (a point inside), ``plots`` and ``area_km2``
        at the end of the edition's year. ``moves``: ``from_park_code``, ``to_park_code`` (None: outside of the parks),
        ``enterprises`` that moved in the year. ``targets``: rows of the current releases of earlier editions,
        ``edition``, ``target_code``, ``value`` (text).
    """
    plots = connection.execute(text(statement(_PLOTS, prefix)), {"edition": edition}).all()
    moves = connection.execute(text(statement(_MOVES, prefix)), {"edition": edition}).mappings()
    return {
        "map": drawn((row.park_code, row.geometry_geojson, float(row.area_km2)) for row in plots),
        "moves": [dict(row) for row in moves],
        "targets": _earlier_targets(connection, edition),
    }


def drawn(plots: Iterable[tuple[str, str | dict[str, Any], float]]) -> dict[str, Any]:
    """Project plots and write them as paths of whole numbers.

    Args:
        plots: Park, GeoJSON geometry (longitude, latitude, CGCS2000), area in km².
    """
    project = pyproj.Transformer.from_crs(_GEOGRAPHIC, _PROJECTED, always_xy=True).transform
    outlines: dict[str, list[shapely.Geometry]] = defaultdict(list)
    areas: dict[str, list[float]] = defaultdict(list)
    for park, geometry, area in plots:
        shape = shapely.from_geojson(geometry if isinstance(geometry, str) else json.dumps(geometry))
        outlines[park].append(shapely.transform(shape, project, interleaved=False))
        areas[park].append(area)
    if not outlines:
        return {"metres": METRES, "width": 0, "height": 0, "parks": []}
    left, _, _, top = shapely.total_bounds([shape for shapes in outlines.values() for shape in shapes])

    def placed(x: float, y: float) -> tuple[int, int]:
        return round((x - left) / METRES), round((top - y) / METRES)

    parks = []
    for park, shapes in sorted(outlines.items()):
        whole = shapely.union_all(shapes).simplify(_DETAIL_METRES)
        middle = whole.representative_point()
        x, y = placed(middle.x, middle.y)
        rings = [ring for part in shapely.get_parts(whole) for ring in (part.exterior, *part.interiors)]
        path = "".join(
            "M" + "L".join("{} {}".format(*placed(*point)) for point in ring.coords[:-1]) + "Z" for ring in rings
        )
        parks.append(
            {
                "park_code": park,
                "path": path,
                "x": x,
                "y": y,
                "plots": len(shapes),
                "area_km2": round(sum(areas[park]), 4),
            }
        )
    _, bottom, right, _ = shapely.total_bounds([shape for shapes in outlines.values() for shape in shapes])
    width, height = placed(right, bottom)
    return {"metres": METRES, "width": width, "height": height, "parks": parks}


def _earlier_targets(connection: Connection, edition: int) -> list[dict[str, Any]]:
    targets = tables.released_zone_targets
    rows = connection.execute(
        select(targets.c.edition, targets.c.target_code, targets.c.value)
        .join(tables.current, tables.current.c.release_id == targets.c.release_id)
        .where(targets.c.edition < edition)
        .order_by(targets.c.edition, targets.c.target_code)
    )
    return [
        {"edition": row.edition, "target_code": row.target_code, "value": None if row.value is None else str(row.value)}
        for row in rows
    ]
