"""Antialiased resampling that depends on the pixel, never on the window that asked for it."""

from collections.abc import Callable
from math import ceil
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geo_io.grid import Box

if TYPE_CHECKING:  # slow to load, and first needed when something is read
    from scipy.sparse import csr_array

Read = Callable[[Box], tuple[NDArray[np.generic], NDArray[np.bool_]]]

_CHUNK_PX = 2048
"""Side of the native window held at a time: bounds the memory of a strong reduction."""


def resample(
    read: Read, bands: int, size: tuple[int, int], scale: tuple[float, float], box: Box
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """`box` of a grid of larger or smaller pixels -> (c, h, w) float32 values, (h, w) validity.

    A pixel of that grid is `scale` (rows, cols) native pixels and both share their origin. `read` gives
    native windows of a raster of `size` (rows, cols). The filter is a triangle as wide as the reduction
    asks (bilinear where enlarging), a normalised convolution (Knutsson & Westin 1993): invalid pixels have
    no weight. A pixel is valid when at least half of the weight it finds inside of the raster is. `box`
    must lie inside of the reduced grid. At most about 2048 native pixels square are held at a time.
    """
    values = np.zeros((bands, box.height, box.width), np.float32)
    valid = np.zeros((box.height, box.width), bool)
    rows, cols = (max(1, int(_CHUNK_PX / s)) for s in scale)
    for row in range(0, box.height, rows):
        for col in range(0, box.width, cols):
            part = Box(col, row, cols, rows).clip(box.width, box.height)
            place = slice(part.row, part.stop_row), slice(part.col, part.stop_col)
            moved = Box(box.col + col, box.row + row, part.width, part.height)
            values[:, *place], valid[place] = _chunk(read, size, scale, moved)
    return values, valid


def _chunk(
    read: Read, size: tuple[int, int], scale: tuple[float, float], box: Box
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    down, first_row = triangle_weights(box.row, box.height, scale[0], size[0])
    along, first_col = triangle_weights(box.col, box.width, scale[1], size[1])
    native, native_valid = read(Box(first_col, first_row, along.shape[1], down.shape[1]))
    share = _weigh(native_valid, down, along)
    valid = share >= 0.5
    divisor = np.where(valid, share, 1)
    values = np.stack([np.where(valid, _weigh(band, down, along) / divisor, 0) for band in native])
    return values.astype(np.float32, copy=False), valid


def _weigh(band: NDArray[np.generic], down: "csr_array", along: "csr_array") -> NDArray[np.float32]:
    weighed: NDArray[np.float32] = (along @ (down @ band.astype(np.float32)).T).T
    return weighed


def triangle_weights(start: int, count: int, scale: float, size: int) -> "tuple[csr_array, int]":
    """Weights (count, n) of the native pixels `first`..`first + n` for the pixels `start`..`start + count`.

    Each row depends on its own absolute position only and sums to 1 over the pixels 0..`size`: what lies
    outside of the raster has no weight, so that its edge is as good as its middle.
    """
    radius = max(scale, 1.0)
    centre = (np.arange(start, start + count)[:, None] + 0.5) * scale
    index = np.floor(centre - radius).astype(np.int64) + np.arange(ceil(2 * radius) + 2)
    weight = np.clip(1 - np.abs(index + 0.5 - centre) / radius, 0, None)
    weight[(index < 0) | (index >= size)] = 0
    weight /= np.maximum(weight.sum(axis=1, keepdims=True), 1e-12)
    used = weight > 0
    first = int(index[used].min())
    rows = np.broadcast_to(np.arange(count)[:, None], index.shape)[used]
    entries = weight[used].astype(np.float32), (rows, index[used] - first)
    from scipy.sparse import csr_array

    return csr_array(entries, shape=(count, int(index[used].max()) - first + 1)), first
