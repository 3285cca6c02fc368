"""Class labels held by a raster, on any grid."""

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rasterio.io import DatasetReader

from geo_io.bands import has_palette
from geo_io.blocks import Blocks, open_raster
from geo_io.crs import full_turn
from geo_io.errors import BadInput, naming
from geo_io.grid import Box, Grid
from geo_io.legend import IGNORE, Legend, Value
from geo_io.positions import Floats, positions
from geo_io.scene import grid_of
from geo_io.validity import NodataRule

REMEDY = "export the labels again, as GeoTIFF, or as GeoPackage where it holds polygons"
"""For a file of labels that is no raster."""
_WINDOW_PX = 4_000_000
_TIE = 1e-6
"""Nudge, in pixels, that sends a centre on the line between two label pixels the same way in every window."""


class RasterLabels:
    """Labels as numbers in one band, as palette colours, or as the colours of an RGB picture.

    Colours are used where the legend (or `mapping`) lists values written #rrggbb and the file has colours.
    Raises BadInput for a file that is no raster, a missing band or complex numbers.
    """

    def __init__(
        self, path: Path, legend: Legend, band: int = 1, mapping: Mapping[Value, str] | None = None
    ) -> None:
        self.path = Path(path)
        ids = legend.class_ids(mapping)
        texts = {v: i for v, i in ids.items() if isinstance(v, str)}
        colors = {_color_code(v): i for v, i in texts.items() if re.fullmatch("#[0-9a-f]{6}", v)}
        self._color_ids = colors if set(colors.values()) - {IGNORE} else {}
        with open_raster(self.path, remedy=REMEDY) as dataset:
            if not 1 <= band <= dataset.count:
                raise BadInput(f"{self.path}, band {band}", "is not in the file", f"it has {dataset.count}")
            if "complex" in dataset.dtypes[band - 1]:
                raise BadInput(self.path, "holds complex numbers", "labels are whole numbers or colours")
            self.grid, self.warnings = grid_of(dataset)
            self._palette = palette(dataset, band) if self._color_ids else {}
            self._picture = bool(self._color_ids) and not self._palette and is_picture(dataset)
            indexes = (1, 2, 3) if self._picture else (band,)
            raw_dtype = dataset.dtypes[indexes[0] - 1]
            rule = NodataRule.of(dataset, indexes)
        self._blocks = Blocks.of(self.path, rule, raw_dtype, np.dtype(raw_dtype))
        numbers = {} if self._picture else {v: i for v, i in ids.items() if isinstance(v, int)}
        self._keys, self._ids = self._table(numbers)

    def read(self, grid: Grid) -> NDArray[np.uint8]:
        """(h, w) class ids on `grid`, whatever its CRS, by nearest neighbour at pixel centres; 255 = none.

        Raises BadInput where the file is damaged, or lies nowhere although `grid` has a CRS.
        """
        values, valid = self._values(grid)
        ids, known = self._look_up(values)
        return np.where(known & valid, ids, IGNORE).astype(np.uint8)

    def tally(self, grid: Grid) -> dict[str, int]:
        """Label value, as text -> pixels on `grid` that hold it although it belongs to no class."""
        values, valid = self._values(grid)
        stray, counts = np.unique(values[valid & ~self._look_up(values)[1]], return_counts=True)
        return {self._text(v): int(n) for v, n in zip(stray, counts, strict=True)}

    def close(self) -> None:
        self._blocks.close()

    def _table(self, numbers: dict[int, int]) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        """Label values in ascending order, and the class id of each."""
        table: dict[int, int] = dict(self._color_ids) if self._picture else dict(numbers)
        for index, color in self._palette.items():
            if color in self._color_ids:
                table[index] = self._color_ids[color]
        if set(table.values()) <= {IGNORE}:
            problem = "no class of the legend has a number" + (" or a colour of its" if self._palette else "")
            raise BadInput(
                self.path, problem, "list the file's values under the classes' `values`, or in `mapping`"
            )
        keys = sorted(table)
        return np.array(keys, np.float64), np.array([table[k] for k in keys], np.uint8)

    def _look_up(self, values: NDArray[np.generic]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Class ids of label values, and which of them have one (255, deliberately none, counts as one)."""
        position = np.minimum(np.searchsorted(self._keys, values), len(self._keys) - 1)
        return self._ids[position], np.asarray(self._keys[position] == values)

    def _text(self, value: np.generic) -> str:
        number = float(value)
        code = int(number) if self._picture else self._palette.get(int(number))
        return f"{number:g}" if code is None else f"#{code:06x}"

    def _values(self, grid: Grid) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
        """(h, w) label values on `grid` (colours as one number), and where there are any."""
        rows, cols = self._positions(grid)
        height, width = self._blocks.shape
        inside = (rows >= 0) & (rows < height) & (cols >= 0) & (cols < width)
        if not inside.any():
            return np.zeros(inside.shape, np.int64), inside
        inside_rows, inside_cols = (np.broadcast_to(x, inside.shape)[inside] for x in (rows, cols))
        row, col = int(inside_rows.min()), int(inside_cols.min())
        box = Box(col, row, int(inside_cols.max()) - col + 1, int(inside_rows.max()) - row + 1)
        if box.width * box.height > _WINDOW_PX and grid.width * grid.height > 1:
            return self._halves(grid)
        bands, valid = self._blocks.read(box)
        place = np.clip(rows - row, 0, box.height - 1), np.clip(cols - col, 0, box.width - 1)
        return (_coded(bands) if self._picture else bands[0])[place], valid[place] & inside

    def _halves(self, grid: Grid) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
        """Far finer labels than `grid` are read piece by piece: memory stays bounded."""
        axis = 0 if grid.height > 1 and grid.height >= grid.width else 1
        if axis == 0:
            half = grid.height // 2
            boxes = Box(0, 0, grid.width, half), Box(0, half, grid.width, grid.height - half)
        else:
            half = grid.width // 2
            boxes = Box(0, 0, half, grid.height), Box(half, 0, grid.width - half, grid.height)
        (a, a_valid), (b, b_valid) = (self._values(grid.crop(box)) for box in boxes)
        return np.concatenate([a, b], axis), np.concatenate([a_valid, b_valid], axis)

    def _positions(self, grid: Grid) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Label row and column below each pixel centre of `grid`: (h, 1) and (1, w), or (h, w) both."""
        if grid.crs is not None and self.grid.crs is None and self.grid.transform.is_identity:
            problem = "has no georeference, but the image has"
            raise BadInput(self.path, problem, "save the labels as GeoTIFF with the image's georeference")
        with naming(self.path):
            row, col = positions(grid, self.grid)
        if grid.crs_wkt and (turn := full_turn(self.grid.crs_wkt)):
            col = _around(col, self.grid.width, turn / abs(self.grid.transform.a or turn))
        return _whole(row), _whole(col)


def _around(col: Floats, width: int, round_px: float) -> Floats:
    """Columns of places that lie `round_px` round the earth: of the same place the one nearest the middle."""
    with np.errstate(invalid="ignore"):
        return np.asarray(col - np.floor((col - width / 2) / round_px + 0.5) * round_px)


def _whole(position: Floats) -> NDArray[np.int64]:
    lost = ~np.isfinite(position)
    return np.where(lost, -1, np.floor(np.where(lost, 0, position) + _TIE)).astype(np.int64)


def _color_code(color: str) -> int:
    """`#rrggbb` as one number."""
    return int(color[1:], 16)


def _coded(picture: NDArray[np.generic]) -> NDArray[np.int64]:
    """(3, h, w) red, green, blue -> (h, w) colour codes."""
    red, green, blue = picture.astype(np.int64)
    return np.asarray(red << 16 | green << 8 | blue)


def palette(dataset: DatasetReader, band: int) -> dict[int, int]:
    """Value -> colour code of a band with a palette, else empty."""
    if not has_palette(dataset, band):
        return {}
    return {index: r << 16 | g << 8 | b for index, (r, g, b, _) in dataset.colormap(band).items()}


def is_picture(dataset: DatasetReader) -> bool:
    return dataset.count in (3, 4) and set(dataset.dtypes[:3]) == {"uint8"}
