"""What the lists of the window show of images and label files."""

import json
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import rasterio
from affine import Affine
from pyproj import CRS
from small_job import rectangle, write_vector
from worlds import noise, north_up, write_raster

from geo_io.errors import BadInput
from geo_io.facts import drawn_area_ha, scene_facts
from geo_io.grid import Grid
from geo_io.ground import from_latlon, latlon, units_m
from geo_io.label_values import LabelValue, raster_values, vector_values
from geo_io.vector_facts import VectorLayer, vector_layers


def test_a_scene_says_where_it_lies_and_what_counts(tmp_path: Path) -> None:
    values = noise(3, 40, 80, "uint16")
    values[:, :, :20] = 0
    path = write_raster(
        tmp_path / "a.tif", values, nodata=0, names=("blue", "green", "red"), transform=north_up(10.0)
    )
    facts = scene_facts(path, bands=["red", 1])
    assert facts.file_bands == ("blue", "green", "red")
    assert facts.bands == ("red", "blue")
    assert (facts.dtype, facts.crs_name, facts.nodata_source) == ("uint16", "EPSG:32633", "tag 0")
    assert facts.grid.gsd_m == pytest.approx(10, rel=1e-6)
    assert facts.valid_share == pytest.approx(0.75)
    assert facts.footprint[2] == pytest.approx((500_800.0, 4_999_600.0))
    assert facts.lonlat is not None
    assert facts.lonlat[0] == pytest.approx((15.0, 45.15), abs=0.01)


def test_names_and_nodata_of_the_users_own(tmp_path: Path) -> None:
    values = np.full((2, 10, 10), 7, np.uint8)
    values[0, :5] = 9
    path = write_raster(tmp_path / "a.tif", values, crs=None)
    facts = scene_facts(path, band_names=["vv", "vh"], nodata=7, invalid_when="any")
    assert facts.file_bands == ("vv", "vh")
    assert facts.valid_share == 0
    assert facts.lonlat is None
    assert facts.crs_name == ""
    assert "no coordinate reference system" in facts.warnings[0]


def test_of_a_large_raster_only_cells_are_read(tmp_path: Path) -> None:
    path = tmp_path / "sparse.tif"
    shape = {"width": 20_000, "height": 20_000, "count": 1, "dtype": "uint8", "nodata": 0}
    layout = {"tiled": True, "blockxsize": 512, "blockysize": 512, "sparse_ok": True, "compress": "deflate"}
    with rasterio.open(path, "w", transform=north_up(1.0), crs="EPSG:32633", **shape, **layout) as file:
        for row in range(0, 20_000, 512):
            block = np.ones((1, min(512, 20_000 - row), 10_240), np.uint8)
            file.write(block, window=rasterio.windows.Window(0, row, 10_240, block.shape[1]))
    assert scene_facts(path).valid_share == pytest.approx(0.5, abs=0.1)


def test_what_is_no_raster_says_so(tmp_path: Path) -> None:
    path = tmp_path / "notes.tif"
    path.write_text("nothing")
    with pytest.raises(BadInput, match="is not a readable raster"):
        scene_facts(path)


def test_the_size_of_a_drawn_area(tmp_path: Path) -> None:
    square = "POLYGON ((500000 5000000, 500200 5000000, 500200 4999900, 500000 4999900, 500000 5000000))"
    metric = scene_facts(write_raster(tmp_path / "m.tif", noise(1, 8, 8))).grid
    assert drawn_area_ha(square, metric) == pytest.approx(2.0 / 0.9996**2)
    degrees = write_raster(
        tmp_path / "d.tif", noise(1, 8, 8), crs="EPSG:4326", transform=Affine(1e-4, 0, 15, 0, -1e-4, 45)
    )
    small = "POLYGON ((15 45, 15.001 45, 15.001 44.999, 15 44.999, 15 45))"
    assert drawn_area_ha(small, scene_facts(degrees).grid) == pytest.approx(0.876, abs=0.01)
    web = Grid(CRS(3857).to_wkt(), north_up(1.0, 0, 8_399_737.9), 8, 8)  # at 60 degrees north
    wide = "POLYGON ((0 8400000, 200 8400000, 200 8399900, 0 8399900, 0 8400000))"
    assert drawn_area_ha(wide, web) == pytest.approx(0.5, rel=0.01)
    assert drawn_area_ha("POLYGON EMPTY", web) == 0
    with pytest.raises(BadInput, match="draw it again"):
        drawn_area_ha("POLYGON ((", metric)


def test_layers_and_attributes_of_a_vector_file(tmp_path: Path) -> None:
    path = write_vector(tmp_path / "a.gpkg", [(rectangle(0, 0, 5, 5), "water")])
    assert vector_layers(path) == [VectorLayer("a", ("class",), 1)]
    with pytest.raises(BadInput, match="does not exist"):
        vector_layers(tmp_path / "b.gpkg")
    (tmp_path / "c.gpkg").write_text("nothing")
    with pytest.raises(BadInput, match="cannot be read as vector data"):
        vector_layers(tmp_path / "c.gpkg")


def test_values_of_a_label_raster_with_its_palette(tmp_path: Path) -> None:
    labels = np.full((10, 10), 255, np.uint8)
    labels[:5], labels[5:8] = 2, 7
    path = write_raster(tmp_path / "a.tif", labels, nodata=255)
    assert raster_values(path).values == (LabelValue(2, 0.625), LabelValue(7, 0.375))
    with rasterio.open(path, "r+") as file:
        file.write_colormap(1, {2: (1, 2, 3), 7: (255, 0, 16)})
    assert [each.color for each in raster_values(path).values] == ["#010203", "#ff0010"]


def test_values_of_a_picture_are_its_colours(tmp_path: Path) -> None:
    picture = np.zeros((3, 4, 4), np.uint8)
    picture[1, :2] = 255
    path = write_raster(tmp_path / "a.tif", picture)
    assert raster_values(path).values == (
        LabelValue("#000000", 0.5, "#000000"),
        LabelValue("#00ff00", 0.5, "#00ff00"),
    )


def test_a_file_of_measurements_is_no_label_file(tmp_path: Path) -> None:
    fractions = write_raster(tmp_path / "a.tif", np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8))
    with pytest.raises(BadInput, match="fractions"):
        raster_values(fractions)
    many = write_raster(tmp_path / "b.tif", np.arange(400, dtype=np.uint16).reshape(20, 20))
    with pytest.raises(BadInput, match="more than 254"):
        raster_values(many)
    with pytest.raises(BadInput, match="band 2"):
        raster_values(many, band=2)


def test_values_of_an_attribute(tmp_path: Path) -> None:
    names = ("Water", "forest", "water ", "field")
    path = write_vector(tmp_path / "a.gpkg", [(rectangle(i, 0, i + 1, 1), n) for i, n in enumerate(names)])
    assert vector_values(path, "class").values == (
        LabelValue("field", 0.25),
        LabelValue("forest", 0.25),
        LabelValue("Water", 0.5),
    )
    with pytest.raises(BadInput, match="'klass'"):
        vector_values(path, "klass")


def test_lists_are_no_values(tmp_path: Path) -> None:
    feature = {"type": "Feature", "properties": {"tags": ["a", "b"]}, "geometry": None}
    text = json.dumps({"type": "FeatureCollection", "features": [feature, feature]})
    (tmp_path / "a.geojson").write_text(text)
    with pytest.raises(BadInput, match="'tags': holds lists"):
        vector_values(tmp_path / "a.geojson", "tags")


def test_a_plan_of_its_own_lies_nowhere_on_earth(tmp_path: Path) -> None:
    survey = 'LOCAL_CS["Survey grid",UNIT["metre",1]]'
    facts = scene_facts(write_raster(tmp_path / "a.tif", noise(1, 9, 9), crs=survey))
    assert facts.lonlat is None
    assert latlon(5, 5, facts.grid.crs_wkt) is None
    assert from_latlon(45, 15, facts.grid.crs_wkt or "") is None
    assert units_m(5, 5, facts.grid.crs_wkt) == (1, 1)


def test_numbers_with_gaps_stay_whole_numbers(tmp_path: Path) -> None:
    geometry = pyogrio.raw.read(write_vector(tmp_path / "a.gpkg", [(rectangle(0, 0, 1, 1), "x")] * 3))[2]
    path = tmp_path / "b.gpkg"
    codes = np.array([12.0, np.nan, 3.0])
    pyogrio.raw.write(
        path, geometry, [codes], ["code"], geometry_type="Polygon", crs="EPSG:32633", driver="GPKG"
    )
    assert [each.value for each in vector_values(path, "code").values] == [3, 12]
