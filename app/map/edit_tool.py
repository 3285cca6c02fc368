"""Moving, adding and removing the corners of rings that are there already, and whole rings."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QBrush, QColor, QKeyEvent, QPainter, QPen, QPolygonF

from app.map.canvas import Canvas
from app.map.tools import HALO, INK, Tool, paint_ring
from geo_io.ground import Point, Ring

_REACH_PX = 9
_ODD = Qt.FillRule.OddEvenFill


class EditTool(Tool):
    """Drag a corner, or the middle of an edge to make one; Delete removes the chosen corner.

    A click inside an area chooses all of it, for Delete. From the keyboard: Page down chooses the next
    corner, Space takes it to the middle of the map, Shift+Delete removes its area. The map's `edited` tells
    every change, with all rings; `take` is to bring what became of them.
    """

    cursor = Qt.CursorShape.PointingHandCursor

    def __init__(self, view: Canvas, rings: Sequence[Ring]) -> None:
        super().__init__(view)
        self.rings = [list(ring) for ring in rings]
        self._taken = [list(ring) for ring in rings]
        self.area, self.corner = -1, -1
        """What is chosen: an area, and one of its corners or -1 for all of it."""
        self._held = False

    def take(self, rings: Sequence[Ring]) -> None:
        """Hold these from now on; the chosen corner stays chosen where it still is one."""
        if list(rings) == self._taken:
            return
        self._taken = [list(ring) for ring in rings]
        place = self.view.px_at(self.rings[self.area][self.corner]) if self.corner >= 0 else None
        self.rings, self._held = [list(ring) for ring in rings], False
        self._choose(self._near(place, list, 1) if place is not None else None)

    @property
    def hint(self) -> str:
        return self.tr(
            "Drag a corner, or an edge's middle to add one; click an area to choose all of it. "
            "Delete removes what is chosen. Page down chooses a corner, Space moves it, Shift+Delete removes "
            "its area."
        )

    def press(self, at: QPoint) -> None:
        super().press(at)
        found = self._near(QPointF(at), list)
        if found is None and (edge := self._near(QPointF(at), _middles)) is not None:
            ring, found = self.rings[edge[0]], (edge[0], edge[1] + 1)
            ring.insert(found[1], _middles(ring)[edge[1]])
        self._held = found is not None
        self._choose(found)

    def drag(self, before: QPoint, now: QPoint) -> None:
        if not self._held:
            super().drag(before, now)
            return
        self.rings[self.area][self.corner] = self.view.map_at(QPointF(now))
        self.view.viewport().update()

    def dropped(self, _at: QPoint) -> None:
        if self._held:
            self._held = False
            self._tell()

    def click(self, at: Point) -> None:
        if self.keyboard and self.corner >= 0:
            self.rings[self.area][self.corner] = at
            self._tell()
        elif not self.keyboard and self.corner < 0:
            inside = (
                i for i in range(len(self.rings)) if self._shape(i).containsPoint(self.view.px_at(at), _ODD)
            )
            self._choose((next(inside, -1), -1))

    def double_click(self, at: Point) -> None:
        """A corner is not two clicks."""

    def key(self, event: QKeyEvent) -> bool:
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and self.area >= 0:
            self._remove(whole=bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
        elif event.key() in (Qt.Key.Key_PageDown, Qt.Key.Key_PageUp):
            corners = [(area, i) for area, ring in enumerate(self.rings) for i in range(len(ring))]
            now = corners.index((self.area, self.corner)) if self.corner >= 0 else -1
            step = 1 if event.key() == Qt.Key.Key_PageDown or now < 0 else -1
            self._choose(corners[(now + step) % len(corners)])
        elif event.key() == Qt.Key.Key_Escape and self.area >= 0:
            self._choose(None)
        else:
            return super().key(event)
        return True

    def paint(self, painter: QPainter) -> None:
        for area, ring in enumerate(self.rings):
            paint_ring(painter, self._shape(area), closed=True)
            painter.setPen(QPen(HALO, 1))
            painter.setBrush(QColor("white"))
            for point in _middles(ring):
                painter.drawEllipse(self.view.px_at(point), 3, 3)
        if self.area >= 0:
            painter.setBrush(INK if self.corner >= 0 else QBrush(INK, Qt.BrushStyle.DiagCrossPattern))
            painter.setPen(QPen(HALO, 2))
            if self.corner >= 0:
                painter.drawEllipse(self.view.px_at(self.rings[self.area][self.corner]), 8, 8)
            else:
                painter.drawPolygon(self._shape(self.area))
        super().paint(painter)

    def _shape(self, area: int) -> QPolygonF:
        """On screen."""
        return QPolygonF([self.view.px_at(point) for point in self.rings[area]])

    def _choose(self, found: tuple[int, int] | None) -> None:
        self.area, self.corner = found or (-1, -1)
        self.view.viewport().update()

    def _remove(self, whole: bool) -> None:
        """The chosen area, or the chosen corner of one that keeps three."""
        if whole or self.corner < 0:
            del self.rings[self.area]
        elif len(self.rings[self.area]) > 3:
            del self.rings[self.area][self.corner]
        else:
            return
        self._choose(None)
        self._tell()

    def _near(
        self, at: QPointF, points_of: Callable[[Ring], list[Point]], reach_px: float = _REACH_PX
    ) -> tuple[int, int] | None:
        """The area and position of the nearest of its points."""
        away = [
            ((self.view.px_at(point) - at).manhattanLength(), (area, i))
            for area, ring in enumerate(self.rings)
            for i, point in enumerate(points_of(ring))
        ]
        nearest = min(away, default=(reach_px + 1, None))
        return nearest[1] if nearest[0] <= reach_px else None

    def _tell(self) -> None:
        self._taken = []
        self.view.viewport().update()
        self.view.edited.emit([list(ring) for ring in self.rings], self.view.crs_wkt or "")


def _middles(ring: Ring) -> list[Point]:
    """The middle of each edge, the first between the first two corners."""
    return [((a[0] + b[0]) / 2, (a[1] + b[1]) / 2) for a, b in zip(ring, ring[1:] + ring[:1], strict=True)]
