"""What is drawn by mouse or keyboard is what the map tells."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from worlds import NORTH, WEST

from app.map.edit_tool import EditTool
from app.map.image_layer import ImageLayer
from app.map.tools import IdentifyTool, PolygonTool, RectangleTool
from app.map.view import MapView

LEFT = Qt.MouseButton.LeftButton
CORNERS = [(100.0, -100.0), (300.0, -50.0), (400.0, -300.0)]


@pytest.fixture
def drawn(view: MapView, settle: Callable[[MapView], None], quarters: Path) -> list[tuple[Any, ...]]:
    """What the map tells of drawing, edits and points asked for; the map has an image."""
    view.add(ImageLayer(quarters))
    settle(view)
    told: list[tuple[Any, ...]] = []
    view.drawn.connect(lambda ring, crs: told.append(("drawn", ring, crs)))
    view.edited.connect(lambda ring, crs: told.append(("edited", ring, crs)))
    return told


def px(view: MapView, offset: tuple[float, float]) -> QPoint:
    return view.px_at((WEST + offset[0], NORTH + offset[1])).toPoint()


def offsets(ring: list[tuple[float, float]]) -> list[tuple[float, float]]:
    return [(x - WEST, y - NORTH) for x, y in ring]


def drag(view: MapView, start: QPoint, stop: QPoint) -> None:
    QTest.mousePress(view.viewport(), LEFT, pos=start)
    QTest.mouseMove(view.viewport(), (start + stop) / 2)
    QTest.mouseMove(view.viewport(), stop)
    QTest.mouseRelease(view.viewport(), LEFT, pos=stop)


def near(offset: tuple[float, float]) -> Any:
    """Within a pixel of the screen and a half."""
    return pytest.approx(offset, abs=2.5)


def test_dragging_moves_the_map(view: MapView, drawn: list[Any]) -> None:
    spot, scale = px(view, (300, -200)), view.metres_per_px
    before = view.center
    drag(view, spot, spot + QPoint(40, 25))
    assert view.center[0] == pytest.approx(before[0] - 40 * scale, rel=1e-6)
    assert view.center[1] == pytest.approx(before[1] + 25 * scale, rel=1e-6)
    assert not drawn


def test_a_rectangle_is_dragged(view: MapView, drawn: list[Any]) -> None:
    view.set_tool(RectangleTool(view))
    drag(view, px(view, (100, -50)), px(view, (400, -350)))
    ((what, ring, crs_wkt),) = drawn
    assert what == "drawn"
    assert crs_wkt == view.crs_wkt
    for corner, expected in zip(
        offsets(ring), [(100, -50), (400, -50), (400, -350), (100, -350)], strict=True
    ):
        assert corner == near(expected)


def test_two_clicks_make_a_rectangle_and_esc_forgets(view: MapView, drawn: list[Any], qtbot: QtBot) -> None:
    view.set_tool(RectangleTool(view))
    qtbot.mouseClick(view.viewport(), LEFT, pos=px(view, (50, -50)))
    qtbot.keyClick(view, Qt.Key.Key_Escape)
    for corner in ((100, -50), (400, -350)):
        qtbot.mouseClick(view.viewport(), LEFT, pos=px(view, corner))
    assert len(drawn) == 1
    assert offsets(drawn[0][1])[0] == near((100, -50))


def click_corners(view: MapView, qtbot: QtBot) -> None:
    for corner in CORNERS:
        qtbot.mouseClick(view.viewport(), LEFT, pos=px(view, corner))


def test_enter_closes_a_polygon(view: MapView, drawn: list[Any], qtbot: QtBot) -> None:
    view.set_tool(PolygonTool(view))
    click_corners(view, qtbot)
    assert not drawn
    qtbot.keyClick(view, Qt.Key.Key_Return)
    for corner, expected in zip(offsets(drawn[0][1]), CORNERS, strict=True):
        assert corner == near(expected)


def test_a_double_click_closes_a_polygon_with_its_own_corner(
    view: MapView, drawn: list[Any], qtbot: QtBot
) -> None:
    view.set_tool(PolygonTool(view))
    for corner in CORNERS[:2]:
        qtbot.mouseClick(view.viewport(), LEFT, pos=px(view, corner))
    spot = px(view, CORNERS[2])
    qtbot.mouseClick(view.viewport(), LEFT, pos=spot)
    qtbot.mouseDClick(view.viewport(), LEFT, pos=spot)
    assert len(drawn) == 1
    assert len(drawn[0][1]) == 3
    assert offsets(drawn[0][1])[2] == near(CORNERS[2])


def test_backspace_takes_a_corner_back_and_esc_all(view: MapView, drawn: list[Any], qtbot: QtBot) -> None:
    tool = PolygonTool(view)
    view.set_tool(tool)
    click_corners(view, qtbot)
    qtbot.keyClick(view, Qt.Key.Key_Backspace)
    assert len(tool.ring) == 2
    qtbot.keyClick(view, Qt.Key.Key_Return)
    assert not drawn
    qtbot.keyClick(view, Qt.Key.Key_Escape)
    assert not tool.ring
    view.set_tool(None)
    assert not drawn


def test_a_polygon_is_drawn_by_keys_alone(view: MapView, drawn: list[Any], qtbot: QtBot) -> None:
    view.set_tool(PolygonTool(view))
    centers = []
    for key in (Qt.Key.Key_Left, Qt.Key.Key_Up, Qt.Key.Key_Right):
        qtbot.keyClick(view, key)
        qtbot.keyClick(view, Qt.Key.Key_Space)
        centers.append(view.center)
    qtbot.keyClick(view, Qt.Key.Key_Return)
    assert drawn[0][1] == centers
    assert len(set(centers)) == 3


def test_a_tool_left_drops_what_it_had_begun(view: MapView, drawn: list[Any], qtbot: QtBot) -> None:
    tool = PolygonTool(view)
    view.set_tool(tool)
    click_corners(view, qtbot)
    view.set_tool(RectangleTool(view))
    assert not tool.ring
    assert not drawn


@pytest.fixture
def editing(view: MapView, drawn: list[Any]) -> EditTool:
    assert not drawn
    tool = EditTool(view, [[(WEST + x, NORTH + y) for x, y in CORNERS]])
    view.set_tool(tool)
    return tool


@pytest.mark.usefixtures("editing")
def test_a_corner_is_moved(view: MapView, drawn: list[Any]) -> None:
    drag(view, px(view, CORNERS[1]), px(view, (350, -80)))
    ((what, (ring,), crs_wkt),) = drawn
    assert (what, crs_wkt) == ("edited", view.crs_wkt)
    assert offsets(ring)[1] == near((350, -80))
    assert offsets(ring)[0] == CORNERS[0]


def test_the_middle_of_an_edge_becomes_a_corner(view: MapView, editing: EditTool, drawn: list[Any]) -> None:
    drag(view, px(view, (200, -75)), px(view, (210, -20)))
    assert len(editing.rings[0]) == 4
    assert offsets(drawn[0][1][0])[1] == near((210, -20))


def test_delete_removes_the_chosen_corner_but_keeps_three(
    view: MapView, editing: EditTool, drawn: list[Any], qtbot: QtBot
) -> None:
    drag(view, px(view, (200, -75)), px(view, (210, -20)))
    qtbot.keyClick(view, Qt.Key.Key_Delete)
    assert offsets(drawn[1][1][0]) == CORNERS
    qtbot.keyClick(view, Qt.Key.Key_PageDown)
    qtbot.keyClick(view, Qt.Key.Key_Delete)
    assert len(editing.rings[0]) == 3
    assert len(drawn) == 2


@pytest.mark.usefixtures("editing")
def test_a_corner_is_moved_by_keys(view: MapView, drawn: list[Any], qtbot: QtBot) -> None:
    qtbot.keyClick(view, Qt.Key.Key_PageDown)
    qtbot.keyClick(view, Qt.Key.Key_Space)
    assert drawn[0][1][0][0] == view.center


def test_an_area_is_removed_by_keys(view: MapView, editing: EditTool, drawn: list[Any], qtbot: QtBot) -> None:
    further = [(WEST + x + 100, NORTH + y - 50) for x, y in CORNERS]
    editing.take([*editing.rings, further])
    for _ in range(4):
        qtbot.keyClick(view, Qt.Key.Key_PageDown)
    qtbot.keyClick(view, Qt.Key.Key_Delete, Qt.KeyboardModifier.ShiftModifier)
    assert [offsets(ring) for ring in drawn[0][1]] == [CORNERS]


@pytest.mark.usefixtures("drawn")
def test_the_chosen_corner_stays_chosen_when_its_ring_begins_elsewhere(
    view: MapView, editing: EditTool, qtbot: QtBot
) -> None:
    qtbot.keyClick(view, Qt.Key.Key_PageDown)
    first = editing.rings[0]
    editing.take([[*first[1:], first[0]]])
    assert editing.corner == 2
    editing.take([first[1:]])
    assert editing.corner == -1


@pytest.mark.usefixtures("drawn")
def test_what_is_chosen_stays_when_nothing_changed(view: MapView, editing: EditTool, qtbot: QtBot) -> None:
    qtbot.mouseClick(view.viewport(), LEFT, pos=px(view, (270, -150)))
    assert (editing.area, editing.corner) == (0, -1)
    editing.take(editing.rings)
    assert editing.area == 0


@pytest.mark.usefixtures("editing")
def test_beside_the_corners_the_map_is_moved(view: MapView, drawn: list[Any]) -> None:
    before = view.center
    drag(view, px(view, (550, -350)), px(view, (500, -300)))
    assert view.center != before
    assert not drawn


@pytest.mark.usefixtures("drawn")
def test_identify_asks_where_it_is_clicked(view: MapView, qtbot: QtBot) -> None:
    view.set_tool(IdentifyTool(view))
    with qtbot.waitSignal(view.identified) as told:
        qtbot.mouseClick(view.viewport(), LEFT, pos=px(view, (150, -100)))
    assert told.args is not None
    assert told.args[0].rows[0][1][0] == ("band1", "1000")


@pytest.mark.usefixtures("drawn")
def test_each_tool_says_what_to_do(view: MapView) -> None:
    hints = {tool(view).hint for tool in (IdentifyTool, RectangleTool, PolygonTool)}
    assert len(hints) == 3
    assert all(hints)
