"""Burning geometries into any window of any grid."""

from collections.abc import Iterator
from dataclasses import replace
from math import ceil, floor
from typing import NamedTuple

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from pyproj import CRS
from rasterio.features import rasterize

from geo_io.crs import full_turn, same_crs, transformer
from geo_io.grid import Box, Grid
from geo_io.positions import Floats, positions

_MANY_VERTICES = 5_000
_FINE = 1e-7
"""Of a map unit: finer than positions are interpolated."""
_LARGE, _JUMP = (20.0, 2e6), (45.0, 1e5)
"""In degrees, in metres: of a part that a projection may turn inside out, of an edge of one that it tears."""


class _Moved(NamedTuple):
    """The parts in the CRS of a grid, and the positions of those left out, which are sought in their own."""

    tree: shapely.STRtree
    far: NDArray[np.intp]


class Features:
    """The single parts of a file's geometries, reprojected once for each CRS that is asked for.

    Polygons that do not survive this (of continents, across 180 degrees, past a projection's reach) stay as
    they are: the pixels of each window are sought in them instead.
    """

    def __init__(self, shapes: NDArray[np.object_], crs: CRS | None) -> None:
        self._parts, self._owner = shapely.get_parts(shapes, return_index=True)
        self._crs_wkt = crs.to_wkt() if crs is not None else None
        self._moved: dict[str | None, _Moved] = {}

    def _on(self, grid: Grid) -> _Moved:
        """In the grid's CRS; as they are where either has none."""
        key = grid.crs_wkt if self._crs_wkt is not None else None
        if key not in self._moved:
            near, far = (self._parts, np.empty(0, np.intp)) if key is None else self._reprojected(key)
            self._moved[key] = _Moved(shapely.STRtree(near), far)
        return self._moved[key]

    def _reprojected(self, crs_wkt: str) -> tuple[NDArray[np.object_], NDArray[np.intp]]:
        assert self._crs_wkt is not None
        if same_crs(self._crs_wkt, crs_wkt):
            return self._parts, np.empty(0, np.intp)
        # A straight edge is a curve elsewhere: 1 km strays by centimetres, 100 km by hundreds of metres.
        longest = 0.01 if full_turn(self._crs_wkt) else _units((0, 1000), self._crs_wkt)
        projection = transformer(self._crs_wkt, crs_wkt)
        far = _sizes(self._parts) > _units(_LARGE, self._crs_wkt)
        moved = self._parts.copy()
        moved[far] = None
        moved = shapely.transform(
            shapely.segmentize(moved, longest), lambda xy: np.column_stack(projection.transform(*xy.T))
        )
        lost = ~np.isfinite(shapely.bounds(moved)).all(axis=1)  # None too
        moved[lost] = None
        far = lost | _torn(moved, _units(_JUMP, crs_wkt))
        moved[far] = None
        sought = np.flatnonzero(far & (shapely.get_type_id(self._parts) == shapely.GeometryType.POLYGON))
        shapely.prepare(self._parts[sought])
        return moved, sought

    def burn(self, grid: Grid, codes: NDArray[np.int32], fill: int) -> NDArray[np.int32]:
        """(h, w): the code of the last feature over each pixel's centre, `fill` where there is none."""
        tree, far = self._on(grid)
        found = [self._seen(tree, turned) for turned in self._turns(grid)]
        hits, shapes = (np.concatenate(each) for each in zip(*found, strict=True))
        order = np.argsort(hits, kind="stable")
        parts = np.full((grid.height, grid.width), -1, np.int32)
        if len(order):
            pairs = zip(shapes[order], hits[order].tolist(), strict=True)
            parts = rasterize(pairs, parts.shape, fill=-1, dtype="int32")
        for part in self._sought(grid, far):
            parts = np.maximum(parts, part)
        return np.where(parts < 0, fill, codes[self._owner[parts]]).astype(np.int32)

    def _turns(self, grid: Grid) -> list[Grid]:
        """The grid, and the same places with longitudes counted once more round the earth, either way."""
        turn = full_turn(grid.crs_wkt) if self._crs_wkt is not None else None
        by = (0.0, -turn, turn) if turn else (0.0,)
        return [replace(grid, transform=Affine.translation(x, 0) @ grid.transform) if x else grid for x in by]

    def _seen(self, tree: shapely.STRtree, grid: Grid) -> tuple[NDArray[np.intp], NDArray[np.object_]]:
        """The parts that meet the grid, by position and in its pixels."""
        hits = tree.query(shapely.Polygon(grid.corners), predicate="intersects")
        shapes = _in_pixels(tree.geometries[hits], grid)
        large = shapely.get_num_coordinates(shapes) > _MANY_VERTICES
        shapes[large] = shapely.clip_by_rect(shapes[large], -2, -2, grid.width + 2, grid.height + 2)
        seen = ~shapely.is_empty(shapes)
        return hits[seen], shapes[seen]

    def _sought(self, grid: Grid, far: NDArray[np.intp]) -> Iterator[NDArray[np.int32]]:
        """(h, w) for each part that is met in its own CRS: its position where it is, else -1."""
        if not far.size:
            return
        own = Grid(self._crs_wkt, Affine.scale(_FINE), 1, 1)
        y, x = (place * _FINE for place in positions(grid, own))
        reached = np.isfinite(x) & np.isfinite(y)
        if not reached.any():
            return
        x, y = x[reached], y[reached]
        turn = full_turn(self._crs_wkt)
        for index in far.tolist():
            inside = np.zeros(reached.shape, bool)
            for by in (0.0, -turn, turn) if turn else (0.0,):
                inside[reached] |= _within(self._parts[index], x + by, y)
            yield np.where(inside, index, -1).astype(np.int32)

    def box(self, grid: Grid) -> Box:
        """A window of `grid` that holds what lies in it, the smallest where that is known beforehand.

        Of no size where nothing does.
        """
        tree, far = self._on(grid)
        if far.size:
            return grid.box
        bounds = np.array([shapely.total_bounds(_in_pixels(tree.geometries, g)) for g in self._turns(grid)])
        boxes = [_whole(each).clip(grid.width, grid.height) for each in bounds if np.isfinite(each).all()]
        boxes = [box for box in boxes if box.width and box.height]
        if not boxes:
            return Box(0, 0, 0, 0)
        left, top = min(box.col for box in boxes), min(box.row for box in boxes)
        right, bottom = max(box.stop_col for box in boxes), max(box.stop_row for box in boxes)
        return Box(left, top, right - left, bottom - top)


def _within(part: shapely.Polygon, x: Floats, y: Floats) -> NDArray[np.bool_]:
    """(n,): which points lie inside; one by one only where they do not all lie on one side of the edge."""
    around = shapely.box(x.min(), y.min(), x.max(), y.max())
    if not shapely.intersects(part, around):
        return np.zeros(len(x), bool)
    if shapely.contains_properly(part, around):
        return np.ones(len(x), bool)
    return np.asarray(shapely.contains_xy(part, x, y))


def _whole(bounds: NDArray[np.float64]) -> Box:
    left, top, right, bottom = *map(floor, bounds[:2]), *map(ceil, bounds[2:])
    return Box(left, top, right - left, bottom - top)


def _units(degrees_or_metres: tuple[float, float], crs_wkt: str) -> float:
    """One of the two, in the unit of the CRS."""
    if turn := full_turn(crs_wkt):
        return degrees_or_metres[0] / 360 * turn
    return degrees_or_metres[1] / float(CRS.from_wkt(crs_wkt).axis_info[0].unit_conversion_factor)


def _sizes(shapes: NDArray[np.object_]) -> NDArray[np.float64]:
    left, top, right, bottom = shapely.bounds(shapes).T
    return np.asarray(np.maximum(right - left, bottom - top))


def _torn(shapes: NDArray[np.object_], longest: float) -> NDArray[np.bool_]:
    """Which polygons have an edge longer than that."""
    torn = np.zeros(len(shapes), bool)
    rings, owner = shapely.get_rings(shapes, return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    jumps = (np.abs(np.diff(points, axis=0)).max(axis=1) > longest) & (ring[1:] == ring[:-1])
    torn[owner[ring[1:][jumps]]] = True
    return torn


def _in_pixels(shapes: NDArray[np.object_], grid: Grid) -> NDArray[np.object_]:
    """`shapes` in (col, row), rounded so that an edge through pixel centres falls alike in every window."""
    t = ~grid.transform
    matrix, offset = np.array([[t.a, t.d], [t.b, t.e]]), (t.c, t.f)
    return np.asarray(shapely.transform(shapes, lambda xy: np.round(xy @ matrix + offset, 6)))
