"""Which bands of a place's images are used, in which order and under which names, and what is nodata."""

from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.edits import Document, Keys
from app.fault_line import FaultLine
from app.project import REMOVE
from app.scene_facts import FactsReader

_POSITION = Qt.ItemDataRole.UserRole


class BandsEditor(QWidget):
    """Edits `bands`, `band_names`, `nodata` and `invalid_when` of a place: they hold for all its images."""

    def __init__(
        self, document: Document, place: str, facts: FactsReader, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._document, self._place, self._facts = document, place, facts
        self._names: list[str] = []
        self._build()
        document.changed.connect(self._follow)
        facts.changed.connect(self._refresh)
        self._refresh()

    def shift(self, by: int) -> None:
        """Move the current band up (-1) or down (1) in the order of use."""
        row, chosen = self.bands.currentRow(), self._chosen()
        if 0 <= row < len(chosen) and 0 <= row + by < len(chosen):
            chosen.insert(row + by, chosen.pop(row))
            self._choose(chosen, self.tr("Order the bands"))
            self.bands.setCurrentRow(row + by)

    def use_all(self) -> None:
        """All bands as they are in the file."""
        values: dict[Keys, Any] = {
            (self._place, "bands"): REMOVE,
            (self._place, "band_names"): REMOVE,
        }
        self._document.change(self.tr("Use all bands"), values)

    def _follow(self, keys: Keys) -> None:
        if not keys or keys[0] == self._place:
            self.fault.say("")
            self._refresh()

    def _refresh(self) -> None:
        known = next((facts for facts in self._facts.facts if facts), None)
        if known:  # else as before: where the choice is wrong, the list is still needed to mend it
            self._names = list(known.file_bands)
        chosen = self._chosen()
        order = [*chosen, *(i for i in range(len(self._names)) if i not in chosen)]
        row = self.bands.currentRow()
        with QSignalBlocker(self.bands):
            # In place: this may be the answer to an edit of one of the items.
            while self.bands.count() < len(order):
                self.bands.addItem(QListWidgetItem())
            while self.bands.count() > len(order):
                self.bands.takeItem(self.bands.count() - 1)
            for line, position in enumerate(order):
                self._show_band(self.bands.item(line), position, position in chosen)
            self.bands.setCurrentRow(min(row, len(order) - 1))
        self._show_nodata()

    def _show_nodata(self) -> None:
        self.nodata.setText(self._nodata_text())
        when = self._document.value(self._place, "invalid_when", default="all")
        self.invalid_when.setCurrentIndex(self.invalid_when.findData(when))

    def _nodata_text(self) -> str:
        """All its digits: what is shown may be taken for what was typed."""
        nodata = self._document.value(self._place, "nodata")
        return "" if nodata is None else repr(float(nodata)).removesuffix(".0")

    def _show_band(self, item: QListWidgetItem, position: int, used: bool) -> None:
        item.setText(self._names[position])
        item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsEditable)
        item.setCheckState(Qt.CheckState.Checked if used else Qt.CheckState.Unchecked)
        item.setData(_POSITION, position)
        item.setToolTip(self.tr("Band {} of the file; F2 renames it").format(position + 1))

    def _chosen(self) -> list[int]:
        """Positions in the file of the bands in use, in order."""
        bands = self._document.value(self._place, "bands")
        if bands is None:
            return list(range(len(self._names)))
        folded = [name.casefold() for name in self._names]
        places = [
            band - 1 if isinstance(band, int) else folded.index(band.casefold())
            for band in bands
            if isinstance(band, int) or band.casefold() in folded
        ]
        return [place for place in dict.fromkeys(places) if 0 <= place < len(self._names)]

    def _choose(self, chosen: list[int], what: str) -> None:
        natural = chosen == list(range(len(self._names)))
        value = REMOVE if natural else [self._names[i] for i in chosen]
        self._document.change(what, {(self._place, "bands"): value})

    def _edited(self, item: QListWidgetItem) -> None:
        position, name = int(item.data(_POSITION)), item.text().strip()
        if name != self._names[position]:
            self._rename(position, name)
            return
        chosen = self._chosen()
        used = item.checkState() == Qt.CheckState.Checked
        if used and position not in chosen:
            self._choose([*chosen, position], self.tr("Use a band"))
        elif not used and len(chosen) > 1:
            self._choose([i for i in chosen if i != position], self.tr("Leave out a band"))
        self._refresh()  # the last band in use cannot be left out: its check comes back

    def _rename(self, position: int, name: str) -> None:
        others = {n.casefold() for i, n in enumerate(self._names) if i != position}
        if not name or name.casefold() in others:
            self._refresh()
            other = self.tr("Another band is called {0}; this one is still {1}: give a name of its own")
            none = self.tr("A band needs a name; this one is still {1}")
            self.fault.say((other if name else none).format(name, self._names[position]))
            return
        chosen = self._chosen()
        names = [name if i == position else old for i, old in enumerate(self._names)]
        values: dict[Keys, Any] = {(self._place, "band_names"): names}
        if self._document.value(self._place, "bands") is not None:
            values[(self._place, "bands")] = [names[i] for i in chosen]
        self._names = names
        self._document.change(self.tr("Rename a band"), values)

    def _set_nodata(self) -> None:
        text = self.nodata.text().strip().replace(",", ".")
        if text == self._nodata_text():
            return  # the field is left as it was: what was said of it stays
        try:
            value: Any = float(text) if text else REMOVE
        except ValueError:
            self._show_nodata()
            kept = self.nodata.text() or self.nodata.placeholderText()
            said = self.tr("{0} is no number, so nodata is still: {1}; give one such as -9999, or nothing")
            self.fault.say(said.format(text, kept))
            return
        self._document.change(self.tr("Change nodata"), {(self._place, "nodata"): value})

    def _set_when(self, _: int) -> None:
        when = self.invalid_when.currentData()
        keys = (self._place, "invalid_when")
        self._document.change(self.tr("Change nodata"), {keys: REMOVE if when == "all" else when})

    def _build(self) -> None:
        hint = QLabel(self.tr("Checked bands are used, in this order. Both places need the same ones."))
        hint.setWordWrap(True)
        self.bands = QListWidget()
        self.bands.setAccessibleName(self.tr("Bands in the order of use"))
        self.bands.setEditTriggers(
            QAbstractItemView.EditTrigger.EditKeyPressed | QAbstractItemView.EditTrigger.DoubleClicked
        )
        self.bands.itemChanged.connect(self._edited)
        self.fault = FaultLine(self.bands)
        column = QVBoxLayout()
        for text, tip, act in (
            (self.tr("&Up"), self.tr("Use the band earlier"), lambda: self.shift(-1)),
            (self.tr("Do&wn"), self.tr("Use the band later"), lambda: self.shift(1)),
            (self.tr("As in the &file"), self.tr("All bands, in the file's order and names"), self.use_all),
        ):
            button = QPushButton(text)
            button.setAccessibleName(tip)
            button.setToolTip(tip)
            button.clicked.connect(lambda _, act=act: act())
            column.addWidget(button)
        column.addStretch(1)
        row = QHBoxLayout()
        row.addWidget(self.bands, 1)
        row.addLayout(column)
        layout = QVBoxLayout(self)
        layout.addWidget(hint)
        layout.addLayout(row, 1)
        layout.addLayout(self._build_nodata())
        layout.addWidget(self.fault)

    def _build_nodata(self) -> QFormLayout:
        self.nodata = QLineEdit(placeholderText=self.tr("as the files say"))
        self.nodata.setAccessibleName(self.tr("Nodata value"))
        self.nodata.setToolTip(self.tr("A pixel value that means no data, beside what the files say"))
        self.nodata.editingFinished.connect(self._set_nodata)
        self.invalid_when = QComboBox()
        self.invalid_when.addItem(self.tr("all bands in use hold it"), "all")
        self.invalid_when.addItem(self.tr("any band in use holds it"), "any")
        self.invalid_when.setAccessibleName(self.tr("When a pixel is nodata"))
        self.invalid_when.setToolTip(self.tr("Any: also where only some bands end, as at a scene's rim"))
        self.invalid_when.activated.connect(self._set_when)
        form = QFormLayout()
        form.addRow(self.tr("&Nodata value"), self.nodata)
        form.addRow(self.tr("A pixel is nodata &when"), self.invalid_when)
        return form
