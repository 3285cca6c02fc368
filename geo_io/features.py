"""Burning geometries into any window of any grid."""

from math import ceil, floor

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from rasterio.features import rasterize

from geo_io.grid import Box, Grid

_MANY_VERTICES = 5_000


class Features:
    """The single parts of a file's geometries, reprojected once for each CRS that is asked for."""

    def __init__(self, shapes: NDArray[np.object_], crs: CRS | None) -> None:
        self._parts, self._owner = shapely.get_parts(shapes, return_index=True)
        self._crs = crs
        self._trees: dict[str | None, shapely.STRtree] = {}

    def tree(self, grid: Grid) -> shapely.STRtree:
        """The parts in the grid's CRS; as they are where either has none."""
        key = grid.crs_wkt if self._crs is not None else None
        if key not in self._trees:
            self._trees[key] = shapely.STRtree(self._parts if key is None else self._reprojected(grid.crs))
        return self._trees[key]

    def _reprojected(self, crs: CRS | None) -> NDArray[np.object_]:
        assert self._crs is not None
        if self._crs.equals(crs, ignore_axis_order=True):
            return self._parts
        # A straight edge is a curve elsewhere: 1 km strays by centimetres, 100 km by hundreds of metres.
        longest = 0.01 if self._crs.is_geographic else 1000 / self._crs.axis_info[0].unit_conversion_factor
        transformer = Transformer.from_crs(self._crs, crs, always_xy=True)
        moved = shapely.transform(
            shapely.segmentize(self._parts, longest), lambda xy: np.column_stack(transformer.transform(*xy.T))
        )
        moved[~np.isfinite(shapely.bounds(moved)).all(axis=1)] = None  # where the projection does not reach
        return moved

    def burn(self, grid: Grid, codes: NDArray[np.int32], fill: int) -> NDArray[np.int32]:
        """(h, w): the code of the last feature over each pixel's centre, `fill` where there is none."""
        tree = self.tree(grid)
        hits = np.sort(tree.query(shapely.Polygon(grid.corners), predicate="intersects"))
        shapes = _in_pixels(tree.geometries[hits], grid)
        large = shapely.get_num_coordinates(shapes) > _MANY_VERTICES
        shapes[large] = shapely.clip_by_rect(shapes[large], -2, -2, grid.width + 2, grid.height + 2)
        seen = ~shapely.is_empty(shapes)
        pairs = list(zip(shapes[seen], codes[self._owner[hits[seen]]].tolist(), strict=True))
        if not pairs:
            return np.full((grid.height, grid.width), fill, np.int32)
        burnt: NDArray[np.int32] = rasterize(pairs, (grid.height, grid.width), fill=fill, dtype="int32")
        return burnt

    def box(self, grid: Grid) -> Box:
        """The smallest window of `grid` that holds what lies in it; of no size where nothing does."""
        bounds = shapely.total_bounds(_in_pixels(self.tree(grid).geometries, grid))
        if not np.isfinite(bounds).all():
            return Box(0, 0, 0, 0)
        left, top, right, bottom = *map(floor, bounds[:2]), *map(ceil, bounds[2:])
        return Box(left, top, right - left, bottom - top).clip(grid.width, grid.height)


def _in_pixels(shapes: NDArray[np.object_], grid: Grid) -> NDArray[np.object_]:
    """`shapes` in (col, row), rounded so that an edge through pixel centres falls alike in every window."""
    t = ~grid.transform
    matrix, offset = np.array([[t.a, t.d], [t.b, t.e]]), (t.c, t.f)
    return np.asarray(shapely.transform(shapes, lambda xy: np.round(xy @ matrix + offset, 6)))
