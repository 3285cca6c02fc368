"""Coordinate reference systems by their WKT: their units, and the way from one to another."""

from functools import lru_cache
from math import pi

from pyproj import CRS, Transformer
from pyproj.exceptions import ProjError

from geo_io.errors import BadInput


@lru_cache(256)
def same_crs(one_wkt: str | None, other_wkt: str | None) -> bool:
    """Whether coordinates pass unchanged: equal but for the order of axes, or unknown."""
    if one_wkt is None or other_wkt is None or one_wkt == other_wkt:
        return True
    return CRS.from_wkt(one_wkt).equals(CRS.from_wkt(other_wkt), ignore_axis_order=True)


@lru_cache(64)
def transformer(from_wkt: str, to_wkt: str) -> Transformer:
    """Of (x, y) with x eastward. Kept: to make one takes longer than to use it.

    Raises BadInput where nothing relates the two, as a plan of its own and a place on earth.
    """
    here, there = CRS.from_wkt(from_wkt), CRS.from_wkt(to_wkt)
    try:
        return Transformer.from_crs(here, there, always_xy=True)
    except ProjError:
        problem = f"cannot be related to {there.name!r}"
        raise BadInput(f"CRS {here.name!r}", problem, "give both the same CRS, one of the earth") from None


@lru_cache(64)
def is_geographic(crs_wkt: str | None) -> bool:
    """Whether map units are degrees."""
    return crs_wkt is not None and CRS.from_wkt(crs_wkt).is_geographic


@lru_cache(64)
def unit_m(crs_wkt: str | None) -> float:
    """Metres of a map unit by its name; 1 of degrees and without CRS."""
    if crs_wkt is None or is_geographic(crs_wkt):
        return 1.0
    return float(CRS.from_wkt(crs_wkt).axis_info[0].unit_conversion_factor)


@lru_cache(64)
def full_turn(crs_wkt: str | None) -> float | None:
    """All the way round the earth in units of a geographic CRS; None for any other."""
    crs = CRS.from_wkt(crs_wkt) if crs_wkt else None
    return 2 * pi / crs.axis_info[0].unit_conversion_factor if crs and crs.is_geographic else None
