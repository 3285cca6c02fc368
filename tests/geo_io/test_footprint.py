"""Footprints by RFC 7946, wherever on the earth a grid lies."""

import pytest
import shapely
from affine import Affine
from pyproj import CRS
from worlds import UTM, north_up

from geo_io.footprint import footprint
from geo_io.grid import Grid


def grid(crs: str, transform: Affine, side: int = 128) -> Grid:
    return Grid(CRS.from_user_input(crs).to_wkt(), transform, side, side)


def test_an_ordinary_place_is_one_polygon_whatever_way_it_is_stored() -> None:
    for transform in (north_up(1.0), Affine(1.0, 0, 500_000.0, 0, 1.0, 4_999_872.0)):
        found = footprint(grid(UTM, transform))
        assert found is not None
        assert found.geometry["type"] == "Polygon"
        ring = shapely.LinearRing(found.geometry["coordinates"][0])
        assert ring.is_ccw
        assert found.bbox == pytest.approx(ring.bounds, abs=1e-7)


@pytest.mark.parametrize(
    ("crs", "transform"),
    [
        ("EPSG:4326", Affine(1e-5, 0, 179.9995, 0, -1e-5, 10)),
        ("EPSG:4326", Affine(1e-5, 0, -180.0005, 0, -1e-5, 10)),
        ("EPSG:3832", Affine(1, 0, 3_339_520, 0, -1, 1_111_000)),  # degrees count from 150 east
    ],
)
def test_across_180_degrees_it_is_cut_and_west_lies_east(crs: str, transform: Affine) -> None:
    found = footprint(grid(crs, transform))
    assert found is not None
    west, _, east, _ = found.bbox
    assert 179 < west < 180
    assert -180 < east < -179
    near, far = (shapely.Polygon(rings[0]) for rings in found.geometry["coordinates"])
    assert near.bounds[0::2] == pytest.approx((west, 180), abs=1e-7)
    assert far.bounds[0::2] == pytest.approx((-180, east), abs=1e-7)


def test_degrees_beyond_180_are_brought_back() -> None:
    found = footprint(grid("EPSG:4326", Affine(0.01, 0, 200, 0, -0.01, 10)))
    assert found is not None
    assert found.bbox[0] == pytest.approx(-160)
    assert found.geometry["type"] == "Polygon"


def test_the_whole_earth_and_a_pole() -> None:
    earth = footprint(Grid(CRS.from_epsg(4326).to_wkt(), Affine(1, 0, 0, 0, -1, 90), 360, 180))
    assert earth is not None
    assert earth.bbox == [-180, -90, 180, 90]
    assert sum(shapely.Polygon(rings[0]).area for rings in earth.geometry["coordinates"]) == 360 * 180
    pole = footprint(grid("EPSG:3031", Affine(1000, 0, -64_000, 0, -1000, 64_000)))
    assert pole is not None
    assert pole.bbox[:3] == [-180, -90, 180]
    assert pole.bbox[3] < -89


@pytest.mark.parametrize("crs", [None, 'LOCAL_CS["plant",UNIT["metre",1]]', UTM])
def test_no_place_on_earth(crs: str | None) -> None:
    transform = north_up(1.0, 1e9, 1e9) if crs == UTM else north_up(1.0)
    wkt = crs and (CRS.from_user_input(crs).to_wkt() if crs == UTM else crs)
    assert footprint(Grid(wkt, transform, 8, 8)) is None
