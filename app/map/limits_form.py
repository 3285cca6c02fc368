"""Which value of each band is black and which is white: by percentiles, or by hand."""

from functools import partial
from math import isfinite

from PySide6.QtCore import Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QComboBox, QGridLayout, QLabel, QLineEdit, QWidget

from app.map.image_layer import ImageLayer
from geo_io.glance import CUTS

_BANDS = 3


class LimitsForm(QWidget):
    """Edits the stretch of the image shown last, and with it how all look that share that."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layer: ImageLayer | None = None
        self.names = [QLabel(self) for _ in range(_BANDS)]
        self.fields = [(QLineEdit(self), QLineEdit(self)) for _ in range(_BANDS)]
        self.cut = QComboBox(self)
        self.cut.setAccessibleName(self.tr("Limits"))
        self.cut.setToolTip(
            self.tr("Which share of each band's values lies between black and white, as seen from afar")
        )
        self.cut.activated.connect(self._choose_cut)
        self.problem = QLabel(self)
        self.problem.setWordWrap(True)
        self._arrange()

    def show_layer(self, layer: ImageLayer | None) -> None:
        """Show the limits of the bands that an image is seen in."""
        self._layer = layer
        self._fill()

    def _arrange(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        ends = (self.tr("Value shown black"), self.tr("Value shown white"))
        for row, (name, pair) in enumerate(zip(self.names, self.fields, strict=True)):
            grid.addWidget(name, row, 0)
            for column, (field, end) in enumerate(zip(pair, ends, strict=True)):
                grid.addWidget(field, row, 1 + column)
                field.setAccessibleName(end)
                field.editingFinished.connect(partial(self._take, row))
        label = QLabel(self.tr("&Limits"), self)
        label.setBuddy(self.cut)
        grid.addWidget(label, _BANDS, 0)
        grid.addWidget(self.cut, _BANDS, 1, 1, 2)
        grid.addWidget(self.problem, _BANDS + 1, 0, 1, 3)

    def _bands(self) -> list[str]:
        return list(dict.fromkeys(self._layer.bands)) if self._layer is not None else []

    def _fill(self) -> None:
        limits = dict(zip(self._layer.bands, self._layer.limits(), strict=False)) if self._layer else {}
        bands = self._bands()
        for row, (name, pair) in enumerate(zip(self.names, self.fields, strict=True)):
            for widget in (name, *pair):
                widget.setVisible(row < len(bands))
            if row < len(bands):
                self._fill_row(row, bands[row], *limits[bands[row]])
        self.problem.clear()
        self._fill_cut()

    def _fill_cut(self) -> None:
        self.cut.clear()
        for cut in CUTS:
            ends = self.tr("{0:g} to {1:g} %").format(cut, 100 - cut)
            self.cut.addItem(ends if cut else self.tr("Smallest to largest"), cut)
        if self._layer is not None and self._layer.stretch.by_hand:
            self.cut.addItem(self.tr("By hand"))
            self.cut.setCurrentIndex(len(CUTS))
        elif self._layer is not None:
            self.cut.setCurrentIndex(CUTS.index(self._layer.stretch.cut))

    def _fill_row(self, row: int, band: str, low: float, high: float) -> None:
        self.names[row].setText(band)
        what = (self.tr("Value of {} shown black"), self.tr("Value of {} shown white"))
        for field, value, words in zip(self.fields[row], (low, high), what, strict=True):
            field.setText(f"{value:.7g}")
            field.setAccessibleName(words.format(band))
            field.setToolTip(words.format(band))

    def _take(self, row: int) -> None:
        """What was typed, if it was changed and is of use."""
        bands, pair = self._bands(), self.fields[row]
        if self._layer is None or row >= len(bands) or not any(field.isModified() for field in pair):
            return
        numbers = [_number(field.text()) for field in pair]
        low, high = numbers
        if low is None or high is None or low >= high:
            self._fill()
            self.problem.setText(self.tr("Give two numbers, the lower one first."))
            return
        self._layer.stretch.set_limits(bands[row], low, high)
        self._fill()

    @Slot()
    def _choose_cut(self) -> None:
        if self._layer is not None and self.cut.currentData() is not None:
            self._layer.stretch.set_cut(self.cut.currentData())
            self._fill()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._fill()  # an image of the other map may have changed the stretch that both share


def _number(text: str) -> float | None:
    try:
        value = float(text.strip().replace(",", "."))
    except ValueError:
        return None
    return value if isfinite(value) else None
