"""A raster seen from afar, however large: whole where that is cheap, else from scattered blocks."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from rasterio.windows import Window

from geo_io.blocks import Blocks
from geo_io.grid import Box, Grid
from geo_io.patch import Patch

GLANCE_PX = 256
_SAMPLE_PX = 16
CUTS = (2.0, 0.5, 0.0)
"""Percent of a band's valid pixels that a stretch may leave out at each end; the first is the usual one."""
_READ_PX = 2**26
"""Pixels decoded for a sparse glance, at most."""

Limits = tuple[float, float]


@dataclass(frozen=True)
class Glance:
    """A raster at most 256 px long, and each band's low and high percentile by how much they leave out.

    `sparse`: each pixel is the mean of a small sample from one block, since the whole was too much to read.
    """

    patch: Patch
    limits: tuple[dict[float, Limits], ...]
    sparse: bool


def whole_glance(source: Blocks, grid: Grid) -> Glance:
    """From all of `source`, which is decoded whole; it covers `grid`."""
    height, width = source.shape
    step = max(1.0, max(height, width) / GLANCE_PX)
    values, valid = source.decode(
        Window(0, 0, width, height), (max(1, round(height / step)), max(1, round(width / step)))
    )
    return Glance(_placed(values, valid, grid), _limits(values[:, valid]), sparse=False)


def sparse_glance(source: Blocks, grid: Grid) -> Glance:
    """From as many small squares, evenly spread, as may be decoded: each costs the block that it lies in."""
    height, width = source.shape
    down, along = _lattice(source)
    mean = np.zeros((len(source.rule.indexes), down, along), source.dtype)
    valid, samples = np.zeros((down, along), bool), []
    for i in range(down):
        for j in range(along):
            row, col = int((i + 0.5) * height / down), int((j + 0.5) * width / along)
            box = Box(col, row, _SAMPLE_PX, _SAMPLE_PX).clip(width, height)
            values, seen = source.decode(Window(*box))
            valid[i, j] = seen.mean() >= 0.5
            if valid[i, j]:
                samples.append(values[:, seen])
                mean[:, i, j] = values[:, seen].mean(axis=1).astype(source.dtype)
    sampled = np.concatenate(samples, axis=1) if samples else mean[:, valid]
    return Glance(_placed(mean, valid, grid), _limits(sampled), sparse=True)


def _lattice(source: Blocks) -> tuple[int, int]:
    """Rows and columns of samples."""
    height, width = source.shape
    rows, cols = source.dataset.block_shapes[0]
    if cols >= width:  # strips: one costs the same however many samples are taken from it
        down = max(1, min(GLANCE_PX, height // _SAMPLE_PX, _READ_PX // (max(rows, _SAMPLE_PX) * width)))
        return down, max(1, min(GLANCE_PX, round(down * width / height)))
    blocks = _READ_PX / (max(rows, _SAMPLE_PX) * max(cols, _SAMPLE_PX))
    down, along = (round(sqrt(blocks * ratio)) for ratio in (height / width, width / height))
    return max(1, min(down, GLANCE_PX, height // rows)), max(1, min(along, GLANCE_PX, width // cols))


def _placed(values: NDArray[np.generic], valid: NDArray[np.bool_], grid: Grid) -> Patch:
    height, width = valid.shape
    scale = Affine.scale(grid.width / width, grid.height / height)
    return Patch(values, valid, Grid(grid.crs_wkt, grid.transform @ scale, width, height))


def _limits(values: NDArray[np.generic]) -> tuple[dict[float, Limits], ...]:
    """Percentiles of (c, n) for each of `CUTS`; 0 and 1 where there is nothing."""
    if values.shape[1] == 0:
        return ({cut: (0.0, 1.0) for cut in CUTS},) * len(values)
    ends = [(cut, 100 - cut) for cut in CUTS]
    found = np.percentile(values.astype(np.float64), ends, axis=1)
    return tuple(dict(zip(CUTS, map(tuple, band.tolist()), strict=True)) for band in found.transpose(2, 0, 1))
