"""Where a grid lies, as GeoJSON has it (RFC 7946): across 180 degrees and around a pole too."""

from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from geo_io.crs import same_crs
from geo_io.errors import BadInput
from geo_io.grid import Grid
from geo_io.ground import LATLON, moved

EDGE_PARTS = 16
"""Parts of each edge: what is straight in the grid's CRS is a curve in degrees."""
DIGITS = 8


class Footprint(NamedTuple):
    """A polygon, cut in two where it crosses 180 degrees; there the west of `bbox` is east of its east."""

    geometry: dict[str, Any]
    bbox: list[float]


def footprint(grid: Grid) -> Footprint | None:
    """None where the grid has no place on the earth: without a CRS, or one that leads nowhere."""
    outline = _outline(grid)
    if outline is None or np.abs(outline[:, 1]).max() > 90:
        return None
    outline[:, 0] -= 360 * np.floor((outline[:, 0].min() + 180) / 360)
    (west, south), (east, north) = outline.min(axis=0), outline.max(axis=0)
    shape = shapely.Polygon(outline)
    if east <= 180:
        return Footprint(_geojson([shape]), [west.item(), south.item(), east.item(), north.item()])
    worlds = [shapely.box(left, -90, left + 360, 90) for left in (-180, 180)]
    near, far = (_polygons(shapely.intersection(shape, world)) for world in worlds)
    polygons = [*near, *(shapely.transform(part, lambda points: points - (360, 0)) for part in far)]
    ends = (-180.0, 180.0) if east - west >= 360 else (west.item(), east.item() - 360)
    return Footprint(_geojson(polygons), [ends[0], south.item(), ends[1], north.item()])


def _outline(grid: Grid) -> NDArray[np.float64] | None:
    """(n, 2) longitudes, without jumps, and latitudes; by way of the pole where the grid holds it."""
    if grid.crs_wkt is None:
        return None
    try:
        ring = np.array(moved(grid.corners, grid.crs_wkt, LATLON, EDGE_PARTS), float)
    except BadInput:
        return None
    if not np.isfinite(ring).all():
        return None
    if same_crs(grid.crs_wkt, LATLON):
        return ring
    closed = np.concatenate([ring, ring[:1]])
    closed[:, 0] = np.unwrap(closed[:, 0], period=360)
    if abs(closed[-1, 0] - closed[0, 0]) < 180:
        return closed[:-1]
    pole = np.copysign(90, closed[:, 1].mean())
    return np.concatenate([closed, [[closed[-1, 0], pole], [closed[0, 0], pole]]])


def _polygons(shape: Any) -> list[Any]:
    parts = shapely.get_parts(shape).tolist()
    return [part for part in parts if part.geom_type == "Polygon" and part.area > 0]


def _geojson(polygons: list[Any]) -> dict[str, Any]:
    rings = [
        [np.round(shapely.get_coordinates(shapely.orient_polygons(each).exterior), DIGITS).tolist()]
        for each in polygons
    ]
    if len(rings) == 1:
        return {"type": "Polygon", "coordinates": rings[0]}
    return {"type": "MultiPolygon", "coordinates": rings}
