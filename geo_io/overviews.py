"""Overviews beside a raster that has none, so that it can be looked at whole; the raster is left alone."""

from collections.abc import Callable
from math import ceil
from pathlib import Path
from typing import Any, Literal

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader, DatasetWriter
from rasterio.windows import Window

from geo_io.bands import alpha_index
from geo_io.blocks import Pixels, open_dataset, open_raster, read_bands
from geo_io.errors import BadInput
from geo_io.grid import Box
from geo_io.validity import NodataRule, numbers
from geo_io.whole_file import require_space, whole

Kind = Literal["average", "mode"]

FACTOR = 4
"""Of the finest overview: coarser than GDAL's own habit, a quarter of the disk, and no slower to look at."""
_PART_PX = 512
"""Side of the reduced square that is made at a time: 2048 native pixels."""


class _Cancelled(Exception):
    pass


def build_overviews(path: Path, kind: Kind, progress: Callable[[float], bool] = lambda _: True) -> bool:
    """Write `path`.ovr with reductions by 4, 8, 16...: "average" for imagery, "mode" for classes.

    Pixels without data have no weight. `progress` is called with the share done and cancels by returning
    False; then nothing is left behind and False is returned. Raises BadInput where the file is damaged or
    its folder cannot be written, RunFailed where the disk is too full.
    """
    try:
        with whole(path.with_name(path.name + ".ovr")) as partial:
            _write(path, partial, kind, progress)
    except _Cancelled:
        return False
    return True


def _write(path: Path, partial: Path, kind: Kind, progress: Callable[[float], bool]) -> None:
    with open_raster(path) as source:
        alpha = alpha_index(source)
        rule = NodataRule.of(source, tuple(i for i in source.indexes if i != alpha))
        pixel_bytes = source.count * np.dtype(_dtype(source)).itemsize
        require_space(partial.parent, source.width * source.height * pixel_bytes // FACTOR**2 * 4 // 3)
        with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), _create(partial, source, kind) as target:
            _reduce(source, target, rule, kind, progress)
            factors = _factors(target.width, target.height)
    if factors:
        with open_dataset(partial, "r+") as dataset:
            dataset.build_overviews(factors, Resampling[kind])


def _create(path: Path, source: DatasetReader, kind: Kind) -> DatasetWriter:
    width, height = ceil(source.width / FACTOR), ceil(source.height / FACTOR)
    dtype = _dtype(source)
    predictor = 1 if kind == "mode" else 3 if dtype.startswith("float") else 2
    interleave = "pixel" if source.tags(ns="IMAGE_STRUCTURE").get("INTERLEAVE") == "PIXEL" else "band"
    layout = {"tiled": True, "blockxsize": 256, "blockysize": 256, "interleave": interleave}
    packed = {"compress": "deflate", "zlevel": 1, "predictor": predictor, "bigtiff": "if_safer"}
    shape = {"width": width, "height": height, "count": source.count, "dtype": dtype}
    target: DatasetWriter = open_dataset(
        path, "w", driver="GTiff", nodata=source.nodata, **shape, **layout, **packed
    )
    return target


def _dtype(source: DatasetReader) -> str:
    """The one type that holds all bands."""
    return str(np.result_type(*source.dtypes))


def _reduce(
    source: DatasetReader,
    target: DatasetWriter,
    rule: NodataRule,
    kind: Kind,
    progress: Callable[[float], bool],
) -> None:
    parts = [
        Box(col, row, _PART_PX, _PART_PX).clip(target.width, target.height)
        for row in range(0, target.height, _PART_PX)
        for col in range(0, target.width, _PART_PX)
    ]
    for done, part in enumerate(parts):
        if not progress(done / len(parts)):
            raise _Cancelled
        native = Box(*(FACTOR * side for side in part)).clip(source.width, source.height)
        values, valid = _read(source, rule, Window(*native))
        reduced, seen = _reduced(values, valid, kind)
        empty = np.array([0 if tag is None else tag for tag in source.nodatavals])
        reduced = np.where(seen, reduced, empty[:, None, None].astype(reduced.dtype))
        target.write(reduced.astype(target.dtypes[0]), window=Window(*part))
        if rule.mask:
            target.write_mask(seen, window=Window(*part))


def _read(source: DatasetReader, rule: NodataRule, window: Window) -> Pixels:
    """All bands, alpha too, and validity; padded to whole pixels of the overview with invalid ones."""
    try:
        shape = window.height, window.width
        values = read_bands(source, source.indexes, window, shape, _dtype(source))
        valid = rule.valid(source, values[[i - 1 for i in rule.indexes]], window)
    except RasterioError as fault:
        where = f"{source.name}, window at column {window.col_off}, row {window.row_off}"
        raise BadInput(where, f"cannot be decoded ({fault})", "copy or download the file again") from None
    if values.dtype.kind == "f":
        valid &= numbers(values)
    pad = [(0, -side % FACTOR) for side in valid.shape]
    return np.pad(values, [(0, 0), *pad]), np.pad(valid, pad)


def _reduced(values: NDArray[Any], valid: NDArray[np.bool_], kind: Kind) -> Pixels:
    """(c, h, w) -> (c, h / 4, w / 4) by mean or majority of the valid pixels; valid where half are."""
    known = _cells(valid)
    seen = known.mean(axis=-1) >= 0.5
    if kind == "average":
        total = _cells(np.where(valid, values, 0)).sum(axis=-1, dtype=np.float64)
        mean = total / np.maximum(known.sum(axis=-1), 1)
        return mean if values.dtype.kind == "f" else np.rint(mean), seen
    return np.stack([_most_frequent(_cells(band), known) for band in values]), seen


def _cells(array: NDArray[Any]) -> NDArray[Any]:
    """(..., h, w) -> (..., h / 4, w / 4, 16)"""
    *front, height, width = array.shape
    cut = array.reshape(*front, height // FACTOR, FACTOR, width // FACTOR, FACTOR)
    return cut.swapaxes(-3, -2).reshape(*front, height // FACTOR, width // FACTOR, FACTOR**2)


def _most_frequent(cells: NDArray[Any], known: NDArray[np.bool_]) -> NDArray[Any]:
    """(h, w, n) -> (h, w): of several equally frequent values the first met."""
    best, most = cells[..., 0].copy(), np.zeros(cells.shape[:2], np.int64)
    for i in range(cells.shape[-1]):
        votes = ((cells == cells[..., i : i + 1]) & known).sum(axis=-1) * known[..., i]
        better = votes > most
        best[better], most[better] = cells[..., i][better], votes[better]
    return best


def _factors(width: int, height: int) -> list[int]:
    factors: list[int] = []
    while max(width, height) > 256 * 2 ** len(factors):
        factors.append(2 ** (len(factors) + 1))
    return factors
