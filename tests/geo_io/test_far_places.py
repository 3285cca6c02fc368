"""Labels and areas at the ends of the earth: across 180 degrees, at poles, where a projection ends."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from affine import Affine
from pyproj import CRS, Transformer
from worlds import write_raster

from geo_io.features import Features
from geo_io.grid import Box, Grid
from geo_io.legend import LandClass, Legend
from geo_io.positions import positions
from geo_io.raster import RasterLabels
from geo_io.vector import Area, VectorLabels

LEGEND = Legend(
    classes=[LandClass(name=n, color="#000000", values=[i]) for i, n in enumerate(("far", "near"))]
)
GEOSTATIONARY = "+proj=geos +h=35786023 +lon_0=0 +sweep=y"
SINUSOIDAL = "+proj=sinu +R=6371007.181 +units=m"
WORLD = Grid(CRS(4326).to_wkt(), Affine(0.1, 0, -180, 0, -0.1, 90), 3600, 1800)
ACROSS_180 = Grid(CRS(4326).to_wkt(), Affine(0.01, 0, 179, 0, -0.01, -16.4), 200, 120)


def around(crs: int | str, lon: float, lat: float, gsd: float, side: int = 128) -> Grid:
    """A square with the place in its middle."""
    x, y = Transformer.from_crs(4326, crs, always_xy=True).transform(lon, lat)
    half = gsd * side / 2
    return Grid(CRS(crs).to_wkt(), Affine(gsd, 0, x - half, 0, -gsd, y + half), side, side)


LIMB = Grid(CRS(GEOSTATIONARY).to_wkt(), Affine(3000, 0, 4.9e6, 0, -3000, 1.5e6), 256, 256)
POLE = around(3413, 0, 90, 1000)
GRIDS = {
    "UTM 60 across 180": around(32760, 180, -17, 1000),
    "sinusoidal": around(SINUSOIDAL, 178, 60, 2000),
    "geostationary limb": LIMB,
    "pole": POLE,
    "plain": around(32633, 15, 45, 10),
}


def lonlat(grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Of each pixel's centre, one by one."""
    assert grid.crs is not None
    col, row = np.meshgrid(np.arange(grid.width) + 0.5, np.arange(grid.height) + 0.5)
    x, y = grid.transform @ (col, row)
    lon, lat = Transformer.from_crs(grid.crs, 4326, always_xy=True).transform(x, y)
    return np.asarray(lon), np.asarray(lat)


@pytest.mark.parametrize("name", GRIDS)
def test_positions_are_right_where_longitudes_jump_and_where_the_earth_ends(name: str) -> None:
    grid = GRIDS[name]
    row, col = positions(grid, WORLD)
    lon, lat = lonlat(grid)
    known = np.isfinite(lon)
    np.testing.assert_array_equal(np.isfinite(col), known)
    eastward = (col[known] - (lon[known] + 180) * 10) * np.cos(np.radians(lat[known]))
    np.testing.assert_allclose(eastward, 0, atol=0.02)
    np.testing.assert_allclose(row[known], (90 - lat[known]) * 10, atol=0.02)


def labels(path: Path) -> RasterLabels:
    """The world: 1 within 60 degrees of Greenwich, 0 elsewhere."""
    lon = -180 + (np.arange(3600) + 0.5) / 10
    values = np.broadcast_to((np.abs(lon) < 60).astype(np.uint8), (1800, 3600))
    return RasterLabels(write_raster(path, values, crs=4326, transform=WORLD.transform), LEGEND)


def test_raster_labels_reach_across_180_degrees(tmp_path: Path) -> None:
    world = labels(tmp_path / "l.tif")
    assert (world.read(GRIDS["UTM 60 across 180"]) == 0).all()
    assert (world.read(ACROSS_180) == 0).all()
    assert set(np.unique(world.read(LIMB))) == {0, 1, 255}
    part = write_raster(
        tmp_path / "p.tif",
        np.ones((200, 200), np.uint8),
        crs=4326,
        transform=Affine(0.01, 0, 179, 0, -0.01, -16),
    )
    lon, lat = lonlat(GRIDS["UTM 60 across 180"])
    inside = ((lon > 179) | (lon < -179)) & (lat < -16) & (lat > -18)
    assert ((RasterLabels(part, LEGEND).read(GRIDS["UTM 60 across 180"]) == 1) == inside).mean() > 0.995


def burnt(shape: shapely.Geometry, crs: int | str, grid: Grid) -> np.ndarray:
    features = Features(np.array([shape], object), CRS(crs))
    return features.burn(grid, np.array([1], np.int32), 0) == 1


def test_a_polygon_across_180_degrees_is_burnt_where_it_lies() -> None:
    x, y = Transformer.from_crs(4326, 32760, always_xy=True).transform(180, -17)
    square = shapely.box(x - 50_000, y - 50_000, x + 50_000, y + 50_000)
    seen = burnt(square, 32760, ACROSS_180)
    col, row = np.meshgrid(179 + (np.arange(200) + 0.5) / 100, -16.4 - (np.arange(120) + 0.5) / 100)
    at = np.stack(Transformer.from_crs(4326, 32760, always_xy=True).transform(col, row))
    inside = (np.abs(at - np.array([x, y])[:, None, None]) < 50_000).all(axis=0)
    assert inside.any()
    assert (seen == inside).mean() > 0.999
    elsewhere = Grid(ACROSS_180.crs_wkt, Affine.translation(-179, 0) @ ACROSS_180.transform, 200, 120)
    assert not burnt(square, 32760, elsewhere).any()
    west = Grid(ACROSS_180.crs_wkt, Affine.translation(-360, 0) @ ACROSS_180.transform, 200, 120)
    np.testing.assert_array_equal(burnt(square, 32760, west), seen)


def test_a_polygon_in_degrees_meets_an_image_beyond_180() -> None:
    seen = burnt(shapely.box(-179.8, -17, -179.5, -16.6), 4326, ACROSS_180)
    rows, cols = np.nonzero(seen)
    assert (cols.min(), cols.max(), rows.min(), rows.max()) == (120, 149, 20, 59)


LANDS = {
    "Eurasia": (-10, 1, 180, 77),
    "North America": (-170, 7, -50, 84),
    "the world": (-180, -60, 180, 84),
    "all of it": (-180, -90, 180, 90),
}
PLACES = {
    "Eurasia": [(32643, 75, 50), (32655, 147, 60), (3857, 80, 50), (3035, 10, 50)],
    "North America": [(32605, -153, 60), (32617, -81, 45), (5070, -96, 38)],
    "the world": [(32633, 15, 45), (3035, 10, 50), (3031, 30, -55), (3413, -45, 75), (GEOSTATIONARY, 5, 5)],
    "all of it": [(32633, 15, 45), (3035, 10, 50), (3031, 30, -80), (6933, 10, 50), (2193, 179.9, -40)],
}


@pytest.mark.parametrize(("land", "place"), [(n, p) for n, places in PLACES.items() for p in places])
def test_a_land_that_the_projection_does_not_wholly_reach_covers_what_lies_in_it(
    land: str, place: tuple[int | str, float, float]
) -> None:
    grid = around(*place, gsd=10, side=32)
    assert burnt(shapely.box(*LANDS[land]), 4326, grid).all()


def test_the_edge_of_such_a_land_is_exact_and_alike_in_every_window() -> None:
    grid = around(32633, 15, 45, gsd=100, side=96)
    land = shapely.Polygon([(-180, -90), (180, -90), (180, 45), (15.01, 45), (15.01, 90), (-180, 90)])
    seen = burnt(land, 4326, grid)
    lon, lat = lonlat(grid)
    np.testing.assert_array_equal(seen, (lat < 45) | (lon < 15.01))
    box = Box(37, 21, 40, 50)
    np.testing.assert_array_equal(burnt(land, 4326, grid.crop(box)), seen[21:71, 37:77])


def test_the_later_feature_wins_over_such_a_land_too(tmp_path: Path) -> None:
    grid = around(32633, 15, 45, gsd=100, side=32)
    shapes = [
        shapely.box(14.9, 44.9, 15, 45.1),
        shapely.box(-180, -60, 180, 84),
        shapely.box(15, 44.9, 15.1, 45.1),
    ]
    frame = gpd.GeoDataFrame({"class": [0, 1, 0]}, geometry=shapes, crs=4326)
    frame.to_file(tmp_path / "l.gpkg")
    ids = VectorLabels(tmp_path / "l.gpkg", LEGEND).read(grid)
    np.testing.assert_array_equal(ids[0], np.repeat([1, 0], 16))


def test_a_world_wide_area_spans_the_image(tmp_path: Path) -> None:
    gpd.GeoDataFrame(geometry=[shapely.box(*LANDS["the world"])], crs=4326).to_file(tmp_path / "a.gpkg")
    grid = around(32633, 15, 45, gsd=10, side=32)
    area = Area(tmp_path / "a.gpkg")
    assert area.box(grid) == grid.box
    assert area.read(grid).all()
    assert area.read(LIMB).sum() == np.isfinite(lonlat(LIMB)[0]).sum()
