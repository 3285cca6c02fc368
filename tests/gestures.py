"""What a user's hands do to widgets, where pytest-qt has no word for it."""

from pathlib import Path

from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QWidget


def drop(widget: QWidget, *paths: Path) -> QDropEvent:
    """Drop files on a widget; the event tells whether it took them."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    event = QDropEvent(QPointF(5, 5), copy, data, left, none)
    event.setAccepted(False)
    widget.dropEvent(event)
    return event
