"""Moving, adding and removing the corners of a ring that is there already."""

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPen, QPolygonF

from app.map.canvas import Canvas
from app.map.tools import HALO, INK, Tool, paint_ring
from geo_io.ground import Point, Ring

_REACH_PX = 9


class EditTool(Tool):
    """Drag a corner, or the middle of an edge to make one; Delete removes the chosen corner.

    From the keyboard: Page down chooses the next corner, Space takes it to the middle of the map. The map's
    `edited` tells every change.
    """

    cursor = Qt.CursorShape.PointingHandCursor

    def __init__(self, view: Canvas, ring: Ring) -> None:
        super().__init__(view)
        self.ring, self.chosen = list(ring), -1
        self._held = False

    @property
    def hint(self) -> str:
        return self.tr(
            "Drag a corner, or an edge's middle to add one. Page down chooses, Space moves, Delete removes."
        )

    def press(self, at: QPoint) -> None:
        super().press(at)
        corner = self._near(at, [self.view.px_at(p) for p in self.ring])
        if corner is None:
            edge = self._near(at, [self.view.px_at(p) for p in _middles(self.ring)])
            if edge is not None:
                corner = edge + 1
                self.ring.insert(corner, _middles(self.ring)[edge])
        self._held = corner is not None
        self.chosen = -1 if corner is None else corner
        self.view.viewport().update()

    def drag(self, before: QPoint, now: QPoint) -> None:
        if not self._held:
            super().drag(before, now)
            return
        self.ring[self.chosen] = self.view.map_at(QPointF(now))
        self.view.viewport().update()

    def dropped(self, _at: QPoint) -> None:
        if self._held:
            self._held = False
            self._tell()

    def click(self, at: Point) -> None:
        if self.keyboard and self.chosen >= 0:
            self.ring[self.chosen] = at
            self._tell()

    def double_click(self, at: Point) -> None:
        """A corner is not two clicks."""

    def key(self, event: QKeyEvent) -> bool:
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and self.chosen >= 0:
            if len(self.ring) > 3:
                del self.ring[self.chosen]
                self.chosen = -1
                self._tell()
        elif event.key() in (Qt.Key.Key_PageDown, Qt.Key.Key_PageUp):
            step = 1 if event.key() == Qt.Key.Key_PageDown or self.chosen < 0 else -1
            self.chosen = (self.chosen + step) % len(self.ring)
            self.view.viewport().update()
        elif event.key() == Qt.Key.Key_Escape and self.chosen >= 0:
            self.chosen = -1
            self.view.viewport().update()
        else:
            return super().key(event)
        return True

    def paint(self, painter: QPainter) -> None:
        corners = [self.view.px_at(point) for point in self.ring]
        paint_ring(painter, QPolygonF(corners), closed=True)
        painter.setPen(QPen(HALO, 1))
        painter.setBrush(QColor("white"))
        for point in _middles(self.ring):
            painter.drawEllipse(self.view.px_at(point), 3, 3)
        if self.chosen >= 0:
            painter.setBrush(INK)
            painter.setPen(QPen(HALO, 2))
            painter.drawEllipse(corners[self.chosen], 8, 8)
        super().paint(painter)

    def _near(self, at: QPoint, points: list[QPointF]) -> int | None:
        away = [(point - QPointF(at)).manhattanLength() for point in points]
        return away.index(min(away)) if away and min(away) <= _REACH_PX else None

    def _tell(self) -> None:
        self.view.viewport().update()
        self.view.edited.emit(list(self.ring), self.view.crs_wkt or "")


def _middles(ring: Ring) -> list[Point]:
    """The middle of each edge, the first between the first two corners."""
    return [((a[0] + b[0]) / 2, (a[1] + b[1]) / 2) for a, b in zip(ring, ring[1:] + ring[:1], strict=True)]
