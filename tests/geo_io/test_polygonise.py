"""Class polygons: whole across cuts, exact areas, shared edges, read back from a GeoPackage."""

from pathlib import Path

import numpy as np
import pyogrio.raw
import pytest
import shapely
from affine import Affine
from drawn_ids import drawn_ids, rows_of
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS, Geod
from rasterio.features import shapes
from scipy import ndimage
from worlds import UTM, north_up, write_raster

from geo_io import polygonise as module
from geo_io.class_areas import class_areas
from geo_io.grid import Grid
from geo_io.id_rows import Ids
from geo_io.polygonise import Polygons, polygonise
from geo_io.polygons import writing_polygons

TRANSFORM = Affine(2, 0, 10, 0, -2, 50)


def polygons_of(
    ids: Ids, step: int = 99, grid: Grid | None = None, sure: Ids | None = None, simplify_px: float = 0
) -> Polygons:
    grid = grid or Grid(None, TRANSFORM, ids.shape[1], ids.shape[0])
    confidence = None if sure is None else rows_of(sure, step)
    said = polygonise(rows_of(ids, step), grid, confidence, simplify_px=simplify_px)
    parts = [part for part in said if not isinstance(part, float)]
    return Polygons(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def patchy(side: int = 60, seed: int = 0) -> Ids:
    field = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(side, side)), 3)
    return np.digitize(field, np.quantile(field, [0.3, 0.6, 0.8])).astype(np.uint8)


@given(drawn_ids(), st.integers(1, 6))
def test_polygons_are_those_of_the_whole_raster_whatever_the_bands(ids: Ids, step: int) -> None:
    found = polygons_of(ids, step)
    theirs = shapes(ids, mask=ids != 255, transform=TRANSFORM)
    expected = sorted(shapely.geometry.shape(s).area for s, _ in theirs)
    assert sorted(shapely.area(found.shapes)) == expected
    assert shapely.is_valid(found.shapes).all()
    assert shapely.coverage_is_valid(found.shapes)
    assert not found.split.any()
    for polygon, class_id, area in zip(found.shapes, found.class_id, found.area_m2, strict=True):
        inside = polygon.representative_point()
        col, row = ~TRANSFORM @ (inside.x, inside.y)
        assert ids[int(row), int(col)] == class_id
        assert polygon.area == pytest.approx(area)


@given(drawn_ids(), st.integers(1, 6), st.integers(0, 9))
def test_mean_confidence_is_over_the_known_pixels_of_an_area(ids: Ids, step: int, seed: int) -> None:
    sure = np.random.default_rng(seed).integers(0, 256, ids.shape).astype(np.uint8)
    sure[np.random.default_rng(seed).random(ids.shape) < 0.5] = 255
    found = polygons_of(ids, step, sure=sure)
    for polygon, mean in zip(found.shapes, found.mean_confidence, strict=True):
        rows, cols = np.indices(ids.shape)
        x, y = TRANSFORM @ (cols + 0.5, rows + 0.5)
        here = shapely.contains_xy(polygon, x, y) & (sure != 255)
        expected = sure[here].mean() / 254 if here.any() else np.nan
        assert mean == pytest.approx(expected, nan_ok=True)


def test_without_a_confidence_raster_there_is_no_mean() -> None:
    assert np.isnan(polygons_of(patchy()).mean_confidence).all()


@pytest.mark.parametrize("step", [7, 60])
def test_simplified_edges_stay_shared(step: int) -> None:
    ids = patchy()
    plain, simple = polygons_of(ids, step), polygons_of(ids, step, simplify_px=2.0)
    assert (
        shapely.get_num_coordinates(simple.shapes).sum()
        < 0.6 * shapely.get_num_coordinates(plain.shapes).sum()
    )
    assert shapely.is_valid(simple.shapes).all()
    assert shapely.coverage_is_valid(simple.shapes)
    assert shapely.area(simple.shapes).sum() == pytest.approx(ids.size * 4)
    assert shapely.area(shapely.union_all(simple.shapes)) == pytest.approx(ids.size * 4)
    assert len(simple.shapes) == len(plain.shapes)
    assert simple.area_m2.tolist() == plain.area_m2.tolist()


def test_edges_to_nodata_are_simplified_too() -> None:
    ids = np.zeros((40, 40), np.uint8)
    ids[np.add.outer(np.arange(40), np.arange(40)) > 40] = 255
    (simple,) = polygons_of(ids, simplify_px=2.0).shapes
    assert shapely.get_num_coordinates(simple) < 10


@pytest.mark.parametrize(
    ("crs", "transform"),
    [
        ("EPSG:4326", Affine(0.01, 0, 10, 0, -0.01, 60)),
        ("EPSG:3857", Affine(500, 0, 0, 0, -500, 8_399_738)),
        (UTM, north_up(10)),
    ],
)
def test_areas_are_those_that_the_map_has_on_the_ellipsoid(
    crs: str, transform: Affine, tmp_path: Path
) -> None:
    ids = patchy()
    ids[20:25, :30] = 255
    path = write_raster(tmp_path / "map.tif", ids, nodata=255, crs=crs, transform=transform)
    grid = Grid(CRS.from_user_input(crs).to_wkt(), transform, 60, 60)
    found = polygons_of(ids, 7, grid)
    by_class = np.bincount(found.class_id, found.area_m2, 4)
    np.testing.assert_allclose(by_class, list(class_areas(path, 4))[-1].area_m2, rtol=1e-12)
    if crs == "EPSG:4326":
        largest = int(np.argmax(found.area_m2))
        geodesic = abs(Geod(ellps="WGS84").geometry_area_perimeter(found.shapes[largest])[0])
        assert found.area_m2[largest] == pytest.approx(geodesic, rel=1e-3)


def test_an_area_of_too_many_corners_stays_in_marked_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = np.zeros((40, 40), np.uint8)
    ids[1::2, ::2] = 1
    ids[:, 20:] = 2
    whole = polygons_of(ids, 10)
    monkeypatch.setattr(module, "MOST_CORNERS", 100)
    found = polygons_of(ids, 10)
    assert not whole.split.any()
    assert set(found.class_id[found.split]) == {0}
    assert len(found.shapes) == len(whole.shapes) + 3
    assert found.area_m2.sum() == whole.area_m2.sum()
    assert shapely.is_valid(found.shapes).all()
    assert shapely.coverage_is_valid(found.shapes)


def test_the_same_input_gives_the_same_order_and_says_how_far_it_is() -> None:
    ids = patchy()
    one, two = polygons_of(ids, 7), polygons_of(ids, 7)
    assert shapely.to_wkb(one.shapes).tolist() == shapely.to_wkb(two.shapes).tolist()
    said = polygonise(rows_of(ids, 30), Grid(None, TRANSFORM, 60, 60))
    assert [part for part in said if isinstance(part, float)] == [1 / 8, 1 / 4, 5 / 8, 1]


def test_a_geopackage_that_grows_reads_back(tmp_path: Path) -> None:
    path, ids = tmp_path / "classes.gpkg", patchy()
    wkt = CRS.from_user_input(UTM).to_wkt()
    found = polygons_of(ids, 20)

    def write() -> bytes:
        with writing_polygons(path, wkt) as add:
            for part in np.array_split(np.arange(len(found.shapes)), 3):
                columns = {"class_id": found.class_id[part].astype(np.int32), "split": found.split[part]}
                add(found.shapes[part], columns | {"mean_confidence": found.mean_confidence[part]})
        return path.read_bytes()

    assert write() == write()
    meta, _, geometry, data = pyogrio.raw.read(path)
    assert meta["geometry_type"] == "Polygon"
    assert CRS.from_user_input(meta["crs"]) == CRS.from_user_input(UTM)
    assert shapely.equals(shapely.from_wkb(geometry), found.shapes).all()
    columns = dict(zip(meta["fields"], data, strict=True))
    assert columns["class_id"].tolist() == found.class_id.tolist()
    assert np.isnan(columns["mean_confidence"]).all()
    assert [file.name for file in tmp_path.iterdir()] == ["classes.gpkg"]


def test_a_geopackage_left_early_is_not_there(tmp_path: Path) -> None:
    found = polygons_of(patchy())

    def stopped() -> None:
        with writing_polygons(tmp_path / "classes.gpkg", None) as add:
            add(found.shapes, {"split": found.split})
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert not list(tmp_path.iterdir())
