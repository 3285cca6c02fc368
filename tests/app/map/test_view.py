"""The map shows what is in the files, where it lies."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from affine import Affine
from pyproj import CRS, Transformer
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot
from worlds import NORTH, UTM, WEST, write_raster

from app.map.class_layers import ClassLayer, ConfidenceLayer, DifferenceLayer, LabelLayer
from app.map.colours import CHANGED, ramp_color
from app.map.image_layer import ImageLayer
from app.map.outlines import Outline, OutlineLayer
from app.map.view import MapView
from core.errors import BadInput
from geo_io.grid import Box, Grid
from geo_io.legend import Legend
from geo_io.raster import RasterLabels

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)
PLACES = {RED: (150.0, -100.0), GREEN: (450.0, -100.0), BLUE: (150.0, -300.0)}
HOLE = (450.0, -300.0)
DEGREES, MERCATOR = (CRS.from_epsg(code).to_wkt() for code in (4326, 3857))

Settle = Callable[[MapView], None]
Color = Callable[[MapView, tuple[float, float]], tuple[int, int, int]]


def place(offset: tuple[float, float]) -> tuple[float, float]:
    return WEST + offset[0], NORTH + offset[1]


def test_an_image_is_shown_where_it_lies(view: MapView, settle: Settle, color: Color, quarters: Path) -> None:
    view.add(ImageLayer(quarters))
    settle(view)
    for expected, offset in PLACES.items():
        assert color(view, place(offset)) == expected
    assert color(view, place(HOLE)) == view.ground_color().toTuple()[:3]


@pytest.mark.parametrize("crs_wkt", [DEGREES, MERCATOR])
def test_in_another_crs_it_lies_on_the_same_ground(
    view: MapView, settle: Settle, color: Color, quarters: Path, crs_wkt: str
) -> None:
    view.set_crs(crs_wkt)
    view.add(ImageLayer(quarters))
    settle(view)
    to = Transformer.from_crs(UTM, crs_wkt, always_xy=True)
    for expected, offset in PLACES.items():
        assert color(view, to.transform(*place(offset))) == expected
    assert color(view, to.transform(*place(HOLE))) == view.ground_color().toTuple()[:3]


def test_a_second_layer_comes_in_the_crs_of_the_first(
    view: MapView, settle: Settle, color: Color, quarters: Path, tmp_path: Path
) -> None:
    west, north = Transformer.from_crs(UTM, 4326, always_xy=True).transform(WEST, NORTH)
    small = np.full((1, 40, 40), 7, "uint8")
    placed = Affine(1e-5, 0, west + 0.002, 0, -1e-5, north - 0.0005)
    path = write_raster(tmp_path / "b.tif", small, transform=placed, crs="EPSG:4326")
    view.add(ImageLayer(quarters))
    view.add(ConfidenceLayer(path))
    settle(view)
    assert view.crs_wkt is not None
    assert "UTM" in view.crs_wkt
    there = Transformer.from_crs(4326, UTM, always_xy=True).transform(west + 0.0022, north - 0.0007)
    assert color(view, there) == ramp_color(7 / 254)
    assert color(view, place(PLACES[RED])) == RED


def test_a_rotated_raster_is_shown_rotated(
    view: MapView, settle: Settle, color: Color, tmp_path: Path
) -> None:
    turned = Affine.translation(WEST, NORTH) @ Affine.rotation(40) @ Affine.scale(1, -1)
    values = np.full((3, 400, 400), 10, "uint8")
    values[0, :, :100] = 250
    values[1, :100, 100:] = 250
    view.add(ImageLayer(write_raster(tmp_path / "a.tif", values, transform=turned)))
    settle(view)
    assert color(view, turned @ (50, 200)) == RED
    assert color(view, turned @ (300, 50)) == GREEN
    assert color(view, turned @ (300, 300)) == (0, 0, 0)
    assert color(view, turned @ (-20, 200)) == view.ground_color().toTuple()[:3]


def test_zoomed_in_each_pixel_is_itself(view: MapView, settle: Settle, color: Color, tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 3, (500, 500)).astype("uint8")
    colors = Legend.model_validate(
        {
            "classes": [
                {"name": n, "color": c} for n, c in zip("abc", ("#ff0000", "#00ff00", "#0000ff"), strict=True)
            ]
        }
    )
    view.add(ClassLayer(write_raster(tmp_path / "a.tif", values), colors))
    settle(view)
    view.look_at((WEST + 300, NORTH - 270), 0.1)
    settle(view)
    for row, col in [(270, 300), (262, 285), (280, 315)]:
        assert color(view, (WEST + col + 0.5, NORTH - row - 0.5)) == colors.classes[values[row, col]].rgb


def test_classes_confidence_and_labels_have_their_colours(
    view: MapView, settle: Settle, color: Color, halves: Path, quarters: Path, legend: Legend
) -> None:
    view.add(ImageLayer(quarters))
    classes = ClassLayer(halves, legend)
    view.add(classes)
    settle(view)
    assert color(view, place(PLACES[RED])) == legend.classes[0].rgb
    assert color(view, place(PLACES[GREEN])) == legend.classes[1].rgb
    assert color(view, place((150, -380))) == BLUE
    classes.set_visible(False)
    view.add(LabelLayer(quarters, lambda: RasterLabels(halves, legend), legend))
    settle(view)
    assert color(view, place(PLACES[GREEN])) == legend.classes[1].rgb
    assert color(view, place((150, -380))) == BLUE


def test_patterns_tell_classes_apart_without_colour(
    view: MapView, settle: Settle, halves: Path, legend: Legend
) -> None:
    layer = ClassLayer(halves, legend)
    view.add(layer)
    settle(view)
    plain = view.grab().toImage()
    layer.set_hatched(True)
    settle(view)
    hatched = view.grab().toImage()
    seen = {}
    for class_id, offset in ((0, (150, -100)), (1, (450, -100))):
        at = view.px_at(place(offset)).toPoint()
        spots = [at + QPoint(i, j) for i in range(12) for j in range(12)]
        seen[class_id] = {hatched.pixel(spot) for spot in spots}, {plain.pixel(spot) for spot in spots}
    assert len(seen[0][0]) == 1
    assert len(seen[1][0]) > 1
    assert len(seen[1][1]) == 1


def test_two_maps_differ_where_they_do(
    view: MapView, settle: Settle, color: Color, halves: Path, legend: Legend, tmp_path: Path
) -> None:
    other = write_raster(tmp_path / "other.tif", np.zeros((400, 600), "uint8"), nodata=255)
    view.add(DifferenceLayer(halves, other, legend))
    settle(view)
    assert color(view, place(PLACES[RED])) == view.ground_color().toTuple()[:3]
    image, at = view.grab().toImage(), view.px_at(place(PLACES[GREEN])).toPoint()
    near = {image.pixelColor(at + QPoint(i, 0)).getRgb() for i in range(10)}
    assert CHANGED in near
    assert color(view, place((450, -380))) == view.ground_color().toTuple()[:3]


def test_opacity_visibility_and_order(
    view: MapView, settle: Settle, color: Color, quarters: Path, halves: Path, legend: Legend
) -> None:
    image, classes = ImageLayer(quarters), ClassLayer(halves, legend)
    view.add(image)
    view.add(classes)
    settle(view)
    classes.set_opacity(0.5)
    mixed = color(view, place(PLACES[RED]))
    expected = [(a + b) / 2 for a, b in zip(RED, legend.classes[0].rgb, strict=True)]
    assert mixed == pytest.approx(expected, abs=3)
    view.move_layer(image, 1)
    assert color(view, place(PLACES[RED])) == RED
    image.set_visible(False)
    classes.set_opacity(1)
    assert color(view, place(PLACES[RED])) == legend.classes[0].rgb
    view.remove(classes)
    assert color(view, place(PLACES[RED])) == view.ground_color().toTuple()[:3]


def test_a_file_written_anew_is_read_anew(
    view: MapView, settle: Settle, color: Color, halves: Path, legend: Legend
) -> None:
    layer = ClassLayer(halves, legend)
    view.add(layer)
    settle(view)
    write_raster(halves, np.full((400, 600), 2, "uint8"), nodata=255)
    layer.reload()
    settle(view)
    assert color(view, place(PLACES[RED])) == legend.classes[2].rgb


def test_a_file_that_cannot_be_read_is_told_and_the_others_shown(
    view: MapView, settle: Settle, color: Color, qtbot: QtBot, quarters: Path, tmp_path: Path
) -> None:
    lost = ImageLayer(tmp_path / "lost.tif")
    with qtbot.waitSignal(view.failed) as told:
        view.add(lost)
        view.add(ImageLayer(quarters))
    settle(view)
    assert told.args is not None
    assert told.args[0] is lost
    assert "does not exist" in told.args[1]
    assert color(view, place(PLACES[RED])) == RED


def test_identify_tells_every_visible_layer(
    view: MapView, settle: Settle, qtbot: QtBot, quarters: Path, halves: Path, legend: Legend
) -> None:
    view.add(ImageLayer(quarters, name="image"))
    view.add(ClassLayer(halves, legend, "map"))
    hidden = ClassLayer(halves, legend, "hidden")
    hidden.set_visible(False)
    view.add(hidden)
    settle(view)
    with qtbot.waitSignal(view.identified) as told:
        view.identify(*place(PLACES[GREEN]))
    assert told.args is not None
    assert told.args[0].rows == [
        ("map", [("class", "forest")]),
        ("image", [("band1", "1"), ("band2", "1000"), ("band3", "1")]),
    ]
    lon, lat = Transformer.from_crs(UTM, 4326, always_xy=True).transform(*place(PLACES[GREEN]))
    assert told.args[0].point.lat == pytest.approx(lat)
    assert told.args[0].point.lon == pytest.approx(lon)


def test_identify_tells_a_class_and_how_sure_it_is(
    view: MapView, settle: Settle, qtbot: QtBot, halves: Path, legend: Legend, tmp_path: Path
) -> None:
    values = np.full((400, 600), 127, "uint8")
    values[:, :300] = 1
    sure = write_raster(tmp_path / "sure.tif", values, nodata=255)
    view.add(ClassLayer(halves, legend, "map", confidence=sure))
    view.add(ClassLayer(halves, legend, "plain", confidence=tmp_path / "not made.tif"))
    view.add(ConfidenceLayer(sure, "confidence"))
    settle(view)
    for spot, name, share in ((RED, "water", "0%"), (GREEN, "forest", "50%")):
        with qtbot.waitSignal(view.identified) as told:
            view.identify(*place(PLACES[spot]))
        assert told.args is not None
        assert told.args[0].rows == [
            ("confidence", [("confidence", share)]),
            ("plain", [("class", name)]),
            ("map", [("class", name), ("confidence", share)]),
        ]


def test_a_layer_that_cannot_answer_says_so_and_the_others_answer(
    view: MapView, settle: Settle, qtbot: QtBot, quarters: Path, halves: Path, legend: Legend
) -> None:
    def broken() -> Any:
        raise BadInput("map.tif", "is damaged", "make it again")

    class Broken(ClassLayer):
        def asker(self) -> Any:
            return lambda *_: broken()

    view.add(ImageLayer(quarters, name="image"))
    view.add(Broken(halves, legend, "map"))
    settle(view)
    with qtbot.waitSignal(view.identified) as told:
        view.identify(*place(PLACES[GREEN]))
    assert told.args is not None
    (name, ((what, why),)), image = told.args[0].rows
    assert (name, what) == ("map", "cannot be read")
    assert "is damaged" in why
    assert image[0] == "image"


def test_the_pointer_is_told_in_map_units_and_degrees(
    view: MapView, settle: Settle, qtbot: QtBot, quarters: Path
) -> None:
    view.add(ImageLayer(quarters))
    settle(view)
    told: list[Any] = []
    view.pointed.connect(told.append)
    qtbot.mouseMove(view.viewport(), QPoint(200, 150))
    assert told[-1].x == pytest.approx(WEST + 300, abs=2)
    assert told[-1].y == pytest.approx(NORTH - 200, abs=2)
    assert told[-1].lat == pytest.approx(45.15, abs=0.1)


def test_keys_and_wheel_move_and_zoom(view: MapView, settle: Settle, qtbot: QtBot, quarters: Path) -> None:
    view.add(ImageLayer(quarters))
    settle(view)
    whole, scale = view.center, view.metres_per_px
    qtbot.keyClick(view, Qt.Key.Key_Plus)
    assert view.metres_per_px == pytest.approx(scale / 1.5)
    qtbot.keyClick(view, Qt.Key.Key_Right)
    qtbot.keyClick(view, Qt.Key.Key_Up)
    assert view.center[0] > whole[0]
    assert view.center[1] > whole[1]
    qtbot.keyClick(view, Qt.Key.Key_Home)
    assert view.center == pytest.approx(whole)
    assert view.metres_per_px == pytest.approx(scale)


def test_zoom_keeps_the_place_under_the_pointer(view: MapView, settle: Settle, quarters: Path) -> None:
    view.add(ImageLayer(quarters))
    settle(view)
    spot = place((100, -50))
    before = view.px_at(spot)
    view.zoom(3, spot)
    assert (view.px_at(spot) - before).manhattanLength() < 1e-3


def test_the_whole_stays_in_sight_until_the_map_is_moved(
    view: MapView, settle: Settle, quarters: Path
) -> None:
    view.add(ImageLayer(quarters))
    settle(view)
    view.resize(200, 150)
    assert view.metres_per_px == pytest.approx(600 / 200 / 0.95, rel=0.01)
    view.zoom(4)
    scale = view.metres_per_px
    view.resize(400, 300)
    assert view.metres_per_px == pytest.approx(scale)


def test_the_visible_box_is_the_window_in_sight(view: MapView, settle: Settle, quarters: Path) -> None:
    view.add(ImageLayer(quarters))
    settle(view)
    grid = Grid(CRS.from_user_input(UTM).to_wkt(), Affine(1, 0, WEST, 0, -1, NORTH), 600, 400)
    assert view.visible_box(grid) == Box(0, 0, 600, 400)
    view.look_at((WEST + 300, NORTH - 200), 0.5)
    seen = view.visible_box(grid)
    assert (seen.col, seen.row) == pytest.approx((200, 125), abs=2)
    assert (seen.width, seen.height) == pytest.approx((200, 150), abs=4)
    view.look_at((WEST - 5000, NORTH), 0.5)
    assert view.visible_box(grid).width == 0


def test_a_click_picks_the_innermost_outline(
    view: MapView, settle: Settle, qtbot: QtBot, quarters: Path
) -> None:
    view.add(ImageLayer(quarters))
    outlines = OutlineLayer("areas")
    rings = {"large": (0, 600), "small": (100, 300)}
    outlines.set_outlines(
        [
            Outline(key, key, [place((a, -10)), place((b, -10)), place((b, -390)), place((a, -390))], None)
            for key, (a, b) in rings.items()
        ]
    )
    view.add(outlines)
    settle(view)
    for offset, expected in (((200, -100), "small"), ((500, -100), "large"), ((590, -395), "")):
        with qtbot.waitSignal(view.picked) as told:
            at = view.px_at(place(offset)).toPoint()
            qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
        assert told.args == [expected]


def test_states_of_an_outline_differ_by_line_and_pattern() -> None:
    layer = OutlineLayer("areas")
    ring = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)]
    plain = Outline("a", "a", ring, None)
    selected, left_out = (
        Outline("a", "a", ring, None, **state) for state in ({"selected": True}, {"included": False})
    )
    assert layer.pen(selected).widthF() > layer.pen(plain).widthF()
    assert layer.pen(left_out).style() != layer.pen(plain).style()
    assert layer.brush(left_out).style() != layer.brush(plain).style()


def test_outlines_alone_make_a_map(view: MapView, settle: Settle) -> None:
    outlines = OutlineLayer("areas")
    utm = CRS.from_user_input(UTM).to_wkt()
    outlines.set_outlines([Outline("a", "a", [place(p) for p in ((0, 0), (900, 0), (900, -900))], utm)])
    view.add(outlines)
    settle(view)
    assert view.crs_wkt == utm
    assert view.visible_box(Grid(utm, Affine(1, 0, WEST, 0, -1, NORTH), 900, 900)) == Box(0, 0, 900, 900)


def test_an_empty_map_says_what_to_do(view: MapView) -> None:
    blank = view.grab().toImage()
    view.empty_text = ""
    assert view.grab().toImage() != blank
