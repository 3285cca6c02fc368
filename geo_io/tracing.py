"""Outlines of labelled areas as polygons that share their edges, corner by corner."""

from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, depth_first_order

EAST, NORTH, WEST, SOUTH = range(4)
Labels = NDArray[np.int32]
Flags = NDArray[np.bool_]


def outlines(labels: Labels, cut_above: Flags | None = None, cut_below: Flags | None = None) -> NDArray[Any]:
    """The polygon of each label 0..n-1 of (h, w), in columns and rows of pixel corners: (n,) of shapely.

    Each label is one 4-connected area. Wherever three areas meet, each of them has a corner: what two share
    is the same points for both. `cut_above` and `cut_below` (w + 1,) ask for corners on the first and last
    line too, where what lies beyond meets them. Polygons are valid: an outline that touches itself
    in a point is a hole that touches the outer ring.
    """
    corners = _corners(labels, cut_above, cut_below)
    order, ring = _walked(corners)
    starts = np.flatnonzero(np.diff(ring, prepend=-1))
    xy = np.stack([corners.col, corners.row], axis=1)[order // 4].astype(np.float64)
    owner = corners.around.ravel()[order[starts]]
    return _polygons(xy, starts, owner, int(labels.max()) + 1)


class _Corners(NamedTuple):
    """Points where outlines turn or meet, n of them, row by row, and what is around: labels, and edges.

    Of the four, `around` is the pixel to the NE, NW, SW, SE; `reached` the corner at the other end of the
    edge to the E, N, W, S, -1 where none starts.
    """

    row: NDArray[np.int64]
    col: NDArray[np.int64]
    around: Labels
    reached: NDArray[np.int64]


def _corners(labels: Labels, cut_above: Flags | None, cut_below: Flags | None) -> _Corners:
    height, width = labels.shape
    padded = np.full((height + 2, width + 2), -1, np.int32)
    padded[1:-1, 1:-1] = labels
    across, down = padded[1:] != padded[:-1], padded[:, 1:] != padded[:, :-1]
    east, west, south, north = across[:, 1:], across[:, :-1], down[1:], down[:-1]
    is_corner = (east & (north | south)) | (west & (north | south))
    for line, cut in ((0, cut_above), (-1, cut_below)):
        if cut is not None:
            is_corner[line] |= cut
    row, col = np.nonzero(is_corner)
    around = np.stack(
        [padded[row, col + 1], padded[row, col], padded[row + 1, col], padded[row + 1, col + 1]], axis=1
    )
    number = np.zeros(is_corner.shape, np.int32)
    number[row, col] = np.arange(len(row))
    by_column = number.T[is_corner.T]
    place = np.empty(len(row), np.int64)
    place[by_column] = np.arange(len(row))
    below = by_column[np.minimum(place + 1, len(row) - 1)]
    above = by_column[np.maximum(place - 1, 0)]
    here = np.arange(len(row))
    reached = np.full((len(row), 4), -1, np.int64)
    for way, starts, other in (
        (EAST, east, here + 1),
        (NORTH, north, above),
        (WEST, west, here - 1),
        (SOUTH, south, below),
    ):
        there = starts[row, col]
        reached[there, way] = other[there]
    return _Corners(row, col, around, reached)


def _walked(corners: _Corners) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Edges (4 * corner + way) in the order of their rings, and the ring of each.

    An edge has its own area to the left. At its end it turns right where the pixel ahead to the right
    is of that area, so that two corners of an area which meet in a point do not close a ring there.
    """
    edge = np.flatnonzero((corners.reached >= 0) & (corners.around >= 0))
    corner, way = edge // 4, edge % 4
    own, there = corners.around[corner, way], corners.reached[corner, way]
    right = corners.around[there, (way + 3) % 4] == own
    left = ~right & (corners.around[there, way] != own)
    onward = 4 * there + (way + left - right) % 4
    following = np.searchsorted(edge, onward)
    size = len(edge)
    rings, ring = connected_components(_chain(following), connection="weak")
    first = np.empty(rings, np.int64)
    first[ring[::-1]] = np.arange(size)[::-1]
    before_first = np.empty(size, np.int64)
    before_first[following] = np.arange(size)
    following[before_first[first]] = np.roll(first, -1)  # all rings, one after the other
    order = depth_first_order(_chain(following), first[0], return_predecessors=False)
    return edge[order], ring[order]


def _chain(following: NDArray[np.int64]) -> csr_array:
    size = len(following)
    return csr_array((np.ones(size, np.int8), following, np.arange(size + 1)), (size, size))


def _polygons(xy: NDArray[np.float64], starts: NDArray[np.int64], owner: Labels, count: int) -> NDArray[Any]:
    """Rings that begin at `starts` of `xy`, as the polygons of their owners: outer rings turn left."""
    size = np.diff(starts, append=len(xy))
    after = np.arange(1, len(xy) + 1)
    after[starts + size - 1] = starts
    twice = xy[:, 0] * xy[after, 1] - xy[after, 0] * xy[:, 1]
    is_hole = np.add.reduceat(twice, starts) > 0
    order = np.lexsort((is_hole, owner))
    size, starts = size[order] + 1, starts[order]
    offsets = np.concatenate([[0], np.cumsum(size)])
    taken = np.arange(offsets[-1]) - np.repeat(offsets[:-1] - starts, size)
    taken[offsets[1:] - 1] = starts
    of_polygon = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=count))])
    return shapely.from_ragged_array(shapely.GeometryType.POLYGON, xy[taken], (offsets, of_polygon))
