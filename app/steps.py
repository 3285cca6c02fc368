"""The steps of the work, one panel each: a list to the left, the chosen panel beside it."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QStackedWidget,
    QWidget,
)

RAIL_PX = 128


class Steps(QWidget):
    """Panels by name, in the order of the work. `entered` carries the name of the panel now shown."""

    entered = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.names: list[str] = []
        self.rail = QListWidget(self)
        self.rail.setObjectName("steps")
        self.rail.setFixedWidth(RAIL_PX)
        self.rail.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.rail.setAccessibleName(self.tr("Steps"))
        self.stack = QStackedWidget(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.rail)
        layout.addWidget(self.stack, 1)
        self.rail.currentRowChanged.connect(self._enter)

    def add(self, name: str, title: str, panel: QWidget, tip: str) -> None:
        """Append a step; its panel scrolls by itself where it needs to."""
        self.names.append(name)
        self.stack.addWidget(panel)
        item = QListWidgetItem(f"{len(self.names)}  {title}")
        item.setToolTip(tip)
        item.setSizeHint(QSize(RAIL_PX, 40))
        self.rail.addItem(item)
        if len(self.names) == 1:
            self.rail.setCurrentRow(0)

    def title(self, name: str) -> str:
        return self.rail.item(self.names.index(name)).text().split("  ")[1]

    @property
    def current(self) -> str:
        return self.names[self.rail.currentRow()]

    def show_step(self, name: str) -> None:
        self.rail.setCurrentRow(self.names.index(name))

    def mark(self, name: str, mark: str, words: str) -> None:
        """A sign behind a step's title ("!", "✓" or nothing), and what it means."""
        item = self.rail.item(self.names.index(name))
        title = item.text().split("  ")
        item.setText("  ".join([*title[:2], mark]) if mark else "  ".join(title[:2]))
        item.setData(Qt.ItemDataRole.AccessibleDescriptionRole, words)

    def _enter(self, row: int) -> None:
        self.stack.setCurrentIndex(row)
        self.entered.emit(self.names[row])
