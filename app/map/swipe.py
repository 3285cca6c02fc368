"""The handle between two sets of layers that are compared side by side on the same ground."""

from PySide6.QtCore import QPointF, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QLabel, QWidget

_WIDTH_PX, _GRIP_PX, _TAG_PX = 22, 18, 10


class SwipeHandle(QWidget):
    """A line from top to bottom of its parent, dragged or moved with the arrow keys.

    `position` is the share of the width to its left.
    """

    moved = Signal(float)

    def __init__(self, parent: QWidget, left: str = "", right: str = "") -> None:
        super().__init__(parent)
        self.position = 0.5
        self.tags = [self._tag(parent, name) for name in (left, right)]
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.SplitHCursor)
        self.setAccessibleName(self.tr("Swipe between {} and {}").format(left or "1", right or "2"))
        self.setToolTip(self.tr("Drag, or use the arrow keys: {} | {}").format(left, right))
        self.settle()

    def _tag(self, parent: QWidget, name: str) -> QLabel:
        """The name of one side, at the top beside the line; it goes with the handle."""
        tag = QLabel(name, parent)
        tag.setStyleSheet(
            "background: rgba(30, 30, 30, 200); color: white; padding: 3px 8px; border-radius: 3px"
        )
        tag.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        tag.setVisible(bool(name))
        self.destroyed.connect(tag.deleteLater)
        return tag

    def set_position(self, position: float) -> None:
        """Between 0, all of the right layers, and 1, all of the left."""
        position = min(max(position, 0.0), 1.0)
        if position != self.position:
            self.position = position
            self.settle()
            self.moved.emit(position)

    def settle(self) -> None:
        """Take its place in the parent, which may have another size."""
        middle = round(self.position * self._room().width())
        self.setGeometry(QRect(middle - _WIDTH_PX // 2, 0, _WIDTH_PX, self._room().height()))
        left, right = self.tags
        for tag in self.tags:
            tag.adjustSize()
        left.move(middle - _WIDTH_PX // 2 - left.width(), _TAG_PX)
        right.move(middle + _WIDTH_PX // 2, _TAG_PX)
        self.raise_()

    def sizeHint(self) -> QSize:
        return QSize(_WIDTH_PX, 100)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            x = self.mapToParent(event.position().toPoint()).x()
            self.set_position(x / max(self._room().width(), 1))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = 0.1 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 0.01
        moves = {Qt.Key.Key_Left: -step, Qt.Key.Key_Right: step, Qt.Key.Key_Home: -1.0, Qt.Key.Key_End: 1.0}
        if event.key() in moves:
            self.set_position(self.position + moves[Qt.Key(event.key())])
        else:
            event.ignore()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        x, y = self.width() / 2, self.height() / 2
        for pen in (QPen(QColor(0, 0, 0, 150), 4), QPen(QColor("white"), 2)):
            painter.setPen(pen)
            painter.drawLine(QPointF(x, 0), QPointF(x, self.height()))
        ring = self.palette().highlight().color() if self.hasFocus() else QColor(0, 0, 0, 150)
        painter.setPen(QPen(ring, 3 if self.hasFocus() else 1.5))
        painter.setBrush(QColor("white"))
        painter.drawEllipse(QPointF(x, y), _GRIP_PX / 2, _GRIP_PX / 2)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor("#333"))
        for side in (-1, 1):
            tip, base = x + side * 6, x + side * 2
            painter.drawPolygon(QPolygonF([QPointF(tip, y), QPointF(base, y - 4), QPointF(base, y + 4)]))

    def _room(self) -> QRect:
        parent = self.parentWidget()
        return parent.rect() if parent else self.rect()
