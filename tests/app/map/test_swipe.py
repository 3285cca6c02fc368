"""The swipe shows one set of layers on each side of its handle."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot
from worlds import NORTH, WEST, write_raster

from app.map.class_layers import ClassLayer
from app.map.swipe import SwipeHandle
from app.map.view import MapView
from geo_io.legend import Legend

Color = Callable[[MapView, tuple[float, float]], tuple[int, int, int]]


@pytest.fixture
def swipe(view: MapView, settle: Callable[[MapView], None], tmp_path: Path, legend: Legend) -> SwipeHandle:
    """Class 0 to the left, class 2 to the right."""
    before, after = (
        ClassLayer(write_raster(tmp_path / f"{i}.tif", np.full((400, 600), i, "uint8")), legend)
        for i in (0, 2)
    )
    view.add(before)
    view.add(after)
    settle(view)
    return view.start_swipe([before], [after])


def shown(view: MapView, color: Color, legend: Legend) -> list[str]:
    """The classes at 10, 40, 60 and 90 % of the width, above the grip."""
    names = {c.rgb: c.name for c in legend.classes}
    return [names[color(view, (WEST + 600 * share, NORTH - 100))] for share in (0.1, 0.4, 0.6, 0.9)]


def test_each_side_shows_its_layers(view: MapView, swipe: SwipeHandle, color: Color, legend: Legend) -> None:
    assert shown(view, color, legend) == ["water", "water", "crop", "crop"]
    swipe.set_position(0.25)
    assert shown(view, color, legend) == ["water", "crop", "crop", "crop"]
    view.stop_swipe()
    assert shown(view, color, legend) == ["crop"] * 4


def test_the_handle_is_dragged(view: MapView, swipe: SwipeHandle, color: Color, legend: Legend) -> None:
    QTest.mousePress(swipe, Qt.MouseButton.LeftButton, pos=swipe.rect().center())
    target = swipe.mapFrom(view, QPoint(300, 100))
    QTest.mouseMove(swipe, target)
    assert swipe.position == pytest.approx(0.75, abs=0.01)
    assert swipe.geometry().center().x() == pytest.approx(300, abs=2)
    assert shown(view, color, legend) == ["water", "water", "water", "crop"]


def test_the_handle_is_moved_by_keys(swipe: SwipeHandle, qtbot: QtBot) -> None:
    qtbot.keyClick(swipe, Qt.Key.Key_Right)
    assert swipe.position == pytest.approx(0.51)
    qtbot.keyClick(swipe, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert swipe.position == pytest.approx(0.41)
    qtbot.keyClick(swipe, Qt.Key.Key_Home)
    assert swipe.position == 0
    qtbot.keyClick(swipe, Qt.Key.Key_End)
    assert swipe.position == 1


def test_it_keeps_its_share_when_the_map_is_resized(
    view: MapView, swipe: SwipeHandle, color: Color, legend: Legend
) -> None:
    swipe.set_position(0.25)
    view.resize(800, 600)
    assert swipe.geometry().center().x() == pytest.approx(200, abs=2)
    assert shown(view, color, legend) == ["water", "crop", "crop", "crop"]


def test_each_side_is_named_until_the_swipe_ends(view: MapView, swipe: SwipeHandle, qtbot: QtBot) -> None:
    left, right = swipe.tags
    assert (left.text(), right.text()) == ("0", "2")
    swipe.set_position(0.4)
    line = swipe.geometry().center().x()
    assert left.geometry().right() <= line <= right.geometry().left()
    view.stop_swipe()
    qtbot.waitUntil(lambda: not view.findChildren(QLabel))
