"""Writing maps and images: GeoTIFFs, whole or not at all, in memory that does not grow with height."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS
from rasterio import Env
from rasterio.enums import ColorInterp, Resampling, WktVersion
from rasterio.errors import RasterioError
from rasterio.io import DatasetWriter
from rasterio.windows import Window

from geo_io.blocks import open_dataset
from geo_io.grid import Box, Grid
from geo_io.legend import IGNORE
from geo_io.whole_file import whole_raster

BLOCK_PX = 512
TAG_DOMAIN = "ISTHMUS"

_COLORS = {name: ColorInterp[name] for name in ("red", "green", "blue")}

Rgb = tuple[int, int, int]
WriteWindow = Callable[[Box, NDArray[np.generic], NDArray[np.bool_]], None]


def write_map(
    path: Path,
    grid: Grid,
    rows: Iterable[NDArray[np.uint8]],
    *,
    colors: Sequence[Rgb],
    tags: Mapping[str, str],
    names: Sequence[str] = (),
    description: str = "class",
) -> None:
    """Write a GeoTIFF of classes on `grid` from `rows`: bands (h, width) of any height, top to bottom.

    uint8, 255 for nodata, tiled, DEFLATE, internal overviews by mode. `colors` and `names` are those of
    values 0, 1, 2...: a colour table and the band's tags `class_0`...; `tags` go to the domain ISTHMUS. No
    clock enters the file: equal input gives equal bytes. Raises BadInput where the folder cannot be
    written, RunFailed where the disk is full.
    """
    with whole_raster(path) as partial:
        with _create(partial, grid, tags, count=1, dtype="uint8", nodata=IGNORE) as dataset:
            table = {value: (*rgb, 255) for value, rgb in enumerate(colors)}
            dataset.write_colormap(1, table | {IGNORE: (0, 0, 0, 0)})
            dataset.update_tags(1, **{f"class_{i}": name for i, name in enumerate(names)})
            dataset.set_band_description(1, description)
            _write_rows(dataset, 1, rows)
        _add_overviews(partial, grid, "mode")
        _keep_crs(partial, grid)


def write_shares(
    path: Path,
    grid: Grid,
    bands: Sequence[Iterable[NDArray[np.uint8]]],
    *,
    names: Sequence[str],
    scale: float,
    tags: Mapping[str, str],
) -> None:
    """Write a GeoTIFF of quantities between 0 and 1, one for each of `names`, from rows as in `write_map`.

    uint8, a value times `scale` being the quantity, 255 for nodata; overviews by average. Raises what
    `write_map` does.
    """
    kind = {"photometric": "minisblack", "alpha": "no", "interleave": "band"}
    with whole_raster(path) as partial:
        with _create(partial, grid, tags, count=len(bands), dtype="uint8", nodata=IGNORE, **kind) as dataset:
            dataset.descriptions = tuple(names)
            dataset.scales = (scale,) * len(bands)
            for number, rows in enumerate(bands, 1):
                _write_rows(dataset, number, rows)
        _add_overviews(partial, grid, "average")
        _keep_crs(partial, grid)


@contextlib.contextmanager
def writing_image(
    path: Path, grid: Grid, dtype: np.dtype[np.generic], names: Sequence[str], tags: Mapping[str, str]
) -> Iterator[WriteWindow]:
    """Write a GeoTIFF of imagery on `grid`, a band for each of `names`, window by window.

    What it gives takes a window, its values (c, h, w) and validity (h, w), which becomes the file's own
    mask, so that no grey level is lost to nodata. Windows are whole blocks of BLOCK_PX, in any order, each
    once. Raises what `write_map` does.
    """
    kind = {"photometric": "minisblack", "alpha": "no", "predictor": 3 if dtype.kind == "f" else 2}
    with whole_raster(path) as partial:
        with _create(partial, grid, tags, count=len(names), dtype=dtype.name, **kind) as dataset:
            dataset.descriptions = tuple(names)
            dataset.colorinterp = [_COLORS.get(name.casefold(), ColorInterp.undefined) for name in names]

            def write(box: Box, values: NDArray[np.generic], valid: NDArray[np.bool_]) -> None:
                window = Window(*box)
                dataset.write(values, window=window)
                with Env(GDAL_TIFF_INTERNAL_MASK=True):
                    dataset.write_mask(valid, window=window)

            yield write
        _add_overviews(partial, grid, "average")
        _keep_crs(partial, grid)


def read_tags(path: Path) -> dict[str, str] | None:
    """The tags that `write_map` gave the file; None where there is no readable map."""
    if not path.exists():
        return None
    try:
        with open_dataset(path) as dataset:
            return dict(dataset.tags(ns=TAG_DOMAIN))
    except RasterioError:
        return None


def _create(path: Path, grid: Grid, tags: Mapping[str, str], **profile: object) -> DatasetWriter:
    dataset: DatasetWriter = open_dataset(
        path,
        "w",
        driver="GTiff",
        width=grid.width,
        height=grid.height,
        crs=grid.crs_wkt,
        transform=grid.transform,
        tiled=True,
        blockxsize=BLOCK_PX,
        blockysize=BLOCK_PX,
        compress="deflate",
        bigtiff="if_safer",
        **profile,
    )
    dataset.update_tags(TIFFTAG_SOFTWARE="Isthmus", AREA_OR_POINT="Area")
    dataset.update_tags(ns=TAG_DOMAIN, **dict(sorted(tags.items())))
    return dataset


def _write_rows(dataset: DatasetWriter, band: int, rows: Iterable[NDArray[np.uint8]]) -> None:
    """Whole rows of blocks in order: a compressed block that is written twice leaves a hole."""
    top = 0
    for part in _block_rows(rows, dataset.width):
        dataset.write(part, band, window=Window(0, top, dataset.width, len(part)))
        top += len(part)
    if top != dataset.height:
        raise ValueError(f"{top} rows for a map of {dataset.height}")


def _block_rows(rows: Iterable[NDArray[np.uint8]], width: int) -> Iterator[NDArray[np.uint8]]:
    """The same rows, BLOCK_PX at a time."""
    band, filled = np.empty((BLOCK_PX, width), np.uint8), 0
    for part in rows:
        while len(part):
            taken = min(BLOCK_PX - filled, len(part))
            band[filled : filled + taken] = part[:taken]
            part, filled = part[taken:], filled + taken
            if filled == BLOCK_PX:
                yield band
                filled = 0
    if filled:
        yield band[:filled]


def _keep_crs(path: Path, grid: Grid) -> None:
    """Puts a CRS that GeoTIFF keys cannot hold into GDAL's side-car, which readers prefer."""
    with open_dataset(path) as dataset:
        kept = dataset.crs.to_wkt(version=WktVersion.WKT2_2019) if dataset.crs else None
    if grid.crs is None or (kept and CRS.from_wkt(kept) == grid.crs):
        return
    northing_first = grid.crs.axis_info[0].direction == "north"
    root = ElementTree.Element("PAMDataset")
    srs = ElementTree.SubElement(root, "SRS", dataAxisToSRSAxisMapping="2,1" if northing_first else "1,2")
    srs.text = grid.crs_wkt
    ElementTree.ElementTree(root).write(path.with_name(path.name + ".aux.xml"), encoding="utf-8")


def _add_overviews(path: Path, grid: Grid, kind: Literal["mode", "average"]) -> None:
    factors: list[int] = []
    while max(grid.width, grid.height) > BLOCK_PX * 2 ** len(factors):
        factors.append(2 ** (len(factors) + 1))
    if factors:
        with open_dataset(path, "r+") as dataset:
            dataset.build_overviews(factors, Resampling[kind])
