"""The arithmetic of tiles, one axis at a time: where they lie, what they own, how they blend."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Tiling:
    """Tiles of `tile` pixels every `tile - overlap` pixels from 0; the last may reach past `size`.

    The grid hangs on the raster's origin alone, so that neither an area of interest nor a resumed
    run moves a tile.
    """

    size: int
    tile: int
    overlap: int

    @property
    def stride(self) -> int:
        return self.tile - self.overlap

    @property
    def count(self) -> int:
        return max(math.ceil((self.size - self.tile) / self.stride), 0) + 1

    def start(self, i: int) -> int:
        return i * self.stride

    def covering(self, low: int, high: int) -> range:
        """The tiles that hold a pixel of `[low, high)`."""
        first = max((low - self.tile) // self.stride + 1, 0)
        return range(first, min(math.ceil(high / self.stride), self.count))

    def final(self, i: int) -> int:
        """Pixels before this one are held by no tile after `i`."""
        return self.size if i == self.count - 1 else self.start(i + 1)

    def core(self, i: int) -> slice:
        """What tile `i` owns of itself: all but half the overlap, and a true border wholly."""
        half = self.overlap // 2
        low = 0 if i == 0 else half
        return slice(low, self.tile if i == self.count - 1 else half + self.stride)

    def weights(self, i: int) -> NDArray[np.float32]:
        """Strictly positive blending weights (tile,) of tile `i`; at every pixel the tiles' sum to 1.

        A trapezoid with cosine flanks over the overlap, divided by the sum over all tiles: the
        flanks at a true border, which no neighbour shares, become 1.
        """
        window = self._window
        total = np.zeros(self.tile)
        for j in range(self.count):
            shift = (j - i) * self.stride
            if abs(shift) < self.tile:
                low, high = max(shift, 0), self.tile + min(shift, 0)
                total[low:high] += window[low - shift : high - shift]
        return (window / total).astype(np.float32)

    @cached_property
    def _window(self) -> NDArray[np.float64]:
        flank = max(min(self.overlap, self.tile // 2), 1)
        inside = np.minimum(np.arange(self.tile), np.arange(self.tile)[::-1]) + 0.5
        ramp = np.minimum(inside / flank, 1) if self.overlap else np.ones(self.tile)
        return np.asarray(np.sin(ramp * np.pi / 2) ** 2)


@dataclass(frozen=True)
class Taps:
    """Which working pixels each native pixel is interpolated from (linear, between pixel centres).

    `factor` is working pixels per native pixel; at 1 every pixel reads itself.
    """

    native: int
    working: int
    factor: float

    @cached_property
    def position(self) -> NDArray[np.float64]:
        centres = (np.arange(self.native) + 0.5) * self.factor - 0.5
        return np.clip(centres, 0, self.working - 1)

    @cached_property
    def lower(self) -> NDArray[np.int64]:
        return np.floor(self.position).astype(np.int64)

    @cached_property
    def upper(self) -> NDArray[np.int64]:
        return np.ceil(self.position).astype(np.int64)

    @property
    def identity(self) -> bool:
        return self.factor == 1 and self.native == self.working

    def needs(self, low: int, high: int) -> tuple[int, int]:
        """The working pixels `[first, stop)` that native `[low, high)` read."""
        return int(self.lower[low]), int(self.upper[high - 1]) + 1

    def ready(self, stop: int) -> int:
        """How many leading native pixels read nothing at or past working pixel `stop`."""
        return int(np.searchsorted(self.upper, stop, side="left"))

    def touching(self, low: int, high: int) -> tuple[int, int]:
        """The native pixels `[first, stop)` that read a working pixel of `[low, high)`."""
        return self.ready(low), int(np.searchsorted(self.lower, high, side="left"))
