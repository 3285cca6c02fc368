"""Small drawn rasters for tests."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.errors import NotGeoreferencedWarning

UTM = "EPSG:32633"
WEST, NORTH = 500_000.0, 5_000_000.0


def north_up(gsd: float, west: float = WEST, north: float = NORTH) -> Affine:
    """A transform of square pixels, `gsd` map units wide."""
    return Affine(gsd, 0, west, 0, -gsd, north)


def noise(bands: int, height: int, width: int, dtype: str = "uint8", seed: int = 0) -> NDArray[Any]:
    """(bands, height, width) independent values from 1 to 250: never a nodata 0."""
    return np.random.default_rng(seed).integers(1, 251, (bands, height, width)).astype(dtype)


def write_raster(
    path: Path,
    values: NDArray[Any],
    *,
    transform: Affine | None = None,
    crs: Any = UTM,
    names: Sequence[str] = (),
    mask: NDArray[np.bool_] | None = None,
    alpha: bool = False,
    overviews: Sequence[int] = (),
    **profile: Any,
) -> Path:
    """`values` (c, h, w) or (h, w) as a GeoTIFF, 1 m pixels unless `transform` says otherwise.

    `mask` (h, w) becomes the file's mask band; `alpha` marks the fourth band as opacity, else none is.
    """
    values = values[None] if values.ndim == 2 else values
    count, height, width = values.shape
    colors = {"photometric": "rgb", "alpha": "yes"} if alpha else {"photometric": "minisblack", "alpha": "no"}
    shape = {"count": count, "height": height, "width": width, "dtype": values.dtype}
    where = {"crs": crs, "transform": transform or north_up(1.0)}
    with (
        warnings.catch_warnings(action="ignore", category=NotGeoreferencedWarning),
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
        rasterio.open(path, "w", driver="GTiff", **(shape | where | colors | profile)) as file,
    ):
        file.write(values)
        for band, name in enumerate(names, 1):
            file.set_band_description(band, name)
        if mask is not None:
            file.write_mask(mask)
        if overviews:
            file.build_overviews(list(overviews), Resampling.average)
    return path


def write_stack(path: Path, bands: Sequence[NDArray[Any]], color: str = "Undefined") -> Path:
    """Bands (h, w) that need not be of one type, as a VRT of a file for each; `color` is the last one's."""
    files = [write_raster(path.with_name(f"{path.stem}-{i}.tif"), band) for i, band in enumerate(bands)]
    height, width = bands[0].shape
    root = ElementTree.Element("VRTDataset", rasterXSize=str(width), rasterYSize=str(height))
    ElementTree.SubElement(root, "SRS").text = UTM
    ElementTree.SubElement(root, "GeoTransform").text = ", ".join(map(str, north_up(1.0).to_gdal()))
    for number, (file, band) in enumerate(zip(files, bands, strict=True), 1):
        kind = {"uint8": "Byte", "uint16": "UInt16", "float32": "Float32"}[str(band.dtype)]
        node = ElementTree.SubElement(root, "VRTRasterBand", dataType=kind, band=str(number))
        ElementTree.SubElement(node, "ColorInterp").text = color if number == len(bands) else "Undefined"
        source = ElementTree.SubElement(node, "SimpleSource")
        ElementTree.SubElement(source, "SourceFilename", relativeToVRT="1").text = file.name
        ElementTree.SubElement(source, "SourceBand").text = "1"
    ElementTree.ElementTree(root).write(path)
    return path
