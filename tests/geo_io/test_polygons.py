"""Polygons written are polygons read."""

import sqlite3
from pathlib import Path

import numpy as np
import pyogrio
import pyogrio.raw
import shapely
from pyproj import CRS

from geo_io.polygons import write_polygons

SQUARE = {"type": "Polygon", "coordinates": [[(0, 0), (4, 0), (4, 4), (0, 4), (0, 0)]]}
RING = {"type": "Polygon", "coordinates": [*SQUARE["coordinates"], [(1, 1), (2, 1), (2, 2), (1, 1)]]}
WKT = CRS.from_epsg(32632).to_wkt()


def test_geometry_class_and_crs_survive(tmp_path: Path) -> None:
    path = tmp_path / "labels.gpkg"
    write_polygons(path, WKT, [(SQUARE, "water"), (RING, "forêt")], "class")
    meta, _, geometries, (names,) = pyogrio.raw.read(path)
    assert (list(meta["fields"]), meta["crs"], meta["geometry_type"]) == (["class"], "EPSG:32632", "Polygon")
    assert list(names) == ["water", "forêt"]
    assert np.allclose(shapely.area(shapely.from_wkb(geometries)), [16, 15.5])
    assert [p.name for p in tmp_path.iterdir()] == ["labels.gpkg"]
    assert pyogrio.list_layers(path)[:, 0].tolist() == ["labels"]


def test_replaces_a_file_and_repeats_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "labels.gpkg"
    write_polygons(path, WKT, [(RING, "water")], "class")
    first = path.read_bytes()
    write_polygons(path, WKT, [(SQUARE, "road")], "kind")
    assert path.read_bytes() != first
    write_polygons(path, WKT, [(RING, "water")], "class")
    assert path.read_bytes() == first


def test_the_clock_is_only_held_while_writing(tmp_path: Path) -> None:
    path = tmp_path / "labels.gpkg"
    write_polygons(path, WKT, [(SQUARE, "water")], "class")
    assert pyogrio.get_gdal_config_option("OGR_CURRENT_DATE") is None
    with sqlite3.connect(path) as database:
        assert (
            database.execute("select last_change from gpkg_contents").fetchone()[0].startswith("2000-01-01")
        )
    database.close()


def test_no_polygons_give_an_empty_layer(tmp_path: Path) -> None:
    write_polygons(tmp_path / "none.gpkg", WKT, [], "class")
    assert pyogrio.read_info(tmp_path / "none.gpkg")["features"] == 0
