"""Class polygons of a raster of any size, with areas, in memory that does not grow with its height.

Each band is traced by itself. Pieces of an area that goes on beyond a cut wait for the others; they
share the corners along the cut, so that joining them is exact.
"""

from collections.abc import Iterator
from itertools import chain, repeat
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from geo_io.class_areas import areas_of_rows
from geo_io.components import Band, Seams, join, label
from geo_io.grid import Grid
from geo_io.id_rows import NODATA, IdRows, Ids
from geo_io.tracing import Flags, outlines

MOST_CORNERS = 200_000
"""An area of more corners stays in pieces, cut between bands: no GIS is quick with larger polygons."""


class Polygons(NamedTuple):
    """Polygons in map units, and a column (n,) each of what is known of them."""

    shapes: NDArray[Any]
    class_id: NDArray[np.uint8]
    area_m2: NDArray[np.float64]
    """On the ellipsoid, by pixels, as they are before any simplification."""
    mean_confidence: NDArray[np.float64]
    """In 0..1; NaN where it is not known."""
    split: NDArray[np.bool_]
    """Whether it is a piece of an area that was too large."""


def polygonise(
    rows: IdRows,
    grid: Grid,
    confidence: IdRows | None = None,
    confidence_steps: int = 254,
    simplify_px: float = 0.0,
) -> Iterator[float | Polygons]:
    """The 4-connected areas of each class as valid polygons, which share their edges corner by corner.

    `confidence` is a raster of the same size: `confidence_steps` is 1, NODATA unknown. With `simplify_px`
    a corner goes where its triangle with its neighbours is smaller than a square of that side in
    pixels: from both sides of an edge, so that there are neither gaps nor overlaps. The raster's outline and
    points on cuts between bands stay.

    Yields the share done, and polygons band by band as they are whole; same input, same order.
    """
    seams = yield from join(rows, 4, 1 / 4)
    waiting = _Waiting(seams)
    scores = confidence if confidence is not None else repeat(None)
    top = 0
    for number, ((above, ids, below), sure) in enumerate(zip(_neighbours(rows), scores, strict=False)):
        band = label(ids, 4, top)
        shapes = outlines(band.of_pixel, _changes(above, ids[:1]), _changes(below, ids[-1:]))
        if simplify_px:
            shapes = shapely.coverage_simplify(shapes, simplify_px, simplify_boundary=False)
        shapes = _placed(shapes, grid, top)
        pieces = _counted(band, shapes, areas_of_rows(grid, top, top + len(ids)), sure)
        top += len(ids)
        yield waiting.whole(number, pieces, seams.of(number, len(band.value)), confidence_steps)
        yield 1 / 4 + 3 / 4 * top / rows.height


def _neighbours(rows: IdRows) -> Iterator[tuple[Ids | None, Ids, Ids | None]]:
    """Each band, with the row above and the row below it."""
    above, ids = None, None
    for below in chain(rows, [None]):
        if ids is not None:
            yield above, ids, None if below is None else below[:1]
            above = ids[-1:]
        ids = below


def _changes(beyond: Ids | None, edge: Ids) -> Flags | None:
    """Where along a cut there is a corner of either side (width + 1,)."""
    if beyond is None:
        return None
    found = np.zeros(edge.shape[1] + 1, bool)
    for row in (beyond, edge):
        found[1:-1] |= row[0, 1:] != row[0, :-1]
    return found


def _placed(shapes: NDArray[Any], grid: Grid, top: int) -> NDArray[Any]:
    t = grid.transform

    def place(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        col, row = xy[:, 0], xy[:, 1] + top
        return np.stack([t.a * col + t.b * row + t.c, t.d * col + t.e * row + t.f], axis=1)

    return np.asarray(shapely.transform(shapes, place))


class _Pieces(NamedTuple):
    """What a band has of n areas: shapes, and sums over their pixels."""

    shapes: NDArray[Any]
    value: Ids
    area_m2: NDArray[np.float64]
    sure: NDArray[np.float64]
    """Sum of known confidences."""
    known: NDArray[np.float64]
    first: NDArray[np.int64]

    def chosen(self, which: NDArray[Any]) -> "_Pieces":
        return _Pieces(*(column[which] for column in self))


def _counted(band: Band, shapes: NDArray[Any], areas: NDArray[np.float64], scores: Ids | None) -> _Pieces:
    count, of_pixel = len(band.value), band.of_pixel.ravel()

    def summed(values: NDArray[Any]) -> NDArray[np.float64]:
        return np.bincount(of_pixel, values.ravel(), count).astype(np.float64, copy=False)

    area_m2, unknown = summed(areas), np.zeros(count)
    if scores is None:
        return _Pieces(shapes, band.value, area_m2, unknown, unknown, band.first)
    there = scores != NODATA
    return _Pieces(shapes, band.value, area_m2, summed(np.where(there, scores, 0)), summed(there), band.first)


def _joined(parts: list[_Pieces]) -> _Pieces:
    return _Pieces(*(np.concatenate(column) for column in zip(*parts, strict=True)))


class _Waiting:
    """Pieces of areas whose other pieces are still to come."""

    def __init__(self, seams: Seams) -> None:
        self.seams = seams
        self.held: dict[int, list[_Pieces]] = {}
        self.corners: dict[int, int] = {}
        self.split: set[int] = set()

    def whole(self, number: int, pieces: _Pieces, seam: NDArray[np.int64], steps: int) -> Polygons:
        """Those of a band's areas that are whole with it, or too large to wait for, by their first pixel."""
        valid = pieces.value != NODATA
        alone = pieces.chosen(valid & (seam < 0))
        done = [(alone, np.zeros(len(alone.value), bool))]
        mine = np.flatnonzero(valid & (seam >= 0))
        mine = mine[np.argsort(seam[mine], kind="stable")]
        bounds = np.flatnonzero(np.diff(seam[mine], prepend=-1))
        for group in np.split(mine, bounds[1:]) if len(mine) else []:
            done += self._add(number, int(seam[group[0]]), pieces.chosen(group))
        found = _joined([part for part, _ in done])
        split = np.concatenate([is_split for _, is_split in done])
        order = np.argsort(found.first, kind="stable")
        return _finished(found.chosen(order), split[order], steps)

    def _add(self, number: int, area: int, pieces: _Pieces) -> Iterator[tuple[_Pieces, Flags]]:
        """What is ready of an area of which a band has `pieces`."""
        held = self.held.setdefault(area, [])
        held.append(pieces)
        corners = self.corners.get(area, 0) + int(shapely.get_num_coordinates(pieces.shapes).sum())
        self.corners[area] = corners
        last = number == self.seams.last_band[area]
        if corners > MOST_CORNERS:
            self.split.add(area)
        if area in self.split:
            found = _joined(self.held.pop(area))
            yield found, np.ones(len(found.value), bool)
        elif last:
            found = _joined(self.held.pop(area))
            yield _as_one(found), np.zeros(1, bool)
        if last:
            del self.corners[area]
            self.split.discard(area)


def _as_one(pieces: _Pieces) -> _Pieces:
    shape = shapely.coverage_union_all(pieces.shapes)
    area, sure, known = (np.array([c.sum()]) for c in (pieces.area_m2, pieces.sure, pieces.known))
    first = np.array([pieces.first.min()])
    return _Pieces(np.array([shape], object), pieces.value[:1], area, sure, known, first)


def _finished(pieces: _Pieces, split: Flags, steps: int) -> Polygons:
    mean = np.full(len(split), np.nan)
    np.divide(pieces.sure, pieces.known * steps, out=mean, where=pieces.known > 0)
    return Polygons(pieces.shapes, pieces.value, pieces.area_m2, mean, split)
