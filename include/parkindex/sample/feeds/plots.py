"""park_plots: the land desk's yearly GeoJSON of every plot it knows of, in CGCS2000."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from parkindex.sample import facts
from parkindex.sample.days import NEVER, date_of, last_day
from parkindex.sample.files import DUPLICATE, SYNTHETIC, Noise, Planted, mixed, sent
from parkindex.sample.land import Plot
from parkindex.sample.world import World

FEED = "park_plots"
_Feature = dict[str, Any]
# Built-up area is first delivered wrong for this plot, and corrected a year later.
_MISMEASURED = "P22-01"


def write(world: World, folder: Path, noise: Noise) -> dict[str, int]:
    """Write one file a year. Returns features per file. A later file says what an earlier could not know: an end."""
    counts = {}
    years = range(world.edition - 3, world.edition + 1)
    for year in years:
        known = [plot for plot in world.land.plots if plot.valid_from <= last_day(year)]
        file = f"synthetic-park-plots-{year}.geojson"
        is_first = year == years[0]
        if is_first:
            key = f"{_MISMEASURED} {date_of(next(p for p in known if p.plot_id == _MISMEASURED).valid_from)}"
            following = f"synthetic-park-plots-{year + 1}.geojson"
            noise.supersede(FEED, file, key, following, "built-up area measured again")
        features: list[_Feature] = []
        for feature, planted in mixed(_features(known, year, mismeasured=is_first), _planted(known[0], year)):
            features.append(feature)
            if planted:
                noise.plant(FEED, file, "", len(features), planted)
        body = {
            "type": "FeatureCollection",
            "name": file,
            "notice": SYNTHETIC,
            "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4490"}},
            "features": features,
        }
        path = folder / FEED / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(body, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        sent(path, date(year + 1, 1, 15))
        counts[file] = len(features)
    return counts


def _features(plots: list[Plot], year: int, *, mismeasured: bool) -> Iterator[_Feature]:
    for plot in plots:
        ended = plot.valid_to if plot.valid_to <= last_day(year) + 1 else NEVER
        built_up = plot.built_up * 9 // 10 if mismeasured and plot.plot_id == _MISMEASURED else plot.built_up
        yield _feature(plot, built_up, ended)


def _feature(plot: Plot, built_up: int, ended: int) -> _Feature:
    ring = [list(point) for point in (*plot.ring, plot.ring[0])]
    park = facts.PARKS[plot.park]
    return {
        "type": "Feature",
        "properties": {
            "地块编号": plot.plot_id,
            "园区代码": park.code,
            "园区名称": park.name,
            "地块名称": plot.name,
            "行政区": plot.district,
            "面积公顷": plot.area / 100,
            "建成面积公顷": built_up / 100,
            "生效日期": date_of(plot.valid_from).isoformat(),
            "失效日期": None if ended >= NEVER else date_of(ended).isoformat(),
            "坐标基准": "CGCS2000",
        },
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


def _planted(plot: Plot, year: int) -> list[tuple[int, Planted[_Feature]]]:
    """One wrong feature a year, each time another, and one exact duplicate in the last but one."""

    def broken(**changes: object) -> _Feature:
        feature = _feature(plot, plot.built_up, NEVER)
        properties = {**feature["properties"], "地块编号": f"X-{year}", **changes}
        return {**feature, "properties": properties}

    line = broken()
    line["geometry"] = {"type": "LineString", "coordinates": [[121.5, 31.2], [121.6, 31.3]]}
    return [
        (5, Planted(line, "geojson.polygon", "geometry", "a line is no plot")),
        (
            9,
            Planted(broken(建成面积公顷=99_999), "compare.at_most", "建成面积公顷", "more built up than there is land"),
        ),
        (12, Planted(broken(园区代码="X01"), "value.pattern", "园区代码", "no park code")),
        (17, Planted(None, DUPLICATE, "", "the feature above once more")),
    ][year % 2 :]
