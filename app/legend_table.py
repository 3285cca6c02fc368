"""The classes of the project as the rows of a table."""

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QColor

from app.edits import Document, Keys
from app.legend_edits import CLASSES, parse_values, renamed, values_text
from app.project import REMOVE

Index = QModelIndex | QPersistentModelIndex

COLOR, NAME, VALUES, SHARE = range(4)
_EMPTY = QModelIndex()


class LegendTable(QAbstractTableModel):
    """One row a class; names and label values are edited in place. `refused`: why a name stays as it was."""

    refused = Signal(str)

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._shares: dict[str, float] = {}
        self._rows = len(self.classes)
        document.changed.connect(self._follow)

    @property
    def classes(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._document.value(*CLASSES, default=[])
        return found

    def show_shares(self, shares: Mapping[str, float]) -> None:
        """Class name -> its share of the labels, from 0 to 1."""
        self._shares = dict(shares)
        self._repaint()

    def rowCount(self, parent: Index = _EMPTY) -> int:
        return 0 if parent.isValid() else self._rows

    def columnCount(self, parent: Index = _EMPTY) -> int:
        return 0 if parent.isValid() else 4

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation == Qt.Orientation.Vertical:
            return str(section) if role == Qt.ItemDataRole.DisplayRole else None
        heads = (
            (self.tr("Colour"), self.tr("On the map, as #rrggbb; Enter chooses another")),
            (self.tr("Name"), self.tr("What the class is called on the map")),
            (self.tr("Values"), self.tr("Label values of the class; none: its number and its name")),
            (self.tr("Share"), self.tr("Share of the labels, once they have been looked at")),
        )
        if role == Qt.ItemDataRole.DisplayRole:
            return heads[section][0]
        return heads[section][1] if role == Qt.ItemDataRole.ToolTipRole else None

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return flags | Qt.ItemFlag.ItemIsEditable if index.column() in (NAME, VALUES) else flags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self.classes):
            return None
        row, column, each = index.row(), index.column(), self.classes[index.row()]
        if role == Qt.ItemDataRole.DecorationRole and column == COLOR:
            return QColor(each.get("color", "#888888"))
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(row, column, each)
        if role == Qt.ItemDataRole.EditRole:
            return values_text(each.get("values") or []) if column == VALUES else each.get("name", "")
        if role == Qt.ItemDataRole.ToolTipRole and column == VALUES:
            return self._text(row, column, each)
        if role == Qt.ItemDataRole.TextAlignmentRole and column == SHARE:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.EditRole or not self.flags(index) & Qt.ItemFlag.ItemIsEditable:
            return False
        row, text = index.row(), str(value).strip()
        if index.column() == VALUES:
            values = parse_values(text)
            self._document.change(
                self.tr("Change a class's values"), {(*CLASSES, row, "values"): values or REMOVE}
            )
            return True
        taken = {each.get("name") for i, each in enumerate(self.classes) if i != row}
        if not text or text in taken:
            self.refused.emit(self._refusal(text, str(self.classes[row].get("name", ""))))
            return False
        self._document.change(self.tr("Rename a class"), renamed(self._document.project.content, row, text))
        return True

    def _refusal(self, text: str, kept: str) -> str:
        other = self.tr("Another class is called {0}; this one is still {1}: give a name of its own")
        none = self.tr("A class needs a name; this one is still {0}")
        return other.format(text, kept) if text else none.format(kept)

    def _text(self, row: int, column: int, each: dict[str, Any]) -> str:
        if column == VALUES:
            automatic = self.tr("({0}, {1})").format(row, each.get("name", ""))
            return values_text(each.get("values") or []) or automatic
        if column == SHARE:
            share = self._shares.get(each.get("name", ""))
            return "" if share is None else f"{share:.1%}"
        return str(each.get("color" if column == COLOR else "name", ""))

    def _follow(self, keys: Keys) -> None:
        if keys and keys[0] != "legend":
            return
        if keys and len(self.classes) == self._rows:
            self._repaint()
            return
        if not keys:
            self._shares = {}
        self.beginResetModel()
        self._rows = len(self.classes)
        self.endResetModel()

    def _repaint(self) -> None:
        if self._rows:
            self.dataChanged.emit(self.index(0, 0), self.index(self._rows - 1, SHARE))
