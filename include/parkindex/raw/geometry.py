"""Geometry as GeoJSON text: whether it is a polygon in degrees that a point can be tested against."""

from __future__ import annotations

import json
import math
from typing import Any

import polars as pl
from shapely.errors import ShapelyError
from shapely.geometry import shape

# Longitudes and latitudes of China, degrees; metres or swapped axes fall outside.
_WEST, _SOUTH, _EAST, _NORTH = 73.0, 3.0, 136.0, 54.0


def is_polygon(text: str) -> bool:
    """Whether a text is a valid, non-empty Polygon or MultiPolygon within the bounds of China."""
    try:
        document = json.loads(text)
    except ValueError:
        return False
    if not isinstance(document, dict) or document.get("type") not in ("Polygon", "MultiPolygon"):
        return False
    try:
        made: Any = shape(document)
        if made.is_empty or not made.is_valid:
            return False
        west, south, east, north = made.bounds
    except (ShapelyError, ValueError, TypeError, KeyError, IndexError, AttributeError):
        return False
    inside = west >= _WEST and south >= _SOUTH and east <= _EAST and north <= _NORTH
    return inside and all(math.isfinite(bound) for bound in made.bounds)


def polygon_faults(texts: pl.Series) -> dict[str, pl.Series]:
    """Find texts that are no polygon; null where there is no value."""
    results = [text is not None and not is_polygon(text) for text in texts.to_list()]
    return {"geojson.polygon": pl.Series(results, dtype=pl.Boolean)}
