"""Two maps of different places and CRS that move as one."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pyproj import CRS
from PySide6.QtCore import QPointF
from pytestqt.qtbot import QtBot
from worlds import NORTH, WEST, noise, north_up, write_raster

from app.map.image_layer import ImageLayer
from app.map.link import Link
from app.map.scale import Readout, ScaleBar, in_degrees, in_metres
from app.map.view import MapView
from geo_io.ground import distance_m, latlon

MERCATOR = CRS.from_epsg(3857).to_wkt()


@pytest.fixture
def pair(
    qtbot: QtBot, settle: Callable[[MapView], None], tmp_path: Path
) -> Iterator[tuple[MapView, MapView]]:
    """One map in UTM at 45 degrees north, one in Mercator 600 km further north."""
    views = MapView(), MapView()
    for i, view in enumerate(views):
        qtbot.addWidget(view)
        view.resize(400, 300)
        view.show()
        path = tmp_path / f"{i}.tif"
        write_raster(path, noise(1, 400, 600), transform=north_up(1, north=NORTH + 600_000 * i))
        view.add(ImageLayer(path))
    views[1].set_crs(MERCATOR)
    for view in views:
        settle(view)
    yield views
    for view in views:
        view.stop()


def ground(view: MapView) -> tuple[float, float]:
    place = latlon(*view.center, view.crs_wkt)
    assert place is not None
    return place


def test_both_have_the_same_metres_per_pixel(pair: tuple[MapView, MapView]) -> None:
    one, other = pair
    link = Link(one, other)
    assert other.metres_per_px == pytest.approx(one.metres_per_px, rel=1e-6)
    other.zoom(3)
    assert one.metres_per_px == pytest.approx(other.metres_per_px, rel=1e-4)
    link.release()
    one.zoom(2)
    assert one.metres_per_px == pytest.approx(other.metres_per_px / 2, rel=1e-4)


def test_a_pan_goes_as_many_metres_in_both(pair: tuple[MapView, MapView]) -> None:
    one, other = pair
    link = Link(one, other)
    before = [view.center for view in pair]
    one.pan_px(100, -60)
    moved = [distance_m(a, view.center, view.crs_wkt) for a, view in zip(before, pair, strict=True)]
    assert moved[0] == pytest.approx((100**2 + 60**2) ** 0.5 * one.metres_per_px, rel=1e-3)
    assert moved[1] == pytest.approx(moved[0], rel=1e-3)
    assert other.center[0] > before[1][0]
    assert other.center[1] > before[1][1]
    link.release()


def test_on_the_same_ground_both_look_at_one_place(pair: tuple[MapView, MapView]) -> None:
    one, other = pair
    link = Link(one, other, same_ground=True)
    assert ground(other) == pytest.approx(ground(one), abs=1e-9)
    other.pan_px(300, 200)
    assert ground(one) == pytest.approx(ground(other), abs=1e-9)
    link.release()


def test_the_scale_bar_is_as_long_as_it_says(pair: tuple[MapView, MapView]) -> None:
    for view in pair:
        bar = ScaleBar(view)
        for zoom in (1, 7, 0.01):
            view.zoom(zoom)
            middle = QPointF(view.rect().center())
            start, stop = view.map_at(middle), view.map_at(middle + QPointF(bar.length_px, 0))
            assert distance_m(start, stop, view.crs_wkt) == pytest.approx(bar.length_m, rel=0.01)
            assert 30 <= bar.length_px <= 150
            assert bar.text.split()[0][0] in "125"


def test_the_readout_tells_place_and_pixel(pair: tuple[MapView, MapView], qtbot: QtBot) -> None:
    one, _ = pair
    readout = Readout(one)
    qtbot.addWidget(readout)
    one.look_at((WEST + 10, NORTH - 10), 0.5)
    assert readout.pixel.text() == "1 px = 50 cm"
    assert one.frame_of_map is not None
    readout.point(one.frame_of_map.point(one.frame_of_map.to_scene(WEST + 10, NORTH - 10)))
    assert readout.place.text().startswith("500010.0, 4999990.0   45.15")
    readout.point(None)
    assert readout.place.text() == ""


def test_lengths_and_degrees_read_well() -> None:
    assert [in_metres(m) for m in (0.004, 0.25, 1, 999, 1500, 2e6)] == [
        "4 mm", "25 cm", "1 m", "999 m", "1.5 km", "2000 km",
    ]  # fmt: skip
    assert in_degrees(-12.5, 3) == "12.500000° S, 3.000000° E"
