"""The layers and attributes of a vector file, without reading its features."""

from dataclasses import dataclass
from pathlib import Path

from geo_io.errors import BadInput
from geo_io.paths import existing, plain

VECTOR_SUFFIXES = frozenset((".gpkg", ".shp", ".geojson", ".json", ".fgb", ".parquet"))
"""What is opened as vector data; everything else as a raster."""


@dataclass(frozen=True)
class VectorLayer:
    """A layer with geometries: its attributes in file order, and how many features it has (-1: unknown)."""

    name: str
    attributes: tuple[str, ...]
    features: int


def vector_layers(path: Path) -> list[VectorLayer]:
    """The layers with geometries of the file at `path`. Raises BadInput where there are none."""
    import pyogrio  # here, because it loads geopandas where that is installed

    existing(path)
    try:
        names = [str(name) for name, kind in pyogrio.list_layers(plain(path)) if kind is not None]
        layers = [_layer(name, pyogrio.read_info(path, layer=name)) for name in names]
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as fault:
        raise BadInput(path, f"cannot be read as vector data ({fault})", "export it as GeoPackage") from None
    if not layers:
        raise BadInput(path, "has no layer with geometries", "export the labels again")
    return layers


def _layer(name: str, info: dict[str, object]) -> VectorLayer:
    fields, count = info["fields"], info["features"]
    assert hasattr(fields, "__iter__")
    assert isinstance(count, int)
    return VectorLayer(name, tuple(str(field) for field in fields), count)
