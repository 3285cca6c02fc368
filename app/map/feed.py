"""Keeps what a map needs next being read: files opened, tiles in sight, then those around."""

from collections.abc import Hashable, Sequence
from functools import partial
from typing import NamedTuple

from PySide6.QtCore import QObject, QRectF, Signal, Slot
from PySide6.QtGui import QImage

from app.map.cache import TileCache
from app.map.frame import Frame, MapPoint, level_for, tiles_in
from app.map.layers import Opened, RasterLayer
from app.map.loader import Loader, Request, attempt
from app.map.raster_item import OVERALL
from geo_io.preview import Tile


class Sight(NamedTuple):
    """What is in sight: a rectangle of the canvas, and device pixels to its unit."""

    shown: QRectF
    px_per_unit: float


class Identified(NamedTuple):
    """What lies under a point: per layer, the topmost first, its name and pairs of what and its value."""

    point: MapPoint
    rows: list[tuple[str, list[tuple[str, str]]]]


class Feed(QObject):
    """Reads for the layers of one map; answers arrive on the window's thread."""

    opened = Signal(object)
    failed = Signal(object, str)
    arrived = Signal(object)
    identified = Signal(object)

    def __init__(self, cache: TileCache, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.cache, self.loader, self._asks = cache, Loader(self), Loader(self, threads=1)
        self._layers: dict[int, RasterLayer] = {}
        self._opening: dict[int, tuple[Hashable, ...]] = {}
        self.loader.done.connect(self._take)
        self._asks.done.connect(self._answer)

    def refresh(
        self, layers: Sequence[RasterLayer], frame: Frame | None, crs_wkt: str | None, sight: Sight
    ) -> None:
        """Read what `layers`, the topmost first, lack; whatever else was waiting is dropped.

        As long as there is no frame only the lowest layer is opened, in `crs_wkt`: it decides on one. A
        hidden layer is opened when it is shown: of labels few are, and vector files load much.
        """
        self._layers = {layer.key: layer for layer in layers}
        self._opening = {key: asked for key, asked in self._opening.items() if key in self._layers}
        closed = [layer for layer in layers if layer.key in self._opening and layer.visible]
        wanted = [
            Request(self._opening[layer.key], layer.opener(crs_wkt)) for layer in closed[0 if frame else -1 :]
        ]
        shown = [layer for layer in layers if layer.opened and layer.visible]
        if frame is not None:
            wanted += [self._overall(layer) for layer in shown if self._lacks(layer, OVERALL)]
            for ring in (0, 1):
                wanted += self._tiles(shown, frame, sight, ring)
        self.loader.want(wanted)

    def open(self, layer: RasterLayer) -> None:
        """Open the layer's file with the next refresh."""
        self._opening[layer.key] = (layer.key, layer.revision, object())

    def ask(self, point: MapPoint, layers: Sequence[RasterLayer], crs_wkt: str | None) -> None:
        """Answered by `identified`."""
        asks = [(layer.name, layer.asker()) for layer in layers if layer.opened]
        failed = self.tr("cannot be read")

        def work() -> Identified:
            rows = []
            for name, ask in asks:
                found, problem = attempt(partial(ask, point.x, point.y, crs_wkt))
                rows.append((name, [(failed, problem)] if problem else found or []))
            return Identified(point, [(name, found) for name, found in rows if found])

        self._asks.want([Request((0, 0, point), work)])

    def forget(self, layer: RasterLayer) -> None:
        self._opening.pop(layer.key, None)
        self._layers.pop(layer.key, None)
        self.cache.forget(layer.key)

    def stop(self) -> None:
        self.loader.stop()
        self._asks.stop()

    def _overall(self, layer: RasterLayer) -> Request:
        return Request((layer.key, layer.revision, OVERALL), layer.overall())

    def _tiles(self, layers: Sequence[RasterLayer], frame: Frame, sight: Sight, ring: int) -> list[Request]:
        requests = []
        for layer in layers:
            assert layer.opened is not None
            to_scene, view, read = frame.of_grid(layer.opened.view), layer.opened.view, layer.reader()
            scale = sight.px_per_unit
            level = level_for(to_scene * to_scene.fromScale(scale, scale), view, layer.fine_levels)
            for tile in tiles_in(sight.shown, to_scene, view, level, ring):
                if self._lacks(layer, tile):
                    key = (layer.key, layer.revision, tile)
                    requests.append(Request(key, lambda read=read, tile=tile: read(tile)))  # type: ignore[misc]  # mypy infers no type for its defaults
        return requests

    def _lacks(self, layer: RasterLayer, tile: Hashable) -> bool:
        entry = self.cache.get(layer.key, tile)
        return entry is None or entry[0] != layer.revision

    @Slot(object, object, object)
    def _take(self, key: tuple[int, int, Tile | str], result: object, problem: str | None) -> None:
        layer = self._layers.get(key[0])
        if layer is None:
            return
        if self._opening.get(layer.key) == key:
            del self._opening[layer.key]
            self._take_opened(layer, result, problem)
        elif key[1] == layer.revision and isinstance(key[2], Tile | str):
            if problem and problem != layer.problem:
                layer.refuse(problem)
                self.failed.emit(layer, problem)
            self.cache.put(layer.key, key[2], layer.revision, result if isinstance(result, QImage) else None)
            self.arrived.emit(layer)

    def _take_opened(self, layer: RasterLayer, result: object, problem: str | None) -> None:
        if isinstance(result, Opened):
            if layer.opened is not None and layer.opened.view != result.view:
                self.cache.forget(layer.key)
            layer.take(result)
            self.opened.emit(layer)
        else:
            layer.refuse(problem or "")
            self.failed.emit(layer, layer.problem)

    @Slot(object, object, object)
    def _answer(self, _key: object, result: object, _problem: str | None) -> None:
        if result is not None:
            self.identified.emit(result)
