"""Looking at rasters of any size: tiles from their overviews, a glance at the whole, values under a point."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, floor, isfinite, log2, sqrt
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from rasterio.io import DatasetReader
from rasterio.windows import Window

from geo_io.bands import has_palette, named_bands
from geo_io.blocks import Blocks, Pixels, open_raster
from geo_io.crs import same_crs
from geo_io.errors import BadInput
from geo_io.glance import Glance, sparse_glance, whole_glance
from geo_io.grid import Box, Grid
from geo_io.ground import Ring, bounds, moved
from geo_io.positions import Floats, positions
from geo_io.scene import grid_of
from geo_io.validity import NodataRule

TILE_PX = 256
_FREE_PX = 2**25
"""A raster, or an overview, that is small enough to be decoded whole for one tile."""
_TILE_READ_PX = 2**22
"""Pixels decoded for one tile of a larger one, at most: a tenth of a second's work."""


class Tile(NamedTuple):
    """A square of a view: 256 px of `2**level` pixels of its grid each, counted from the grid's origin."""

    level: int
    col: int
    row: int

    @property
    def side(self) -> float:
        """In pixels of the view's grid."""
        return TILE_PX * 2.0**self.level

    def grid(self, view: Grid) -> Grid:
        """The tile's own grid; it may reach outside of `view`."""
        corner = view.transform @ Affine.translation(self.col * self.side, self.row * self.side)
        return Grid(view.crs_wkt, corner @ Affine.scale(2.0**self.level), TILE_PX, TILE_PX)


class Picture:
    """A raster to look at, from any thread; of a large one never much more is read than is seen.

    `overviews` are the factors of reduction that the file holds, `palette` is value -> (r, g, b, a). Raises
    BadInput for a file that is no raster or holds complex numbers.
    """

    def __init__(
        self, path: Path, band_names: Sequence[str] | None = None, nodata: float | None = None
    ) -> None:
        self.path, self._nodata = Path(path), nodata
        with open_raster(self.path) as dataset:
            self._numbers = named_bands(self.path, dataset, band_names)
            indexes = tuple(self._numbers.values())
            self.grid, self.warnings = grid_of(dataset)
            self.bands = tuple(self._numbers)
            self.dtype = str(np.result_type(*(dataset.dtypes[i - 1] for i in indexes)))
            if "complex" in self.dtype:
                raise BadInput(self.path, "holds complex numbers", "export their amplitude as float32")
            self.overviews: tuple[int, ...] = tuple(dataset.overviews(indexes[0]))
            self.block: tuple[int, int] = tuple(dataset.block_shapes[indexes[0] - 1])
            self.palette = _palette(dataset, indexes[0])
            self.nodata_source = str(NodataRule.of(dataset, indexes, nodata))
            self._scales = [(dataset.scales[i - 1], dataset.offsets[i - 1]) for i in indexes]
        self._sources: dict[tuple[str, ...], dict[int, Blocks]] = {}

    @property
    def needs_overviews(self) -> bool:
        """Whether, seen whole, it can only be glanced at."""
        return self.grid.width * self.grid.height > _FREE_PX * max(self.overviews, default=1) ** 2

    def view(self, crs_wkt: str | None) -> Grid:
        """The grid to cut tiles from in a display CRS: its own where it has that CRS, else north up, as fine.

        Raises BadInput where the CRS does not reach the raster.
        """
        if crs_wkt is None or same_crs(self.grid.crs_wkt, crs_wkt):
            return self.grid
        west, south, east, north = bounds(self.footprint(crs_wkt))
        if not all(map(isfinite, (west, south, east, north))):
            raise BadInput(
                self.path, "lies where the map's CRS does not reach", "show it on a map of its own"
            )
        side = self._pixel_side(crs_wkt)
        width, height = ceil((east - west) / side), ceil((north - south) / side)
        return Grid(crs_wkt, Affine(side, 0, west, 0, -side, north), max(width, 1), max(height, 1))

    def footprint(self, crs_wkt: str | None) -> Ring:
        """The outline of the file's pixels in `crs_wkt`."""
        return moved(self.grid.corners, self.grid.crs_wkt, crs_wkt, edge=16)

    def _pixel_side(self, crs_wkt: str) -> float:
        """Of a square as large as the middle pixel, in units of `crs_wkt`."""
        col, row = self.grid.width / 2, self.grid.height / 2
        three = [self.grid.transform @ at for at in ((col, row), (col + 1, row), (col, row + 1))]
        middle, right, below = moved(three, self.grid.crs_wkt, crs_wkt)
        along, down = (
            (right[0] - middle[0], right[1] - middle[1]),
            (below[0] - middle[0], below[1] - middle[1]),
        )
        return sqrt(abs(along[0] * down[1] - along[1] * down[0]))

    def read_tile(self, view: Grid, tile: Tile, bands: Sequence[str]) -> Pixels | None:
        """Values (c, 256, 256) and validity (256, 256); None where only a glance can be afforded."""
        return self.read(tile.grid(view), bands)

    def read(self, grid: Grid, bands: Sequence[str]) -> Pixels | None:
        """Values (c, h, w) and validity (h, w) on any grid, by nearest neighbour; 0 and invalid outside.

        None where far more would be decoded than is seen, for want of overviews. Raises BadInput where the
        file is damaged.
        """
        place = _Place.of(positions(grid, self.grid), self.grid)
        if place is None:
            return np.zeros((len(bands), grid.height, grid.width), self.dtype), np.zeros(
                grid.box[:1:-1], bool
            )
        source = self._source(tuple(bands), place.step)
        place = place.within(source.shape, self.grid)
        if place.step > 1 and not _affordable(place.box, source):
            return None
        values, valid = source.decode(Window(*place.box), place.shape)
        return place.pick(values, valid)

    def glance(self, bands: Sequence[str]) -> Glance:
        """The whole from afar. Of a large raster without overviews only scattered blocks are read."""
        source = self._source(tuple(bands), max(self.grid.width, self.grid.height) / TILE_PX)
        small = source.shape[0] * source.shape[1] <= _FREE_PX
        return whole_glance(source, self.grid) if small else sparse_glance(source, self.grid)

    def values_at(self, x: float, y: float, crs_wkt: str | None) -> dict[str, float] | None:
        """Band name -> value under a point, with scale and offset where the file declares them.

        None outside and where there is no data.
        """
        (x, y), *_ = moved([(x, y)], crs_wkt, self.grid.crs_wkt)
        if not (isfinite(x) and isfinite(y)):
            return None
        col, row = (floor(place) for place in ~self.grid.transform @ (x, y))
        if not (0 <= col < self.grid.width and 0 <= row < self.grid.height):
            return None
        values, valid = self._blocks(self.bands)[1].decode(Window(col, row, 1, 1))
        if not valid.item():
            return None
        found = zip(self.bands, values[:, 0, 0].tolist(), self._scales, strict=True)
        return {band: value if by == (1, 0) else value * by[0] + by[1] for band, value, by in found}

    def close(self) -> None:
        """Closes the file in all threads; a later read opens it again."""
        for sources in list(self._sources.values()):
            for source in sources.values():
                source.close()

    def _blocks(self, bands: tuple[str, ...]) -> dict[int, Blocks]:
        """Factor of reduction -> what to read it from; 1 is the file's own pixels."""
        if bands not in self._sources:
            indexes = tuple(self._numbers[band] for band in bands)
            with open_raster(self.path) as dataset:
                rule = NodataRule.of(dataset, indexes, self._nodata)
            native = Blocks.of(self.path, rule, self.dtype, np.dtype(self.dtype))
            reduced = {factor: replace(native, overview=i) for i, factor in enumerate(self.overviews)}
            self._sources[bands] = {1: replace(native, overview="NONE"), **reduced}
        return self._sources[bands]

    def _source(self, bands: tuple[str, ...], step: float) -> Blocks:
        """The coarsest that is fine enough for one of `step` pixels; sizes are rounded, hence the tenth."""
        sources = self._blocks(bands)
        return sources[max(factor for factor in sources if factor <= max(step * 1.1, 1))]


@dataclass(frozen=True)
class _Place:
    """Where a tile's pixels lie in what is read for it: `step` pixels of `box` apart, read as `shape`."""

    rows: Floats
    cols: Floats
    inside: NDArray[np.bool_]
    step: float
    box: Box
    shape: tuple[int, int]

    @classmethod
    def of(cls, where: tuple[Floats, Floats], grid: Grid) -> Self | None:
        """In the pixels of `grid`; None where the tile lies beside it."""
        rows, cols = (np.where(np.isfinite(x), x, -1) for x in where)
        inside = (rows >= 0) & (rows < grid.height) & (cols >= 0) & (cols < grid.width)
        if not inside.any():
            return None
        spans = [np.ptp(np.broadcast_to(x, inside.shape)[:, [0, -1]]) for x in (rows, cols)]
        spans += [np.ptp(np.broadcast_to(x, inside.shape)[[0, -1]]) for x in (rows, cols)]
        return cls(rows, cols, inside, float(max(spans)) / max(max(inside.shape) - 1, 1), grid.box, (0, 0))

    def within(self, size: tuple[int, int], grid: Grid) -> "_Place":
        """In the pixels of an overview of `size` (rows, cols) of `grid`, and which of them to read."""
        by_row, by_col = size[0] / grid.height, size[1] / grid.width
        rows, cols, step = self.rows * by_row, self.cols * by_col, self.step * max(by_row, by_col)
        every = max(1, 2 ** floor(log2(max(step * 1.01, 1))))
        seen_rows, seen_cols = (np.broadcast_to(x, self.inside.shape)[self.inside] for x in (rows, cols))
        (top, bottom), (left, right) = (
            (floor(x.min() / every) * every, ceil((x.max() + 1e-6) / every) * every)
            for x in (seen_rows, seen_cols)
        )
        box = Box(left, top, max(right - left, every), max(bottom - top, every)).clip(size[1], size[0])
        return _Place(rows, cols, self.inside, step, box, (ceil(box.height / every), ceil(box.width / every)))

    def pick(self, values: NDArray[Any], valid: NDArray[np.bool_]) -> Pixels:
        """Each pixel of the tile from what was read."""
        height, width = self.shape
        row = np.floor((self.rows - self.box.row) * height / self.box.height).astype(np.int64)
        col = np.floor((self.cols - self.box.col) * width / self.box.width).astype(np.int64)
        found = np.clip(row, 0, height - 1), np.clip(col, 0, width - 1)
        seen = valid[found] & self.inside
        picked = values[(slice(None), *found)]
        picked[:, ~seen] = 0
        return picked, seen


def _affordable(box: Box, source: Blocks) -> bool:
    """Whether to decode `box`: GDAL decodes whole blocks."""
    height, width = source.shape
    rows, cols = source.dataset.block_shapes[0]
    down = min(ceil(box.stop_row / rows) * rows, height) - box.row // rows * rows
    along = min(ceil(box.stop_col / cols) * cols, width) - box.col // cols * cols
    return width * height <= _FREE_PX or down * along <= _TILE_READ_PX


def _palette(dataset: DatasetReader, band: int) -> dict[int, tuple[int, int, int, int]]:
    if not has_palette(dataset, band):
        return {}
    return {int(value): (r, g, b, a) for value, (r, g, b, a) in dataset.colormap(band).items()}
