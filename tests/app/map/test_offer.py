"""A raster too large to be seen whole is shown coarsely, and overviews are offered."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from worlds import NORTH, WEST, write_raster

from app.map.image_layer import ImageLayer
from app.map.offer import OverviewOffer
from app.map.view import MapView
from geo_io import glance, preview

Settle = Callable[[MapView], None]
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def offer(view: MapView, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> OverviewOffer:
    """What is large is made small, so that a small file is large."""
    monkeypatch.setattr(preview, "_FREE_PX", 2**16)
    monkeypatch.setattr(preview, "_TILE_READ_PX", 2**16)
    monkeypatch.setattr(glance, "_READ_PX", 2**20)
    offer = OverviewOffer(view)
    qtbot.addWidget(offer)
    return offer


@pytest.fixture
def large(tmp_path: Path) -> ImageLayer:
    """2048 px, dark on the left, light on the right, with one light column that no sparse read meets."""
    values = np.full((1, 2048, 2048), 50, "uint8")
    values[:, :, 1024:] = 200
    values[:, :, 500:512] = 200
    layout = {"tiled": True, "blockxsize": 256, "blockysize": 256}
    return ImageLayer(write_raster(tmp_path / "large.tif", values, **layout))


def test_nothing_is_offered_where_nothing_is_needed(
    view: MapView, settle: Settle, offer: OverviewOffer, tmp_path: Path
) -> None:
    view.add(ImageLayer(write_raster(tmp_path / "small.tif", np.ones((9, 9), "uint8"))))
    settle(view)
    assert offer.isHidden()


def test_it_is_seen_coarsely_until_overviews_are_built(
    view: MapView, settle: Settle, offer: OverviewOffer, large: ImageLayer, qtbot: QtBot
) -> None:
    view.add(large)
    settle(view)
    assert not offer.isHidden()
    assert "large.tif" in offer.text.text()
    line = view.px_at((WEST + 506, NORTH - 700)).toPoint()
    assert view.grab().toImage().pixelColor(line).red() == 0
    assert view.grab().toImage().pixelColor(line + type(line)(120, 0)).red() == 255
    qtbot.mouseClick(offer.build, LEFT)
    qtbot.waitUntil(lambda: not large.needs_overviews, timeout=20_000)
    settle(view)
    assert large.path.with_name("large.tif.ovr").exists()
    assert offer.isHidden()
    assert view.grab().toImage().pixelColor(line).red() > 200


def test_declined_it_does_not_come_back(
    view: MapView, settle: Settle, offer: OverviewOffer, large: ImageLayer, qtbot: QtBot
) -> None:
    view.add(large)
    settle(view)
    qtbot.mouseClick(offer.decline, LEFT)
    assert offer.isHidden()
    view.layers_changed.emit()
    assert offer.isHidden()


def test_why_it_could_not_be_built_is_told(
    view: MapView, settle: Settle, offer: OverviewOffer, large: ImageLayer, qtbot: QtBot
) -> None:
    view.add(large)
    settle(view)
    large.path.unlink()
    with qtbot.waitSignal(offer.failed) as told:
        qtbot.mouseClick(offer.build, LEFT)
    assert told.args is not None
    assert "does not exist" in told.args[0]
    assert offer.isHidden()


def test_a_surprise_ends_the_build_too(
    view: MapView,
    settle: Settle,
    offer: OverviewOffer,
    large: ImageLayer,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def surprised(*_: object) -> bool:
        raise ValueError("nobody expected\nthis")

    monkeypatch.setattr("app.map.offer.build_overviews", surprised)
    view.add(large)
    settle(view)
    with qtbot.waitSignal(offer.failed) as told:
        qtbot.mouseClick(offer.build, LEFT)
    assert told.args == ["unexpected ValueError: nobody expected this; please report it, with its details"]
    assert offer.isHidden()


def test_a_cancelled_build_leaves_nothing_behind(
    view: MapView,
    settle: Settle,
    offer: OverviewOffer,
    large: ImageLayer,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("geo_io.overviews._PART_PX", 8)
    view.add(large)
    settle(view)
    qtbot.mouseClick(offer.build, LEFT)
    qtbot.waitUntil(lambda: offer.bar.value() > 0)
    qtbot.mouseClick(offer.decline, LEFT)
    assert sorted(path.name for path in large.path.parent.iterdir()) == ["large.tif"]
    assert not offer.isHidden()
    assert offer.build.isVisibleTo(offer)
