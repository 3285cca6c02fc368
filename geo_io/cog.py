"""Cloud-optimised GeoTIFF, by GDAL's own COG driver."""

from pathlib import Path
from typing import Literal

import rasterio.shutil

from geo_io.blocks import open_dataset
from geo_io.whole_file import whole_raster

BLOCK_PX = 512


def write_cog(made: Path, to: Path, overviews: Literal["mode", "average"]) -> None:
    """A copy of the map `made`, laid out for reading over a network.

    Its overviews are kept where it has any; a small map gets none. Colour table, nodata, tags and CRS stay.
    Raises BadInput where the folder cannot be written, RunFailed where the disk is full.
    """
    with open_dataset(made) as dataset:
        has_overviews = bool(dataset.overviews(1))
    with whole_raster(to) as partial:
        rasterio.shutil.copy(
            made,
            partial,
            driver="COG",
            blocksize=BLOCK_PX,
            compress="deflate",
            predictor="no",
            bigtiff="if_safer",
            overviews="force_use_existing" if has_overviews else "auto",
            overview_resampling=overviews,
            num_threads="all_cpus",
        )
