"""The page of the zone: map, moves and targets, joined from what stands beside the release."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from parkindex.site.record import Row
from parkindex.site.view import Park, Site

_MARGIN = 320  # room for the labels, in units of the map
_SCALE_KM = 10


@dataclass(frozen=True)
class Place:
    """A park on the map and its moves of the year; ``outline`` is None for a park without a valid plot."""

    park: Park
    outline: Mapping[str, Any] | None
    came_from_parks: int
    came_from_outside: int
    went_to_parks: int
    went_outside: int


@dataclass(frozen=True)
class Zone:
    """What the page shows.

    Attributes:
        places: Parks by rank.
        view_box: Of the map; None when no park has an outline.
        scale_km: Length of the scale bar.
        scale: The same in units of the map.
        floor: Lower edge of the map, in its units.
        moves: ``(from, to, enterprises)`` between parks, the largest first.
        years: Earlier editions whose targets are known.
        earlier: Target value by (edition, target code).
    """

    places: tuple[Place, ...]
    view_box: str | None
    scale_km: int
    scale: int
    floor: int
    moves: tuple[tuple[Park, Park, int], ...]
    years: tuple[int, ...]
    earlier: Mapping[tuple[int, str], Decimal | None]


def build(site: Site) -> Zone | None:
    """Return what the page shows; None when the release carries nothing about the zone."""
    told = site.record.beside.get("zone")
    if told is None:
        return None
    drawing = told["map"]
    outlines: dict[str, Row] = {row["park_code"]: row for row in drawing["parks"]}
    parks = {park.code: park for park in site.parks}

    def count(park: str, end: str, other: str, *, outside: bool) -> int:
        return sum(row["enterprises"] for row in told["moves"] if row[end] == park and (row[other] is None) is outside)

    places = tuple(
        Place(
            park,
            outlines.get(park.code),
            count(park.code, "to_park_code", "from_park_code", outside=False),
            count(park.code, "to_park_code", "from_park_code", outside=True),
            count(park.code, "from_park_code", "to_park_code", outside=False),
            count(park.code, "from_park_code", "to_park_code", outside=True),
        )
        for park in site.parks
    )
    width, height = drawing["width"], drawing["height"]
    return Zone(
        places=places,
        view_box=f"{-_MARGIN} {-_MARGIN} {width + 2 * _MARGIN} {height + 2 * _MARGIN}" if outlines else None,
        scale_km=_SCALE_KM,
        scale=_SCALE_KM * 1000 // drawing["metres"],
        floor=height,
        moves=tuple(
            (parks[row["from_park_code"]], parks[row["to_park_code"]], row["enterprises"])
            for row in told["moves"]
            if row["from_park_code"] is not None and row["to_park_code"] is not None
        ),
        years=tuple(sorted({row["edition"] for row in told["targets"]})),
        earlier={
            (row["edition"], row["target_code"]): None if row["value"] is None else Decimal(row["value"])
            for row in told["targets"]
        },
    )
