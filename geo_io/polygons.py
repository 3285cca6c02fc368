"""Polygons to GeoPackage without a data frame."""

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pyogrio.raw
import shapely
from numpy.typing import NDArray
from rasterio import features
from shapely.geometry import shape

from geo_io.grid import Grid
from geo_io.paths import plain
from geo_io.whole_file import whole

WritePolygons = Callable[[NDArray[Any], Mapping[str, NDArray[Any]]], None]


def write_polygons(
    path: Path, grid_crs_wkt: str | None, shapes: Iterable[tuple[dict[str, Any], str]], attribute: str
) -> None:
    """Write (polygon as a GeoJSON-like mapping, class name) pairs as a GeoPackage, whole or not at all.

    The class goes into the text attribute `attribute` of a layer named like the file. The same input gives
    the same bytes. Coordinates are in the CRS given.
    """
    pairs = list(shapes)
    # GDAL warns about a GeoPackage that is not called .gpkg, so the unfinished file keeps the suffix.
    with whole(plain(path), suffix=".gpkg") as partial, _fixed_clock():
        pyogrio.raw.write(
            partial,
            geometry=shapely.to_wkb(np.array([shape(geometry) for geometry, _ in pairs], object)),
            field_data=[np.array([name for _, name in pairs], object)],
            fields=[attribute],
            geometry_type="Polygon",
            crs=grid_crs_wkt,
            driver="GPKG",
            layer=path.stem,
        )


@contextmanager
def writing_polygons(path: Path, crs_wkt: str | None) -> Iterator[WritePolygons]:
    """A GeoPackage that grows by what is given to the function: polygons, and columns by name.

    One layer, named like the file; it is there whole or not at all. The same input gives the same bytes.
    """
    # pyogrio warns where there is no CRS: a map without one has polygons without one.
    with (
        whole(plain(path), suffix=".gpkg") as partial,
        _fixed_clock(),
        warnings.catch_warnings(action="ignore"),
    ):

        def write(shapes: NDArray[Any], columns: Mapping[str, NDArray[Any]]) -> None:
            pyogrio.raw.write(
                partial,
                geometry=shapely.to_wkb(shapes),
                field_data=list(columns.values()),
                fields=list(columns),
                geometry_type="Polygon",
                crs=crs_wkt,
                driver="GPKG",
                layer=path.stem,
                append=partial.exists(),
            )

        yield write


@contextmanager
def _fixed_clock() -> Iterator[None]:
    """GDAL stamps the time of writing into each layer; a constant one keeps files comparable."""
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": "2000-01-01T00:00:00.000Z"})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})


def outlines(
    ids: NDArray[np.uint8], valid: NDArray[np.bool_], grid: Grid
) -> Iterator[tuple[dict[str, Any], int]]:
    """(GeoJSON-like polygon, id) of each connected area of one id in (h, w), in map units."""
    for outline, value in features.shapes(ids, mask=valid, transform=grid.transform):
        yield outline, int(value)
