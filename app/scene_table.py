"""The scenes of a place as the rows of a table."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QStyle

from app.edits import Document, Keys
from app.project import REMOVE
from app.scene_facts import FactsReader

if TYPE_CHECKING:
    from geo_io.facts import SceneFacts

Index = QModelIndex | QPersistentModelIndex

NAME, CRS, PIXEL, BANDS, DEPTH, NODATA, VALID, LABELS = range(8)
_EMPTY = QModelIndex()


class SceneTable(QAbstractTableModel):
    """One row a scene. The first column's check box is the scene's `include`; the rest is read only."""

    def __init__(
        self, document: Document, place: str, facts: FactsReader, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._document, self._place, self._facts = document, place, facts
        self._rows = len(self._scenes)
        document.changed.connect(self._follow)
        facts.changed.connect(self._repaint)

    def rowCount(self, parent: Index = _EMPTY) -> int:
        return 0 if parent.isValid() else self._rows

    def columnCount(self, parent: Index = _EMPTY) -> int:
        return 0 if parent.isValid() else 8

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation == Qt.Orientation.Vertical:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._heads()[section][0]
        return self._heads()[section][1] if role == Qt.ItemDataRole.ToolTipRole else None

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return flags | Qt.ItemFlag.ItemIsUserCheckable if index.column() == NAME else flags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._scenes):
            return None
        scene = self._scenes[index.row()]
        if role == Qt.ItemDataRole.CheckStateRole and index.column() == NAME:
            return Qt.CheckState.Checked if scene.get("include", True) else Qt.CheckState.Unchecked
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(scene, self._facts.of(index.row()), index.column())
        return self._dress(scene, self._facts.of(index.row()), index.column(), role)

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.CheckStateRole or index.column() != NAME:
            return False
        included = Qt.CheckState(value) == Qt.CheckState.Checked
        what = self.tr("Include an image") if included else self.tr("Leave out an image")
        self._document.change(
            what, {(self._place, "scenes", index.row(), "include"): REMOVE if included else False}
        )
        return True

    @property
    def _scenes(self) -> list[dict[str, Any]]:
        scenes: list[dict[str, Any]] = self._document.value(self._place, "scenes", default=[])
        return scenes

    def _text(self, scene: dict[str, Any], facts: "SceneFacts | str | None", column: int) -> str:
        if column == NAME:
            return Path(scene.get("path", "")).name
        if column == LABELS:
            return Path((scene.get("labels") or {}).get("path", "")).name
        if isinstance(facts, str):
            return self.tr("cannot be read") if column == CRS else ""
        if facts is None:
            return self.tr("reading...") if column == CRS else ""
        return {
            CRS: facts.crs_name or self.tr("none"),
            PIXEL: f"{facts.grid.gsd_m:.3g}",
            BANDS: str(len(facts.bands)),
            DEPTH: facts.dtype,
            NODATA: facts.nodata_source,
            VALID: f"{facts.valid_share:.0%}",
        }[column]

    def _dress(self, scene: dict[str, Any], facts: "SceneFacts | str | None", column: int, role: int) -> Any:
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(scene, facts, column)
        if role == Qt.ItemDataRole.AccessibleTextRole and column == NAME and not scene.get("include", True):
            return self.tr("{}, left out").format(self._text(scene, facts, NAME))
        if role == Qt.ItemDataRole.DecorationRole and column == NAME and isinstance(facts, str):
            return QApplication.style().standardIcon(QStyle.StandardPixmap.SP_MessageBoxWarning)
        if role == Qt.ItemDataRole.ForegroundRole and not scene.get("include", True):
            return QGuiApplication.palette().brush(QPalette.ColorRole.PlaceholderText)
        if role == Qt.ItemDataRole.TextAlignmentRole and column in (PIXEL, BANDS, VALID):
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def _tip(self, scene: dict[str, Any], facts: "SceneFacts | str | None", column: int) -> str:
        if isinstance(facts, str):
            return facts
        if facts is None or column in (NAME, LABELS):
            path = scene.get("path") if column != LABELS else (scene.get("labels") or {}).get("path", "")
            return "\n".join([str(path), *(facts.warnings if facts and column == NAME else ())])
        size = self.tr("{0} x {1} pixels").format(facts.grid.width, facts.grid.height)
        return {
            CRS: facts.grid.crs.name if facts.grid.crs else self.tr("map units are taken to be metres"),
            PIXEL: self.tr("{0} of {1:.6g} m").format(size, facts.grid.gsd_m),
            BANDS: ", ".join(facts.bands),
        }.get(column, self._text(scene, facts, column))

    def _heads(self) -> list[tuple[str, str]]:
        return [
            (self.tr("Name"), self.tr("The image; unchecked ones are left out of the run")),
            (self.tr("CRS"), self.tr("Coordinate reference system")),
            (self.tr("Pixel (m)"), self.tr("Ground sampling distance in metres")),
            (self.tr("Bands"), self.tr("Number of bands in use")),
            (self.tr("Depth"), self.tr("Type of a pixel's value")),
            (self.tr("Nodata"), self.tr("What says that a pixel holds no data")),
            (self.tr("Valid"), self.tr("Share of the pixels that hold data, estimated")),
            (self.tr("Labels"), self.tr("The file with the class of each pixel or polygon")),
        ]

    def _follow(self, keys: Keys) -> None:
        if keys and keys[0] != self._place:
            return
        if keys and len(self._scenes) == self._rows:
            self._repaint()
            return
        self.beginResetModel()
        self._rows = len(self._scenes)
        self.endResetModel()

    def _repaint(self) -> None:
        if self._rows:
            self.dataChanged.emit(self.index(0, 0), self.index(self._rows - 1, LABELS))
