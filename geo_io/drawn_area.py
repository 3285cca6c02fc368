"""Areas drawn by hand: rings on a map, kept as WKT in the image's own CRS."""

from collections.abc import Sequence

import shapely

from geo_io.ground import Ring


def rings_of(wkt: str | None) -> list[Ring]:
    """The outer rings of a (multi)polygon, not closed; none for a text that is none."""
    if not wkt:
        return []
    try:
        shape = shapely.from_wkt(wkt)
    except shapely.errors.GEOSException:
        return []
    polygons = [
        part for part in shapely.get_parts(shape) if part.geom_type == "Polygon" and not part.is_empty
    ]
    return [[(float(x), float(y)) for x, y in part.exterior.coords[:-1]] for part in polygons]


def wkt_of(rings: Sequence[Ring]) -> str | None:
    """One (multi)polygon of all rings, where they overlap merged; None where they enclose nothing."""
    polygons = [shapely.Polygon(ring) for ring in rings if len(ring) >= 3]
    whole = shapely.union_all(
        [shapely.make_valid(p, method="structure", keep_collapsed=False) for p in polygons]
    )
    return None if whole.is_empty else str(whole.wkt)
