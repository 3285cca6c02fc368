"""A map on no screen, and rasters to show on it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot
from worlds import write_raster

from app.map.view import MapView
from geo_io.legend import LandClass, Legend

Settle = Callable[[MapView], None]


@pytest.fixture
def view(qtbot: QtBot) -> Iterator[MapView]:
    """400 x 300 pixels, shown, empty."""
    view = MapView()
    qtbot.addWidget(view)
    view.resize(400, 300)
    view.show()
    yield view
    view.stop()


@pytest.fixture
def settle(qtbot: QtBot) -> Settle:
    """Waits until nothing is left to read."""

    def wait(view: MapView) -> None:
        qtbot.wait(1)
        qtbot.waitUntil(lambda: not view.busy, timeout=20_000)
        qtbot.wait(1)

    return wait


@pytest.fixture
def color() -> Callable[[MapView, tuple[float, float]], tuple[int, int, int]]:
    """What is painted at map coordinates."""

    def at(view: MapView, place: tuple[float, float]) -> tuple[int, int, int]:
        px = view.px_at(place)
        image = view.grab().toImage()
        assert image.rect().contains(QPointF(px).toPoint())
        seen = QColor(image.pixel(int(px.x()), int(px.y())))
        return seen.red(), seen.green(), seen.blue()

    return at


@pytest.fixture
def legend() -> Legend:
    colors = {"water": "#4477aa", "forest": "#228833", "crop": "#ccbb44"}
    return Legend(classes=[LandClass(name=name, color=color) for name, color in colors.items()])


@pytest.fixture
def quarters(tmp_path: Path) -> Path:
    """600 x 400 m: red, green, blue, and no data in the lower right, of 1 m pixels."""
    values = np.zeros((3, 400, 600), "uint16")
    values[:] = 1
    values[0, :200, :300] = 1000
    values[1, :200, 300:] = 1000
    values[2, 200:, :300] = 1000
    values[:, 200:, 300:] = 0
    return write_raster(tmp_path / "quarters.tif", values, nodata=0)


@pytest.fixture
def halves(tmp_path: Path) -> Path:
    """600 x 400 m of class 0 on the left and class 1 on the right; the lowest 50 m have none."""
    values = np.zeros((400, 600), "uint8")
    values[:, 300:] = 1
    values[350:] = 255
    return write_raster(tmp_path / "halves.tif", values, nodata=255)
