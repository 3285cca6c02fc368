"""Class areas: on the ellipsoid, whatever the projection; nodata is no class."""

from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from pyproj import CRS, Geod, Transformer
from worlds import north_up, write_raster

from geo_io import class_areas as module
from geo_io.class_areas import class_areas, pixel_areas_m2
from geo_io.errors import BadInput
from geo_io.grid import Grid


def areas_of(path: Path, classes: int) -> np.ndarray:
    return list(class_areas(path, classes))[-1].area_m2


def geodesic_m2(west: float, south: float, east: float, north: float) -> float:
    """Area of a box in degrees by another way: a polygon with many points along its parallels."""
    along = np.linspace(west, east, 500)
    lons, lats = [*along, *along[::-1]], [*(0 * along + south), *(0 * along + north)]
    return abs(Geod(ellps="WGS84").polygon_area_perimeter(lons, lats)[0])


def test_pixels_are_counted_in_square_metres_without_nodata(tmp_path: Path) -> None:
    ids = np.array([[0, 0, 1], [1, 1, 255]], np.uint8)
    path = write_raster(tmp_path / "map.tif", ids, nodata=255, transform=north_up(10))
    # UTM shrinks lengths on its central meridian to 0.9996: the ground is larger than the plane.
    np.testing.assert_allclose(areas_of(path, 3), np.array([200, 300, 0]) / 0.9996**2, rtol=1e-6)


def test_a_map_in_degrees_is_measured_on_the_ellipsoid(tmp_path: Path) -> None:
    ids = np.zeros((400, 20), np.uint8)
    ids[200:] = 1
    transform = Affine(0.01, 0, 10, 0, -0.01, 60)
    path = write_raster(tmp_path / "map.tif", ids, crs="EPSG:4326", transform=transform)
    expected = [geodesic_m2(10, 58, 10.2, 60), geodesic_m2(10, 56, 10.2, 58)]
    np.testing.assert_allclose(areas_of(path, 2), expected, rtol=1e-5)


def test_web_mercator_is_not_taken_at_its_word(tmp_path: Path) -> None:
    ids = np.zeros((50, 50), np.uint8)
    for north in (8_399_737.9, 250.0):  # at 60 degrees north lengths are twice what they are
        where = Affine(10, 0, 0, 0, -10, north)
        path = write_raster(tmp_path / "map.tif", ids, crs="EPSG:3857", transform=where)
        lons, lats = Transformer.from_crs(3857, 4326, always_xy=True).transform(
            [0, 500], [north - 500, north]
        )
        expected = geodesic_m2(lons[0], lats[0], lons[1], lats[1])
        assert areas_of(path, 2)[0] == pytest.approx(expected, rel=1e-6)


def test_a_turned_grid_in_degrees_has_an_area_for_every_pixel() -> None:
    crs = CRS.from_epsg(4326).to_wkt()
    turned = Affine.translation(10, 60) @ Affine.rotation(30) @ Affine.scale(0.01, -0.01)
    areas = pixel_areas_m2(Grid(crs, turned, 8, 6))
    assert areas.shape == (6, 8)
    west, _ = turned @ (0, 0)
    corners = [turned @ corner for corner in ((7, 5), (8, 5), (8, 6), (7, 6))]
    lons, lats = zip(*corners, strict=True)
    expected = abs(Geod(ellps="WGS84").polygon_area_perimeter(lons, lats)[0])
    assert west == 10
    assert areas[5, 7] == pytest.approx(expected, rel=1e-6)


def test_windows_add_up_and_tell_how_far_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = np.random.default_rng(0).integers(0, 3, (70, 90)).astype(np.uint8)
    path = write_raster(tmp_path / "map.tif", ids, transform=north_up(2))
    whole = areas_of(path, 3)
    monkeypatch.setattr(module, "WINDOW_PX", 32)
    parts = list(class_areas(path, 3))
    assert [round(part.counted * 9) for part in parts] == list(range(1, 10))
    np.testing.assert_allclose(parts[-1].area_m2, whole, rtol=1e-6)


def test_a_map_of_another_legend_is_refused(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "map.tif", np.full((4, 4), 7, np.uint8))
    with pytest.raises(BadInput, match="class id 7"):
        areas_of(path, 3)
