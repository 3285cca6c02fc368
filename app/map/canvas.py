"""The canvas under a map: where it looks, and moving that by wheel, keys and code."""

from math import isfinite

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPalette, QPolygonF, QResizeEvent, QTransform, QWheelEvent
from PySide6.QtWidgets import QFrame, QGraphicsScene, QGraphicsView, QWidget

from app.map.frame import Frame
from geo_io.grid import Box, Grid
from geo_io.ground import Point, Ring, moved, units_m

WHEEL_STEP, KEY_STEP = 1.25, 1.5
_MOST_PX, _LEAST_PX = 256.0, 1e-7
_MARGIN = 0.95
_DIRECTIONS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}


class Canvas(QGraphicsView):
    """A plane in map coordinates, y up, seen from straight above.

    It stays on the whole map, whatever its size becomes, until it is moved.
    """

    view_changed = Signal()
    edited = Signal(list, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setScene(QGraphicsScene(self))
        self.scene().setItemIndexMethod(QGraphicsScene.ItemIndexMethod.NoIndex)
        self.frame_of_map: Frame | None = None
        self._middle, self._px_per_unit, self._whole = QPointF(), 1.0, True
        self.setAcceptDrops(False)  # whoever holds the map takes what is dropped on it
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.FullViewportUpdate)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setMinimumSize(160, 120)

    @property
    def crs_wkt(self) -> str | None:
        """The display CRS; None before anything is shown, and where the imagery has none."""
        return self.frame_of_map.crs_wkt if self.frame_of_map else None

    @property
    def center(self) -> Point:
        """The map coordinates in the middle."""
        return self.frame_of_map.to_map(self._middle) if self.frame_of_map else (0.0, 0.0)

    @property
    def metres_per_px(self) -> float:
        """Metres on the ground across one pixel of the window, in the middle."""
        if self.frame_of_map is None:
            return 1.0
        east, _ = units_m(*self.center, self.crs_wkt)
        return east * self.frame_of_map.unit_x / self._px_per_unit

    @property
    def sight(self) -> QRectF:
        """The part of the canvas in sight."""
        size = self.viewport().size()
        width, height = size.width() / self._px_per_unit, size.height() / self._px_per_unit
        return QRectF(self._middle.x() - width / 2, self._middle.y() - height / 2, width, height)

    @property
    def px_per_unit(self) -> float:
        return self._px_per_unit

    def map_at(self, at: QPointF) -> Point:
        """The map coordinates under a pixel of the viewport."""
        assert self.frame_of_map is not None
        size = self.viewport().size()
        away = QPointF(at.x() - size.width() / 2, at.y() - size.height() / 2)
        return self.frame_of_map.to_map(self._middle + away / self._px_per_unit)

    def px_at(self, point: Point) -> QPointF:
        """The pixel of the viewport over map coordinates."""
        assert self.frame_of_map is not None
        away = (self.frame_of_map.to_scene(*point) - self._middle) * self._px_per_unit
        return QPointF(self.viewport().width() / 2 + away.x(), self.viewport().height() / 2 + away.y())

    def look_at(self, center: Point, metres_per_px: float | None = None) -> None:
        """Move to map coordinates and, where given, a scale."""
        if self.frame_of_map is None:
            return
        scale = self._px_per_unit
        self._middle = self.frame_of_map.to_scene(*center)
        if metres_per_px is not None:
            scale = self._px_per_unit * self.metres_per_px / metres_per_px
        self._look(self._middle, scale)

    def pan_px(self, right: float, down: float) -> None:
        """Look further to the right and down by so many pixels of the window."""
        self._look(self._middle + QPointF(right, down) / self._px_per_unit, self._px_per_unit)

    def zoom(self, factor: float, around: Point | None = None) -> None:
        """Closer by `factor`; `around` (map coordinates, else the middle) stays where it is on screen."""
        if self.frame_of_map is None:
            return
        scale = min(max(self._px_per_unit * factor, _LEAST_PX), _MOST_PX)
        fixed = self.frame_of_map.to_scene(*around) if around else self._middle
        self._look(fixed + (self._middle - fixed) * (self._px_per_unit / scale), scale)

    def fit(self) -> None:
        """Show the whole map."""
        self.fit_rect(self.scene().itemsBoundingRect())
        self._whole = True

    def fit_ring(self, ring: Ring, crs_wkt: str | None) -> None:
        """Show all of a ring of any CRS."""
        if self.frame_of_map is not None:
            inside = moved(ring, crs_wkt, self.crs_wkt, edge=8)
            self.fit_rect(self.frame_of_map.polygon(inside).boundingRect())

    def fit_rect(self, rect: QRectF) -> None:
        """Show all of a rectangle of the canvas."""
        if rect.isValid():
            size = self.viewport().size()
            scale = min(size.width() / rect.width(), size.height() / rect.height()) * _MARGIN
            self._look(rect.center(), min(max(scale, _LEAST_PX), _MOST_PX))

    def pick(self, at: Point) -> None:
        """What a tool asks for: which outline lies at map coordinates."""
        raise NotImplementedError

    def identify(self, x: float, y: float) -> None:
        """What a tool asks for: what the layers hold at map coordinates."""
        raise NotImplementedError

    def finish(self, ring: Ring) -> None:
        """What a tool brings: a ring that was drawn, in map coordinates."""
        raise NotImplementedError

    def visible_box(self, grid: Grid) -> Box:
        """The window of `grid`, of any CRS, that is in sight; of no size where none of it is."""
        if self.frame_of_map is None:
            return Box(0, 0, 0, 0)
        corners = QPolygonF(self.sight).toList()[:4]
        ring = [self.frame_of_map.to_map(corner) for corner in corners]
        seen = [~grid.transform @ point for point in moved(ring, self.crs_wkt, grid.crs_wkt, edge=8)]
        seen = [point for point in seen if isfinite(point[0]) and isfinite(point[1])]
        if not seen:
            return Box(0, 0, 0, 0)
        cols, rows = zip(*seen, strict=True)
        left, top = int(min(cols) // 1), int(min(rows) // 1)
        right, bottom = -int(-max(cols) // 1), -int(-max(rows) // 1)
        return Box(left, top, right - left, bottom - top).clip(grid.width, grid.height)

    def _look(self, middle: QPointF, px_per_unit: float) -> None:
        self._middle, self._px_per_unit, self._whole = middle, px_per_unit, False
        self.setTransform(QTransform.fromScale(px_per_unit, px_per_unit))
        self.setSceneRect(self.sight)
        self.view_changed.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._whole:
            self.fit()
        else:
            self._look(self._middle, self._px_per_unit)

    def wheelEvent(self, event: QWheelEvent) -> None:
        steps = event.angleDelta().y() / 120
        if self.frame_of_map is not None and steps:
            self.zoom(WHEEL_STEP**steps, self.map_at(event.position()))
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if key in _DIRECTIONS:
            right, down = _DIRECTIONS[key]
            share = 0.02 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 0.2
            self.pan_px(right * share * self.viewport().width(), down * share * self.viewport().height())
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom(KEY_STEP)
        elif key == Qt.Key.Key_Minus:
            self.zoom(1 / KEY_STEP)
        elif key == Qt.Key.Key_Home:
            self.fit()
        else:
            event.ignore()

    def ground_color(self) -> QColor:
        """What shows where there is no image: apart from both black and white."""
        dark = self.palette().color(QPalette.ColorRole.Window).lightness() < 128
        return QColor("#2a2d31" if dark else "#d9dcdf")
