"""Points, rings and distances on the ground, between coordinate reference systems. No shapely needed."""

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from pyproj import CRS, Geod, Transformer

from geo_io.crs import is_geographic, same_crs, transformer, unit_m
from geo_io.errors import BadInput

Point = tuple[float, float]
Ring = list[Point]

LATLON = CRS.from_epsg(4326).to_wkt()


def moved(ring: Sequence[Point], from_wkt: str | None, to_wkt: str | None, edge: int = 1) -> Ring:
    """`ring` in another CRS, each edge in `edge` parts: a straight line is a curve elsewhere.

    As it is where either CRS is unknown or both are the same. Infinite where a projection does not reach.
    """
    if not ring or same_crs(from_wkt, to_wkt) or from_wkt is None or to_wkt is None:
        return list(ring)
    corners = np.asarray(ring, float)
    after = np.roll(corners, -1, axis=0)
    share = np.arange(edge)[None, :, None] / edge
    points = (corners[:, None] * (1 - share) + after[:, None] * share).reshape(-1, 2)
    x, y = transformer(from_wkt, to_wkt).transform(points[:, 0], points[:, 1])
    return list(zip(x.tolist(), y.tolist(), strict=True))


def bounds(ring: Iterable[Point]) -> tuple[float, float, float, float]:
    """West, south, east, north."""
    x, y = np.asarray(list(ring), float).T
    return float(x.min()), float(y.min()), float(x.max()), float(y.max())


def latlon(x: float, y: float, crs_wkt: str | None) -> Point | None:
    """Latitude and longitude in degrees (WGS 84); None without a CRS or where it does not reach."""
    if crs_wkt is None:
        return None
    try:
        lon, lat = transformer(crs_wkt, LATLON).transform(x, y)
    except BadInput:
        return None
    return (lat, lon) if math.isfinite(lat) and math.isfinite(lon) else None


def from_latlon(lat: float, lon: float, crs_wkt: str) -> Point | None:
    """Map units of a place; None where the CRS does not reach."""
    try:
        x, y = transformer(LATLON, crs_wkt).transform(lon, lat)
    except BadInput:
        return None
    return (x, y) if math.isfinite(x) and math.isfinite(y) else None


def distance_m(a: Point, b: Point, crs_wkt: str | None) -> float:
    """Metres on the ground between two points, whatever the projection does to lengths.

    A plane without CRS is taken to be in metres. Not finite where the CRS does not reach.
    """
    earth = _earth(crs_wkt)
    if earth is None:
        return math.dist(a, b) * unit_m(crs_wkt)
    return float(earth.geod.inv(*earth.degrees(*a), *earth.degrees(*b))[2])


def units_m(x: float, y: float, crs_wkt: str | None) -> Point:
    """Metres on the ground of one map unit eastward and one northward, around a point.

    By the unit's name where that is unknown; 1 of degrees and without CRS.
    """
    small = 1e-4 if is_geographic(crs_wkt) else 10.0
    east = distance_m((x - small, y), (x + small, y), crs_wkt) / (2 * small)
    north = distance_m((x, y - small), (x, y + small), crs_wkt) / (2 * small)
    known = math.isfinite(east) and math.isfinite(north) and east > 0 < north
    return (east, north) if known else (unit_m(crs_wkt),) * 2


def unit_m2(x: float, y: float, crs_wkt: str | None) -> float:
    """Square metres on the ground of a square of one map unit around a point, as `units_m`."""
    earth, said = _earth(crs_wkt), unit_m(crs_wkt)
    if earth is None:
        return said**2
    small = 1e-2 if is_geographic(crs_wkt) else 1e3 / said
    steps = (small, 0.0), (0.0, small), (-small, 0.0), (0.0, -small)
    lons, lats = zip(*(earth.degrees(x + along, y + up) for along, up in steps), strict=True)
    area = abs(float(earth.geod.polygon_area_perimeter(lons, lats)[0])) / (2 * small**2)
    return area if math.isfinite(area) and area > 0 else said**2


class _Earth(NamedTuple):
    """A CRS's own ellipsoid, the way to its longitude and latitude, and their unit in degrees."""

    geod: Geod
    to_lonlat: Transformer
    unit: float

    def degrees(self, x: float, y: float) -> Point:
        """Infinite where the CRS does not reach."""
        lon, lat = self.to_lonlat.transform(x, y)
        return lon * self.unit, lat * self.unit


@lru_cache(64)
def _earth(crs_wkt: str | None) -> _Earth | None:
    """None without CRS, and of a plan that lies nowhere."""
    if crs_wkt is None:
        return None
    crs = CRS.from_wkt(crs_wkt)
    geod, lonlat = crs.get_geod(), crs.geodetic_crs
    if geod is None or lonlat is None:
        return None
    unit = math.degrees(lonlat.axis_info[0].unit_conversion_factor)
    return _Earth(geod, transformer(crs_wkt, lonlat.to_wkt()), unit)
