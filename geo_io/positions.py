"""Where the pixels of one grid lie in another, whatever their CRS."""

from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from pyproj import Transformer

from geo_io.crs import same_crs, transformer
from geo_io.grid import Grid

Floats = NDArray[np.floating[Any]]

_NODE_PX = 16


def positions(grid: Grid, other: Grid) -> tuple[Floats, Floats]:
    """Row and column in `other` of each pixel centre of `grid`: (h, 1) and (1, w), or (h, w) both.

    As they are where either has no CRS. Not finite where a projection does not reach.
    """
    to_other = ~other.transform
    x, y = np.arange(grid.width)[None, :] + 0.5, np.arange(grid.height)[:, None] + 0.5
    if same_crs(grid.crs_wkt, other.crs_wkt):
        col, row = apply(to_other @ grid.transform, x, y)
    else:
        assert grid.crs_wkt is not None
        assert other.crs_wkt is not None
        col, row = _warped(grid, transformer(grid.crs_wkt, other.crs_wkt), to_other, x, y)
    return row, col


def apply(t: Affine, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """`t` applied to points; a row x and a column y stay such where `t` does not mix them."""
    out_x = t.a * x + t.c if abs(t.b) < 1e-9 else t.a * x + t.b * y + t.c
    out_y = t.e * y + t.f if abs(t.d) < 1e-9 else t.d * x + t.e * y + t.f
    return out_x, out_y


def _warped(
    grid: Grid, projection: Transformer, to_other: Affine, x: Floats, y: Floats
) -> tuple[Floats, Floats]:
    """Positions in another CRS: exact at every 16th pixel, bilinear between: the ground curves little.

    Exact at every pixel where it does not: where longitudes jump, at poles, where a projection ends.
    """

    def exact(x: Floats, y: Floats) -> tuple[Floats, Floats]:
        with np.errstate(invalid="ignore"):  # PROJ says infinity where a projection does not reach
            return apply(to_other, *projection.transform(*apply(grid.transform, x, y)))

    nodes_x, nodes_y = (np.arange(0.0, side + _NODE_PX, _NODE_PX) for side in (grid.width, grid.height))
    nodes = exact(*np.meshgrid(nodes_x, nodes_y))
    middles = exact(*np.meshgrid(nodes_x[:-1] + _NODE_PX / 2, nodes_y[:-1] + _NODE_PX / 2))
    along, down = (
        np.maximum(0, 1 - np.abs(p.ravel()[:, None] - n) / _NODE_PX) for p, n in ((x, nodes_x), (y, nodes_y))
    )
    col, row = (down @ np.where(np.isfinite(n), n, 0) @ along.T for n in nodes)
    lost, rough = _lost_and_rough(nodes, middles)
    if lost.any():
        for positions in (col, row):
            positions[_pixels(lost, positions.shape)] = np.inf
    if rough.any():
        at = _pixels(rough, col.shape)
        rows, cols = np.nonzero(at)
        col[at], row[at] = exact(x[0, cols], y[rows, 0])
    return col, row


def _lost_and_rough(
    nodes: tuple[Floats, Floats], middles: tuple[Floats, Floats]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Of each cell between nodes whether it is out of reach, and whether the mean of its corners misleads."""
    known, off = [], np.zeros(middles[0].shape, bool)
    for node, middle in zip(nodes, middles, strict=True):
        corners = np.stack([node[:-1, :-1], node[:-1, 1:], node[1:, :-1], node[1:, 1:]])
        known += [*np.isfinite(corners), np.isfinite(middle)]
        with np.errstate(invalid="ignore"):
            side = np.ptp(corners, axis=0) / _NODE_PX
            off |= np.abs(corners.mean(axis=0) - middle) > np.maximum(side, 1) / 50
    reached = np.stack(known)
    lost = np.asarray(~reached.any(axis=0))
    return lost, ~lost & (off | ~reached.all(axis=0))


def _pixels(cells: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    return cells.repeat(_NODE_PX, axis=0).repeat(_NODE_PX, axis=1)[: shape[0], : shape[1]]
