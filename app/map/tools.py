"""What the pointer and the keys do on the map: pan, pick, identify, draw."""

from PySide6.QtCore import QLineF, QObject, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPen, QPolygonF

from app.map.canvas import Canvas
from geo_io.ground import Point, Ring

_CLICK_PX = 4
INK, HALO = QColor("#ffd21f"), QColor(0, 0, 0, 200)


class Tool(QObject):
    """Drags the map; a press that does not move is a click, which each tool takes in its own way.

    Space clicks in the middle of the map, so that every tool works from the keyboard.
    """

    cursor = Qt.CursorShape.OpenHandCursor

    def __init__(self, view: Canvas) -> None:
        super().__init__(view)
        self.view = view
        self.keyboard = False
        """Whether the last click came from the keyboard: then a cross marks the middle."""
        self._pressed: QPoint | None = None
        self._dragging = False

    @property
    def hint(self) -> str:
        """What to do next, in one line."""
        return self.tr("Drag to move, wheel to zoom, click an outline to choose it.")

    def click(self, at: Point) -> None:
        self.view.pick(at)

    def double_click(self, at: Point) -> None:
        self.view.zoom(2, at)

    def press(self, at: QPoint) -> None:
        self._pressed, self._dragging, self.keyboard = at, False, False

    def move(self, at: QPoint) -> None:
        if self._pressed is not None:
            moved = at - self._pressed
            if self._dragging or moved.manhattanLength() > _CLICK_PX:
                self._dragging = True
                self.drag(self._pressed, at)
                self._pressed = at

    def release(self, at: QPoint) -> None:
        pressed, self._pressed = self._pressed, None
        if self._dragging:
            self._dragging = False
            self.dropped(at)
        elif pressed is not None:
            self.click(self.view.map_at(QPointF(at)))

    def drag(self, before: QPoint, now: QPoint) -> None:
        self.view.pan_px(before.x() - now.x(), before.y() - now.y())

    def dropped(self, at: QPoint) -> None:
        """A drag ended."""

    def key(self, event: QKeyEvent) -> bool:
        """Whether the key was of use."""
        if event.key() == Qt.Key.Key_Space:
            self.keyboard = True
            self.click(self.view.center)
            self.view.viewport().update()
            return True
        return False

    def cancel(self) -> None:
        """Drop what is half drawn."""

    def paint(self, painter: QPainter) -> None:
        """Over the map, in pixels of the viewport."""
        if self.keyboard:
            middle = QPointF(self.view.viewport().rect().center())
            arms = [QLineF(middle - arm, middle + arm) for arm in (QPointF(10, 0), QPointF(0, 10))]
            for pen in (QPen(HALO, 4), QPen(INK, 2)):
                painter.setPen(pen)
                painter.drawLines(arms)


class ToggleTool(Tool):
    """Takes outlines in or out: who listens to the map's `picked` asks whether this is the tool in hand."""

    cursor = Qt.CursorShape.PointingHandCursor

    @property
    def hint(self) -> str:
        return self.tr("Click a footprint to leave its image out, or to take it in again.")

    def double_click(self, at: Point) -> None:
        """The second click of two takes back the first: nothing more."""
        self.view.pick(at)


class IdentifyTool(Tool):
    """A click asks what lies there."""

    cursor = Qt.CursorShape.WhatsThisCursor

    @property
    def hint(self) -> str:
        return self.tr("Click a pixel to see its values. Space asks at the middle.")

    def click(self, at: Point) -> None:
        self.view.identify(*at)

    def double_click(self, at: Point) -> None:
        self.view.identify(*at)


class RectangleTool(Tool):
    """Dragged from corner to corner, or two clicks."""

    cursor = Qt.CursorShape.CrossCursor

    def __init__(self, view: Canvas) -> None:
        super().__init__(view)
        self._from: Point | None = None
        self._to: Point | None = None

    @property
    def hint(self) -> str:
        return self.tr("Drag a rectangle, or click two corners. Esc cancels.")

    def click(self, at: Point) -> None:
        if self._from is None:
            self._from = self._to = at
        else:
            self._finish(at)
        self.view.viewport().update()

    def double_click(self, at: Point) -> None:
        self.click(at)

    def drag(self, before: QPoint, now: QPoint) -> None:
        if self._from is None:
            self._from = self.view.map_at(QPointF(before))
        self._to = self.view.map_at(QPointF(now))
        self.view.viewport().update()

    def dropped(self, at: QPoint) -> None:
        self._finish(self.view.map_at(QPointF(at)))

    def move(self, at: QPoint) -> None:
        super().move(at)
        if self._from is not None:
            self._to = self.view.map_at(QPointF(at))
            self.view.viewport().update()

    def key(self, event: QKeyEvent) -> bool:
        if event.key() == Qt.Key.Key_Escape and self._from is not None:
            self.cancel()
            return True
        return super().key(event)

    def cancel(self) -> None:
        self._from = self._to = None
        self.view.viewport().update()

    def paint(self, painter: QPainter) -> None:
        if self._from is not None and self._to is not None:
            to = self.view.center if self.keyboard else self._to
            ring = _rectangle(self.view.px_at(self._from), self.view.px_at(to))
            paint_ring(painter, QPolygonF(ring), closed=True)
        super().paint(painter)

    def _finish(self, at: Point) -> None:
        assert self._from is not None
        corners = _rectangle(self.view.px_at(self._from), self.view.px_at(at))
        size = QRectF(corners[0], corners[2]).normalized()
        self.cancel()
        if size.width() >= 1 and size.height() >= 1:
            self.view.finish([self.view.map_at(corner) for corner in corners])


class PolygonTool(Tool):
    """A corner for every click; a double click or Enter closes."""

    cursor = Qt.CursorShape.CrossCursor

    def __init__(self, view: Canvas) -> None:
        super().__init__(view)
        self.ring: Ring = []
        self._to: Point | None = None

    @property
    def hint(self) -> str:
        return self.tr("Click corners; double click or Enter closes, Backspace takes one back, Esc cancels.")

    def click(self, at: Point) -> None:
        self.ring.append(at)
        self._to = at
        self.view.viewport().update()

    def double_click(self, _at: Point) -> None:
        self._finish()  # its first click added the corner

    def move(self, at: QPoint) -> None:
        super().move(at)
        self._to = self.view.map_at(QPointF(at))
        if self.ring:
            self.view.viewport().update()

    def key(self, event: QKeyEvent) -> bool:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._finish()
        elif event.key() == Qt.Key.Key_Backspace and self.ring:
            self.ring.pop()
            self.view.viewport().update()
        elif event.key() == Qt.Key.Key_Escape and self.ring:
            self.cancel()
        else:
            return super().key(event)
        return True

    def cancel(self) -> None:
        self.ring, self._to = [], None
        self.view.viewport().update()

    def paint(self, painter: QPainter) -> None:
        if self.ring:
            to = self.view.center if self.keyboard else self._to
            ring = [*self.ring, to] if to is not None else self.ring
            paint_ring(painter, QPolygonF([self.view.px_at(at) for at in ring]), closed=len(ring) > 2)
        super().paint(painter)

    def _finish(self) -> None:
        if len(self.ring) >= 3:
            ring = self.ring
            self.cancel()
            self.view.finish(ring)


def paint_ring(painter: QPainter, ring: QPolygonF, closed: bool) -> None:
    """A ring being drawn: legible on any image."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(QColor(255, 210, 31, 40) if closed else Qt.BrushStyle.NoBrush)
    for pen in (QPen(HALO, 4), QPen(INK, 2)):
        painter.setPen(pen)
        if closed:
            painter.drawPolygon(ring)
        else:
            painter.drawPolyline(ring)
    painter.setPen(QPen(HALO, 1))
    painter.setBrush(INK)
    for at in ring.toList():
        painter.drawRect(QRectF(at.x() - 3.5, at.y() - 3.5, 7, 7))


def _rectangle(one: QPointF, other: QPointF) -> list[QPointF]:
    return [one, QPointF(other.x(), one.y()), other, QPointF(one.x(), other.y())]
