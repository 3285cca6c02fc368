"""Footprints and areas on the map: named rings that can be clicked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QFontMetricsF, QPainter, QPen, QPolygonF, QTransform
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from app.map.frame import Frame
from app.map.layers import Layer
from geo_io.ground import Ring, moved

_EDGE_PARTS = 16
_NAMED_FROM_PX = 48


@dataclass(frozen=True)
class Outline:
    """A ring in `crs_wkt`, called `name`. `selected` is drawn bold, not `included` dashed and crossed out."""

    id: str
    name: str
    ring: Ring
    crs_wkt: str | None
    selected: bool = False
    included: bool = True


class OutlineLayer(Layer):
    """Outlines in one colour; states differ by line and pattern, never by colour alone."""

    def __init__(self, name: str, color: str = "#1d6fb8", parent: QObject | None = None) -> None:
        super().__init__(name, parent)
        self.color = QColor(color)
        self.outlines: list[Outline] = []

    def set_outlines(self, outlines: Sequence[Outline]) -> None:
        if list(outlines) != self.outlines:
            self.outlines = list(outlines)
            self.changed.emit()

    def set_selected(self, ids: Sequence[str]) -> None:
        self.set_outlines([replace(outline, selected=outline.id in ids) for outline in self.outlines])

    def pen(self, outline: Outline) -> QPen:
        """The line of an outline, in screen pixels."""
        style = Qt.PenStyle.SolidLine if outline.included else Qt.PenStyle.DashLine
        pen = QPen(self.color, 3.5 if outline.selected else 1.6, style)
        pen.setCosmetic(True)
        return pen

    def brush(self, outline: Outline) -> QBrush:
        """Crossed where left out, lightly filled where selected."""
        if not outline.included:
            return QBrush(_faint(self.color, 150), Qt.BrushStyle.DiagCrossPattern)
        return QBrush(_faint(self.color, 40 if outline.selected else 10))


class OutlineItem(QGraphicsItem):
    """An outline layer on the canvas."""

    def __init__(self, layer: OutlineLayer) -> None:
        super().__init__()
        self.layer = layer
        self._bounds = QRectF()
        self._shapes: list[tuple[Outline, QPolygonF]] = []

    def place(self, frame: Frame) -> None:
        """Take over the layer's outlines as they are now."""
        self.prepareGeometryChange()
        self._shapes, self._bounds = [], QRectF()
        for outline in self.layer.outlines:
            ring = moved(outline.ring, outline.crs_wkt, frame.crs_wkt, edge=_EDGE_PARTS)
            shape = frame.polygon(ring)
            self._shapes.append((outline, shape))
            self._bounds |= shape.boundingRect()

    def boundingRect(self) -> QRectF:
        return self._bounds

    def at(self, point: QPointF) -> Outline | None:
        """The smallest outline around a point of the canvas."""
        hits = [pair for pair in self._shapes if pair[1].containsPoint(point, Qt.FillRule.OddEvenFill)]
        sizes = [(shape.boundingRect().width() * shape.boundingRect().height()) for _, shape in hits]
        return hits[sizes.index(min(sizes))][0] if hits else None

    def paint(
        self, painter: QPainter, _option: QStyleOptionGraphicsItem, _widget: QWidget | None = None
    ) -> None:
        world = painter.worldTransform()
        shown = QRectF(painter.viewport())
        painter.resetTransform()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for outline, shape in self._shapes:
            on_screen = world.map(shape)
            if on_screen.boundingRect().intersects(shown):
                painter.setBrush(Qt.BrushStyle.NoBrush)
                halo = QColor(255, 255, 255, 190 if outline.included else 90)
                painter.setPen(QPen(halo, self.layer.pen(outline).widthF() + 2))
                painter.drawPolygon(on_screen)
                painter.setPen(self.layer.pen(outline))
                painter.setBrush(self.layer.brush(outline))
                painter.drawPolygon(on_screen)
                _paint_name(painter, outline, on_screen.boundingRect() & shown)
        painter.setWorldTransform(QTransform(world))


def _paint_name(painter: QPainter, outline: Outline, room: QRectF) -> None:
    """In the upper left corner of what is seen of it, on a ground that any image lets it be read on."""
    if min(room.width(), room.height()) < _NAMED_FROM_PX or not outline.name:
        return
    font = QFont(painter.font())
    font.setBold(outline.selected)
    painter.setFont(font)
    metrics = QFontMetricsF(font)
    text = metrics.elidedText(outline.name, Qt.TextElideMode.ElideMiddle, room.width() - 16)
    plate = QRectF(room.topLeft() + QPointF(4, 4), metrics.size(0, text)).adjusted(0, 0, 8, 2)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(0, 0, 0, 160))
    painter.drawRoundedRect(plate, 3, 3)
    painter.setPen(QColor("white"))
    painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, text)


def _faint(color: QColor, alpha: int) -> QColor:
    return QColor(color.red(), color.green(), color.blue(), alpha)
