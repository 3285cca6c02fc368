"""Small rasters written at once: the sample's, and whatever else fits in memory."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geo_io.blocks import open_dataset
from geo_io.grid import Grid

Color = tuple[int, int, int]


def write_bands(
    path: Path,
    values: NDArray[np.generic],
    grid: Grid,
    nodata: float,
    names: Sequence[str] = (),
    colors: Sequence[Color] = (),
) -> None:
    """(c, h, w) as a tiled, compressed GeoTIFF with band names, or (1, h, w) with a colour table."""
    count, height, width = values.shape
    with open_dataset(
        path,
        "w",
        driver="GTiff",
        width=width,
        height=height,
        count=count,
        dtype=values.dtype,
        nodata=nodata,
        crs=grid.crs_wkt,
        transform=grid.transform,
        tiled=True,
        blockxsize=256,
        blockysize=256,
        interleave="band",
        compress="deflate",
        predictor=2,
        zlevel=9,
    ) as file:
        file.write(values)
        for band, name in enumerate(names, 1):
            file.set_band_description(band, name)
        if colors:
            file.write_colormap(1, dict(enumerate(colors)))
