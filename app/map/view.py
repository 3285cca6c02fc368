"""The map: layers on a canvas, a tool in hand, reads in the background."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from affine import Affine
from PySide6.QtCore import QEvent, QRect, QRectF, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import QWidget

from app.map.cache import CACHE_BYTES, TileCache
from app.map.canvas import Canvas
from app.map.feed import Feed, Sight
from app.map.frame import Frame
from app.map.layers import Layer, RasterLayer
from app.map.outlines import OutlineItem, OutlineLayer
from app.map.placed import Placed
from app.map.raster_item import RasterItem
from app.map.swipe import SwipeHandle
from app.map.tools import Tool
from geo_io.grid import Grid
from geo_io.ground import Point, Ring, bounds, moved

_SETTLE_MS = 15
"""Reads are asked for this long after a move, so that a fast pan asks once a frame at most."""


class MapView(Canvas):
    """Layers over each other, the first at the bottom, in the CRS of the first one opened.

    `pointed` carries a MapPoint, None when the pointer leaves; `identified` an Identified; `drawn` a
    ring and its CRS, `edited` rings and theirs; `picked` an outline's id, "" beside all; `failed` a layer
    and why.
    """

    pointed = Signal(object)
    identified = Signal(object)
    drawn = Signal(list, str)
    picked = Signal(str)
    failed = Signal(object, str)
    layers_changed = Signal()
    layer_opened = Signal(object)
    tool_changed = Signal()

    def __init__(self, parent: QWidget | None = None, cache_bytes: int = CACHE_BYTES) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Map"))
        self.empty_text = self.tr("Nothing to show yet: add an image.")
        self.feed = Feed(TileCache(cache_bytes), self)
        self._placed: list[Placed] = []
        self._many = False
        self.tool = Tool(self)
        self.swipe: SwipeHandle | None = None
        self._sides: tuple[set[int], set[int]] = (set(), set())
        self._wanted_crs: str | None = None
        self._due = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._due.timeout.connect(self._refresh)
        self.feed.opened.connect(self._on_opened)
        self.feed.failed.connect(self._on_failed)
        self.feed.arrived.connect(self._on_arrived)
        self.feed.identified.connect(self.identified)
        self.view_changed.connect(self._due.start)
        self.set_tool(self.tool)

    @property
    def layers(self) -> list[Layer]:
        """From the bottom up."""
        return [placed.layer for placed in self._placed]

    @property
    def busy(self) -> bool:
        """Whether something in sight is still being read."""
        return self._due.isActive() or self.feed.loader.busy

    def add(self, layer: Layer, index: int | None = None) -> None:
        """Show a layer: above all others, or at `index` from the bottom."""
        item = OutlineItem(layer) if isinstance(layer, OutlineLayer) else None
        placed = Placed(layer, item or RasterItem(_raster(layer), self.feed.cache), self)
        placed.stale.connect(self._due.start)
        placed.reopen.connect(self._open)
        self._placed.insert(len(self._placed) if index is None else index, placed)
        self.scene().addItem(placed.item)
        self._order()
        self._open(placed)

    def remove(self, layer: Layer) -> None:
        placed = self._of(layer)
        self._placed.remove(placed)
        placed.release()
        self.scene().removeItem(placed.item)
        if isinstance(layer, RasterLayer):
            self.feed.forget(layer)
        if not self._placed:
            self.frame_of_map, self._whole = None, True
        self._order()

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Add and remove many layers; `layers_changed` comes once, at the end, if any came or went."""
        before, self._many = self.layers, True
        try:
            yield
        finally:
            self._many = False
            if self.layers != before:
                self._order()

    def clear(self) -> None:
        for layer in self.layers:
            self.remove(layer)

    def move_layer(self, layer: Layer, index: int) -> None:
        """To `index` from the bottom."""
        placed = self._of(layer)
        self._placed.remove(placed)
        self._placed.insert(index, placed)
        self._order()

    def set_crs(self, crs_wkt: str | None) -> None:
        """Show everything in this CRS; None, in that of the first layer."""
        self._wanted_crs, self.frame_of_map, self._whole = crs_wkt, None, True
        for placed in self._placed:
            self._open(placed)

    def set_tool(self, tool: Tool | None) -> None:
        """Take a tool in hand, None for the plain hand; what the last one had half drawn is dropped."""
        self.tool.cancel()
        self.tool = tool or Tool(self)
        self.viewport().setCursor(self.tool.cursor)
        self.viewport().update()
        self.tool_changed.emit()

    def start_swipe(self, left: Sequence[Layer], right: Sequence[Layer]) -> SwipeHandle:
        """Show `left` only to the left of a handle and `right` only to its right."""
        self.stop_swipe()
        names = [side[-1].name if side else "" for side in (left, right)]
        self.swipe = SwipeHandle(self, *names)
        self._sides = {layer.key for layer in left}, {layer.key for layer in right}
        self.swipe.moved.connect(self._clip)
        self.swipe.show()
        self._clip()
        return self.swipe

    def stop_swipe(self) -> None:
        if self.swipe is not None:
            self.swipe.deleteLater()
            self.swipe, self._sides = None, (set(), set())
            self._clip()

    def identify(self, x: float, y: float) -> None:
        """Ask all visible layers what lies at map coordinates; answered by `identified`."""
        if self.frame_of_map is not None:
            point = self.frame_of_map.point(self.frame_of_map.to_scene(x, y))
            self.feed.ask(point, [layer for layer in self._rasters() if layer.visible], self.crs_wkt)

    def pick(self, at: Point) -> None:
        """Tell which outline, the topmost layer first, lies at map coordinates."""
        if self.frame_of_map is None:
            return
        where = self.frame_of_map.to_scene(*at)
        items = [
            p.item for p in reversed(self._placed) if p.layer.visible and isinstance(p.item, OutlineItem)
        ]
        hits = [hit for item in items if (hit := item.at(where)) is not None]
        if items:
            self.picked.emit(hits[0].id if hits else "")

    def finish(self, ring: Ring) -> None:
        """A tool has drawn something."""
        self.drawn.emit(ring, self.crs_wkt or "")

    def stop(self) -> None:
        """End the reads; for when the window closes."""
        self.feed.stop()

    def _rasters(self) -> list[RasterLayer]:
        """The topmost first."""
        return [layer for layer in reversed(self.layers) if isinstance(layer, RasterLayer)]

    def _of(self, layer: Layer) -> Placed:
        return next(placed for placed in self._placed if placed.layer is layer)

    def _order(self) -> None:
        if self._many:
            return
        for height, placed in enumerate(self._placed):
            placed.item.setZValue(height)
        self._clip()
        self.layers_changed.emit()
        self._due.start()

    @Slot(object)
    def _open(self, placed: Placed) -> None:
        if isinstance(placed.layer, RasterLayer):
            self.feed.open(placed.layer)
        elif self.frame_of_map is not None:
            placed.place(self.frame_of_map)
        self._due.start()

    @Slot()
    def _refresh(self) -> None:
        if self.frame_of_map is None:
            self._frame_outlines()
        ratio = self.devicePixelRatioF()
        crs_wkt = self.crs_wkt if self.frame_of_map else self._wanted_crs
        self.feed.refresh(
            self._rasters(), self.frame_of_map, crs_wkt, Sight(self.sight, self.px_per_unit * ratio)
        )

    def _frame_outlines(self) -> None:
        """Outlines decide where the map is as long as no raster can."""
        found = [o for layer in self.layers if isinstance(layer, OutlineLayer) for o in layer.outlines]
        if found and not any(
            layer.opened or (layer.visible and not layer.problem) for layer in self._rasters()
        ):
            crs_wkt = self._wanted_crs or found[0].crs_wkt
            west, south, east, north = bounds(moved(found[0].ring, found[0].crs_wkt, crs_wkt))
            step = max(east - west, north - south, 1e-9) / 1000
            self._set_frame(Frame.around(Grid(crs_wkt, Affine(step, 0, west, 0, -step, north), 1000, 1000)))

    def _set_frame(self, frame: Frame) -> None:
        self.frame_of_map = frame
        for placed in self._placed:
            placed.place(frame)
        self.fit()

    @Slot(object)
    def _on_opened(self, layer: RasterLayer) -> None:
        assert layer.opened is not None
        if self.frame_of_map is None:
            self._set_frame(Frame.around(layer.opened.view))
        else:
            self._of(layer).place(self.frame_of_map)
            if self._whole:
                self.fit()
        self._due.start()
        self.layer_opened.emit(layer)

    @Slot(object, str)
    def _on_failed(self, layer: RasterLayer, problem: str) -> None:
        self._due.start()
        self.failed.emit(layer, problem)

    @Slot(object)
    def _on_arrived(self, layer: RasterLayer) -> None:
        self._of(layer).item.update()

    @Slot()
    def _clip(self) -> None:
        """Each side of the swipe keeps to its side."""
        size = self.viewport().size()
        split = round(size.width() * self.swipe.position) if self.swipe else 0
        sides = QRect(0, 0, split, size.height()), QRect(split, 0, size.width() - split, size.height())
        for placed in self._placed:
            if isinstance(placed.item, RasterItem):
                within = (
                    side for side, keys in zip(sides, self._sides, strict=True) if placed.layer.key in keys
                )
                placed.item.clip = next(within, None)
        self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.swipe is not None:
            self.swipe.settle()
            self._clip()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self.frame_of_map is not None and event.button() == Qt.MouseButton.LeftButton:
            self.tool.press(event.position().toPoint())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self.frame_of_map is not None:
            self.tool.move(event.position().toPoint())
            x, y = self.map_at(event.position())
            self.pointed.emit(self.frame_of_map.point(self.frame_of_map.to_scene(x, y)))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self.frame_of_map is not None and event.button() == Qt.MouseButton.LeftButton:
            self.tool.release(event.position().toPoint())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self.frame_of_map is not None and event.button() == Qt.MouseButton.LeftButton:
            self.tool.double_click(self.map_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.pointed.emit(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.frame_of_map is None or not self.tool.key(event):
            super().keyPressEvent(event)

    def drawBackground(self, painter: QPainter, rect: QRectF | QRect) -> None:
        painter.fillRect(rect, self.ground_color())

    def drawForeground(self, painter: QPainter, _rect: QRectF | QRect) -> None:
        painter.resetTransform()
        if self.frame_of_map is not None:
            self.tool.paint(painter)
        elif not self._placed:
            painter.setPen(self.palette().windowText().color())
            room = self.viewport().rect().adjusted(24, 24, -24, -24)
            painter.drawText(room, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self.empty_text)


def _raster(layer: Layer) -> RasterLayer:
    if not isinstance(layer, RasterLayer):
        raise TypeError(f"a map cannot show a {type(layer).__name__}")
    return layer
