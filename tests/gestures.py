"""What a user's hands do to widgets, where pytest-qt has no word for it."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QWidget

COPY, LEFT, NONE = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


def drag_onto(widget: QWidget, *paths: Path) -> None:
    """Drag files over a widget and let go; whichever of its parents takes drops gets them."""
    data = _data(paths)
    enter = QDragEnterEvent(QPoint(5, 5), COPY, data, LEFT, NONE)
    enter.setAccepted(False)
    QApplication.sendEvent(widget, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(widget, QDropEvent(QPointF(5, 5), COPY, data, LEFT, NONE))


def drop(widget: QWidget, *paths: Path) -> QDropEvent:
    """Drop files on a widget; the event tells whether it took them."""
    data = _data(paths)
    event = QDropEvent(QPointF(5, 5), COPY, data, LEFT, NONE)
    event.setAccepted(False)
    widget.dropEvent(event)
    return event


def _data(paths: Sequence[Path]) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return data
