"""How large a pixel is on the ground, whatever the projection does to lengths."""

from pathlib import Path

import pytest
from affine import Affine
from pyproj import CRS, Transformer
from worlds import UTM, noise, write_raster

from geo_io.grid import Grid
from geo_io.scene import Scene

MOON = "+proj=longlat +R=1737400 +no_defs"
FEET = 'LOCAL_CS["Survey grid",UNIT["foot",0.3048]]'


def around(crs: int | str, lon: float, lat: float, side: float = 1.0) -> Grid:
    """100 x 100 pixels of `side` map units with a place in the middle: as its own CRS has it in its unit."""
    there = CRS(crs)
    assert there.geodetic_crs is not None
    x, y = Transformer.from_crs(there.geodetic_crs, there, always_xy=True).transform(lon, lat)
    return Grid(there.to_wkt(), Affine(side, 0, x - 50 * side, 0, -side, y + 50 * side), 100, 100)


@pytest.mark.parametrize(
    ("grid", "size_m"),
    [
        (around(4326, 15, 60, 1e-5), (0.5580, 1.1141)),
        (around(4807, 0, 50, 1e-5), (0.7097, 1.0002)),  # degrees are called 0.9 there, and Paris is 0
        (around(MOON, 15, 60, 1e-5), (0.1516, 0.3032)),
        (around(3857, 15, 60), (0.5, 0.5)),
        (around(32662, 15, 60), (0.5, 1.0)),
        (around(32633, 27, 10), (0.9795, 0.9795)),  # two zones off
    ],
    ids=["degrees", "grads", "moon", "web mercator", "plate carree", "far from its zone"],
)
def test_a_pixel_has_its_size_on_the_ground(grid: Grid, size_m: tuple[float, float]) -> None:
    assert grid.pixel_size_m == pytest.approx(size_m, rel=5e-3)


@pytest.mark.parametrize(
    ("grid", "side_m"),
    [
        (around(32633, 15, 45), 1.0),
        (around(32633, 18, 0), 1.0),
        (around(3035, -17, 32), 1.0),  # 1.01 x 0.99 m
        (around(2263, -74, 40.7), 1200 / 3937),
        (Grid(CRS(FEET).to_wkt(), Affine.identity(), 9, 9), 0.3048),
        (Grid(None, Affine.scale(2), 9, 9), 2.0),
    ],
    ids=["utm", "edge of utm", "equal areas", "feet", "feet of its own", "no crs"],
)
def test_a_plane_true_within_a_little_is_taken_at_its_word(grid: Grid, side_m: float) -> None:
    assert grid.pixel_size_m == pytest.approx((side_m, side_m), rel=1e-12)


@pytest.mark.parametrize("lat", [0, 45, 60])
def test_a_scene_is_not_resampled_to_its_own_size(lat: float) -> None:
    grid = around(3857, 15, lat)
    assert grid.at_gsd(grid.gsd_m) is grid
    assert grid.at_gsd(2 * grid.gsd_m).transform.a == pytest.approx(2, rel=1e-9)


def test_objects_are_alike_in_web_mercator_and_utm(tmp_path: Path) -> None:
    utm, web = around(UTM, 15, 60), around(3857, 15, 60, 1.19)
    with Scene.open(
        write_raster(tmp_path / "a.tif", noise(1, 100, 100), crs=3857, transform=web.transform)
    ) as scene:
        seen = scene.read(scene.grid.at_gsd(utm.gsd_m).box, utm.gsd_m).grid
    assert (seen.width, seen.height) == (60, 60)
    assert seen.gsd_m == pytest.approx(1, rel=1e-3)
