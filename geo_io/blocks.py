"""Windowed reads of any raster: threads, damaged files and repeated crops taken care of."""

import os
import threading
import warnings
from collections import OrderedDict
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from math import ceil
from pathlib import Path
from typing import Any
from weakref import WeakSet

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.io import DatasetReader
from rasterio.windows import Window

from geo_io.errors import BadInput
from geo_io.grid import Box
from geo_io.paths import existing
from geo_io.validity import NodataRule, numbers

Pixels = tuple[NDArray[np.generic], NDArray[np.bool_]]
"""Values (c, h, w) and validity (h, w)."""

_CELL_PX, _LARGEST_BLOCK_PX = 512, 1024
GDAL_CACHE_MB = 64
# GDAL's own default, 5 % of all memory, looks like a leak: it fills with blocks that are never read again.
os.environ.setdefault("GDAL_CACHEMAX", str(GDAL_CACHE_MB))

_RUN_BYTES = GDAL_CACHE_MB * 2**20 // 4
"""Decoded of strips at once: a mask or alpha then finds them in GDAL's cache still, with two readers too."""

_opening = threading.Lock()


def open_dataset(path: Path, mode: str = "r", **options: object) -> Any:
    """rasterio's dataset handle, for the calling thread only, silent about missing georeference."""
    # `catch_warnings` swaps process-wide state: two threads inside it at once could leave it swapped.
    with _opening, warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        return rasterio.open(path, mode, **options)


def open_raster(path: Path, *, remedy: str = "copy or export it again", **options: object) -> DatasetReader:
    """A handle for reading, for the calling thread only. Raises BadInput where GDAL finds no raster."""
    existing(path)
    try:
        dataset: DatasetReader = open_dataset(path, "r", **options)
    except RasterioError as fault:
        raise BadInput(path, f"is not a readable raster ({fault})", remedy) from None
    if dataset.count == 0:
        raise BadInput(path, "holds no bands of its own", "export the wanted layer as GeoTIFF")
    return dataset


def read_bands(
    dataset: DatasetReader, indexes: Sequence[int], window: Window, shape: tuple[int, int], dtype: str
) -> NDArray[Any]:
    """(c, h, w) of `dtype`; one by one where bands differ in type, since rasterio refuses them together."""
    options = {"window": window, "out_dtype": dtype}
    if len({dataset.dtypes[i - 1] for i in indexes}) > 1:
        return np.stack([dataset.read(i, out_shape=shape, **options) for i in indexes])
    together: NDArray[Any] = dataset.read(list(indexes), out_shape=(len(indexes), *shape), **options)
    return together


class BlockCache:
    """Decoded pixels by key, the least recently used dropped first. Safe to share between threads."""

    def __init__(self, capacity_bytes: int) -> None:
        self._capacity, self._held = capacity_bytes, 0
        self._caps: list[int] = []
        self._entries: OrderedDict[Hashable, Pixels] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def held_bytes(self) -> int:
        return self._held

    def resize(self, capacity_bytes: int) -> None:
        """Sets the bound and drops what no longer fits."""
        with self._lock:
            self._capacity = capacity_bytes
            self._shrink()

    @contextmanager
    def capped(self, capacity_bytes: int) -> Iterator[None]:
        """Holds at most that much inside, for work that says what it takes; of several caps the least."""
        with self._lock:
            self._caps.append(capacity_bytes)
            self._shrink()
        try:
            yield
        finally:
            with self._lock:
                self._caps.remove(capacity_bytes)

    @property
    def _bound(self) -> int:
        return min(self._capacity, *self._caps) if self._caps else self._capacity

    def get(self, key: Hashable) -> Pixels | None:
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
            return self._entries.get(key)

    def put(self, key: Hashable, pixels: Pixels) -> None:
        for array in pixels:
            array.flags.writeable = False
        with self._lock:
            if key not in self._entries and _size_bytes(pixels) <= self._bound:
                self._entries[key] = pixels
                self._held += _size_bytes(pixels)
            self._shrink()

    def _shrink(self) -> None:
        while self._held > self._bound:
            self._held -= _size_bytes(self._entries.popitem(last=False)[1])


def _size_bytes(pixels: Pixels) -> int:
    return pixels[0].nbytes + pixels[1].nbytes


CACHE = BlockCache(512 * 2**20)
"""Shared by everything that reads rasters in this process."""


@dataclass(frozen=True)
class Blocks:
    """The chosen bands of one raster (or of its overview `overview`), readable from any thread.

    Reads go through fixed, aligned cells: whole native tiles where these are small, else 512 px squares, so
    that neither one-row strips nor a raster stored as a single block is ever held whole. What is wider than
    a cell is read from strips by whole rows, a few at a time.
    """

    path: Path
    stamp: tuple[int, int]
    dtype: np.dtype[np.generic]
    raw_dtype: str
    rule: NodataRule
    overview: int | str | None = None
    _local: threading.local = field(default_factory=threading.local, init=False, compare=False, repr=False)
    _handles: "WeakSet[DatasetReader]" = field(default_factory=WeakSet, init=False, compare=False, repr=False)

    @classmethod
    def of(cls, path: Path, rule: NodataRule, raw_dtype: str, dtype: np.dtype[np.generic]) -> "Blocks":
        """Of the file as it is now: once written anew, it does not meet its old pixels in the cache."""
        status = path.stat()
        return cls(path, (status.st_mtime_ns, status.st_size), dtype, raw_dtype, rule)

    @property
    def dataset(self) -> DatasetReader:
        """This thread's own handle: GDAL's are not shareable."""
        handle: DatasetReader | None = getattr(self._local, "handle", None)
        if handle is None or handle.closed:
            options: dict[str, Any] = {} if self.overview is None else {"OVERVIEW_LEVEL": self.overview}
            handle = self._local.handle = open_raster(self.path, **options)
            self._handles.add(handle)
        return handle

    def close(self) -> None:
        """Closes the handles of all threads; a later read opens a new one."""
        for handle in list(self._handles):
            handle.close()

    @cached_property
    def shape(self) -> tuple[int, int]:
        height, width = self.dataset.shape
        return height, width

    @cached_property
    def cell(self) -> tuple[int, int]:
        """Rows and columns of a cell."""
        rows, cols = (_cell_px(side) for side in self.dataset.block_shapes[self.rule.indexes[0] - 1])
        return rows, cols

    def cells(self, box: Box) -> Iterator[Box]:
        """The cells that `box` touches, cut at the raster's edge, row by row."""
        height, width = self.shape
        rows, cols = self.cell
        inside = box.clip(width, height)
        if inside.width == 0 or inside.height == 0:
            return
        for row in range(inside.row // rows * rows, inside.stop_row, rows):
            for col in range(inside.col // cols * cols, inside.stop_col, cols):
                yield Box(col, row, cols, rows).clip(width, height)

    def read(self, box: Box) -> Pixels:
        """Values (c, h, w) and validity (h, w) of `box`, which may reach outside: 0 and invalid there.

        Raises BadInput, naming the window, where the file is damaged.
        """
        values = np.zeros((len(self.rule.indexes), box.height, box.width), self.dtype)
        valid = np.zeros((box.height, box.width), bool)
        for piece in self._pieces(box):
            piece_values, piece_valid = self._decoded(piece)
            part = Box(piece.col - box.col, piece.row - box.row, piece.width, piece.height).clip(
                box.width, box.height
            )
            inner_row, inner_col = part.row + box.row - piece.row, part.col + box.col - piece.col
            inner = slice(inner_row, inner_row + part.height), slice(inner_col, inner_col + part.width)
            outer = slice(part.row, part.stop_row), slice(part.col, part.stop_col)
            values[:, *outer], valid[outer] = piece_values[:, *inner], piece_valid[inner]
        return values, valid

    def _pieces(self, box: Box) -> list[Box]:
        """What to decode for `box`: its cells, or a few whole rows at a time where cells side by side cut
        through the same strips, which GDAL would decode for each of them."""
        cells = list(self.cells(box))
        if not self._run_rows or len({cell.col for cell in cells}) < 2:
            return cells
        width, step = self.shape[1], self._run_rows
        bands = sorted({(cell.row, cell.stop_row) for cell in cells})
        runs = [
            Box(0, row, width, min(step, stop - row)) for top, stop in bands for row in range(top, stop, step)
        ]
        return [run for run in runs if run.row < box.stop_row and box.row < run.stop_row]

    @cached_property
    def _run_rows(self) -> int:
        """Rows of strips to decode at once; 0 where blocks are not as wide as the raster, or cells are."""
        rows, cols = self.dataset.block_shapes[self.rule.indexes[0] - 1]
        if not self.cell[1] < self.shape[1] <= cols:
            return 0
        row_bytes = cols * sum(np.dtype(dtype).itemsize for dtype in self.dataset.dtypes)
        return int(rows * max(1, _RUN_BYTES // (rows * row_bytes)))

    def _decoded(self, piece: Box) -> Pixels:
        key = (self.path, self.stamp, self.rule, self.overview, piece)
        pixels = CACHE.get(key)
        if pixels is None:
            pixels = self.decode(Window(*piece))
            CACHE.put(key, pixels)
        return pixels

    def decode(self, window: Window, shape: tuple[int, int] | None = None) -> Pixels:
        """`window` from the file itself, by nearest neighbour where `shape` is smaller; invalid pixels 0."""
        shape = shape or (window.height, window.width)
        try:
            raw = read_bands(self.dataset, self.rule.indexes, window, shape, self.raw_dtype)
            valid = self.rule.valid(self.dataset, raw, window)
        except RasterioError as fault:
            size = f"{window.width} x {window.height} px"
            where = f"window of {size} at column {window.col_off}, row {window.row_off}"
            problem = f"cannot be decoded ({str(fault) or 'damaged or cut short'})"
            raise BadInput(f"{self.path}, {where}", problem, "copy or download the file again") from None
        with np.errstate(over="ignore", invalid="ignore"):
            values = raw.astype(self.dtype, copy=False)
        if values.dtype.kind == "f":  # one band is enough: there is no number to compute with
            valid &= numbers(values)
        values[:, ~valid] = 0
        return values, valid


def _cell_px(block_px: int) -> int:
    if block_px > _LARGEST_BLOCK_PX:
        return _CELL_PX
    return ceil(_CELL_PX / block_px) * block_px
