"""What lies under a click on the map: coordinates, and the values of every layer in sight."""

from PySide6.QtCore import Slot
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import QLabel, QStackedLayout, QTreeWidget, QTreeWidgetItem, QWidget

from app.map.feed import Identified
from app.map.scale import in_degrees, in_map_units


class IdentifiedPanel(QWidget):
    """Shows the last answer of either map; Ctrl+C copies it as text."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: list[str] = []
        self.tree = QTreeWidget(self)
        self.tree.setAccessibleName(self.tr("What lies under the click"))
        self.tree.setHeaderLabels([self.tr("Layer"), self.tr("Value")])
        self.tree.setRootIsDecorated(False)
        self.hint = QLabel(self.tr("Take the Identify tool (I) and click on a map."), self)
        self.hint.setWordWrap(True)
        self.hint.setMargin(8)
        self.hint.setProperty("role", "hint")
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self.hint)
        self._stack.addWidget(self.tree)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Copy), self.tree, self.copy)

    @Slot(object)
    def show_answer(self, found: Identified) -> None:
        """Replace what was shown."""
        self.tree.clear()
        self._shown.clear()
        point = found.point
        place = [(self.tr("map units"), on_two_lines(in_map_units(point, 3)))]
        if point.lat is not None and point.lon is not None:
            place.append((self.tr("latitude, longitude"), on_two_lines(in_degrees(point.lat, point.lon))))
        for name, pairs in [(self.tr("Place"), place), *found.rows]:
            value = "" if pairs else self.tr("nothing here")
            item = QTreeWidgetItem(self.tree, [name, value])
            item.addChildren([QTreeWidgetItem(list(pair)) for pair in pairs])
            self._shown += [f"{name} {value}".rstrip(), *(f"  {what}: {text}" for what, text in pairs)]
        self.tree.expandAll()
        self.tree.resizeColumnToContents(0)
        self._stack.setCurrentWidget(self.tree)

    def copy(self) -> None:
        """Put what is shown on the clipboard, a line each."""
        QGuiApplication.clipboard().setText("\n".join(self.lines()))

    def lines(self) -> list[str]:
        """What is shown, as text."""
        return [line.replace("\n", ", ") for line in self._shown]


def on_two_lines(coordinates: str) -> str:
    """A pair that does not fit beside its name in a narrow panel."""
    return coordinates.replace(", ", "\n")
