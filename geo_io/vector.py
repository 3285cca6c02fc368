"""Class labels and areas of interest held by vector files, on any grid. The only user of geopandas."""

import difflib
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from geo_io.errors import BadInput, naming
from geo_io.features import Features
from geo_io.grid import Box, Grid
from geo_io.legend import IGNORE, Legend, Value, value_key
from geo_io.paths import existing, plain, vector_data

_POLYGONAL = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)
_STRAY = 256
"""Codes from here on stand for attribute values without a class."""


_EMPTY = "(empty)"
"""What stands for an attribute without a value: by this text it may be ignored."""


class VectorLabels:
    """Features whose `attribute` holds the class; where features overlap, the later in the file wins.

    `attribute` may be left out where one attribute alone fits the legend. `unlabelled` is the class of land
    that no feature covers (default: none). A file without CRS is taken to be in the image's. Raises BadInput
    for a file that cannot be read, or has no features, a layer or an attribute of another name.
    """

    def __init__(
        self,
        path: Path,
        legend: Legend,
        attribute: str | None = None,
        layer: str | None = None,
        mapping: Mapping[Value, str] | None = None,
        unlabelled: str | None = None,
    ) -> None:
        self.path = Path(path)
        frame = _load(self.path, layer)
        if frame.empty:
            raise BadInput(self.path, "holds no features with a geometry", "export the labels again")
        ids = legend.class_ids(mapping)
        self.attribute = _attribute(self.path, frame, ids, attribute)
        self.warnings = _oddities(frame)
        self._codes, self._strays = _codes(frame[self.attribute], ids)
        self._fill = legend.class_id(unlabelled) if unlabelled else IGNORE
        self._features = Features(frame.geometry.to_numpy(), frame.crs)

    def read(self, grid: Grid) -> NDArray[np.uint8]:
        """(h, w) class ids on `grid`, whatever its CRS, by the feature at each pixel's centre; 255 = none."""
        return np.minimum(self._burn(grid), IGNORE).astype(np.uint8)

    def tally(self, grid: Grid) -> dict[str, int]:
        """Attribute value -> pixels on `grid` that hold it although it belongs to no class."""
        return self._by_stray(self._burn(grid))

    def feature_counts(self) -> dict[int, int]:
        """Class id -> features of that class in the whole file."""
        ids, counts = np.unique(self._codes[self._codes < IGNORE], return_counts=True)
        return dict(zip(ids.tolist(), counts.tolist(), strict=True))

    @property
    def unmapped_features(self) -> dict[str, int]:
        """Attribute value -> features in the whole file that hold it although it belongs to no class."""
        return self._by_stray(self._codes)

    def close(self) -> None:
        """Nothing is held open: for likeness with RasterLabels."""

    def _burn(self, grid: Grid) -> NDArray[np.int32]:
        with naming(self.path):
            return self._features.burn(grid, self._codes, self._fill)

    def _by_stray(self, codes: NDArray[np.int32]) -> dict[str, int]:
        found, counts = np.unique(codes[codes >= _STRAY], return_counts=True)
        return {self._strays[c - _STRAY]: int(n) for c, n in zip(found, counts, strict=True)}


class Area:
    """Polygons of interest. Raises BadInput where the file holds none."""

    def __init__(self, path: Path, layer: str | None = None) -> None:
        self.path = Path(path)
        frame = _load(self.path, layer)
        frame = frame[np.isin(shapely.get_type_id(frame.geometry.to_numpy()), _POLYGONAL)]
        if frame.empty:
            raise BadInput(self.path, "holds no polygon", "an area of interest is drawn as polygons")
        self.warnings = _oddities(frame)
        self._take(frame.geometry.to_numpy(), frame.crs)

    @classmethod
    def of_wkt(cls, text: str, path: Path, grid: Grid) -> "Area":
        """The (multi)polygon `text` in the CRS of `grid`, for the image `path`. Raises BadInput else."""
        try:
            shape = shapely.make_valid(shapely.from_wkt(text), method="structure", keep_collapsed=False)
        except shapely.errors.GEOSException as fault:
            problem = f"cannot be read as WKT ({fault})"
            raise BadInput(f"area_wkt of {path}", problem, "draw the area again") from None
        if shape.is_empty or shapely.get_type_id(shape) not in _POLYGONAL:
            raise BadInput(f"area_wkt of {path}", "holds no polygon", "draw the area again")
        area = cls.__new__(cls)
        area.path, area.warnings = path, ()
        area._take(np.array([shape], object), grid.crs)
        return area

    def _take(self, shapes: NDArray[np.object_], crs: CRS | None) -> None:
        self._inside = np.ones(len(shapes), np.int32)
        self._features = Features(shapes, crs)

    def read(self, grid: Grid) -> NDArray[np.bool_]:
        """(h, w): whether each pixel's centre lies inside."""
        with naming(self.path):
            return np.asarray(self._features.burn(grid, self._inside, 0) == 1)

    def box(self, grid: Grid) -> Box:
        """The smallest window of `grid` that holds the area's part in it; of no size where there is none."""
        with naming(self.path):
            return self._features.box(grid)


def _load(path: Path, layer: str | None) -> gpd.GeoDataFrame:
    """The features of a layer that have a geometry: flat, valid, without curves."""
    existing(path)
    # GDAL warns about what is mended or not needed here: M values, odd field types, unclosed rings.
    with warnings.catch_warnings(), vector_data(path, ImportError):
        warnings.simplefilter("ignore")
        if path.suffix.lower() == ".parquet":
            frame = gpd.read_parquet(path)
        else:
            frame = gpd.read_file(path, layer=_layer(path, layer), engine="pyogrio")
    shapes = shapely.force_2d(frame.geometry.to_numpy())
    broken = np.isin(shapely.get_type_id(shapes), _POLYGONAL) & ~shapely.is_valid(shapes)
    shapes[broken] = shapely.make_valid(shapes[broken], method="structure", keep_collapsed=False)
    usable = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    return frame.set_geometry(gpd.GeoSeries(shapes, index=frame.index, crs=frame.crs))[usable]


def _layer(path: Path, layer: str | None) -> str:
    layers = {str(name): kind for name, kind in pyogrio.list_layers(plain(path))}
    drawn = [name for name, kind in layers.items() if kind is not None]
    if layer is None and len(drawn) == 1:
        return drawn[0]
    if layer is None or layer not in drawn:
        problem = (
            f"has no layer {layer!r} with geometries" if layer else f"has {len(drawn)} layers with geometries"
        )
        raise BadInput(path, problem, f"choose `layer` from: {', '.join(drawn) or 'none'}")
    return layer


def _attribute(path: Path, frame: gpd.GeoDataFrame, ids: Mapping[Value, int], wanted: str | None) -> str:
    """The attribute that holds the class: `wanted`, else the only one that mostly fits the legend."""
    names = [str(name) for name in frame.columns if name != frame.geometry.name]
    if wanted is not None:
        if wanted in names and _holds_lists(frame[wanted]):
            raise BadInput(f"{path}, attribute {wanted!r}", "holds lists, not one class", "choose another")
        if wanted in names:
            return wanted
        close = difflib.get_close_matches(wanted, names, n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise BadInput(
            f"{path}, attribute {wanted!r}", "does not exist", f"{hint}attributes: {', '.join(names)}"
        )
    fitting: dict[bytes, str] = {}  # attributes that say the same of every feature count once
    for name in names:
        if _holds_lists(frame[name]):
            continue
        codes, _ = _codes(frame[name], ids)
        if (codes < _STRAY).mean() >= 0.5 and (codes < IGNORE).any():
            fitting.setdefault(np.minimum(codes, IGNORE).tobytes(), name)
    if len(fitting) == 1:
        return next(iter(fitting.values()))
    found = f"attributes {', '.join(fitting.values())} all hold" if fitting else "no attribute holds"
    problem = f"{found} values of the legend"
    raise BadInput(
        path, problem, f"choose `attribute` from: {', '.join(names) or 'none'}, or give a `mapping`"
    )


def _holds_lists(column: "pd.Series[Any]") -> bool:
    return any(isinstance(value, (list, dict, np.ndarray)) for value in column)


def _codes(column: "pd.Series[Any]", ids: Mapping[Value, int]) -> tuple[NDArray[np.int32], list[str]]:
    """A class id for each value, or 256 + its position among the values without a class, which follow."""
    positions, uniques = pd.factorize(column, use_na_sentinel=True)
    strays: list[str] = []
    table = []
    for unique in [*uniques, None]:  # factorize gives missing values the position -1: the last
        value = _EMPTY if unique is None else unique
        code = ids.get(_as_key(value))
        if code is None:
            code = _STRAY + len(strays)
            strays.append(str(value))
        table.append(code)
    return np.array(table, np.int32)[positions], strays


def _as_key(value: Any) -> Value:
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return int(value)
    return value_key(int(value) if isinstance(value, (int, np.integer)) else str(value))


def _oddities(frame: gpd.GeoDataFrame) -> tuple[str, ...]:
    return () if frame.crs else ("has no coordinate reference system: taken to be the image's",)
