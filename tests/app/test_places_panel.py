"""The lists of both places, hand in hand with their maps."""

from pathlib import Path

from gestures import drag_onto
from pytestqt.qtbot import QtBot
from worlds import NORTH, WEST, noise, write_raster

from app.edits import Document
from app.map.edit_tool import EditTool
from app.map.tools import PolygonTool
from app.map_area import MapArea
from app.places_panel import PlacesPanel


def test_images_dropped_on_a_map_come_to_its_place(tmp_path: Path, qtbot: QtBot) -> None:
    document = Document()
    maps = MapArea(document)
    panel = PlacesPanel(document, maps)
    for widget in (maps, panel):
        qtbot.addWidget(widget)
        widget.show()
    (tmp_path / "tiles").mkdir()
    one = write_raster(tmp_path / "one.tif", noise(3, 40, 40))
    two = write_raster(tmp_path / "tiles" / "two.tif", noise(3, 40, 40))
    for place, path, added in (("source", one, one), ("target", tmp_path / "tiles", two)):
        with qtbot.waitSignal(panel.wanted):
            drag_onto(maps.maps[place].view.viewport(), path)
        assert panel.currentWidget() is panel.imagery[place]
        qtbot.waitUntil(lambda place=place: len(document.value(place, "scenes", default=[])) == 1)
        assert document.value(place, "scenes") == [{"path": str(added)}]
        assert panel.imagery[place].notice.text() == "Images added: 1"
    maps.close_maps()


def test_an_area_is_drawn_where_there_is_none_and_edited_where_there_is(tmp_path: Path, qtbot: QtBot) -> None:
    document = Document()
    maps = MapArea(document)
    panel = PlacesPanel(document, maps)
    for widget in (maps, maps.layers, panel):
        qtbot.addWidget(widget)
        widget.show()
    path = write_raster(tmp_path / "a.tif", noise(3, 40, 40))
    document.change("Add", {("source", "scenes"): [{"path": str(path)}]})
    source, view = panel.imagery["source"], maps.source.view
    source.select(0)
    qtbot.waitUntil(lambda: source.area.draw.isEnabled())  # its facts were told to everybody
    qtbot.waitUntil(lambda: view.frame_of_map is not None)
    maps.actions_by_name["target-only"].trigger()
    source.area.draw.click()
    assert maps.source.isVisible(), "it is drawn there"
    assert isinstance(view.tool, PolygonTool)
    ring = [(WEST + x, NORTH - y) for x, y in ((5, 5), (15, 5), (15, 15))]
    view.finish(ring)
    assert "Edit" in source.area.draw.text()
    source.area.draw.click()
    assert isinstance(view.tool, EditTool)
    assert {tuple(round(v) for v in corner) for corner in view.tool.rings[0]} == {
        (round(x), round(y)) for x, y in ring
    }
    maps.close_maps()
