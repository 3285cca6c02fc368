"""How the chosen layer looks: its bands and stretch, or its classes."""

import numpy as np
from PySide6.QtCore import Slot
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.map.class_layers import ClassLayer, ConfidenceLayer
from app.map.colours import classes, classes_table, ramp_color
from app.map.image_layer import ImageLayer
from app.map.layers import Layer, RasterLayer
from app.map.limits_form import LimitsForm
from app.map.view import MapView

_SWATCH_PX = 16


class LayerLook(QWidget):
    """Controls for one layer; none for a layer that needs none.

    `peers` are maps whose image layers may lend their stretch, besides the layer's own map.
    """

    def __init__(self, view: MapView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.peers: list[MapView] = []
        self._view = view
        self._layer: Layer | None = None
        self.bands = [QComboBox(self) for _ in range(3)]
        self.limits = LimitsForm(self)
        self.stretch, self.hatched = QComboBox(self), QCheckBox(self.tr("&Patterns"), self)
        self.problem, self.legend = QLabel(self), QWidget(self)
        self.problem.setWordWrap(True)
        self.legend.setLayout(QVBoxLayout())
        self._describe()
        self._imagery = QWidget(self)
        form = QFormLayout(self._imagery)
        row = QHBoxLayout()
        for combo in self.bands:
            combo.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            row.addWidget(combo, 1)
        label = QLabel(self.tr("&Bands"), self._imagery)
        label.setBuddy(self.bands[0])
        form.addRow(label, row)
        form.addRow(self.tr("&Stretch"), self.stretch)
        form.addRow(self.limits)
        form.setContentsMargins(0, 0, 0, 0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (self.problem, self._imagery, self.hatched, self.legend):
            column.addWidget(widget)
        for combo in self.bands:
            combo.activated.connect(self._choose_bands)
        self.stretch.activated.connect(self._choose_stretch)
        self.hatched.toggled.connect(self._hatch)
        self.show_layer(None)

    def show_layer(self, layer: Layer | None) -> None:
        """Offer what can be changed of `layer`."""
        self._layer = layer
        problem = layer.problem if isinstance(layer, RasterLayer) else ""
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        self._imagery.setVisible(isinstance(layer, ImageLayer) and bool(layer.band_names))
        self.hatched.setVisible(isinstance(layer, ClassLayer))
        self.limits.show_layer(None)
        if isinstance(layer, ImageLayer):
            self._fill_imagery(layer)
        if isinstance(layer, ClassLayer):
            self.hatched.setChecked(layer.hatched)
        self._fill_legend(layer)

    def _describe(self) -> None:
        channels = (self.tr("red"), self.tr("green"), self.tr("blue"))
        for combo, channel in zip(self.bands, channels, strict=True):
            combo.setAccessibleName(self.tr("Band shown as {}").format(channel))
            combo.setToolTip(self.tr("The band shown as {}").format(channel))
        self.stretch.setAccessibleName(self.tr("Stretch"))
        self.stretch.setToolTip(
            self.tr(
                "Which values are black and white. Shared with another image, "
                "equal values look equal: the gap between two places is seen."
            )
        )
        self.hatched.setToolTip(self.tr("Tells classes apart by pattern, not by colour alone"))

    def _fill_imagery(self, layer: ImageLayer) -> None:
        self.limits.show_layer(layer)
        shown = list(layer.bands) if len(layer.bands) == 3 else list(layer.bands) * 3
        for combo, band in zip(self.bands, shown, strict=False):
            combo.clear()
            combo.addItems(list(layer.band_names))
            combo.setCurrentText(band)
        self.stretch.clear()
        self.stretch.addItem(self.tr("Its own"), None)
        for other in self._others(layer):
            self.stretch.addItem(self.tr("That of {}").format(other.name), other.own_stretch)
            if layer.stretch is other.own_stretch:
                self.stretch.setCurrentIndex(self.stretch.count() - 1)
        if self.stretch.currentIndex() == 0 and layer.stretch is not layer.own_stretch:
            self.stretch.addItem(self.tr("That of an image taken away"), layer.stretch)
            self.stretch.setCurrentIndex(self.stretch.count() - 1)

    def _others(self, layer: ImageLayer) -> list[ImageLayer]:
        found = [la for view in (self._view, *self.peers) for la in view.layers]
        return [other for other in found if isinstance(other, ImageLayer) and other is not layer]

    def _fill_legend(self, layer: Layer | None) -> None:
        box = self.legend.layout()
        assert box is not None
        while (item := box.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        entries = _entries(layer)
        for picture, text in entries:
            box.addWidget(_Entry(picture, text, self.legend))
        self.legend.setVisible(bool(entries))

    @Slot()
    def _choose_bands(self) -> None:
        if isinstance(self._layer, ImageLayer):
            bands = [combo.currentText() for combo in self.bands]
            self._layer.set_bands(bands[:1] if len(set(bands)) == 1 else bands)

    @Slot()
    def _choose_stretch(self) -> None:
        if isinstance(self._layer, ImageLayer):
            self._layer.set_stretch(self.stretch.currentData())
            self.limits.show_layer(self._layer)

    @Slot(bool)
    def _hatch(self, hatched: bool) -> None:
        if isinstance(self._layer, ClassLayer) and hatched != self._layer.hatched:
            self._layer.set_hatched(hatched)
            self._fill_legend(self._layer)


class _Entry(QWidget):
    """A colour of the legend and what it means."""

    def __init__(self, picture: QImage, text: str, parent: QWidget) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(2, 0, 2, 0)
        color, name = QLabel(self), QLabel(text, self)
        color.setPixmap(QPixmap.fromImage(picture))
        row.addWidget(color)
        row.addWidget(name, 1)


def _entries(layer: Layer | None) -> list[tuple[QImage, str]]:
    if isinstance(layer, ClassLayer):
        names = enumerate(layer.legend.classes)
        return [(_swatch(i, c.rgb, layer.hatched), c.name) for i, c in names]
    if isinstance(layer, ConfidenceLayer):
        return [
            (_swatch(0, ramp_color(share), False), f"{share:.0%}") for share in (0.0, 0.25, 0.5, 0.75, 1.0)
        ]
    return []


def _swatch(class_id: int, rgb: tuple[int, int, int], hatched: bool) -> QImage:
    ids = np.full((_SWATCH_PX, _SWATCH_PX), class_id)
    return classes(ids, np.ones(ids.shape, bool), classes_table({class_id: (*rgb, 255)}), hatched)
