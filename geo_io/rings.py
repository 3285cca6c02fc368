"""Areas of interest as rings of points, the form in which a map draws and edits them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from geo_io.errors import BadInput
from geo_io.ground import Ring, moved
from geo_io.paths import existing, plain, vector_data

_POLYGONAL = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)


def to_wkt(rings: Sequence[Ring], crs_wkt: str | None, to_crs_wkt: str | None) -> str:
    """`rings` drawn in one CRS, joined, as the WKT of a (multi)polygon in another.

    A ring inside another one is not a hole: it adds nothing. Raises BadInput where nothing is enclosed.
    """
    drawn = [shapely.Polygon(moved(ring, crs_wkt, to_crs_wkt)) for ring in rings if len(ring) >= 3]
    sound = shapely.make_valid(np.array(drawn, object), method="structure", keep_collapsed=False)
    area = shapely.union_all(sound)
    if area.is_empty or shapely.get_type_id(area) not in _POLYGONAL or not np.isfinite(area.bounds).all():
        raise BadInput("the area", "encloses nothing", "draw at least three corners around some pixels")
    return str(shapely.to_wkt(area, rounding_precision=-1))


def shared_area(one: Ring, other: Ring) -> float:
    """What two rings of one CRS both enclose, in square map units; 0 where one of them is not finite."""
    if not np.isfinite([*one, *other]).all():
        return 0.0
    shapes = shapely.make_valid(np.array([shapely.Polygon(one), shapely.Polygon(other)], object))
    return float(shapely.area(shapely.intersection(*shapes)))


def of_wkt(text: str, crs_wkt: str | None, to_crs_wkt: str | None) -> list[Ring]:
    """The outer rings of a (multi)polygon in WKT, in another CRS. Raises BadInput where it is none."""
    try:
        shape = shapely.from_wkt(text)
    except shapely.errors.GEOSException as fault:
        raise BadInput("the area", f"cannot be read as WKT ({fault})", "draw the area again") from None
    return [moved(ring, crs_wkt, to_crs_wkt) for ring in _outer(np.array([shape], object))]


def of_file(path: Path, to_crs_wkt: str | None, layer: str | None = None) -> list[Ring]:
    """The outer rings of a vector file's polygons, in another CRS. Raises BadInput where there are none."""
    existing(path)
    import pyogrio.raw  # here, because it loads geopandas where that is installed

    with vector_data(path):
        meta, _, geometry, _ = pyogrio.raw.read(plain(path), layer=layer, columns=[], force_2d=True)
        shapes = shapely.from_wkb(geometry)
    crs_wkt = CRS.from_user_input(meta["crs"]).to_wkt() if meta["crs"] else None
    rings = [moved(ring, crs_wkt, to_crs_wkt, edge=8) for ring in _outer(shapes)]
    if not rings:
        raise BadInput(path, "holds no polygon", "an area of interest is drawn as polygons")
    return rings


def _outer(shapes: NDArray[np.object_]) -> list[Ring]:
    parts = shapely.get_parts(shapes[~shapely.is_missing(shapes)])
    polygons = parts[(shapely.get_type_id(parts) == shapely.GeometryType.POLYGON) & ~shapely.is_empty(parts)]
    rings = shapely.get_exterior_ring(polygons)
    return [[(float(x), float(y)) for x, y in shapely.get_coordinates(ring)[:-1]] for ring in rings]
