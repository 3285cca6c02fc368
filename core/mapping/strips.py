"""Reading an image strip by strip, a little ahead of whoever needs it."""

from collections import deque
from collections.abc import Iterator
from copy import copy
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.mapping.blend import Plane
from geo_io.grid import Box
from geo_io.scene import Scene

if TYPE_CHECKING:  # geopandas is loaded only where an area is
    from geo_io.vector import Area

MIN_STRIP_ROWS = 64


class Strip(NamedTuple):
    """Working rows `[top, stop)` as values (c, h, w) and validity (h, w), and which native pixels
    the map wants of the native rows `[native_top, native_stop)` that lie in them, (h', w') bool."""

    top: int
    stop: int
    native_top: int
    native_stop: int
    values: NDArray[np.generic]
    valid: NDArray[np.bool_]
    wanted: NDArray[np.bool_]


class StripReader:
    """Reads strips of a column range, whole rows of the file's blocks where it can; safe in threads."""

    def __init__(self, scene: Scene, gsd_m: float, area: "Area | None", plane: Plane) -> None:
        self.scene, self.gsd_m, self.area, self.plane = scene, gsd_m, area, plane
        self.grid = scene.grid.at_gsd(gsd_m) if plane.direct else scene.grid
        self._rows = strip_rows(scene, plane)
        self._columns(0, self.grid.width)

    def of(self, low: int, high: int) -> "StripReader":
        """A reader of the columns that the map's native columns `[low, high)` are computed from."""
        reader = copy(self)
        reader._columns(low, high)
        return reader

    def _columns(self, low: int, high: int) -> None:
        tiling = self.plane.tiling_x
        tiles = tiling.covering(*self.plane.taps_x.needs(low, high))
        self.native_columns = low, high
        self.left, self.right = (
            tiling.start(tiles[0]),
            min(tiling.start(tiles[-1]) + tiling.tile, tiling.size),
        )

    def tops(self, low: int, high: int) -> range:
        """Where the strips begin that cover working rows `[low, high)`."""
        return range(low // self._rows * self._rows, high, self._rows)

    def read(self, top: int) -> Strip:
        """The strip that begins at `top`. Raises BadInput where the file is damaged."""
        taps_y, (low, high) = self.plane.taps_y, self.native_columns
        stop = min(top + self._rows, taps_y.working)
        patch = self.scene.read(Box(self.left, top, self.right - self.left, stop - top), self.gsd_m)
        native_top, native_stop = taps_y.ready(top), taps_y.ready(stop)
        box = Box(low, native_top, high - low, native_stop - native_top)
        if self.plane.direct:
            wanted = patch.valid[:, low - self.left : high - self.left]
        else:
            wanted = self.scene.read(box).valid
        if self.area is not None and box.height:
            wanted = wanted & self.area.read(self.grid.crop(box))
        return Strip(top, stop, native_top, native_stop, patch.values, patch.valid, wanted)


def strip_rows(scene: Scene, plane: Plane) -> int:
    """Working rows of a strip: at the native gsd a row of the file's blocks, each decoded once."""
    block_rows = scene.cells(Box(0, 0, 1, 1))[0].height
    return block_rows if plane.native else max(round(block_rows * plane.scale_y), MIN_STRIP_ROWS)


class Strips:
    """The strips around the tile row under way, from an iterator of all of them in order."""

    def __init__(self, strips: Iterator[Strip], left: int) -> None:
        self._coming, self._held, self._left = strips, deque[Strip](), left

    def reach(self, stop: int, native_stop: int) -> None:
        """Hold all up to working row `stop` and native row `native_stop`, or all there are."""
        while not self._held or self._held[-1].stop < stop or self._held[-1].native_stop < native_stop:
            strip = next(self._coming, None)
            if strip is None:
                return
            self._held.append(strip)

    def release(self, row: int, native_row: int) -> None:
        """Forget what lies wholly above working row `row` and native row `native_row`."""
        while self._held and self._held[0].stop <= row and self._held[0].native_stop <= native_row:
            self._held.popleft()

    def wanted(self, low: int, high: int) -> NDArray[np.bool_]:
        """Which pixels of the native rows `[low, high)` the map wants."""
        parts = [
            s.wanted[max(low - s.native_top, 0) : high - s.native_top]
            for s in self._held
            if s.native_top < high and s.native_stop > low
        ]
        return parts[0] if len(parts) == 1 else np.concatenate(parts or [self._held[0].wanted[:0]])

    def fill(self, row: int, col: int, values: NDArray[np.generic], valid: NDArray[np.bool_]) -> None:
        """Copy the tile at (row, col) into `values` (c, t, t) and `valid` (t, t); outside is left alone."""
        tile = len(valid)
        col -= self._left
        cols = min(tile, self._held[0].valid.shape[1] - col)
        for strip in self._held:
            low, high = max(strip.top, row), min(strip.stop, row + tile)
            if low < high:
                source = slice(low - strip.top, high - strip.top), slice(col, col + cols)
                values[:, low - row : high - row, :cols] = strip.values[:, *source]
                valid[low - row : high - row, :cols] = strip.valid[source]
