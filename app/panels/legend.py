"""The legend: classes with colours, names and the label values that mean them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QModelIndex
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QAbstractItemView,
    QColorDialog,
    QFormLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QMenu,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from app.background import Background
from app.edits import Document, Keys
from app.fault_line import FaultLine
from app.label_reading import read_labels
from app.legend_edits import (
    CLASSES,
    collisions,
    moved,
    of_preset,
    of_values,
    parse_values,
    recolored,
    shares_of,
    values_text,
    with_class,
    without,
)
from app.legend_table import COLOR, NAME, VALUES, LegendTable
from app.legends import Preset, presets
from app.palettes import alike
from app.panels.row_table import RowTable, push_button
from geo_io.legend import IGNORE, Value

if TYPE_CHECKING:
    from geo_io.label_values import LabelValues


class LegendPanel(QWidget):
    """Edits the project's legend."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._background = Background(self)
        self._build()
        document.changed.connect(self._follow)
        self._follow(())

    @property
    def classes(self) -> list[dict[str, Any]]:
        return self.model.classes

    @property
    def _ignored(self) -> list[Value]:
        ignored: list[Value] = self._document.value("legend", "ignore", default=[IGNORE])
        return ignored

    @property
    def current(self) -> int:
        """The row of the selected class, -1 for none."""
        index = self.table.currentIndex()
        return index.row() if index.isValid() else -1

    def show_shares(self, shares: Mapping[str, float]) -> None:
        """Class name -> share of the labels, from 0 to 1: preflight counts them exactly."""
        self.model.show_shares(shares)

    def add(self) -> None:
        classes = with_class(self.classes, self.tr("new class"))
        self._change(self.tr("Add a class"), classes, len(classes) - 1)
        self.table.edit(self.model.index(len(classes) - 1, NAME))

    def remove(self) -> None:
        row = self.current
        if row >= 0:
            classes = without(self.classes, row)
            self._change(self.tr("Remove a class"), classes, min(row, len(classes) - 1))

    def shift(self, by: int) -> None:
        """Move the selected class up (-1) or down (1); the order is that of the map's values."""
        row = self.current
        if row >= 0 and 0 <= row + by < len(self.classes):
            self._change(self.tr("Order the classes"), moved(self.classes, row, by), row + by)

    def recolor(self) -> None:
        """Give all classes colours that hold for any colour vision."""
        self._change(self.tr("Colour the classes"), recolored(self.classes), self.current)

    def set_color(self, row: int, color: str) -> None:
        self._document.change(self.tr("Colour a class"), {(*CLASSES, row, "color"): color.lower()})

    def take_preset(self, preset: Preset) -> None:
        """Replace the legend by one that is shipped."""
        self._document.change(self.tr("Take a legend"), of_preset(preset.legend))
        self._tell(preset.about)

    def read(self) -> None:
        """Make the legend know every value that the source's labels hold."""
        scenes = self._document.value("source", "scenes", default=[])
        labels = [scene["labels"] for scene in scenes if scene.get("labels") and scene.get("include", True)]
        self._tell(self.tr("Reading the labels..."))
        self.read_button.setEnabled(False)
        self._background.run(lambda: read_labels(labels), self._take_values, self._read_failed)

    def _take_values(self, found: "LabelValues") -> None:
        self.read_button.setEnabled(True)
        values, added = of_values(found.values, self.classes, self._ignored)
        if added:
            self._document.change(self.tr("Read the legend from labels"), values)
        words = self.tr("Classes added for values in the labels: {}.").format(added)
        some = self.tr(" Only parts of the files were read: rare values may be missing.")
        nothing = self.tr("Every value in the labels has a class or is ignored.")
        self._tell((words if added else nothing) + (some if found.sampled else ""))
        self.model.show_shares(shares_of(found.values, self.classes))

    def _read_failed(self, sentence: str) -> None:
        self.read_button.setEnabled(True)
        self._tell(sentence)

    def _change(self, what: str, classes: list[dict[str, Any]], row: int) -> None:
        self._document.change(what, {CLASSES: classes})
        if row >= 0:
            self.table.setCurrentIndex(self.model.index(row, NAME))

    def _choose_color(self, index: QModelIndex) -> None:
        if index.column() == COLOR:
            now = QColor(self.classes[index.row()]["color"])
            chosen = QColorDialog.getColor(now, self, self.tr("Colour of the class"))
            if chosen.isValid():
                self.set_color(index.row(), chosen.name())

    def _set_ignore(self) -> None:
        values = parse_values(self.ignore.text())
        if values == self._ignored:
            return
        self._document.change(self.tr("Change the ignored values"), {("legend", "ignore"): values})

    def _follow(self, keys: Keys) -> None:
        if keys and keys[0] != "legend":
            return
        if not keys:
            self._tell("")
        self.fault.say("")
        self.ignore.setText(values_text(self._ignored))
        warnings = self._warnings()
        self.warning.setText("\n".join(warnings))
        self.warning.setVisible(bool(warnings))
        self._enable()

    def _warnings(self) -> list[str]:
        if len(self.classes) < 2:
            return [self.tr("A legend needs at least two classes: take one, or read it from labels.")]
        names, colors = zip(*((each["name"], each["color"]) for each in self.classes), strict=True)
        pairs = list(alike(colors))
        said = ", ".join(self.tr("{0} and {1}").format(names[a], names[b]) for a, b in pairs[:4])
        more = self.tr(" and others") if len(pairs) > 4 else ""
        told = self.tr("Hard to tell apart, most of all with red-green colour blindness: {0}{1}.")
        claimed = self.tr("The value {0} belongs to both {1} and {2}: take it from one of them.")
        return ([told.format(said, more)] if pairs else []) + [
            claimed.format(*each) for each in collisions(self.classes)[:3]
        ]

    def _enable(self) -> None:
        row, count = self.current, len(self.classes)
        self.remove_button.setEnabled(row >= 0)
        self.up.setEnabled(row > 0)
        self.down.setEnabled(0 <= row < count - 1)
        self.recolor_button.setEnabled(count > 0)

    def _tell(self, text: str) -> None:
        self.notice.setText(text)
        self.notice.setVisible(bool(text))

    def _fill_presets(self) -> None:
        if self.menu.isEmpty():
            for preset in presets():
                action = self.menu.addAction(preset.name)
                action.setToolTip(preset.about)
                action.triggered.connect(lambda _=False, preset=preset: self.take_preset(preset))

    def _build(self) -> None:
        self.model = LegendTable(self._document, self)
        self.notice, self.warning = QLabel(wordWrap=True), QLabel(wordWrap=True)
        self.notice.setAccessibleName(self.tr("About the legend"))
        self.warning.setAccessibleName(self.tr("Warnings about the legend"))
        self.ignore = QLineEdit()
        self.ignore.setAccessibleName(self.tr("Ignored label values"))
        self.ignore.setToolTip(
            self.tr("Label values that mean no class: not learnt, and not taken for unknown")
        )
        self.ignore.editingFinished.connect(self._set_ignore)
        form = QFormLayout()
        form.addRow(self.tr("&Ignored values"), self.ignore)
        layout = QVBoxLayout(self)
        layout.addLayout(self._build_sources())
        layout.addWidget(self.notice)
        layout.addWidget(self._build_table(), 1)
        layout.addWidget(self.fault)
        layout.addLayout(self._build_edits())
        layout.addWidget(self.warning)
        layout.addLayout(form)

    def _build_sources(self) -> QHBoxLayout:
        row = QHBoxLayout()
        take = self.tr("A published nomenclature, with its values and colours")
        tip = self.tr("Add a class for each value in the source's labels that has none")
        self.preset_button = push_button(self.tr("&Take a legend"), take, lambda: None, row)
        self.menu = QMenu(self.preset_button)
        self.menu.setToolTipsVisible(True)
        self.menu.aboutToShow.connect(self._fill_presets)
        self.preset_button.setMenu(self.menu)
        self.read_button = push_button(self.tr("&Read from labels"), tip, self.read, row)
        row.addStretch(1)
        colors = self.tr("Okabe and Ito's colours, then Paul Tol's: told apart with any colour vision")
        self.recolor_button = push_button(self.tr("&Safe colours"), colors, self.recolor, row)
        return row

    def _build_edits(self) -> QHBoxLayout:
        row = QHBoxLayout()
        push_button(self.tr("&Add"), self.tr("Add a class"), self.add, row)
        gone = self.tr("Remove the selected class; its label values then have no class")
        self.remove_button = push_button(self.tr("Re&move"), gone, self.remove, row)
        row.addStretch(1)
        up, down = self.tr("Move the class up: its number on the map changes"), self.tr("Move the class down")
        self.up = push_button(self.tr("&Up"), up, lambda: self.shift(-1), row)
        self.down = push_button(self.tr("&Down"), down, lambda: self.shift(1), row)
        return row

    def _build_table(self) -> QTableView:
        self.table = RowTable(self.model, self.tr("Classes"))
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.horizontalHeader().setSectionResizeMode(VALUES, QHeaderView.ResizeMode.Stretch)
        self.table.activated.connect(self._choose_color)
        self.table.selectionModel().currentChanged.connect(lambda *_: self._enable())
        self.model.modelReset.connect(self._enable)
        self.table.removed.connect(self.remove)
        self.fault = FaultLine(self.table)
        self.model.refused.connect(self.fault.say)
        return self.table
