"""Reads in the background: only what is still wanted, in bounded memory."""

import threading
from collections.abc import Callable
from pathlib import Path

from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot
from worlds import NORTH, WEST, noise, write_raster

from app.details import details_of
from app.map.cache import TileCache
from app.map.image_layer import ImageLayer
from app.map.loader import Loader, Request
from app.map.view import MapView
from core.errors import BadInput
from geo_io.preview import Picture


def test_what_is_no_longer_wanted_is_never_read(qtbot: QtBot) -> None:
    loader, go, read = Loader(threads=1), threading.Event(), list[str]()

    def work(name: str) -> Request:
        return Request((0, 0, name), lambda: (go.wait(10), read.append(name)))

    loader.want([work("first"), work("stale")])
    qtbot.waitUntil(lambda: bool(loader._queue._running))
    loader.want([work("fresh"), work("first")])
    go.set()
    qtbot.waitUntil(lambda: not loader.busy)
    assert read == ["first", "fresh"]
    loader.stop()


def test_an_error_is_told_in_words(qtbot: QtBot) -> None:
    loader = Loader()

    def fail() -> None:
        raise BadInput("a.tif", "is damaged", "copy it again")

    with qtbot.waitSignal(loader.done) as told:
        loader.want([Request((1, 2, 3), fail)])
    assert told.args == [(1, 2, 3), None, "a.tif: is damaged; copy it again"]
    with qtbot.waitSignal(loader.done) as told:
        loader.want([Request((1, 2, 4), lambda: [][0])])
    assert told.args is not None
    assert "IndexError" in told.args[2]
    assert "Traceback" in details_of(told.args[2])
    loader.stop()


def test_stopped_it_tells_nothing_more(qtbot: QtBot) -> None:
    loader, go, told = Loader(threads=1), threading.Event(), list[object]()
    loader.done.connect(lambda *answer: told.append(answer))
    loader.want([Request((1,), lambda: go.wait(10)), Request((2,), lambda: None)])
    qtbot.waitUntil(lambda: bool(loader._queue._running))
    threading.Timer(0.1, go.set).start()
    loader.stop()
    qtbot.wait(50)
    assert not told


def image(side: int) -> QImage:
    return QImage(side, side, QImage.Format.Format_ARGB32_Premultiplied)


def test_the_cache_keeps_to_its_bound_and_drops_what_was_not_used() -> None:
    cache = TileCache(capacity_bytes=5 * 256 * 256 * 4)
    for tile in range(4):
        cache.put("layer", tile, 1, image(256))
    assert cache.get("layer", 0)
    for tile in range(4, 7):
        cache.put("layer", tile, 1, image(256))
    assert cache.held_bytes <= 5 * 256 * 256 * 4
    assert cache.get("layer", 0)
    assert cache.get("layer", 1) is None
    cache.put("layer", 0, 2, None)
    assert cache.get("layer", 0) == (2, None)
    cache.forget("layer")
    assert cache.held_bytes == 0


def test_panning_far_keeps_the_map_s_memory_bounded(
    qtbot: QtBot, settle: Callable[[MapView], None], tmp_path: Path
) -> None:
    path = write_raster(tmp_path / "a.tif", noise(1, 600, 6000))
    view = MapView(cache_bytes=3 * 2**20)
    qtbot.addWidget(view)
    view.resize(400, 300)
    view.show()
    view.add(ImageLayer(path))
    settle(view)
    for x in range(0, 6000, 500):
        view.look_at((WEST + x, NORTH - 300), 1)
        settle(view)
    assert 2**20 < view.feed.cache.held_bytes <= 3 * 2**20
    view.stop()


def test_a_pan_away_cancels_the_reads_that_are_waiting(
    view: MapView,
    qtbot: QtBot,
    settle: Callable[[MapView], None],
    tmp_path: Path,
) -> None:
    path = write_raster(tmp_path / "a.tif", noise(1, 4000, 4000))
    layer = ImageLayer(path)
    view.add(layer)
    settle(view)
    assert layer.opened is not None
    picture, go, cols = layer.opened.picture, threading.Event(), list[int]()
    original = Picture.read_tile

    def slow(view_grid: object, tile: object, bands: object) -> object:
        go.wait(10)
        cols.append(tile.col)  # type: ignore[attr-defined]
        return original(picture, view_grid, tile, bands)  # type: ignore[arg-type]

    picture.read_tile = slow  # type: ignore[assignment,method-assign]
    view.look_at((WEST + 300, NORTH - 300), 1)
    qtbot.waitUntil(lambda: len(view.feed.loader._queue._running) == 2)
    view.look_at((WEST + 3600, NORTH - 300), 1)
    qtbot.waitUntil(lambda: not view._due.isActive())
    go.set()
    settle(view)
    assert sum(col < 6 for col in cols) == 2
    assert sum(col > 8 for col in cols) >= 4
