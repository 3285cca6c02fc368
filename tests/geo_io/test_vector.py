"""Vector labels and areas of interest: attributes, layers, reprojection, windows."""

import warnings
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from affine import Affine
from pyproj import CRS, Transformer
from worlds import NORTH, UTM, WEST, north_up

from geo_io.errors import BadInput
from geo_io.grid import Box, Grid
from geo_io.legend import LandClass, Legend
from geo_io.vector import Area, VectorLabels

LEGEND = Legend(
    classes=[
        LandClass(name="water", color="#0000ff", values=["Lake", 10]),
        LandClass(name="forest", color="#00ff00", values=["Wood", 20]),
    ]
)
GRID = Grid(CRS(UTM).to_wkt(), north_up(1.0), 60, 50)


def rectangle(left: float, top: float, right: float, bottom: float) -> shapely.Polygon:
    """In pixels of GRID."""
    return shapely.box(WEST + left, NORTH - bottom, WEST + right, NORTH - top)


def frame(**columns: list[Any]) -> gpd.GeoDataFrame:
    shapes = [rectangle(2, 3, 20, 30), rectangle(10, 10, 40, 40), rectangle(30, 5, 50, 15)]
    return gpd.GeoDataFrame(columns or {"kind": ["Lake", "wood", "Marsh"]}, geometry=shapes, crs=UTM)


def expected(unlabelled: int = 255) -> np.ndarray:
    ids = np.full((50, 60), unlabelled, np.uint8)
    ids[3:30, 2:20], ids[10:40, 10:40], ids[5:15, 30:50] = 0, 1, 255
    return ids


def saved(path: Path, content: gpd.GeoDataFrame, **options: Any) -> Path:
    content.to_file(path, engine="pyogrio", **options)
    return path


@pytest.mark.parametrize("name", ["l.gpkg", "l.shp", "ü l.geojson"])
def test_features_become_ids_and_later_ones_win(tmp_path: Path, name: str) -> None:
    content = frame().to_crs(4326) if name.endswith("geojson") else frame()
    labels = VectorLabels(saved(tmp_path / name, content), LEGEND)
    ids = labels.read(GRID)
    assert (ids != expected()).mean() < (0.02 if name.endswith("geojson") else 1e-9)
    assert labels.feature_counts() == {0: 1, 1: 1}
    assert labels.unmapped_features == {"Marsh": 1}
    assert labels.tally(GRID) == {"Marsh": int((labels.read(GRID)[5:15, 30:50] == 255).sum())}


def test_land_without_features_may_be_a_class(tmp_path: Path) -> None:
    labels = VectorLabels(saved(tmp_path / "l.gpkg", frame()), LEGEND, unlabelled="forest")
    np.testing.assert_array_equal(labels.read(GRID), expected(unlabelled=1))


def blobs(count: int) -> gpd.GeoDataFrame:
    """Overlapping discs and one of very many vertices, edges on pixel centres among them."""
    draw = np.random.default_rng(3)
    discs = [shapely.Point(WEST + x, NORTH - y).buffer(9) for x, y in draw.uniform(0, 60, (count, 2))]
    ragged = shapely.segmentize(rectangle(-500.5, 20.5, 500.5, 25.5), 0.1)
    kinds = [["Lake", "Wood", "Marsh"][i % 3] for i in range(count)]
    return gpd.GeoDataFrame({"kind": [*kinds, "Lake"]}, geometry=[*discs, ragged], crs=UTM)


@pytest.mark.parametrize("crs", [32633, 4326, 32632])
def test_a_window_burns_what_the_whole_does(tmp_path: Path, crs: int) -> None:
    labels = VectorLabels(saved(tmp_path / "l.gpkg", blobs(40).to_crs(crs)), LEGEND)
    tilted = Grid(GRID.crs_wkt, GRID.transform @ Affine.rotation(20), 60, 50)
    for grid in (GRID, GRID.at_gsd(0.7), tilted):
        whole = labels.read(grid)
        assert set(np.unique(whole)) == {0, 1, 255}
        for col, row in np.random.default_rng(0).integers(-5, 45, (12, 2)).tolist():
            box = Box(col, row, 14, 17).clip(grid.width, grid.height)
            place = slice(box.row, box.stop_row), slice(box.col, box.stop_col)
            np.testing.assert_array_equal(labels.read(grid.crop(box)), whole[place])


def test_edges_through_pixel_centres_fall_alike_in_every_window(tmp_path: Path) -> None:
    grid = Grid(GRID.crs_wkt, north_up(0.3, 512_345.7), 80, 10)
    strips = [
        shapely.Polygon(
            [grid.transform @ (col + 0.5, row) for col, row in ((c, 0), (c + 1, 0), (c + 1, 9), (c, 9))]
        )
        for c in range(0, 80, 2)
    ]
    content = gpd.GeoDataFrame({"kind": ["Lake"] * len(strips)}, geometry=strips, crs=UTM)
    labels = VectorLabels(saved(tmp_path / "l.gpkg", content), LEGEND)
    whole = labels.read(grid)
    assert (whole == 0).mean() > 0.3
    for col in range(60):
        np.testing.assert_array_equal(labels.read(grid.crop(Box(col, 2, 20, 6))), whole[2:8, col : col + 20])


def test_pixels_belong_to_the_feature_at_their_centre(tmp_path: Path) -> None:
    shapes = [rectangle(5.4, 5.4, 6.6, 6.6), rectangle(8.6, 8.6, 9.4, 9.4)]
    content = gpd.GeoDataFrame({"kind": ["Lake", "Wood"]}, geometry=shapes, crs=UTM)
    ids = VectorLabels(saved(tmp_path / "l.gpkg", content), LEGEND).read(GRID)
    assert np.argwhere(ids == 0).tolist() == [[5, 5], [5, 6], [6, 5], [6, 6]]
    assert not (ids == 1).any()


def test_reprojection_places_features_rightly(tmp_path: Path) -> None:
    original = VectorLabels(saved(tmp_path / "a.gpkg", blobs(20)), LEGEND).read(GRID)
    for crs in (4326, 3857, 32632):
        moved = VectorLabels(saved(tmp_path / f"{crs}.gpkg", blobs(20).to_crs(crs)), LEGEND).read(GRID)
        assert (moved == original).mean() > 0.97
        assert (np.roll(moved, 2, axis=1) == original).mean() < 0.95


def test_long_edges_bend_with_the_projection(tmp_path: Path) -> None:
    parallel = shapely.box(14.0, 45.0, 16.0, 46.0)
    content = gpd.GeoDataFrame({"kind": ["Lake"]}, geometry=[parallel], crs=4326)
    labels = VectorLabels(saved(tmp_path / "l.gpkg", content), LEGEND)
    _, edge = Transformer.from_crs(4326, 32633, always_xy=True).transform(15.0, 45.0)
    # The straight line between the two corners passes 480 m north of the parallel.
    middle = Grid(GRID.crs_wkt, north_up(10.0, 500_000.0, edge + 600), 4, 100)
    assert (labels.read(middle)[:, 0] == 0).sum() == 60


def test_the_attribute_is_found_by_its_values(tmp_path: Path) -> None:
    both = frame(
        id=[10, 11, 12], code=[10.0, 20.0, 10.0], name=["lake", "WOOD ", "Lake"], note=["x", None, "y"]
    )
    assert VectorLabels(saved(tmp_path / "a.gpkg", both), LEGEND).attribute == "code"
    rivals = frame(before=["Lake", "Lake", "Wood"], after=["Wood", "Lake", "Wood"])
    path = saved(tmp_path / "b.gpkg", rivals)
    with pytest.raises(BadInput, match="before, after all hold values of the legend; choose `attribute`"):
        VectorLabels(path, LEGEND)
    assert VectorLabels(path, LEGEND, attribute="after").feature_counts() == {0: 1, 1: 2}
    with pytest.raises(BadInput, match=r"attribute 'befor': does not exist; did you mean 'before'"):
        VectorLabels(path, LEGEND, attribute="befor")
    strange = saved(tmp_path / "c.gpkg", frame(kind=["a", "b", "c"], other=[7, 8, 9]))
    with pytest.raises(
        BadInput, match="no attribute holds values of the legend; choose `attribute` from: kind, other"
    ):
        VectorLabels(strange, LEGEND)
    mapped = VectorLabels(strange, LEGEND, mapping={"a": "water", "B": "forest", "c": "forest"})
    assert mapped.feature_counts() == {0: 1, 1: 2}


def test_missing_values_are_counted(tmp_path: Path) -> None:
    labels = VectorLabels(saved(tmp_path / "a.gpkg", frame(kind=["Lake", None, "Wood"])), LEGEND)
    assert labels.unmapped_features == {"(empty)": 1}
    assert list(labels.tally(GRID)) == ["(empty)"]


def test_layers_are_named(tmp_path: Path) -> None:
    path = saved(tmp_path / "l.gpkg", frame(), layer="cover")
    saved(path, frame(kind=["Wood", "Wood", "Wood"]), layer="forest")
    with pytest.raises(BadInput, match="has 2 layers with geometries; choose `layer` from: cover, forest"):
        VectorLabels(path, LEGEND)
    with pytest.raises(BadInput, match="has no layer 'roads'"):
        VectorLabels(path, LEGEND, layer="roads")
    assert VectorLabels(path, LEGEND, layer="forest").feature_counts() == {1: 3}


def test_untidy_geometries_are_mended(tmp_path: Path) -> None:
    left, top = WEST, NORTH
    bow = shapely.Polygon([(left, top), (left + 10, top - 10), (left + 10, top), (left, top - 10)])
    shapes = [bow, None, shapely.Polygon(), shapely.force_3d(rectangle(20, 20, 30, 30), 5.0)]
    content = gpd.GeoDataFrame({"kind": ["Lake", "Lake", "Wood", "Wood"]}, geometry=shapes, crs=UTM)
    labels = VectorLabels(saved(tmp_path / "l.gpkg", content), LEGEND)
    ids = labels.read(GRID)
    assert labels.feature_counts() == {0: 1, 1: 1}
    assert (ids[20:30, 20:30] == 1).all()
    assert (ids[:10, :10] == 0).sum() == pytest.approx(50, abs=10)


def test_curves_and_measures_become_plain_polygons(tmp_path: Path) -> None:
    path = tmp_path / "l.csv"
    disc = "CURVEPOLYGON(CIRCULARSTRING(10 -20, 20 -10, 30 -20, 20 -30, 10 -20))"
    path.write_text(f'WKT,kind\n"{disc}",Lake\n"POLYGON M((40 0 1,50 0 1,50 -10 1,40 0 1))",Wood\n')
    ids = VectorLabels(path, LEGEND).read(Grid(None, north_up(1.0, 0, 0), 60, 50))
    assert (ids == 0).sum() == pytest.approx(np.pi * 100, rel=0.05)
    assert (ids == 1).sum() == pytest.approx(50, abs=10)


def test_a_file_without_crs_is_in_the_images(tmp_path: Path) -> None:
    content = frame().set_crs(None, allow_override=True)
    with warnings.catch_warnings(action="ignore"):
        path = saved(tmp_path / "l.shp", content)
    labels = VectorLabels(path, LEGEND)
    assert labels.warnings
    np.testing.assert_array_equal(labels.read(GRID), expected())


def test_useless_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "text.gpkg").write_text("no")
    empty = tmp_path / "empty.geojson"
    empty.write_text('{"type": "FeatureCollection", "features": []}')
    for path, said in {
        tmp_path / "absent.gpkg": "does not exist",
        tmp_path / "text.gpkg": "cannot be read as vector data",
        empty: "holds no features|has 0 layers",
    }.items():
        with pytest.raises(BadInput, match=said):
            VectorLabels(path, LEGEND)


def test_an_area_is_inside_its_polygons(tmp_path: Path) -> None:
    shapes = [rectangle(5.2, 6, 20, 16.7), rectangle(30, 30, 90, 40), shapely.Point(WEST, NORTH)]
    content = gpd.GeoDataFrame({"n": [1, 2, 3]}, geometry=shapes, crs=UTM)
    area = Area(saved(tmp_path / "a.gpkg", content))
    inside = np.zeros((50, 60), bool)
    inside[6:17, 5:20] = inside[30:40, 30:] = True
    np.testing.assert_array_equal(area.read(GRID), inside)
    assert area.box(GRID) == Box(5, 6, 55, 34)
    assert area.box(GRID.crop(Box(0, 45, 60, 5))).height == 0
    points = gpd.GeoDataFrame({"n": [1]}, geometry=[shapely.Point(WEST, NORTH)], crs=UTM)
    with pytest.raises(BadInput, match="holds no polygon"):
        Area(saved(tmp_path / "p.gpkg", points))


def test_an_empty_attribute_is_no_class_and_may_be_ignored(tmp_path: Path) -> None:
    path = saved(tmp_path / "l.gpkg", frame(kind=["a", None, "b"]))
    classes = [LandClass(name=name, color="#000000") for name in ("a", "b", "none")]
    labels = VectorLabels(path, Legend(classes=classes), "kind")
    assert labels.feature_counts() == {0: 1, 1: 1}
    assert labels.unmapped_features == {"(empty)": 1}
    assert VectorLabels(path, Legend(classes=classes, ignore=["(empty)"]), "kind").unmapped_features == {}
