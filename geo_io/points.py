"""Points to GeoPackage and back, without a data frame."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyogrio
import pyogrio.raw
import shapely
from numpy.typing import NDArray

from geo_io.errors import BadInput
from geo_io.paths import existing, plain, vector_data
from geo_io.whole_file import whole

Column = NDArray[Any]


class Points(NamedTuple):
    """`xy` (n, 2) in the CRS `crs_wkt`, and a column a name."""

    xy: NDArray[np.float64]
    crs_wkt: str | None
    columns: Mapping[str, Column]


def write_points(
    path: Path, points: Points, tables: Mapping[str, Mapping[str, Column]] | None = None
) -> None:
    """A GeoPackage with one point layer named like the file, whole or not at all.

    A column of None alone becomes an empty text attribute, to be filled in. `tables`: columns by name of
    further layers, without a place.
    """
    # pyogrio warns where there is no CRS: a map without one has points without one.
    with whole(plain(path), suffix=".gpkg") as partial, warnings.catch_warnings(action="ignore"):
        pyogrio.raw.write(
            partial,
            geometry=shapely.to_wkb(shapely.points(points.xy)),
            field_data=list(points.columns.values()),
            fields=list(points.columns),
            geometry_type="Point",
            crs=points.crs_wkt,
            driver="GPKG",
            layer=path.stem,
        )
        for name, columns in (tables or {}).items():
            pyogrio.raw.write(
                partial,
                geometry=None,
                field_data=list(columns.values()),
                fields=list(columns),
                driver="GPKG",
                layer=name,
                append=True,
            )


def read_table(path: Path, layer: str) -> Mapping[str, Column] | None:
    """The columns of a layer without places; None where the file has no such layer."""
    try:
        meta, _, _, data = pyogrio.raw.read(path, layer=layer, read_geometry=False)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError):
        return None
    return dict(zip([str(name) for name in meta["fields"]], data, strict=True))


def holds_points(path: Path, layer: str | None = None) -> bool:
    """Whether a vector file's layer holds points; False for whatever cannot be read as one."""
    try:
        with warnings.catch_warnings(action="ignore"):  # that it has several layers: the first one is meant
            info = pyogrio.read_info(plain(path), layer=layer)
        return str(info["geometry_type"]).removeprefix("Multi") == "Point"
    except (BadInput, pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError):
        return False


def read_points(path: Path, layer: str | None = None) -> Points:
    """The points of a layer. Raises BadInput where the file cannot be read, or holds other shapes."""
    existing(path)
    with vector_data(path):
        with warnings.catch_warnings(action="ignore"):  # that it has several layers: the first one is meant
            meta, _, geometry, data = pyogrio.raw.read(plain(path), layer=layer, force_2d=True)
        shapes = shapely.from_wkb(geometry)
    if (shapely.get_type_id(shapes) != shapely.GeometryType.POINT).any():
        raise BadInput(path, "does not hold single points alone", "give the layer of sample points")
    columns = dict(zip([str(name) for name in meta["fields"]], data, strict=True))
    return Points(shapely.get_coordinates(shapes), meta["crs"], columns)
