"""A table of rows and its buttons, as the imagery and the legend have them."""

from collections.abc import Callable

from PySide6.QtCore import QAbstractItemModel, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QBoxLayout, QHeaderView, QPushButton, QTableView


class RowTable(QTableView):
    """A table of rows, its columns as wide as their texts. Its Delete key asks for removal: `removed`."""

    removed = Signal()

    def __init__(self, model: QAbstractItemModel, name: str) -> None:
        super().__init__()
        self.setModel(model)
        self.setAccessibleName(name)
        self.setTabKeyNavigation(False)  # Tab leaves the table; arrows move in it
        self.setShowGrid(False)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setResizeContentsPrecision(0)  # the rows in sight: there may be hundreds
        header.setHighlightSections(False)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Delete):
            self.removed.emit()
        else:
            super().keyPressEvent(event)


def push_button(text: str, tip: str, act: Callable[[], object], layout: QBoxLayout) -> QPushButton:
    """A button at the end of `layout` that calls `act`."""
    button = QPushButton(text)
    button.setAccessibleName(text.replace("&", "").rstrip("."))
    button.setToolTip(tip)
    button.clicked.connect(lambda _: act())
    layout.addWidget(button)
    return button
