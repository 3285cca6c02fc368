"""An image: any window of it, at any ground sampling distance, with validity and georeference."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np
from affine import Affine
from rasterio.enums import WktVersion
from rasterio.errors import CRSError
from rasterio.io import DatasetReader
from rasterio.windows import Window

from geo_io.bands import alpha_index, choose, has_palette, marked_alpha, named_bands
from geo_io.blocks import Blocks, open_raster
from geo_io.errors import BadInput
from geo_io.grid import Box, Grid
from geo_io.patch import Patch
from geo_io.resample import resample
from geo_io.validity import NodataRule

_KEPT_DTYPES = ("uint8", "uint16", "int16", "float32")


class Scene:
    """The chosen bands of an image. Safe to read from several threads at once.

    `scaling` is what the file says of each band, scale and offset; pixels are read without it.
    """

    path: Path
    grid: Grid
    bands: tuple[str, ...]
    indexes: tuple[int, ...]
    dtype: np.dtype[np.generic]
    block: tuple[int, int]
    nodata_source: str
    scaling: tuple[tuple[float, float], ...]
    warnings: tuple[str, ...]

    def __init__(self, path: Path, dataset: DatasetReader, bands: dict[str, int], rule: NodataRule) -> None:
        raw_dtype = _raw_dtype(path, dataset, rule.indexes)
        self.path, self.bands, self.indexes = path, tuple(bands), rule.indexes
        self.grid, self.warnings = grid_of(dataset)
        if any(has_palette(dataset, index) for index in rule.indexes):
            self.warnings += (
                "is used by its indexes into a colour table: `gdal_translate -expand rgb` first",
            )
        self.dtype = np.dtype(_kept(raw_dtype))
        self.block = tuple(dataset.block_shapes[rule.indexes[0] - 1])
        self.nodata_source = str(rule)
        self.scaling = tuple((dataset.scales[i - 1], dataset.offsets[i - 1]) for i in rule.indexes)
        self._rule = rule
        self._native = Blocks.of(path, rule, raw_dtype, self.dtype)
        self._overviews = self._usable_overviews(dataset)

    @classmethod
    def open(
        cls,
        path: Path,
        bands: Sequence[int | str] | None = None,
        band_names: Sequence[str] | None = None,
        nodata: float | None = None,
        invalid_when: str = "all",
    ) -> Self:
        """The scene in `path`: `bands` by name or number (1 is the first), all but alpha by default.

        `band_names` names the file's bands. `nodata` is a value that means no data, beside what the file
        says. `invalid_when`: a pixel is invalid when "all" or when "any" of the chosen bands are. Raises
        BadInput for a file that is no raster, an unknown band or an unsupported pixel type.
        """
        path = Path(path)
        with open_raster(path) as dataset:
            chosen = choose(path, named_bands(path, dataset, band_names), bands)
            rule = NodataRule.of(dataset, tuple(chosen.values()), nodata, invalid_when)
            return cls(path, dataset, chosen, rule)

    def select(
        self, bands: Sequence[str], names: Sequence[str] | None = None, warnings: Sequence[str] = ()
    ) -> "Scene":
        """The same image with `bands` of this scene in that order, called `names`, and more warnings."""
        chosen = choose(self.path, dict(zip(self.bands, self.indexes, strict=True)), bands)
        with open_raster(self.path) as dataset:
            rule = NodataRule.of(dataset, tuple(chosen.values()), self._rule.user, self._rule.when)
            scene = Scene(self.path, dataset, dict(zip(names or chosen, chosen.values(), strict=True)), rule)
        scene.warnings = (*self.warnings, *warnings)
        return scene

    def read(self, box: Box, gsd_m: float | None = None) -> Patch:
        """The pixels of `box`, a window of `grid.at_gsd(gsd_m)` that may reach outside: 0 and invalid there.

        At the native gsd: the native type, exact. At any other: float32, antialiased, nodata without weight,
        and the same for a pixel whatever the box. From a reduction by 8 on it starts from the file's
        overview of at most half that factor, where there is one: unless only the user knows what nodata
        is, for then the overviews have blended it in. Raises BadInput where the file is damaged.
        """
        grid = self.grid.at_gsd(gsd_m)
        if grid is self.grid:
            return Patch(*self._native.read(box), grid.crop(box))
        assert gsd_m is not None
        scale_x, scale_y = (gsd_m / side for side in self.grid.pixel_size_m)
        source, (step_y, step_x) = self._source(min(scale_x, scale_y))
        inside = box.clip(grid.width, grid.height)
        values = np.zeros((len(self.bands), box.height, box.width), np.float32)
        valid = np.zeros((box.height, box.width), bool)
        if inside.width and inside.height:
            row, col = inside.row - box.row, inside.col - box.col
            place = slice(row, row + inside.height), slice(col, col + inside.width)
            scale = scale_y / step_y, scale_x / step_x
            values[:, *place], valid[place] = resample(
                source.read, len(self.bands), source.shape, scale, inside
            )
        return Patch(values, valid, grid.crop(box))

    def decoded_px(self, box: Box, gsd_m: float) -> int:
        """About how many pixels of the file `read` decodes for `box`, a window of `grid.at_gsd(gsd_m)`."""
        scale_x, scale_y = (gsd_m / side for side in self.grid.pixel_size_m)
        _, (step_y, step_x) = self._source(min(scale_x, scale_y))
        return round(box.width * box.height * scale_x * scale_y / (step_x * step_y))

    def decimated(self, max_px: int = 1024) -> Patch:
        """The whole scene by nearest neighbour, at most `max_px` long, from its overviews if any."""
        factor = max(1.0, max(self.grid.width, self.grid.height) / max_px)
        height, width = (max(1, round(side / factor)) for side in (self.grid.height, self.grid.width))
        source = self._native if self._overviews else replace(self._native, overview="NONE")
        values, valid = source.decode(Window(0, 0, self.grid.width, self.grid.height), (height, width))
        scale = Affine.scale(self.grid.width / width, self.grid.height / height)
        return Patch(values, valid, Grid(self.grid.crs_wkt, self.grid.transform @ scale, width, height))

    def cells(self, box: Box) -> list[Box]:
        """The windows of `box`'s native pixels that are cheapest to read, row by row."""
        return list(self._native.cells(box))

    def close(self) -> None:
        """Closes the file in all threads."""
        for source in (self._native, *self._overviews.values()):
            source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _usable_overviews(self, dataset: DatasetReader) -> dict[int, Blocks]:
        """Reduction factor -> overview."""
        if self._rule.user is not None and any(tag != self._rule.user for tag in self._rule.tags):
            return {}
        factors = dataset.overviews(self.indexes[0])
        if factors and self._rule.mask:
            # Without the mask's own, which GDAL makes up as valid everywhere, they have blended nodata in.
            with open_raster(self.path, OVERVIEW_LEVEL=len(factors) - 1) as coarsest:
                if not self._rule.masks_some(coarsest):
                    return {}
        return {factor: replace(self._native, overview=level) for level, factor in enumerate(factors)}

    def _source(self, reduction: float) -> tuple[Blocks, tuple[float, float]]:
        """What to resample from, and the rows and columns of native pixels in one of its own."""
        fitting = [factor for factor in self._overviews if factor <= reduction / 2]
        if reduction < 8 or not fitting:
            return self._native, (1.0, 1.0)
        overview = self._overviews[max(fitting)]
        # GDAL stretches an overview over the whole scene: a rounded size is not `factor` times smaller.
        height, width = (full / small for full, small in zip(self._native.shape, overview.shape, strict=True))
        return overview, (height, width)


def grid_of(dataset: DatasetReader) -> tuple[Grid, tuple[str, ...]]:
    """The grid of `dataset`, and what is odd about the file."""
    warnings = []
    transform = dataset.transform
    try:
        crs_wkt = dataset.crs.to_wkt(version=WktVersion.WKT2_2019) if dataset.crs else None
    except CRSError:
        crs_wkt = None
    if crs_wkt is None:
        warnings.append("has no coordinate reference system: map units are taken to be metres")
    if dataset.gcps[0] and transform.is_identity:
        warnings.append("is placed by ground control points only: warp it first to get a georeferenced map")
    elif transform.is_identity:
        warnings.append("has no geotransform: a pixel is taken to be 1 m")
    elif abs(transform.b) > abs(transform.a):
        warnings.append("has swapped axes: its rows run north-south")
    elif transform.e > 0:
        warnings.append("is stored south-up: its first row is the southernmost")
    if marked_alpha(dataset) != alpha_index(dataset):
        warnings.append(f"marks band {marked_alpha(dataset)} as alpha, but it holds an image: read as a band")
    return Grid(crs_wkt or None, transform, dataset.width, dataset.height), tuple(warnings)


def _raw_dtype(path: Path, dataset: DatasetReader, indexes: tuple[int, ...]) -> str:
    """The one type that holds all the chosen bands. Raises BadInput for complex numbers."""
    types = [dataset.dtypes[i - 1] for i in indexes]
    if any("complex" in t for t in types):
        raise BadInput(path, "holds complex numbers", "export their amplitude as float32")
    return str(np.result_type(*types))


def _kept(raw_dtype: str) -> str:
    if raw_dtype == "int8":
        return "int16"
    return raw_dtype if raw_dtype in _KEPT_DTYPES else "float32"
