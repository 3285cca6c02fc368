"""A place on the map keeps to the project: images, labels, footprints, areas drawn by hand, results."""

import gc
import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pyproj import CRS
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from worlds import NORTH, UTM, WEST, noise, north_up, write_raster

from app.edits import Document
from app.map.class_layers import ClassLayer, LabelLayer
from app.map.edit_tool import EditTool
from app.map.image_layer import ImageLayer
from app.map.outlines import OutlineLayer
from app.map.tools import PolygonTool, ToggleTool
from app.place_map import PlaceMap
from geo_io.facts import scene_facts
from geo_io.ground import Ring, moved
from geo_io.legend import Legend
from geo_io.polygons import write_polygons
from geo_io.rings import of_wkt

HERE = CRS.from_string(UTM).to_wkt()
LEGEND = {"classes": [{"name": "water", "color": "#0000ff"}, {"name": "forest", "color": "#00ff00"}]}


@pytest.fixture
def place(tmp_path: Path, qtbot: QtBot) -> Iterator[PlaceMap]:
    """Two images of 40 m side by side, the first with labels; shown, with their facts."""
    paths = []
    for i, name in enumerate(("a", "b")):
        at = north_up(1.0, WEST + 50 * i)
        paths.append(write_raster(tmp_path / f"{name}.tif", noise(3, 40, 40), transform=at))
    labels = write_raster(tmp_path / "labels.tif", np.ones((1, 40, 40), np.uint8))
    document = Document()
    document.change("Legend", {("legend",): LEGEND})
    place = PlaceMap(document, "source")
    qtbot.addWidget(place)
    place.resize(500, 400)
    place.show()
    scenes = [{"path": str(paths[0]), "labels": {"path": str(labels)}}, {"path": str(paths[1])}]
    document.change("Images", {("source", "scenes"): scenes})
    place.outlines.set_facts([scene_facts(path) for path in paths])
    settle(place, qtbot)
    yield place
    place.close_map()


def settle(place: PlaceMap, qtbot: QtBot) -> None:
    qtbot.wait(1)
    qtbot.waitUntil(lambda: not place.view.busy, timeout=20_000)


def rings_of(text: str | None) -> list[Ring]:
    return of_wkt(text, None, None) if text else []


def outlines(place: PlaceMap, name: str) -> OutlineLayer:
    return next(x for x in place.view.layers if isinstance(x, OutlineLayer) and x.name == name)


def areas(place: PlaceMap) -> list[int]:
    """The number of areas drawn on each scene."""
    return [len(rings_of(scene.get("area_wkt"))) for scene in place._document.value("source", "scenes")]


def draw(place: PlaceMap, qtbot: QtBot, corners: list[tuple[float, float]]) -> None:
    """Draw a polygon with the mouse, corners in map units."""
    view = place.view
    view.set_tool(PolygonTool(view))
    for corner in corners:
        at = view.px_at(corner)
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(round(at.x()), round(at.y())))
    qtbot.keyClick(view, Qt.Key.Key_Return)


def test_images_lie_below_labels_and_outlines_on_top(place: PlaceMap) -> None:
    kinds = [type(layer) for layer in place.view.layers]
    assert kinds == [ImageLayer, ImageLayer, LabelLayer, OutlineLayer, OutlineLayer]
    assert not place.view.layers[2].visible, "labels are shown when asked for"


def test_images_come_and_go_with_the_project(place: PlaceMap) -> None:
    kept = place.view.layers[1]
    scenes = place._document.value("source", "scenes")
    place._document.change("Remove", {("source", "scenes"): scenes[1:]})
    assert [type(layer) for layer in place.view.layers] == [ImageLayer, OutlineLayer, OutlineLayer]
    assert place.view.layers[0] is kept
    place._document.undo.undo()
    assert len(place.view.layers) == 5


def test_many_images_and_labels_are_listed_at_once(place: PlaceMap) -> None:
    told: list[int] = []
    place.view.layers_changed.connect(lambda: told.append(len(place.view.layers)))
    scenes = place._document.value("source", "scenes")
    labels = scenes[0]["labels"]
    many = [{"path": f"{scenes[0]['path']}{i}", "labels": labels} for i in range(30)]
    place._document.change("Many", {("source", "scenes"): many})
    assert told == [62]
    place._document.change("Out", {("source", "scenes", 3, "include"): False})
    assert told == [62]
    place._document.change("Colour", {("legend", "classes", 1, "color"): "#ff00ff"})
    assert told == [62, 62], "its colours are listed anew"


def test_images_share_a_stretch_that_outlives_the_first(place: PlaceMap, qtbot: QtBot) -> None:
    _, other = (layer for layer in place.view.layers if isinstance(layer, ImageLayer))
    scenes = place._document.value("source", "scenes")
    place._document.change("Remove", {("source", "scenes"): scenes[1:]})
    settle(place, qtbot)
    assert other.limits() == [other.own_stretch.limits(band) for band in other.bands]
    place.share_stretch(None)
    other.own_stretch.set_limits("band1", 0, 1)
    assert other.limits()[0] == (0, 1)


def test_a_stretch_lives_as_long_as_who_borrows_it(place: PlaceMap, qtbot: QtBot) -> None:
    first, other = (layer for layer in place.view.layers if isinstance(layer, ImageLayer))
    borrower = ImageLayer(other.path, (), first.own_stretch, "", place.view)
    place.show_result("borrower", borrower)
    settle(place, qtbot)
    shown = borrower.limits()
    del first
    place._document.change("Remove", {("source", "scenes"): []})
    settle(place, qtbot)
    assert borrower.limits() == shown
    borrower.set_stretch(None)
    assert borrower.stretch is borrower.own_stretch


def test_labels_stay_shown_when_the_legend_is_edited(place: PlaceMap, qtbot: QtBot) -> None:
    def labels() -> LabelLayer:
        (layer,) = (layer for layer in place.view.layers if isinstance(layer, LabelLayer))
        return layer

    place.show_labels(True)
    labels().set_opacity(0.3)
    settle(place, qtbot)
    before = labels().revision
    document = place._document
    document.change("Colour", {("legend", "classes", 1, "color"): "#ff00ff"})
    settle(place, qtbot)
    document.change("Name", {("legend", "classes", 1, "name"): ""})
    document.change("Name", {("legend", "classes", 1, "name"): "wood"})
    document.change("Band", {("source", "scenes", 0, "labels", "band"): 1})
    settle(place, qtbot)
    assert (labels().visible, labels().opacity) == (True, 0.3)
    assert labels().legend.names == ["water", "wood"]
    assert labels().legend.classes[1].rgb == (255, 0, 255)
    assert labels().revision > before
    assert labels().opened
    scene = {"path": str(labels().path), "labels": {"path": str(labels().path)}}
    document.change("Another", {("source", "scenes", 0): scene})
    assert labels().visible, "as the button of the labels says"


def test_a_polygon_drawn_becomes_the_area_of_the_scene_under_it(place: PlaceMap, qtbot: QtBot) -> None:
    x, y = WEST + 60, NORTH - 10
    draw(place, qtbot, [(x, y), (x + 20, y), (x + 20, y - 20)])
    assert areas(place) == [0, 1]
    (ring,) = rings_of(place._document.value("source", "scenes", 1, "area_wkt"))
    assert np.allclose(sorted(ring), sorted([(x, y), (x + 20, y), (x + 20, y - 20)]), atol=0.5)
    assert len(outlines(place, "Areas of interest").outlines) == 1
    draw(place, qtbot, [(x, y - 22), (x + 20, y - 22), (x + 20, y - 28), (x, y - 28)])
    assert areas(place) == [0, 2]
    place._document.undo.undo()
    place._document.undo.undo()
    assert areas(place) == [0, 0]
    assert not outlines(place, "Areas of interest").outlines


def test_the_selected_scene_gets_the_area_and_keeps_no_file(place: PlaceMap, qtbot: QtBot) -> None:
    place._document.change("File", {("source", "scenes", 0, "area"): "/areas.gpkg"})
    place.outlines.select(0)
    draw(place, qtbot, [(WEST + 30, NORTH - 10), (WEST + 80, NORTH - 10), (WEST + 80, NORTH - 30)])
    assert areas(place) == [1, 0]
    assert place._document.value("source", "scenes", 0, "area") is None


def test_an_area_drawn_off_the_selected_scene_is_the_others(place: PlaceMap, qtbot: QtBot) -> None:
    place.outlines.select(0)
    draw(place, qtbot, [(WEST + 45, NORTH - 10), (WEST + 80, NORTH - 10), (WEST + 80, NORTH - 30)])
    assert areas(place) == [0, 1]


def test_an_area_beside_all_scenes_is_told(place: PlaceMap, qtbot: QtBot) -> None:
    x, y = WEST + 42, NORTH - 3
    with qtbot.waitSignal(place.outlines.failed) as said:
        draw(place, qtbot, [(x, y), (x + 6, y), (x + 6, y - 6)])
    assert "beside all images" in said.args[0]
    assert areas(place) == [0, 0]


def test_an_area_is_kept_in_the_images_own_crs(tmp_path: Path, qtbot: QtBot) -> None:
    """The second image lies in another UTM zone than the map."""
    other = CRS.from_epsg(32632).to_wkt()
    ((west, north),) = moved([(WEST, NORTH)], HERE, other)
    first = write_raster(tmp_path / "a.tif", noise(3, 40, 40))
    second = write_raster(
        tmp_path / "b.tif", noise(3, 40, 40), transform=north_up(1.0, west + 60, north), crs=other
    )
    document = Document()
    place = PlaceMap(document, "target")
    qtbot.addWidget(place)
    place.resize(500, 400)
    place.show()
    document.change("Images", {("target", "scenes"): [{"path": str(first)}, {"path": str(second)}]})
    facts = [scene_facts(path) for path in (first, second)]
    place.outlines.set_facts(facts)
    settle(place, qtbot)
    ring = moved([(west + 70, north - 10), (west + 90, north - 10), (west + 90, north - 30)], other, HERE)
    draw(place, qtbot, ring)
    (drawn,) = rings_of(document.value("target", "scenes", 1, "area_wkt"))
    assert min(x for x, _ in drawn) == pytest.approx(west + 70, abs=1)
    assert max(y for _, y in drawn) == pytest.approx(north - 10, abs=1)
    place.close_map()


def drag(place: PlaceMap, start: tuple[float, float], end: tuple[float, float]) -> None:
    """With the mouse, between map units."""
    left, viewport = Qt.MouseButton.LeftButton, place.view.viewport()
    one, other = (place.view.px_at(at).toPoint() for at in (start, end))
    QTest.mousePress(viewport, left, pos=one)
    for share in (0.5, 1.0):
        QTest.mouseMove(viewport, one + (other - one) * share)
    QTest.mouseRelease(viewport, left, pos=other)


def east(place: PlaceMap, index: int = 0) -> list[float]:
    """How far each area of a scene reaches eastward, in metres from the map's west."""
    wkt = place._document.value("source", "scenes", index, "area_wkt")
    return sorted(round(max(x for x, _ in ring) - WEST) for ring in rings_of(wkt))


def square(west: float, north: float, side: float = 10) -> list[tuple[float, float]]:
    x, y = WEST + west, NORTH - north
    return [(x, y), (x + side, y), (x + side, y - side), (x, y - side)]


@pytest.fixture
def two_areas(place: PlaceMap, qtbot: QtBot) -> PlaceMap:
    """Of the first scene, which is being edited."""
    for west in (4, 24):
        draw(place, qtbot, square(west, 10))
    assert not place.outlines.edit_area(1), "the second scene has no area"
    assert place.outlines.edit_area(0)
    return place


def test_corners_of_every_area_are_moved(two_areas: PlaceMap) -> None:
    place = two_areas
    drag(place, (WEST + 34, NORTH - 10), (WEST + 38, NORTH - 8))
    assert east(place) == [14, 38]
    drag(place, (WEST + 14, NORTH - 10), (WEST + 18, NORTH - 8))
    assert east(place) == [18, 38]


def test_an_edit_undone_stays_undone(two_areas: PlaceMap) -> None:
    place = two_areas
    drag(place, (WEST + 14, NORTH - 10), (WEST + 18, NORTH - 8))
    place._document.undo.undo()
    before = place._document.value("source", "scenes", 0, "area_wkt")
    drag(place, (WEST + 4, NORTH - 20), (WEST + 2, NORTH - 22))
    assert place._document.value("source", "scenes", 0, "area_wkt") != before
    assert east(place) == [14, 34]


def test_one_area_is_removed(two_areas: PlaceMap, qtbot: QtBot) -> None:
    place = two_areas
    for x, left in ((WEST + 29, [14]), (WEST + 9, [])):
        at = place.view.px_at((x, NORTH - 15)).toPoint()
        qtbot.mouseClick(place.view.viewport(), Qt.MouseButton.LeftButton, pos=at)
        qtbot.keyClick(place.view, Qt.Key.Key_Delete)
        assert east(place) == left
    assert place._document.value("source", "scenes", 0, "area_wkt") is None
    assert not isinstance(place.view.tool, EditTool), "there is nothing left to edit"


def test_the_edited_area_stays_with_its_image(place: PlaceMap, qtbot: QtBot) -> None:
    draw(place, qtbot, square(54, 10))
    draw(place, qtbot, square(4, 10))
    assert place.outlines.edit_area(1)
    scenes = place._document.value("source", "scenes")
    place._document.change("Remove", {("source", "scenes"): scenes[1:]})
    drag(place, (WEST + 64, NORTH - 10), (WEST + 70, NORTH - 8))
    assert east(place) == [70]
    place._document.change("Remove", {("source", "scenes"): scenes[:1]})
    assert not isinstance(place.view.tool, EditTool), "its image is gone"
    drag(place, (WEST + 14, NORTH - 10), (WEST + 18, NORTH - 8))
    assert east(place) == [14]


def test_a_click_on_a_footprint_names_its_scene(place: PlaceMap, qtbot: QtBot) -> None:
    picked: list[int] = []
    place.outlines.scene_picked.connect(picked.append)
    for x in (WEST + 20, WEST + 70, WEST + 45):
        at = place.view.px_at((x, NORTH - 20))
        qtbot.mouseClick(
            place.view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(round(at.x()), round(at.y()))
        )
    assert picked == [0, 1, -1]


def test_a_click_takes_an_image_in_or_out(place: PlaceMap, qtbot: QtBot) -> None:
    def click(x: float) -> list[bool]:
        at = place.view.px_at((x, NORTH - 20))
        where = QPoint(round(at.x()), round(at.y()))
        qtbot.mouseClick(place.view.viewport(), Qt.MouseButton.LeftButton, pos=where)
        return [scene.get("include", True) for scene in place._document.value("source", "scenes")]

    place.view.set_tool(ToggleTool(place.view))
    assert click(WEST + 70) == [True, False]
    assert not outlines(place, "Footprints").outlines[1].included
    assert click(WEST + 45) == [True, False], "a click beside all does nothing"
    assert click(WEST + 70) == [True, True]
    place._document.undo.undo()
    assert place._document.value("source", "scenes", 1, "include") is False


def test_results_lie_above_images_and_below_outlines(place: PlaceMap, tmp_path: Path) -> None:
    path = write_raster(tmp_path / "map.tif", np.zeros((1, 40, 40), np.uint8))
    layer = ClassLayer(path, Legend.model_validate(LEGEND))
    place.show_result("map", layer)
    assert place.view.layers.index(layer) == 3
    another = ClassLayer(path, Legend.model_validate(LEGEND))
    place.show_result("map", another)
    assert layer not in place.view.layers
    place.hide_result("map")
    assert another not in place.view.layers


def test_the_area_of_a_file_is_outlined(place: PlaceMap, tmp_path: Path, qtbot: QtBot) -> None:
    x, y = WEST + 5, NORTH - 5
    square = {"type": "Polygon", "coordinates": [[[x, y], [x + 9, y], [x + 9, y - 9], [x, y - 9], [x, y]]]}
    write_polygons(tmp_path / "area.gpkg", HERE, [(square, "in")], "class")
    place._document.change("File", {("source", "scenes", 0, "area"): str(tmp_path / "area.gpkg")})
    shown = outlines(place, "Areas of interest")
    qtbot.waitUntil(lambda: len(shown.outlines) == 1)
    assert max(px for px, _ in shown.outlines[0].ring) == x + 9


def test_an_area_that_encloses_nothing_is_told(place: PlaceMap, qtbot: QtBot) -> None:
    with qtbot.waitSignal(place.outlines.failed) as said:
        place.outlines.select(0)
        place.view.finish([(WEST + 5, NORTH - 5), (WEST + 9, NORTH - 5), (WEST + 7, NORTH - 5)])
    assert "encloses nothing" in said.args[0]
    assert areas(place) == [0, 0]


def test_previews_that_are_gone_leave_nothing(place: PlaceMap, tmp_path: Path, qtbot: QtBot) -> None:
    """A run shows one after the other for days."""
    path = write_raster(tmp_path / "map.tif", np.zeros((1, 40, 40), np.uint8))
    layers = []
    for _ in range(3):
        layer = ClassLayer(path, Legend.model_validate(LEGEND), "preview", place.view)
        layers.append(weakref.ref(layer))
        place.show_result("preview", layer)
        settle(place, qtbot)
        assert layer.opened
    del layer
    qtbot.wait(1)
    gc.collect()
    assert [ref() is None for ref in layers] == [True, True, False]
