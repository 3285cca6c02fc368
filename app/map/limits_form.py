"""Which value of each band is black and which is white, by hand."""

from functools import partial
from math import isfinite

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QLineEdit, QPushButton, QWidget

from app.map.image_layer import ImageLayer

_BANDS = 3


class LimitsForm(QWidget):
    """Edits the stretch of the image shown last, and with it how all look that share that."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layer: ImageLayer | None = None
        self.names = [QLabel(self) for _ in range(_BANDS)]
        self.fields = [(QLineEdit(self), QLineEdit(self)) for _ in range(_BANDS)]
        self.automatic = QPushButton(self.tr("A&utomatic"), self)
        self.automatic.setAccessibleName(self.tr("Automatic limits"))
        self.automatic.setToolTip(self.tr("Back to the 2nd and 98th percentile of each band"))
        self.automatic.clicked.connect(self._reset)
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
        grid.addWidget(self.problem, _BANDS, 0, 1, 2)
        grid.addWidget(self.automatic, _BANDS, 2)

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
        self.automatic.setEnabled(self._layer is not None and self._layer.stretch.by_hand)

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

    def _reset(self) -> None:
        if self._layer is not None:
            self._layer.stretch.reset()
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
