"""Both maps: one toolbar, tools in both hands, colours shared, labels shown, what a click finds."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot
from worlds import NORTH, WEST, noise, write_raster

from app.edits import Document
from app.map.class_layers import LabelLayer
from app.map.edit_tool import EditTool
from app.map.image_layer import ImageLayer
from app.map.tools import IdentifyTool, PolygonTool, Tool
from app.map_area import MapArea
from app.place_map import PlaceMap

LEGEND = {"classes": [{"name": "water", "color": "#0000ff"}, {"name": "forest", "color": "#00ff00"}]}


@pytest.fixture
def area(tmp_path: Path, qtbot: QtBot) -> Iterator[MapArea]:
    document = Document()
    area = MapArea(document)
    for widget in (area, area.layers):
        qtbot.addWidget(widget)
        widget.resize(900, 400)
        widget.show()
    image = write_raster(tmp_path / "a.tif", noise(3, 40, 40))
    bright = write_raster(tmp_path / "b.tif", noise(3, 40, 40, "uint16") * np.uint16(100))
    labels = write_raster(tmp_path / "l.tif", np.ones((1, 40, 40), np.uint8))
    scene = {"path": str(image), "labels": {"path": str(labels)}}
    document.change(
        "All",
        {
            ("legend",): LEGEND,
            ("source", "scenes"): [scene],
            ("target", "scenes"): [{"path": str(bright)}],
        },
    )
    for place in area.maps.values():
        settle(place, qtbot)
    yield area
    area.close_maps()


def settle(place: PlaceMap, qtbot: QtBot) -> None:
    qtbot.wait(1)
    qtbot.waitUntil(lambda: not place.view.busy, timeout=20_000)


def image(place: PlaceMap) -> ImageLayer:
    return next(layer for layer in place.view.layers if isinstance(layer, ImageLayer))


def test_a_tool_is_taken_on_both_maps(area: MapArea) -> None:
    area.actions_by_name["polygon"].trigger()
    assert all(isinstance(place.view.tool, PolygonTool) for place in area.maps.values())
    area.actions_by_name["identify"].trigger()
    assert all(isinstance(place.view.tool, IdentifyTool) for place in area.maps.values())
    assert [action.isChecked() for action in area.tools.actions()].count(True) == 1


def test_an_area_in_hand_is_marked_and_explained(area: MapArea) -> None:
    hints: list[str] = []
    area.hint.connect(hints.append)
    edit, move = area.actions_by_name["edit"], area.actions_by_name["pan"]
    area.take_tool("polygon")
    edit.trigger()
    assert not edit.isChecked(), "nothing was taken in hand"
    assert area.actions_by_name["polygon"].isChecked()
    view = area.source.view
    view.set_tool(EditTool(view, [[(WEST, NORTH), (WEST + 9, NORTH), (WEST, NORTH - 9)]]))
    assert edit.isChecked()
    assert hints[-1] == view.tool.hint
    assert type(area.target.view.tool) is Tool, "what is clicked on the other map is drawn no more"
    view.set_tool(None)
    assert move.isChecked()
    assert hints[-1] == view.tool.hint


def test_equal_colours_for_equal_values_and_back(area: MapArea) -> None:
    source, target = image(area.source), image(area.target)
    assert source.limits() != target.limits()
    area.shared.trigger()
    assert source.limits() == target.limits()
    area.shared.trigger()
    assert source.limits() != target.limits()


def test_colours_stay_equal_in_another_project(area: MapArea, tmp_path: Path, qtbot: QtBot) -> None:
    area.shared.trigger()
    first = image(area.target).limits()
    document = area.source._document
    document.new()
    for place, times in (("source", 50), ("target", 200)):
        path = write_raster(tmp_path / f"{place}.tif", noise(3, 40, 40, "uint16") * np.uint16(times))
        document.change("Add", {(place, "scenes"): [{"path": str(path)}]})
        settle(area.maps[place], qtbot)
    source, target = image(area.source), image(area.target)
    assert target.limits() == source.limits() != first
    area.shared.trigger()
    assert target.limits() != source.limits()


def test_labels_of_all_images_are_shown_at_once(area: MapArea) -> None:
    (layer,) = [layer for layer in area.source.view.layers if isinstance(layer, LabelLayer)]
    assert not layer.visible
    area.labels.trigger()
    assert layer.visible
    area.labels.trigger()
    assert not layer.visible


def test_one_place_or_both(area: MapArea) -> None:
    def shown(name: str) -> list[bool]:
        area.actions_by_name[name].trigger()
        assert area.actions_by_name[name].isChecked()
        return [place.isVisible() for place in area.maps.values()]

    assert area.actions_by_name["two-places"].isChecked()
    assert shown("target-only") == [False, True]
    assert shown("source-only") == [True, False]
    assert area.active is area.source, "zooming is for the map in sight"
    assert shown("source-only") == [True, False]
    assert shown("two-places") == [True, True]


def test_linked_maps_show_the_same_metres_per_pixel(area: MapArea) -> None:
    area.linked.trigger()
    area.source.view.zoom(2)
    assert area.target.view.metres_per_px == pytest.approx(area.source.view.metres_per_px)
    area.linked.trigger()
    area.source.view.zoom(2)
    assert area.target.view.metres_per_px == pytest.approx(2 * area.source.view.metres_per_px)


def test_what_a_click_finds_is_listed(area: MapArea, qtbot: QtBot) -> None:
    area.actions_by_name["identify"].trigger()
    view = area.source.view
    middle = view.viewport().rect().center()
    with qtbot.waitSignal(view.identified, timeout=20_000):
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(middle))
    assert area.layers.currentWidget() is area.identified
    assert any(line.startswith("  band1: ") for line in area.identified.lines())
