"""Rings drawn on a map, as areas in an image's CRS and back; distances on the ground."""

from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from pyproj import CRS

from geo_io import ground, rings
from geo_io.errors import BadInput

UTM = CRS.from_epsg(32633).to_wkt()
MERCATOR = CRS.from_epsg(3857).to_wkt()
SQUARE = [
    (500_000.0, 5_000_000.0),
    (501_000.0, 5_000_000.0),
    (501_000.0, 4_999_000.0),
    (500_000.0, 4_999_000.0),
]


def test_a_ring_survives_the_way_to_another_crs_and_back() -> None:
    drawn = ground.moved(SQUARE, UTM, MERCATOR)
    (back,) = rings.of_wkt(rings.to_wkt([drawn], MERCATOR, UTM), UTM, UTM)
    expected, found = shapely.Polygon(SQUARE), shapely.Polygon(back)
    assert found.symmetric_difference(expected).area < 1e-3
    assert drawn[0] != SQUARE[0]


def test_overlapping_rings_become_one_area_and_distant_ones_stay_apart() -> None:
    beside = [(x + 500, y) for x, y in SQUARE]
    far = [(x + 5000, y) for x, y in SQUARE]
    area = shapely.from_wkt(rings.to_wkt([SQUARE, beside, far], UTM, UTM))
    assert area.geom_type == "MultiPolygon"
    assert area.area == pytest.approx(2.5e6)


def test_two_rings_share_what_both_enclose() -> None:
    square = [(0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (0.0, 4.0)]
    assert rings.shared_area(square, [(x + 3, y + 2) for x, y in square]) == 2
    assert rings.shared_area(square, [(x + 4, y) for x, y in square]) == 0, "an edge is no area"
    assert rings.shared_area(square, [(0.0, 0.0), (4.0, 4.0), (4.0, 0.0), (0.0, 4.0)]) == 8, "a bow tie"
    assert rings.shared_area(square, [*square[:3], (float("inf"), 0.0)]) == 0


def test_what_encloses_nothing_is_refused() -> None:
    with pytest.raises(BadInput, match="encloses nothing"):
        rings.to_wkt([[(0, 0), (1, 1), (2, 2)]], UTM, UTM)


@pytest.mark.parametrize("text", ["POLYGON((", "not wkt"])
def test_bad_wkt_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="WKT"):
        rings.of_wkt(text, UTM, UTM)


def test_the_rings_of_a_file_come_in_the_map_s_crs(tmp_path: Path) -> None:
    path = tmp_path / "area.gpkg"
    gpd.GeoDataFrame(geometry=[shapely.Polygon(SQUARE), shapely.Point(0, 0)], crs=UTM).to_file(path)
    (ring,) = rings.of_file(path, MERCATOR)
    back = shapely.Polygon(ground.moved(ring, MERCATOR, UTM))
    assert back.symmetric_difference(shapely.Polygon(SQUARE)).area < 1


def test_distances_are_those_on_the_ground() -> None:
    place = ground.from_latlon(60.0, 15.0, MERCATOR)
    assert place is not None
    assert ground.units_m(*place, MERCATOR)[0] == pytest.approx(0.5, abs=0.005)
    assert ground.units_m(500_000, 5_000_000, UTM) == pytest.approx((1.0004, 1.0004), abs=1e-5)
    assert ground.latlon(*place, MERCATOR) == pytest.approx((60, 15))
